/* key_name.c - suites and spellings of public keys: COSE_Key and JWK each have one form only, and a
 * key's names are hashes of them. */
#include "key_name.h"

#include "base64.h"
#include "cbor.h"
#include "hash.h"

#include <string.h>

enum { COORDINATE_BYTES = 32, COSE_OKP = 1, COSE_EC2 = 2 };

/* clang-format off */
static const struct key_suite_info suites[] = {
	[KEY_ES256] = {KEY_ES256, -7, "ES256", "es256", "EC", "P-256", COSE_EC2, 1},
	[KEY_ED25519] = {KEY_ED25519, -8, "EdDSA", "ed25519", "OKP", "Ed25519", COSE_OKP, 6},
	/* nothing of SM2 is registered: numbers of private use, after 1.2.156.10197.1.501 and .301 */
	[KEY_SM2] = {KEY_SM2, -66037, "SM2SM3", "sm2", "EC", "SM2", COSE_EC2, -65837},
};
/* clang-format on */

const struct key_suite_info *
key_suite_info(enum key_suite suite)
{
	return &suites[suite];
}

const struct key_suite_info *
key_suite_by_name(const char *name)
{
	for (size_t i = 0; i < KEY_SUITE_COUNT; i++)
		if (strcmp(suites[i].name, name) == 0)
			return &suites[i];
	return NULL;
}

const struct key_suite_info *
key_suite_by_curve(struct bytes kty, struct bytes crv)
{
	for (size_t i = 0; i < KEY_SUITE_COUNT; i++)
		if (bytes_equal_text(kty, suites[i].kty) && bytes_equal_text(crv, suites[i].crv))
			return &suites[i];
	return NULL;
}

void
key_put_cose(const struct key *k, struct buf *out)
{
	const struct key_suite_info *s = key_suite_info(key_suite(k));
	struct bytes public = key_public(k);
	bool ec = s->cose_kty == COSE_EC2;

	cbor_put_map(out, ec ? 4 : 3);
	cbor_put_int(out, 1);
	cbor_put_int(out, s->cose_kty);
	cbor_put_int(out, -1);
	cbor_put_int(out, s->cose_crv);
	cbor_put_int(out, -2);
	cbor_put_bytes(out, bytes_of(public.p, COORDINATE_BYTES));
	if (!ec)
		return;
	cbor_put_int(out, -3);
	cbor_put_bytes(out, bytes_skip(public, COORDINATE_BYTES));
}

/* RFC 7638: the members that define the key, in alphabetical order, no blanks. */
void
key_put_jwk(const struct key *k, struct buf *out)
{
	const struct key_suite_info *s = key_suite_info(key_suite(k));
	struct bytes public = key_public(k);

	buf_put_text(out, "{\"crv\":\"");
	buf_put_text(out, s->crv);
	buf_put_text(out, "\",\"kty\":\"");
	buf_put_text(out, s->kty);
	buf_put_text(out, "\",\"x\":\"");
	base64url_put(out, bytes_of(public.p, COORDINATE_BYTES));
	if (public.n > COORDINATE_BYTES) {
		buf_put_text(out, "\",\"y\":\"");
		base64url_put(out, bytes_skip(public, COORDINATE_BYTES));
	}
	buf_put_text(out, "\"}");
}

void
key_names(const struct key *k, uint8_t cose[32], uint8_t jwk[KEY_THUMB_BYTES])
{
	uint8_t room[256];
	struct buf b = BUF_OF(room);

	key_put_cose(k, &b);
	if (key_suite(k) == KEY_SM2)
		sm3_one(buf_bytes(&b), cose);
	else
		sha256_one(buf_bytes(&b), cose);
	b = BUF_OF(room);
	key_put_jwk(k, &b);
	sha256_one(buf_bytes(&b), jwk);
}

enum err
key_from_cose(struct bytes cose_key, struct key **out)
{
	struct cbor c = cbor_init(cose_key);
	uint64_t pairs = cbor_map(&c);
	uint8_t raw[KEY_PUBLIC_BYTES_MAX];
	int64_t last = INT64_MIN, kty = 0, crv = 0;
	bool ec = pairs == 4;
	enum err e;

	if (cbor_key(&c, &last) == 1)
		kty = cbor_int(&c);
	if (cbor_key(&c, &last) == -1)
		crv = cbor_int(&c);
	if (cbor_key(&c, &last) != -2)
		return ERR_VALUE;
	memcpy(raw, cbor_bytes_exact(&c, COORDINATE_BYTES).p, COORDINATE_BYTES);
	if (ec) {
		if (cbor_key(&c, &last) != -3)
			return ERR_VALUE;
		memcpy(raw + COORDINATE_BYTES, cbor_bytes_exact(&c, COORDINATE_BYTES).p,
		        COORDINATE_BYTES);
	}
	if ((e = cbor_end(&c)) != ERR_OK)
		return e;
	if ((pairs != 3 && !ec) || kty != (ec ? COSE_EC2 : COSE_OKP))
		return ERR_VALUE;
	for (size_t i = 0; i < KEY_SUITE_COUNT; i++)
		if (suites[i].cose_kty == kty && suites[i].cose_crv == crv)
			return key_from_public(suites[i].suite,
			        bytes_of(raw, ec ? sizeof raw : COORDINATE_BYTES), out);
	return ERR_VALUE;
}
