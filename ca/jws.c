/* jws.c - JWS in compact form: the bytes that are hashed and verified are the bytes that came,
 * never a copy that was encoded again. */
#include "jws.h"

#include "base64.h"
#include "json.h"

#include <string.h>

enum { HEADER_BYTES_MAX = 300 };

/* The parts between exactly two dots. */
static enum err
split(struct bytes text, struct bytes part[3])
{
	for (int i = 0; i < 3; i++) {
		const uint8_t *dot = text.n == 0 ? NULL : memchr(text.p, '.', text.n);
		size_t n = dot == NULL ? text.n : (size_t)(dot - text.p);

		if ((dot == NULL) != (i == 2) || n == 0)
			return ERR_JWS_INVALID;
		part[i] = bytes_of(text.p, n);
		text = bytes_skip(text, i == 2 ? n : n + 1);
	}
	return ERR_OK;
}

/* A copy that ends with a NUL; header values are plain ASCII names. */
static enum err
copy_name(struct bytes v, char *out, size_t room)
{
	if (v.n == 0 || v.n >= room)
		return ERR_JWS_INVALID;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] <= 0x20 || v.p[i] >= 0x7f)
			return ERR_JWS_INVALID;
	memcpy(out, v.p, v.n);
	out[v.n] = '\0';
	return ERR_OK;
}

static enum err
header_members(const json_t *json, struct jws *out)
{
	struct bytes alg, kid, typ;
	uint8_t thumb[KEY_THUMB_BYTES];
	struct buf b = BUF_OF(thumb);
	const struct json_member members[] = {
	        {"alg", 's', &alg},
	        {"kid", 's', &kid},
	        {"typ", 's', &typ},
	};

	if (JSON_MEMBERS(json, members) != ERR_OK ||
	        copy_name(alg, out->alg, sizeof out->alg) != ERR_OK ||
	        copy_name(kid, out->kid, sizeof out->kid) != ERR_OK ||
	        copy_name(typ, out->typ, sizeof out->typ) != ERR_OK)
		return ERR_JWS_INVALID;
	/* a kid is the base64url of a thumbprint and nothing else */
	if (base64url_get(kid, &b) != ERR_OK || b.n != sizeof thumb)
		return ERR_JWS_INVALID;
	return ERR_OK;
}

static enum err
header_decode(struct bytes text, struct jws *out)
{
	uint8_t room[HEADER_BYTES_MAX];
	struct buf b = BUF_OF(room);
	json_t *json = NULL;
	enum err e = ERR_OK;

	if (base64url_get(text, &b) != ERR_OK ||
	        json_read(buf_bytes(&b), sizeof room, &json) != ERR_OK)
		return ERR_JWS_INVALID;
	e = header_members(json, out);
	json_decref(json);
	return e;
}

enum err
jws_decode(struct bytes text, size_t bytes_max, struct jws *out)
{
	struct bytes part[3];
	struct jws j;
	struct buf signature = BUF_OF(j.signature);
	enum err e = ERR_OK;

	if (text.n > bytes_max)
		return ERR_LIMIT;
	memset(&j, 0, sizeof j);
	if ((e = split(text, part)) != ERR_OK || (e = header_decode(part[0], &j)) != ERR_OK)
		return e;
	if (base64url_get(part[2], &signature) != ERR_OK || signature.n != sizeof j.signature)
		return ERR_JWS_INVALID;
	j.signing_input = bytes_of(text.p, part[0].n + 1 + part[1].n);
	j.payload_text = part[1];
	sha256_one(j.signing_input, j.hash);
	*out = j;
	return ERR_OK;
}

enum err
jws_payload(const struct jws *j, struct buf *out)
{
	enum err e = base64url_get(j->payload_text, out);

	return e == ERR_OK || e == ERR_LIMIT ? e : ERR_JWS_INVALID;
}

enum err
jws_verify(const struct jws *j, const struct key *k)
{
	if (strcmp(j->kid, key_thumb_text(k)) != 0)
		return ERR_KID_UNKNOWN;
	if (strcmp(j->alg, key_suite_info(key_suite(k))->jose_alg) != 0)
		return ERR_ALG_MISMATCH;
	return key_verify(k, j->signing_input, bytes_of(j->signature, sizeof j->signature));
}

enum err
jws_sign(const struct key *k, const char *typ, struct bytes payload, struct buf *out)
{
	uint8_t room[HEADER_BYTES_MAX], signature[KEY_SIGNATURE_BYTES];
	struct buf header = BUF_OF(room);
	size_t start = out->n;
	enum err e = ERR_OK;

	buf_put_text(&header, "{\"alg\":\"");
	buf_put_text(&header, key_suite_info(key_suite(k))->jose_alg);
	buf_put_text(&header, "\",\"kid\":\"");
	buf_put_text(&header, key_thumb_text(k));
	buf_put_text(&header, "\",\"typ\":\"");
	buf_put_text(&header, typ);
	buf_put_text(&header, "\"}");
	if ((e = buf_end(&header)) != ERR_OK)
		return e;
	base64url_put(out, buf_bytes(&header));
	buf_put_u8(out, '.');
	base64url_put(out, payload);
	if ((e = buf_end(out)) != ERR_OK ||
	        (e = key_sign(k, bytes_of(out->p + start, out->n - start), signature)) != ERR_OK)
		return e;
	buf_put_u8(out, '.');
	base64url_put(out, bytes_of(signature, sizeof signature));
	return buf_end(out);
}
