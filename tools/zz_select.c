/* zz_select.c - selectors and the lists that the service froze for them: a list counts only where
 * its bytes give the hash and the count that stand beside it. */
#include "zz_select.h"
#include "base64.h"
#include "zz_text.h"

#include <stdlib.h>
#include <string.h>

enum { CENTER_CELLS = 12, STATUS_CELLS = 32, COUNT_CELLS = 8 };

const char *
zz_select_breaks(const struct request_select *s, const struct record *r)
{
	if (s->center.p && !bytes_equal(s->center, r->center))
		return "it is of another centre than the selector";
	if (s->item.p && !bytes_equal(s->item, r->item))
		return "it is of another item than the selector";
	if (s->by_request && !bytes_equal(bytes_of(s->request, SHA256_BYTES), r->request))
		return "it was made for another request than the selector";
	if (r->iat < s->from || r->iat >= s->to)
		return "it was issued outside of the selector's time";
	return NULL;
}

static void
bound_print(FILE *to, const char *label, int64_t at)
{
	if (at == 0 || at == INT64_MAX)
		return;
	fputs(label, to);
	text_put_time(to, at);
	fputs("\n", to);
}

void
zz_select_print(FILE *to, const struct request_select *s, const struct field *f)
{
	const struct field_item *item = field_item(f, s->item);
	char request[2 * SHA256_BYTES + 1];

	fputs("selects   选择   all certificates of 下列条件的全部证书:\n", to);
	if (s->center.p)
		text_line(to, "  centre    考试点 ", s->center);
	if (s->item.p)
		text_line(to, "  item      项目   ", s->item);
	if (item)
		text_line(to, "                   ", item->name_zh);
	if (s->by_request) {
		hex_encode(bytes_of(s->request, SHA256_BYTES), request);
		fprintf(to, "  request   请求   %s\n", request);
	}
	bound_print(to, "  issued from 起   ", s->from);
	bound_print(to, "  issued before 止 ", s->to);
}

static int
serial_order(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static void
list_hash(struct zz_list *l)
{
	sha256_one(bytes_of(l->serials, l->count * 16), l->sha256);
}

enum err
zz_list_copy(uint8_t (*serials)[16], size_t count, struct zz_list *out)
{
	struct zz_list l = {.serials = malloc(count * 16 + 1), .count = count};

	if (!l.serials)
		return ERR_MEMORY;
	memcpy(l.serials, serials, count * 16);
	qsort(l.serials, count, 16, serial_order);
	list_hash(&l);
	*out = l;
	return ERR_OK;
}

/* Ascending and each once, so that one set of certificates has one hash. */
static enum err
list_decode(const json_t *answer, struct zz_list *out)
{
	struct bytes text = zz_text_of(answer, "list");
	struct zz_list l = {.serials = malloc(text.n + 16)};
	struct buf b = buf_init(l.serials, text.n + 16);
	char hex[2 * SHA256_BYTES + 1];
	enum err e = ERR_MEMORY;

	if (!l.serials)
		return ERR_MEMORY;
	if ((e = base64url_get(text, &b)) != ERR_OK)
		goto out;
	e = ERR_FIELD_INVALID;
	l.count = b.n / 16;
	for (size_t i = 1; i < l.count; i++)
		if (memcmp(l.serials[i - 1], l.serials[i], 16) >= 0)
			goto out;
	list_hash(&l);
	hex_encode(bytes_of(l.sha256, SHA256_BYTES), hex);
	if (!l.count || b.n % 16 || zz_number_of(answer, "count") != (int64_t)l.count ||
	        !bytes_equal_text(zz_text_of(answer, "list_sha256"), hex))
		goto out;
	*out = l;
	return ERR_OK;
out:
	zz_list_free(&l);
	return e;
}

enum zz_exit
zz_list_read(const struct zz *z, const json_t *answer, struct zz_list *out)
{
	enum err e = list_decode(answer, out);

	if (e == ERR_MEMORY)
		return zz_fault(z, "memory", e);
	if (e == ERR_OK)
		return ZZ_DONE;
	fputs("zz: the service's list of certificates does not fit its own hash and count: nothing "
	      "was signed. Report this.\n"
	      "    服务返回的证书清单与其摘要或数量不符，未签名，请报告。\n",
	        z->err);
	return ZZ_REFUSED;
}

void
zz_list_free(struct zz_list *l)
{
	free(l->serials);
	memset(l, 0, sizeof *l);
}

void
zz_group_head(FILE *to)
{
	static const char *const heads[][2] = {
	        {"Count", "数量"}, {"Status", "状态"}, {"Centre", "考试点"}, {"Item", "项目"}};
	static const unsigned cells[] = {COUNT_CELLS, STATUS_CELLS, CENTER_CELLS, 0};

	for (size_t line = 0; line < 2; line++) {
		for (size_t i = 0; i < 3; i++) {
			text_column(to, bytes_of_text(heads[i][line]), cells[i]);
			fputs("  ", to);
		}
		fprintf(to, "%s\n", heads[3][line]);
	}
}

void
zz_group_print(FILE *to, const struct zz_group *g, const struct field *f)
{
	const struct field_item *item = field_item(f, g->item);

	fprintf(to, "%*llu  ", COUNT_CELLS, (unsigned long long)g->count);
	zz_status_column(to, g->status, STATUS_CELLS);
	fputs("  ", to);
	text_column(to, g->center, CENTER_CELLS);
	fputs("  ", to);
	text_put(to, g->item);
	if (item) {
		fputs(" ", to);
		text_put(to, item->name_zh);
	}
	fputs("\n", to);
}
