/* bench_order.c - orders as zz signs them, without the files that zz keeps. */
#include "bench_order.h"

#include "date.h"
#include "hash.h"
#include "request.h"
#include "zz_request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static enum err
json_sign(const struct key *k, const char *typ, json_t *payload, struct buf *jws)
{
	uint8_t *text = NULL;
	size_t n = 0;
	enum err e = payload == NULL ? ERR_MEMORY : zz_sign(k, typ, payload, &text, &n);

	json_decref(payload);
	if (e != ERR_OK)
		return e;
	buf_put(jws, bytes_of(text, n));
	free(text);
	return buf_end(jws);
}

enum err
bench_revoke_sign(const struct key *k, int64_t now, const uint8_t serial[16], struct buf *jws)
{
	char jti[ZZ_JTI_TEXT + 1], hex[33], day[16] = {0};
	struct buf b = buf_init(day, sizeof day - 1);
	json_t *payload;

	zz_jti(jti);
	hex_encode(bytes_of(serial, 16), hex);
	date_put(&b, date_shanghai(now));
	if ((payload = zz_payload("revoke", jti, now, ORDER_LIFETIME_S_MAX)) == NULL)
		return ERR_MEMORY;
	json_object_set_new(payload, "ground", json_string("R05"));
	json_object_set_new(payload, "decision_no", json_string("bench"));
	json_object_set_new(payload, "decided_at", json_string(day));
	json_object_set_new(payload, "effective_at", json_string(day));
	json_object_set_new(payload, "serials", json_pack("[s]", hex));
	return json_sign(k, REQUEST_TYP, payload, jws);
}

enum err
bench_request_id(struct bytes jws, char out[65])
{
	struct zz_request r = {0};
	uint8_t *copy = malloc(jws.n + 1);
	enum err e;

	if (copy == NULL)
		return ERR_MEMORY;
	memcpy(copy, jws.p, jws.n);
	copy[jws.n] = '\0';
	if ((e = zz_request_open(copy, jws.n, &r)) != ERR_OK)
		return e;
	memcpy(out, r.id, sizeof r.id);
	zz_request_free(&r);
	return ERR_OK;
}

enum err
bench_approve_sign(const struct key *k, int64_t now, struct bytes request_jws, struct buf *jws)
{
	char jti[ZZ_JTI_TEXT + 1], id[65];
	enum err e = bench_request_id(request_jws, id);

	if (e != ERR_OK)
		return e;
	zz_jti(jti);
	return json_sign(k, APPROVAL_TYP,
	        json_pack("{s:s,s:s,s:I,s:I,s:s}", "request", id, "jti", jti, "iat",
	                (json_int_t)now, "exp", (json_int_t)(now + ORDER_LIFETIME_S_MAX),
	                "decision", "approve"),
	        jws);
}
