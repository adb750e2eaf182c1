/* zz_view.c - a waiting request in words: all that is said of it is computed here from the bytes of
 * the request and of each record; what the service alone says is marked so. */
#include "zz_view.h"
#include "zz_text.h"

#include <stdlib.h>
#include <string.h>

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
session_print(const struct zz_view *v)
{
	const struct request_session *s = &v->request.request.session;
	const struct field_item *item = field_item(v->field, s->item);
	FILE *to = v->z->out;

	text_line(to, "session   场次   ", s->id);
	text_line(to, "centre    考试点 ", s->center);
	text_line(to, "region    地区   ", s->region);
	text_line(to, "item      项目   ", s->item);
	if (item)
		text_line(to, "                 ", item->name_zh);
	text_line(to, "basis     依据   ", s->basis);
	fputs("theory    理论   ", to);
	text_put_time(to, s->theory_at);
	fputs("\npractical 实操   ", to);
	text_put_time(to, s->practical_at);
	text_line(to, "\nexaminer  考评员 ", s->examiners[0]);
	text_line(to, "examiner  考评员 ", s->examiners[1]);
	fprintf(to, "seats     座位   %zu\n", v->request.request.seat_count);
}

const struct manifest *
zz_view_manifest(const struct zz_view *v)
{
	return v->authority.open ? &v->authority.manifest : NULL;
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
	return zz_view_order_print(v);
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
	zz_list_free(&v->list);
	zz_request_free(&v->request);
	json_decref(v->state);
	key_free(v->key);
	client_free(v->service.client);
	field_free(v->field);
}
