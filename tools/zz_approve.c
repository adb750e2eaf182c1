/* zz_approve.c - zz approve: an official sees everything that they sign, computed from the bytes of
 * the request and of each record, and nothing is signed before they said yes. */
#include "zz_certificate.h"
#include "zz_commands.h"
#include "zz_request.h"
#include "zz_text.h"

#include <stdlib.h>
#include <string.h>

const char zz_approve_help[] =
        "usage: zz approve --url U --key KEY.pem [--root ROOT.pub] [--yes] REQUEST\n\n"
        "Shows a waiting request as its own signed bytes say it, with each certificate that it "
        "touches, asks, and signs\n"
        "the approval. Run again it never approves twice.\n\n"
        "  REQUEST          64 hex digits: the SHA-256 of what the sender signed; computed here "
        "again\n"
        "  --root ROOT.pub  also verify that each record shown is signed by the authority of this "
        "root key\n"
        "  --yes            do not ask: for scripts\n\n"
        "The approval is good for 7 days.\n\n" ZZ_EXIT_HELP;

struct approve {
	const struct zz *z;
	struct zz_service service;
	const char *id;
	bool yes;
	json_t *state; /* answer of GET /v1/requests/{id} */
	struct zz_request request;
	struct zz_authority authority;
	struct field *field;
};

/* The bytes decide: the id is their hash, or nothing is shown. */
static enum zz_exit
request_get(struct approve *a)
{
	struct bytes jws;
	char path[100];
	enum zz_exit exit;
	uint8_t *copy;

	snprintf(path, sizeof path, "/v1/requests/%s", a->id);
	if ((exit = zz_get(&a->service, path, &a->state)) != ZZ_DONE)
		return exit;
	jws = zz_text_of(a->state, "jws");
	if (!(copy = malloc(jws.n + 1)))
		return zz_fault(a->z, "memory", ERR_MEMORY);
	memcpy(copy, jws.p, jws.n);
	copy[jws.n] = 0;
	if (zz_request_open(copy, jws.n, &a->request) != ERR_OK) {
		fputs("zz: the service's copy of the request cannot be decoded: nothing was "
		      "signed\n",
		        a->z->err);
		return ZZ_REFUSED;
	}
	if (!strcmp(a->request.id, a->id))
		return ZZ_DONE;
	fputs("zz: the service answered with another request than you named: nothing was signed. "
	      "Report this.\n"
	      "    服务返回的请求与所指不符，未签名，请报告。\n",
	        a->z->err);
	return ZZ_REFUSED;
}

/* kid of an approval JWS; empty when it is none for this request. */
static void
approval_kid(const struct approve *a, const json_t *text, char kid[KEY_THUMB_TEXT + 1])
{
	struct approval approval;
	struct jws j;

	kid[0] = 0;
	if (!json_is_string(text) ||
	        jws_decode(bytes_of(json_string_value(text), json_string_length(text)),
	                APPROVAL_BYTES_MAX, &j) != ERR_OK ||
	        strcmp(j.typ, APPROVAL_TYP) || approval_decode(&j, &approval) != ERR_OK ||
	        !approval.approve || memcmp(approval.request, a->request.jws.hash, SHA256_BYTES))
		return;
	memcpy(kid, j.kid, sizeof j.kid);
}

static bool
is_mine(const struct approve *a)
{
	const json_t *list = json_object_get(a->state, "approvals");
	char kid[KEY_THUMB_TEXT + 1];
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		approval_kid(a, json_array_get(list, i), kid);
		if (!strcmp(kid, key_thumb_text(a->service.key)))
			return true;
	}
	return false;
}

/* ZZ_DONE: it waits for a signature that this key may give. *stop is set when there is nothing to
 * do. */
static enum zz_exit
state_check(const struct approve *a, bool *stop)
{
	struct bytes state = zz_text_of(a->state, "state");
	bool mine = is_mine(a);

	*stop = true;
	if (mine && bytes_equal_text(state, "waiting")) {
		fputs("You have signed it already; it waits for others. 您已签署，尚待他人批准。\n",
		        a->z->err);
		return ZZ_WAITS;
	}
	if (mine && bytes_equal_text(state, "executed")) {
		fputs("Executed already, with your approval. 已执行，您的批准已计入。\n",
		        a->z->out);
		return ZZ_DONE;
	}
	if (!bytes_equal_text(state, "waiting")) {
		fputs("zz: it waits for nothing; its state 状态: ", a->z->err);
		text_put(a->z->err, state);
		fputs("\n", a->z->err);
		return ZZ_REFUSED;
	}
	if (!strcmp(a->request.jws.kid, key_thumb_text(a->service.key))) {
		fputs("zz: you sent this request with this key: another person must approve it. "
		      "须由他人批准。\n",
		        a->z->err);
		return ZZ_REFUSED;
	}
	if (a->request.request.exp < a->z->now)
		return zz_fault(a->z, "this request", ERR_REQUEST_EXPIRED);
	*stop = false;
	return ZZ_DONE;
}

static void
head_print(const struct approve *a)
{
	const struct request *r = &a->request.request;
	const json_t *list = json_object_get(a->state, "approvals");
	char kid[KEY_THUMB_TEXT + 1];
	FILE *to = a->z->out;
	size_t i;

	fprintf(to,
	        "request   请求   %s\ntype      类型   %s\nsent by   发送   key %s\nsigned    签署 "
	        "  ",
	        a->id, request_type_word(r->type), a->request.jws.kid);
	text_put_time(to, r->iat);
	fputs("\ngood to   有效至 ", to);
	text_put_time(to, r->exp);
	fputs("\n", to);
	for (i = 0; i < json_array_size(list); i++) {
		approval_kid(a, json_array_get(list, i), kid);
		if (kid[0])
			fprintf(to, "approved  已批准 key %s\n", kid);
	}
}

static void
line_text(FILE *to, const char *label, struct bytes text)
{
	fputs(label, to);
	text_put(to, text);
	fputs("\n", to);
}

static void
order_print(const struct approve *a)
{
	const struct request *r = &a->request.request;
	const struct field_ground *ground = field_ground(a->field, r->ground);
	FILE *to = a->z->out;

	line_text(to, "ground    依据   ", r->ground);
	if (ground) {
		line_text(to, "                 ", ground->name_zh);
		line_text(to, "                 ", ground->name_en);
	}
	line_text(to, "decision  决定   ", r->decision_no);
	fputs("decided   决定日 ", to);
	text_put_day(to, r->decided_at);
	fputs("\neffective 生效日 ", to);
	text_put_day(to, r->effective_at);
	fprintf(to, "\ncertificates 证书 %zu\n", r->serial_count);
}

static enum zz_exit
certificates_print(struct approve *a)
{
	const struct manifest *m = a->authority.open ? &a->authority.manifest : NULL;
	struct zz_certificate c;
	char serial[33];
	enum zz_exit exit;
	size_t i;

	for (i = 0; i < a->request.request.serial_count; i++) {
		hex_encode(bytes_of(a->request.request.serials[i], 16), serial);
		memset(&c, 0, sizeof c);
		if ((exit = zz_certificate_get(&a->service, serial, m, &c)) != ZZ_DONE)
			return exit;
		zz_certificate_line(a->z->out, &c, a->field);
		fputs("      ", a->z->out);
		zz_status_put(a->z->out, zz_text_of(c.json, "status"));
		fputs("\n", a->z->out);
		zz_certificate_free(&c);
	}
	fputs(m ? "Each record is signed by the authority of this root key. 记录签名已核验。\n"
	        : "The signatures of these records were not checked (--root ROOT.pub does). "
	          "记录签名未核验。\n",
	        a->z->out);
	return ZZ_DONE;
}

static void
session_print(const struct approve *a)
{
	const struct request_session *s = &a->request.request.session;
	const struct field_item *item = field_item(a->field, s->item);
	FILE *to = a->z->out;

	line_text(to, "session   场次   ", s->id);
	line_text(to, "centre    考试点 ", s->center);
	line_text(to, "region    地区   ", s->region);
	line_text(to, "item      项目   ", s->item);
	if (item)
		line_text(to, "                 ", item->name_zh);
	line_text(to, "basis     依据   ", s->basis);
	fputs("theory    理论   ", to);
	text_put_time(to, s->theory_at);
	fputs("\npractical 实操   ", to);
	text_put_time(to, s->practical_at);
	line_text(to, "\nexaminer  考评员 ", s->examiners[0]);
	line_text(to, "examiner  考评员 ", s->examiners[1]);
	fprintf(to, "seats     座位   %zu\n", a->request.request.seat_count);
}

static bool
asks_yes(const struct zz *z)
{
	char line[16] = {0};

	fputs("\nSign this approval? Type yes. 确认批准请输入 yes: ", z->out);
	fflush(z->out);
	if (!fgets(line, sizeof line, z->in))
		return false;
	line[strcspn(line, "\r\n")] = 0;
	return !strcmp(line, "yes");
}

static enum zz_exit
approval_send(struct approve *a)
{
	char jti[ZZ_JTI_TEXT + 1], path[110];
	json_t *payload, *answer = NULL;
	enum zz_exit exit = ZZ_DONE;
	uint8_t *text = NULL;
	unsigned status = 0;
	enum err e = ERR_MEMORY;
	size_t n = 0;

	zz_jti(jti);
	payload = json_pack("{s:s,s:s,s:I,s:I,s:s}", "request", a->request.id, "jti", jti, "iat",
	        (json_int_t)a->z->now, "exp", (json_int_t)(a->z->now + ORDER_LIFETIME_S_MAX),
	        "decision", "approve");
	if (payload)
		e = zz_sign(a->service.key, APPROVAL_TYP, payload, &text, &n);
	json_decref(payload);
	if (e != ERR_OK)
		return zz_fault(a->z, "signing the approval", e);
	snprintf(path, sizeof path, "/v1/requests/%s/approvals", a->id);
	exit = zz_post(&a->service, path, bytes_of(text, n), &status, &answer, NULL);
	free(text);
	if (exit != ZZ_DONE)
		return exit;
	if (bytes_equal_text(zz_text_of(answer, "state"), "waiting")) {
		fprintf(a->z->out,
		        "Signed. It waits for more: %lld of %lld. 已签署，尚需更多批准。\n",
		        (long long)zz_number_of(answer, "officials_signed"),
		        (long long)zz_number_of(answer, "officials_needed"));
		exit = ZZ_WAITS;
	} else if (bytes_equal_text(zz_text_of(answer, "state"), "executed")) {
		fputs("Signed, and executed. 已签署并执行。\n", a->z->out);
	} else {
		fputs("zz: signed, but the request was not executed; its state 状态: ", a->z->err);
		text_put(a->z->err, zz_text_of(answer, "state"));
		fputs("\n", a->z->err);
		exit = ZZ_REFUSED;
	}
	json_decref(answer);
	return exit;
}

static enum zz_exit
approve_run(struct approve *a)
{
	enum zz_exit exit;
	bool stop = true;

	if ((exit = request_get(a)) != ZZ_DONE || (exit = state_check(a, &stop)) != ZZ_DONE || stop)
		return exit;
	head_print(a);
	if (a->request.request.type == REQUEST_ISSUE) {
		session_print(a);
	} else {
		order_print(a);
		if ((exit = certificates_print(a)) != ZZ_DONE)
			return exit;
	}
	if (a->yes || asks_yes(a->z))
		return approval_send(a);
	fputs("\nNothing was signed. 未签名。\n", a->z->err);
	return ZZ_REFUSED;
}

enum zz_exit
zz_approve(const struct zz *z, int argc, char **argv)
{
	const char *url = NULL, *key_path = NULL, *root = NULL, *words[1];
	struct approve a = {.z = z};
	const struct zz_option options[] = {{"--url", &url, NULL, true},
	        {"--key", &key_path, NULL, true}, {"--root", &root, NULL, false},
	        {"--yes", NULL, &a.yes, false}};
	struct zz_args args = {
	        .options = options, .option_count = 4, .words = words, .words_max = 1};
	struct key *key = NULL;
	enum zz_exit exit;
	enum err e;

	if ((exit = zz_args(z, argc, argv, &args)) != ZZ_DONE)
		return exit;
	if (args.word_count != 1 || !zz_is_hex(bytes_of_text(words[0]), 64))
		return zz_usage(z, "name one REQUEST: 64 hex digits (0-9 a-f)");
	a.id = words[0];
	if ((e = field_open(&a.field)) != ERR_OK)
		return zz_fault(z, "the field's data", e);
	if ((exit = zz_client(z, url, &a.service.client)) != ZZ_DONE ||
	        (exit = zz_key(z, key_path, &key)) != ZZ_DONE)
		goto out;
	a.service.z = z;
	a.service.key = key;
	if (root && (exit = zz_authority_open(&a.service, root, &a.authority)) != ZZ_DONE)
		goto out;
	exit = approve_run(&a);
out:
	zz_authority_close(&a.authority);
	zz_request_free(&a.request);
	json_decref(a.state);
	key_free(key);
	client_free(a.service.client);
	field_free(a.field);
	return exit;
}
