/* zz_dry_run.c - what an order for many certificates would touch: the service is asked, nothing is
 * signed, saved or sent. */
#include "zz_order.h"
#include "zz_text.h"

#include <string.h>

enum { DRY_SAMPLE = 10 };

static void
groups_print(const struct order *o, const json_t *answer, const struct field *f)
{
	const json_t *rows = json_object_get(answer, "groups");
	FILE *to = o->z->out;

	fputs("\n", to);
	zz_group_head(to);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		int64_t count = zz_number_of(row, "count");

		zz_group_print(to,
		        &(struct zz_group){zz_text_of(row, "center"), zz_text_of(row, "item"),
		                zz_text_of(row, "status"), count < 0 ? 0 : (uint64_t)count},
		        f);
	}
	fputs("\n", to);
}

static void
counts_print(const struct order *o, const json_t *answer, const struct zz_list *l)
{
	int64_t unknown = zz_number_of(answer, "unknown");
	char hex[2 * SHA256_BYTES + 1];

	hex_encode(bytes_of(l->sha256, SHA256_BYTES), hex);
	fprintf(o->z->out, "certificates 证书 %zu\nlist      清单   SHA-256 %s\n", l->count, hex);
	if (unknown > 0)
		fprintf(o->z->out,
		        "unknown   未知   %lld serials of the file are of no certificate of this "
		        "authority 文件中的序列号不存在\n",
		        (long long)unknown);
	if (l->count > ZZ_BULK)
		fprintf(o->z->out,
		        "          More than %d: one official more must sign than for one. 超过 %d "
		        "件，须增加一名监管人员签署。\n",
		        ZZ_BULK, ZZ_BULK);
}

static enum zz_exit
answer_print(const struct order *o, const struct zz_service *service, const json_t *answer)
{
	const json_t *select = json_object_get(o->payload, "select");
	struct zz_sample sample = {.service = service, .max = DRY_SAMPLE};
	struct request_select selector;
	struct zz_list list = {0};
	struct field *field = NULL;
	enum zz_exit exit;
	enum err e;

	if (select && (e = request_select_read(select, &selector)) != ERR_OK)
		return zz_fault(o->z, "the selector", e);
	if ((e = field_open(&field)) != ERR_OK)
		return zz_fault(o->z, "the field's data", e);
	sample.field = field;
	sample.select = select ? &selector : NULL;
	if ((exit = zz_list_read(o->z, answer, &list)) == ZZ_DONE) {
		if (select)
			zz_select_print(o->z->out, &selector, field);
		counts_print(o, answer, &list);
		groups_print(o, answer, field);
		exit = zz_sample_print(&sample, &list);
	}
	zz_list_free(&list);
	field_free(field);
	return exit;
}

enum zz_exit
order_dry_run(const struct order *o)
{
	struct zz_service service = {o->z, o->client, o->key};
	const char *name = o->w.select ? "select" : "serials";
	struct bytes raw = {0};
	json_t *answer = NULL, *question = json_object();
	enum zz_exit exit;

	if (json_object_set(question, name, json_object_get(o->payload, name))) {
		json_decref(question);
		return zz_fault(o->z, "memory", ERR_MEMORY);
	}
	exit = zz_ask(&service, "/v1/selections", question, &answer, &raw);
	json_decref(question);
	if (exit != ZZ_DONE)
		return exit;
	if (o->w.json)
		fprintf(o->z->out, "%.*s\n", (int)raw.n, (const char *)raw.p);
	else
		exit = answer_print(o, &service, answer);
	json_decref(answer);
	if (exit == ZZ_DONE)
		fputs("\nNothing was signed or sent: the same command with --send sends it. "
		      "未签名、未发送；加 --send 发送。\n",
		        o->w.json ? o->z->err : o->z->out);
	return exit;
}
