/* zz_certificate.c - a certificate from the service: its bytes are decoded here before a word of it
 * is shown. */
#include "zz_certificate.h"
#include "base64.h"
#include "date.h"
#include "file.h"
#include "zz_text.h"

#include <stdlib.h>
#include <string.h>

static enum zz_exit
refuse(const struct zz *z, const char *serial, const char *rule)
{
	fprintf(z->err,
	        "zz: certificate %s: %s. Report this: the service answered with something else.\n",
	        serial, rule);
	return ZZ_REFUSED;
}

static enum zz_exit
signature_check(const struct zz *z, const char *serial, const struct manifest *m,
        const struct zz_certificate *c)
{
	const struct manifest_key *k = manifest_find(m, c->message.kid, KEY_RECORD);

	if (!k || cose_verify(&c->message, k->key, RECORD_TYPE) != ERR_OK)
		return refuse(z, serial, "the record is not signed by this authority");
	return ZZ_DONE;
}

static enum zz_exit
certificate_read(
        const struct zz *z, const char *serial, const struct manifest *m, struct zz_certificate *c)
{
	struct buf b = BUF_OF(c->room);
	uint8_t cti[16];

	if (base64url_get(zz_text_of(c->json, "record"), &b) != ERR_OK || buf_end(&b) != ERR_OK ||
	        record_open(buf_bytes(&b), false, &c->message, &c->record) != ERR_OK)
		return refuse(z, serial, "the record is malformed");
	if (hex_decode(bytes_of_text(serial), cti, sizeof cti) != ERR_OK ||
	        !bytes_equal(c->record.cti, bytes_of(cti, sizeof cti)))
		return refuse(z, serial, "the record bears another serial");
	return m ? signature_check(z, serial, m, c) : ZZ_DONE;
}

enum zz_exit
zz_certificate_get(const struct zz_service *s, const char *serial, const struct manifest *m,
        struct zz_certificate *out)
{
	char path[80];
	enum zz_exit exit;

	snprintf(path, sizeof path, "/v1/certificates/%s", serial);
	if ((exit = zz_get(s, path, &out->json)) != ZZ_DONE)
		return exit;
	if ((exit = certificate_read(s->z, serial, m, out)) != ZZ_DONE)
		zz_certificate_free(out);
	return exit;
}

void
zz_certificate_free(struct zz_certificate *c)
{
	json_decref(c->json);
	c->json = NULL;
}

static struct bytes
status_words(struct bytes word)
{
	static const char *const words[][2] = {{"valid", "valid 有效"},
	        {"invalid", "invalid, revoked 已失效（撤销）"}, {"suspended", "suspended 暂停"},
	        {"superseded", "superseded 已换发"}};
	size_t i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (bytes_equal_text(word, words[i][0]))
			return bytes_of_text(words[i][1]);
	}
	return word;
}

void
zz_status_put(FILE *to, struct bytes word)
{
	text_put(to, status_words(word));
}

void
zz_status_column(FILE *to, struct bytes word, unsigned cells)
{
	text_column(to, status_words(word), cells);
}

void
zz_value_put(FILE *to, const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);
	struct bytes text = zz_text_of(object, name);
	int64_t number = zz_number_of(object, name),
	        day_max = 4000000; /* above it a number is seconds */

	if (json_is_string(v) && !strcmp(name, "status"))
		zz_status_put(to, text);
	else if (json_is_string(v))
		text_put(to, text);
	else if (json_is_integer(v) && !strcmp(name, "effective") && number >= 0 &&
	         number < day_max)
		text_put_day(to, number);
	else if (json_is_integer(v) && !strcmp(name, "at") && number > day_max)
		text_put_time(to, number);
	else if (json_is_integer(v))
		fprintf(to, "%lld", (long long)json_integer_value(v));
	else
		fputs("-", to);
}

void
zz_item_put(FILE *to, struct bytes code, const struct field *f)
{
	const struct field_item *item = field_item(f, code);

	text_put(to, code);
	if (!item)
		return;
	fputs(" ", to);
	text_put(to, item->name_zh);
	fputs(" ", to);
	text_put(to, item->name_en);
}

static void
history_print(FILE *to, const json_t *json)
{
	static const char *const members[] = {"index", "status", "reason", "effective", "at"};
	const json_t *history = json_object_get(json, "history");
	size_t i, j;

	for (i = 0; i < json_array_size(history); i++) {
		fputs(i ? "                 " : "history   经过   ", to);
		for (j = 0; j < sizeof members / sizeof members[0]; j++) {
			fprintf(to, "%s%s ", j ? ", " : "", members[j]);
			zz_value_put(to, json_array_get(history, i), members[j]);
		}
		fputs("\n", to);
	}
}

void
zz_certificate_print(FILE *to, const struct zz_certificate *c, const struct field *f)
{
	const struct record *r = &c->record;
	struct bytes newer = zz_text_of(c->json, "superseded_by");
	char cti[33], request[65];

	hex_encode(r->cti, cti);
	hex_encode(r->request, request);
	fprintf(to, "serial    序列号 %s\nstatus    状态   ", cti);
	zz_status_put(to, zz_text_of(c->json, "status"));
	fputs("\nname      姓名   ", to);
	text_put(to, r->name);
	fprintf(to, "%s\ndocument  证件   ", r->sex == 1 ? " M 男" : r->sex == 2 ? " F 女" : "");
	text_put(to, field_document_name(f, r->doc_type));
	fputs(" ", to);
	text_put(to, r->doc_number);
	fputs("\nitem      项目   ", to);
	zz_item_put(to, r->item, f);
	fputs("\npolicy    规定   ", to);
	text_put(to, r->policy);
	fputs("\nissued    签发   ", to);
	text_put_time(to, r->iat);
	fputs("\nvalid     有效期 ", to);
	text_put_day(to, date_shanghai(r->nbf));
	fputs(" … ", to);
	text_put_day(to, date_shanghai(r->exp - 1));
	if (r->review_due >= 0) {
		fputs("\nreview    复审   ", to);
		text_put_day(to, r->review_due);
	}
	fputs("\ncentre    考试点 ", to);
	text_put(to, r->center);
	fputs("\nregion    地区   ", to);
	text_put(to, r->region);
	fputs(" ", to);
	text_put(to, field_region_name(f, r->region));
	if (r->follows.n) {
		hex_encode(r->follows, cti);
		fprintf(to, "\nfollows   承接   %s", cti);
	}
	if (newer.n) {
		fputs("\nreplaced by 换发为 ", to);
		text_put(to, newer);
		fputs(" (as the service says 服务所述)", to);
	}
	fprintf(to, "\nrequest   请求   %s\nlist      清单   %u/%u\nindex     日志   ", request,
	        r->list, r->idx);
	zz_value_put(to, c->json, "index");
	fputs("\n", to);
	history_print(to, c->json);
}

void
zz_certificate_line(FILE *to, const struct zz_certificate *c, const struct field *f)
{
	const struct record *r = &c->record;
	char cti[33];

	hex_encode(r->cti, cti);
	fprintf(to, "  %s  ", cti);
	text_column(to, r->name, 16);
	fprintf(to, "  %.*s ", (int)r->doc_type.n, (const char *)r->doc_type.p);
	text_column(to, r->doc_number, DOCUMENT_BYTES_MAX);
	fputs("  ", to);
	text_put_day(to, date_shanghai(r->iat));
	fputs("  ", to);
	zz_item_put(to, r->item, f);
	fputs("\n", to);
}

enum zz_exit
zz_authority_open(const struct zz_service *s, const char *root_path, struct zz_authority *out)
{
	struct client_reply reply = {0};
	struct key *root = NULL;
	uint8_t *pem = NULL;
	size_t n = 0;
	enum err e;

	if ((e = file_read(root_path, KEY_PEM_BYTES_MAX, &pem, &n)) == ERR_OK)
		e = key_read_pem(bytes_of(pem, n), &root);
	free(pem);
	if (e != ERR_OK)
		return zz_usage(s->z, "cannot read the root key %s (%s)", root_path, err_word(e));
	e = client_get(s->client, "/manifest.cose", NULL, MANIFEST_BYTES_MAX, &reply);
	if (e == ERR_OK && reply.status != 200)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK) {
		memcpy(out->room, reply.body.p, reply.body.n);
		e = manifest_open(bytes_of(out->room, reply.body.n), root, &out->manifest);
	}
	key_free(root);
	if (e != ERR_OK)
		return zz_fault(s->z, "the manifest of the service", e);
	out->open = true;
	return ZZ_DONE;
}

void
zz_authority_close(struct zz_authority *a)
{
	if (a->open)
		manifest_close(&a->manifest);
	a->open = false;
}
