/* zz_show.c - zz show: one certificate or one request, as the service holds it, in words. */
#include "zz_answer.h"
#include "zz_certificate.h"
#include "zz_commands.h"
#include "zz_text.h"

#include <stdlib.h>
#include <string.h>

const char zz_show_help[] = "usage: zz show --url U --key KEY.pem [--json] SERIAL|REQUEST\n\n"
                            "  SERIAL   32 hex digits: the certificate, from its signed record, "
                            "with its status and history\n"
                            "  REQUEST  64 hex digits: the request, its state, and what became of "
                            "each seat or certificate\n"
                            "  --json   print the service's answer\n\n"
                            "Times are of Shanghai. A centre sees its own, officials see all. "
                            "Whether a certificate is genuine is for\n"
                            "zz-verify to say: this shows what the service says.\n\n" ZZ_EXIT_HELP;

static enum zz_exit
json_show(const struct zz_service *s, const char *path)
{
	json_t *json = NULL;
	enum zz_exit exit = zz_get(s, path, &json);
	size_t n = 0;
	char *text;

	if (exit != ZZ_DONE)
		return exit;
	if ((text = json_write(json, &n)))
		fprintf(s->z->out, "%s\n", text);
	free(text);
	json_decref(json);
	return text ? ZZ_DONE : zz_fault(s->z, "memory", ERR_MEMORY);
}

static enum zz_exit
certificate_show(const struct zz_service *s, const char *serial)
{
	struct zz_certificate c = {.json = NULL};
	struct field *field = NULL;
	enum zz_exit exit;
	enum err e;

	if ((e = field_open(&field)) != ERR_OK)
		return zz_fault(s->z, "the field's data", e);
	if ((exit = zz_certificate_get(s, serial, NULL, &c)) == ZZ_DONE)
		zz_certificate_print(s->z->out, &c, field);
	zz_certificate_free(&c);
	field_free(field);
	return exit;
}

/* One decision of an official, from its signed bytes; the service alone has checked its signature.
 */
static void
decision_print(FILE *to, const json_t *text)
{
	uint8_t room[APPROVAL_BYTES_MAX];
	struct buf payload = BUF_OF(room);
	struct bytes reason;
	json_t *json = NULL;
	struct jws j;

	if (!json_is_string(text) ||
	        jws_decode(bytes_of(json_string_value(text), json_string_length(text)),
	                APPROVAL_BYTES_MAX, &j) != ERR_OK ||
	        jws_payload(&j, &payload) != ERR_OK ||
	        json_read(buf_bytes(&payload), sizeof room, &json) != ERR_OK)
		return;
	fputs("          签署   ", to);
	text_put(to, zz_text_of(json, "decision"));
	fprintf(to, "  key %s", j.kid);
	reason = zz_text_of(json, "reason");
	if (reason.n) {
		fputs("  ", to);
		text_put(to, reason);
	}
	fputs("\n", to);
	json_decref(json);
}

/* What is touched, and of many how far it is. */
static void
list_print(FILE *to, const struct zz_request *r, const json_t *json)
{
	struct bytes hash = zz_text_of(json, "list_sha256");
	int64_t count = zz_number_of(json, "count"), done = zz_number_of(json, "done");
	char serial[33];

	if (r->request.type == REQUEST_REPLACE) {
		hex_encode(bytes_of(r->request.serials[0], 16), serial);
		fprintf(to, "\nreplaces  换发   %s", serial);
	}
	if (count >= 0)
		fprintf(to, "\ncount     数量   %lld", (long long)count);
	if (done >= 0)
		fprintf(to, "\ndone      已执行 %lld", (long long)done);
	if (hash.n) {
		fputs("\nlist      清单   SHA-256 ", to);
		text_put(to, hash);
	}
}

static void
request_print(const struct zz *z, const char *id, const struct zz_request *r, const json_t *json)
{
	const json_t *events = json_object_get(json, "events");
	const json_t *approvals = json_object_get(json, "approvals");
	struct zz_answer a = {.z = z, .request = r, .dir = ""};
	size_t i;

	fprintf(z->out,
	        "request   请求   %s\ntype      类型   %s\nsent by   发送   key %s\nsigned    签署 "
	        "  ",
	        id, request_type_word(r->request.type), r->jws.kid);
	text_put_time(z->out, r->request.iat);
	fputs("\nstate     状态   ", z->out);
	text_put(z->out, zz_text_of(json, "state"));
	list_print(z->out, r, json);
	fprintf(z->out, "\ndecisions 决定   %zu\n", json_array_size(approvals));
	for (i = 0; i < json_array_size(approvals); i++)
		decision_print(z->out, json_array_get(approvals, i));
	for (i = 0; i < json_array_size(events); i++) {
		fputs("event     经过   ", z->out);
		zz_value_put(z->out, json_array_get(events, i), "at");
		fputs("  ", z->out);
		zz_value_put(z->out, json_array_get(events, i), "state");
		fputs("  ", z->out);
		zz_value_put(z->out, json_array_get(events, i), "code");
		fputs("\n", z->out);
	}
	fputs("\n", z->out);
	zz_answer_table(&a, json);
}

static enum zz_exit
request_show(const struct zz_service *s, const char *id, const char *path)
{
	struct zz_request request = {0};
	json_t *json = NULL;
	enum zz_exit exit = zz_get(s, path, &json);
	struct bytes jws;
	uint8_t *copy;

	if (exit != ZZ_DONE)
		return exit;
	jws = zz_text_of(json, "jws");
	if (!(copy = malloc(jws.n + 1))) {
		json_decref(json);
		return zz_fault(s->z, "memory", ERR_MEMORY);
	}
	memcpy(copy, jws.p, jws.n);
	if (zz_request_open(copy, jws.n, &request) != ERR_OK || strcmp(request.id, id)) {
		fputs("zz: the service answered with another or a broken request. Report this.\n",
		        s->z->err);
		exit = ZZ_REFUSED;
	} else {
		request_print(s->z, id, &request, json);
	}
	zz_request_free(&request);
	json_decref(json);
	return exit;
}

static enum zz_exit
show_run(const struct zz_service *s, const char *id, bool json)
{
	bool certificate = zz_is_hex(bytes_of_text(id), 32);
	char path[100];

	snprintf(path, sizeof path, "/v1/%s/%s", certificate ? "certificates" : "requests", id);
	if (json)
		return json_show(s, path);
	return certificate ? certificate_show(s, id) : request_show(s, id, path);
}

enum zz_exit
zz_show(const struct zz *z, int argc, char **argv)
{
	const char *url = NULL, *key_path = NULL, *words[1];
	bool json = false;
	const struct zz_option options[] = {{"--url", &url, NULL, true},
	        {"--key", &key_path, NULL, true}, {"--json", NULL, &json, false}};
	struct zz_args args = {
	        .options = options, .option_count = 3, .words = words, .words_max = 1};
	struct client *client = NULL;
	struct key *key = NULL;
	enum zz_exit exit;

	if ((exit = zz_args(z, argc, argv, &args)) != ZZ_DONE)
		return exit;
	if (args.word_count != 1 || (!zz_is_hex(bytes_of_text(words[0]), 32) &&
	                                    !zz_is_hex(bytes_of_text(words[0]), 64)))
		return zz_usage(z, "name one SERIAL (32 hex digits) or REQUEST (64 hex digits)");
	if ((exit = zz_client(z, url, &client)) == ZZ_DONE &&
	        (exit = zz_key(z, key_path, &key)) == ZZ_DONE)
		exit = show_run(&(struct zz_service){z, client, key}, words[0], json);
	key_free(key);
	client_free(client);
	return exit;
}
