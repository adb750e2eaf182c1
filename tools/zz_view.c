/* zz_view.c - a waiting request in words: all that is said of it is computed here from the bytes of
 * the request and of each record; what the service alone says is marked so. */
#include "zz_view.h"
#include "zz_text.h"

#include <stdlib.h>
#include <string.h>

enum { HOLD_DAYS_MAX = 30, HOLD_HOURS = 72 };

/* The bytes decide: the id is their hash, or nothing is shown. */
static enum zz_exit
request_get(struct zz_view *v)
{
	struct bytes jws;
	char path[100];
	enum zz_exit exit;
	uint8_t *copy;

	snprintf(path, sizeof path, "/v1/requests/%s", v->id);
	if ((exit = zz_get(&v->service, path, &v->state)) != ZZ_DONE)
		return exit;
	jws = zz_text_of(v->state, "jws");
	if (!(copy = malloc(jws.n + 1)))
		return zz_fault(v->z, "memory", ERR_MEMORY);
	memcpy(copy, jws.p, jws.n);
	copy[jws.n] = 0;
	if (zz_request_open(copy, jws.n, &v->request) != ERR_OK) {
		fputs("zz: the service's copy of the request cannot be decoded: nothing was "
		      "signed\n",
		        v->z->err);
		return ZZ_REFUSED;
	}
	if (!strcmp(v->request.id, v->id))
		return ZZ_DONE;
	fputs("zz: the service answered with another request than you named: nothing was signed. "
	      "Report this.\n"
	      "    服务返回的请求与所指不符，未签名，请报告。\n",
	        v->z->err);
	return ZZ_REFUSED;
}

/* kid and decision of an approval JWS for this request; false when it is none. */
static bool
approval_read(
        const struct zz_view *v, const json_t *text, char kid[KEY_THUMB_TEXT + 1], bool *approve)
{
	struct approval approval;
	struct jws j;

	if (!json_is_string(text) ||
	        jws_decode(bytes_of(json_string_value(text), json_string_length(text)),
	                APPROVAL_BYTES_MAX, &j) != ERR_OK ||
	        strcmp(j.typ, APPROVAL_TYP) || approval_decode(&j, &approval) != ERR_OK ||
	        memcmp(approval.request, v->request.jws.hash, SHA256_BYTES))
		return false;
	memcpy(kid, j.kid, sizeof j.kid);
	*approve = approval.approve;
	return true;
}

bool
zz_view_is_mine(const struct zz_view *v, bool approve)
{
	const json_t *list = json_object_get(v->state, "approvals");
	char kid[KEY_THUMB_TEXT + 1];
	bool decision;

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (approval_read(v, json_array_get(list, i), kid, &decision) &&
		        decision == approve && !strcmp(kid, key_thumb_text(v->service.key)))
			return true;
	}
	return false;
}

static void
head_print(const struct zz_view *v)
{
	const struct request *r = &v->request.request;
	const json_t *list = json_object_get(v->state, "approvals");
	char kid[KEY_THUMB_TEXT + 1];
	FILE *to = v->z->out;
	bool approve;

	fprintf(to,
	        "request   请求   %s\ntype      类型   %s\nsent by   发送   key %s\nsigned    签署 "
	        "  ",
	        v->id, request_type_word(r->type), v->request.jws.kid);
	text_put_time(to, r->iat);
	fputs("\ngood to   有效至 ", to);
	text_put_time(to, r->exp);
	fputs("\n", to);
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (approval_read(v, json_array_get(list, i), kid, &approve))
			fprintf(to, "%s key %s (as the service says 服务所述)\n",
			        approve ? "approved  已批准" : "rejected  已驳回", kid);
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
ground_print(const struct zz_view *v)
{
	const struct request *r = &v->request.request;
	const struct field_ground *ground = field_ground(v->field, r->ground);
	FILE *to = v->z->out;

	line_text(to, "ground    依据   ", r->ground);
	if (ground) {
		line_text(to, "                 ", ground->name_zh);
		line_text(to, "                 ", ground->name_en);
	}
}

static void
effect_print(const struct zz_view *v)
{
	static const char *const words[] = {
	        [REQUEST_ISSUE] = "certificates are issued 签发证书",
	        [REQUEST_REVOKE] = "the certificates become invalid, for good 证书失效，不可恢复",
	        [REQUEST_SUSPEND] = "the certificates are held for a time 证书暂停",
	        [REQUEST_REINSTATE] = "the suspended certificates are in force again 证书恢复有效",
	        [REQUEST_REPLACE] = "a new certificate takes the place of the old 换发证书",
	        [REQUEST_STOP] = "nothing more is issued for it 停止签发",
	        [REQUEST_RESUME] = "it may issue again 恢复签发",
	        [REQUEST_WITHDRAW] = "another request of its sender waits no more 撤回另一请求",
	};

	fprintf(v->z->out, "effect    效果   %s\n", words[v->request.request.type]);
}

/* How long, and what a signature changes: the second one comes after the hold has begun. */
static void
hold_print(const struct zz_view *v)
{
	FILE *to = v->z->out;

	fputs("until     暂停至 ", to);
	text_put_day(to, v->request.request.until);
	fprintf(to,
	        " (the end of that day, at most %d days after its start 当日终止，最长 %d 日)\n",
	        HOLD_DAYS_MAX, HOLD_DAYS_MAX);
	if (zz_view_is_executed(v))
		fprintf(to,
		        "          The hold has begun (as the service says 服务所述). Signed by "
		        "one "
		        "official alone it lapses %d hours\n"
		        "          after its start; your approval confirms it until that day. "
		        "暂停已开始；您的批准使其延续至该日。\n",
		        HOLD_HOURS);
}

static void
order_print(const struct zz_view *v)
{
	const struct request *r = &v->request.request;
	FILE *to = v->z->out;
	char hex[2 * SHA256_BYTES + 1];

	effect_print(v);
	if (r->type == REQUEST_WITHDRAW) {
		hex_encode(bytes_of(r->withdraws, SHA256_BYTES), hex);
		fprintf(to, "withdraws 撤回   %s\n", hex);
		return;
	}
	if (r->ground.n)
		ground_print(v);
	line_text(to, "decision  决定   ", r->decision_no);
	fputs("decided   决定日 ", to);
	text_put_day(to, r->decided_at);
	if (r->ground.n) {
		fputs("\neffective 生效日 ", to);
		text_put_day(to, r->effective_at);
	}
	fputs("\n", to);
	if (r->type == REQUEST_SUSPEND)
		hold_print(v);
	if (r->type == REQUEST_STOP || r->type == REQUEST_RESUME)
		line_text(to, r->target_is_key ? "key       密钥   " : "centre    考试点 ",
		        r->center);
	else
		fprintf(to, "certificates 证书 %zu\n", r->serial_count);
}

static enum zz_exit
certificates_print(struct zz_view *v)
{
	const struct manifest *m = v->authority.open ? &v->authority.manifest : NULL;
	struct zz_certificate c;
	char serial[33];
	enum zz_exit exit;

	if (!v->request.request.serial_count)
		return ZZ_DONE;
	for (size_t i = 0; i < v->request.request.serial_count; i++) {
		hex_encode(bytes_of(v->request.request.serials[i], 16), serial);
		memset(&c, 0, sizeof c);
		if ((exit = zz_certificate_get(&v->service, serial, m, &c)) != ZZ_DONE)
			return exit;
		zz_certificate_line(v->z->out, &c, v->field);
		fputs("      ", v->z->out);
		zz_status_put(v->z->out, zz_text_of(c.json, "status"));
		fputs(" (as the service says 服务所述)\n", v->z->out);
		zz_certificate_free(&c);
	}
	fputs(m ? "Each record is signed by the authority of this root key. 记录签名已核验。\n"
	        : "The signatures of these records were not checked (--root ROOT.pub does). "
	          "记录签名未核验。\n",
	        v->z->out);
	return ZZ_DONE;
}

static void
session_print(const struct zz_view *v)
{
	const struct request_session *s = &v->request.request.session;
	const struct field_item *item = field_item(v->field, s->item);
	FILE *to = v->z->out;

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
	fprintf(to, "seats     座位   %zu\n", v->request.request.seat_count);
}

bool
zz_view_is_executed(const struct zz_view *v)
{
	return bytes_equal_text(zz_text_of(v->state, "state"), "executed");
}

enum zz_exit
zz_view_print(struct zz_view *v)
{
	head_print(v);
	if (v->request.request.type == REQUEST_ISSUE) {
		session_print(v);
		return ZZ_DONE;
	}
	order_print(v);
	return certificates_print(v);
}

enum zz_exit
zz_view_open(const struct zz *z, const struct zz_view_options *o, struct zz_view *out)
{
	struct key *key = NULL;
	enum zz_exit exit;
	enum err e;

	out->z = out->service.z = z;
	out->id = o->id;
	if (!zz_is_hex(bytes_of_text(o->id), 2 * SHA256_BYTES))
		return zz_usage(z, "name one REQUEST: 64 hex digits (0-9 a-f)");
	if ((e = field_open(&out->field)) != ERR_OK)
		return zz_fault(z, "the field's data", e);
	if ((exit = zz_client(z, o->url, &out->service.client)) != ZZ_DONE ||
	        (exit = zz_key(z, o->key_path, &key)) != ZZ_DONE)
		return exit;
	out->service.key = out->key = key;
	if (o->root &&
	        (exit = zz_authority_open(&out->service, o->root, &out->authority)) != ZZ_DONE)
		return exit;
	return request_get(out);
}

void
zz_view_close(struct zz_view *v)
{
	zz_authority_close(&v->authority);
	zz_request_free(&v->request);
	json_decref(v->state);
	key_free(v->key);
	client_free(v->service.client);
	field_free(v->field);
}
