/* test_jws.c - one form, one spelling, and a signature over the bytes as they came. */
#include "base64.h"
#include "jws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct key *key, *other;

static int
make_keys(void **state)
{
	(void)state;
	return key_generate(KEY_ES256, &key) != ERR_OK ||
	       key_generate(KEY_ED25519, &other) != ERR_OK;
}

static int
free_keys(void **state)
{
	(void)state;
	key_free(key);
	key_free(other);
	return 0;
}

static struct bytes
sign(const struct key *k, const char *payload, struct buf *b)
{
	b->n = 0;
	assert_int_equal(jws_sign(k, "zz-request+jwt", bytes_of_text(payload), b), ERR_OK);
	return buf_bytes(b);
}

static enum err
decode_and_verify(struct bytes text)
{
	struct jws j;
	uint8_t room[200];
	struct buf payload = BUF_OF(room);
	enum err e = jws_decode(text, APPROVAL_BYTES_MAX, &j);

	if (e != ERR_OK || (e = jws_payload(&j, &payload)) != ERR_OK)
		return e;
	return jws_verify(&j, key);
}

static void
what_is_signed_verifies_and_gives_its_payload(void **state)
{
	const struct key *keys[] = {key, other};
	uint8_t room[500], payload_room[100], hash[SHA256_BYTES];
	struct buf b = BUF_OF(room);
	struct jws j;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct bytes text = sign(keys[i], "{\"a\":1}", &b);
		struct buf payload = BUF_OF(payload_room);

		assert_int_equal(jws_decode(text, sizeof room, &j), ERR_OK);
		assert_int_equal(jws_verify(&j, keys[i]), ERR_OK);
		assert_int_equal(jws_verify(&j, keys[1 - i]), ERR_KID_UNKNOWN);
		assert_int_equal(jws_payload(&j, &payload), ERR_OK);
		assert_true(bytes_equal_text(buf_bytes(&payload), "{\"a\":1}"));
		assert_string_equal(j.typ, "zz-request+jwt");
		assert_string_equal(j.kid, key_thumb_text(keys[i]));
		assert_string_equal(j.alg, i == 0 ? "ES256" : "EdDSA");
		sha256_one(bytes_of(text.p, text.n - 87), hash);
		assert_memory_equal(j.hash, hash, sizeof hash);
	}
}

static void
every_prefix_is_refused(void **state)
{
	uint8_t room[500];
	struct buf b = BUF_OF(room);
	struct bytes text = sign(key, "{}", &b);

	(void)state;
	for (size_t n = 0; n < text.n; n++) {
		uint8_t *copy = malloc(n + 1); /* exact room, so that a read past the end is seen */

		memcpy(copy, text.p, n);
		assert_int_equal(decode_and_verify(bytes_of(copy, n)), ERR_JWS_INVALID);
		free(copy);
	}
	assert_int_equal(decode_and_verify(text), ERR_OK);
}

static void
every_change_of_a_byte_is_refused(void **state)
{
	uint8_t room[500], masks[] = {0x01, 0x02, 0x04, 0x10, 0x20, 0x80};
	struct buf b = BUF_OF(room);
	struct bytes text = sign(key, "{\"seat\":17}", &b);

	(void)state;
	for (size_t i = 0; i < text.n; i++)
		for (size_t m = 0; m < sizeof masks; m++) {
			room[i] ^= masks[m];
			assert_int_not_equal(decode_and_verify(text), ERR_OK);
			room[i] ^= masks[m];
		}
	assert_int_equal(decode_and_verify(text), ERR_OK);
}

/* A JWS with this header, signed in truth, so that only the header can be the fault. */
static struct bytes
with_header(const char *header, struct buf *b)
{
	uint8_t signature[KEY_SIGNATURE_BYTES];

	b->n = 0;
	base64url_put(b, bytes_of_text(header));
	buf_put_text(b, ".e30");
	assert_int_equal(key_sign(key, buf_bytes(b), signature), ERR_OK);
	buf_put_u8(b, '.');
	base64url_put(b, bytes_of(signature, sizeof signature));
	return buf_bytes(b);
}

static void
a_header_has_exactly_three_members(void **state)
{
	static const struct {
		const char *format;
		enum err want;
	} rows[] = {
	        {"{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"t\"}", ERR_OK},
	        {"{\"typ\":\"t\",\"kid\":\"%s\",\"alg\":\"ES256\"}", ERR_OK},
	        {" { \"typ\":\"t\" , \"kid\":\"%s\",\"alg\":\"ES256\"}", ERR_OK},
	        {"{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"t\"}", ERR_ALG_MISMATCH},
	        {"{\"alg\":\"none\",\"kid\":\"%s\",\"typ\":\"t\"}", ERR_ALG_MISMATCH},
	        {"{\"alg\":\"ES256\",\"kid\":\"%s\"}", ERR_JWS_INVALID},
	        {"{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"t\",\"crit\":[]}", ERR_JWS_INVALID},
	        {"{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"t\",\"jwk\":{}}", ERR_JWS_INVALID},
	        {"{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"t\",\"typ\":\"t\"}", ERR_JWS_INVALID},
	        {"{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":1}", ERR_JWS_INVALID},
	        {"{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"\"}", ERR_JWS_INVALID},
	        {"{\"alg\":\"ES256\",\"kid\":\"%sA\",\"typ\":\"t\"}", ERR_JWS_INVALID},
	        {"{\"alg\":\"ES256\",\"kid\":\"x%.0s\",\"typ\":\"t\"}", ERR_JWS_INVALID},
	        {"[\"%s\"]", ERR_JWS_INVALID},
	        {"%s", ERR_JWS_INVALID},
	        {"{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":"
	         "\"0123456789012345678901234567890123456789\"}",
	                ERR_JWS_INVALID},
	};
	char header[300];
	uint8_t room[1000];
	struct buf b = BUF_OF(room);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(header, sizeof header, rows[i].format, key_thumb_text(key));
#pragma GCC diagnostic pop
		if (decode_and_verify(with_header(header, &b)) != rows[i].want)
			fail_msg("%s: want %s", header, err_word(rows[i].want));
	}
}

static void
dots_and_spellings_are_strict(void **state)
{
	uint8_t room[500], copy[600];
	struct buf b = BUF_OF(room);
	struct bytes text = sign(key, "{}", &b);
	struct jws j;

	(void)state;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '.';
	assert_int_equal(jws_decode(bytes_of(copy, text.n + 1), 600, &j), ERR_JWS_INVALID);
	copy[text.n] = '=';
	assert_int_equal(jws_decode(bytes_of(copy, text.n + 1), 600, &j), ERR_JWS_INVALID);
	copy[text.n] = '\n';
	assert_int_equal(jws_decode(bytes_of(copy, text.n + 1), 600, &j), ERR_JWS_INVALID);
	assert_int_equal(jws_decode(BYTES_LIT(".."), 600, &j), ERR_JWS_INVALID);
	assert_int_equal(jws_decode(BYTES_LIT("a..b"), 600, &j), ERR_JWS_INVALID);
	assert_int_equal(jws_decode((struct bytes){NULL, 0}, 600, &j), ERR_JWS_INVALID);
	assert_int_equal(jws_decode(text, text.n, &j), ERR_OK);
	assert_int_equal(jws_decode(text, text.n - 1, &j), ERR_LIMIT);
}

static void
a_payload_that_does_not_fit_is_refused(void **state)
{
	uint8_t room[500], small[6];
	struct buf b = BUF_OF(room), payload = BUF_OF(small);
	struct jws j;

	(void)state;
	assert_int_equal(jws_decode(sign(key, "{\"a\":1}", &b), 500, &j), ERR_OK);
	assert_int_equal(jws_payload(&j, &payload), ERR_LIMIT);
	b = buf_init(room, 100);
	assert_int_equal(jws_sign(key, "t", BYTES_LIT("{}"), &b), ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_is_signed_verifies_and_gives_its_payload),
	        cmocka_unit_test(every_prefix_is_refused),
	        cmocka_unit_test(every_change_of_a_byte_is_refused),
	        cmocka_unit_test(a_header_has_exactly_three_members),
	        cmocka_unit_test(dots_and_spellings_are_strict),
	        cmocka_unit_test(a_payload_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
