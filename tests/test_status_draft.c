/* test_status_draft.c - status lists against the vectors of others
 * (tests/vectors/token_status_list.json: Appendix C and examples of
 * draft-ietf-oauth-status-list-20). */
#include "base64.h"
#include "json.h"
#include "status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VECTORS SOURCE_DIR "/tests/vectors/token_status_list.json"

static json_t *
vectors_read(void)
{
	json_error_t error;
	json_t *all = json_load_file(VECTORS, 0, &error);

	assert_non_null(all);
	return all;
}

static const char *
text_of(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	assert_non_null(s);
	return s;
}

/* The product has two bits only; the draft's other widths are set here to prove the packing. */
static void
bits_set(uint8_t *raw, unsigned bits, uint64_t idx, unsigned value)
{
	uint64_t bit = idx * bits;

	raw[bit / 8] = (uint8_t)(raw[bit / 8] | value << bit % 8);
}

static uint8_t *
raw_make(const json_t *vector, size_t *n)
{
	unsigned bits = (unsigned)json_integer_value(json_object_get(vector, "bits"));
	const json_t *pairs = json_object_get(vector, "status"), *pair = NULL;
	uint8_t *raw = NULL;
	size_t i = 0;

	*n = (size_t)json_integer_value(json_object_get(vector, "raw_len"));
	assert_int_equal(*n, (size_t)LIST_ENTRIES * bits / 8);
	raw = calloc(1, *n);
	assert_non_null(raw);
	json_array_foreach(pairs, i, pair)
	{
		uint64_t idx = (uint64_t)json_integer_value(json_array_get(pair, 0));
		unsigned value = (unsigned)json_integer_value(json_array_get(pair, 1));

		if (bits == 2)
			status_set(raw, (uint32_t)idx, (enum status)value);
		else
			bits_set(raw, bits, idx, value);
		if (bits == 2)
			assert_int_equal(status_get(raw, (uint32_t)idx), value);
	}
	return raw;
}

static void
vectors_of_the_draft_are_made_again_byte_for_byte(void **state)
{
	json_t *all = vectors_read(), *vector = NULL;
	size_t i = 0, count = 0;

	(void)state;
	json_array_foreach(json_object_get(all, "vectors"), i, vector)
	{
		uint8_t hash[SHA256_BYTES], stream[8192], *raw = NULL;
		char hex[2 * SHA256_BYTES + 1], text[12000];
		struct buf out = BUF_OF(stream), lst = BUF_OF(text);
		size_t n = 0;

		raw = raw_make(vector, &n);
		sha256_one(bytes_of(raw, n), hash);
		hex_encode(bytes_of(hash, sizeof hash), hex);
		assert_string_equal(hex, text_of(vector, "raw_sha256"));
		assert_int_equal(status_deflate(bytes_of(raw, n), &out), ERR_OK);
		base64url_put(&lst, buf_bytes(&out));
		assert_true(bytes_equal_text(buf_bytes(&lst), text_of(vector, "lst")));
		free(raw);
		count++;
	}
	assert_int_equal(count, 4);
	json_decref(all);
}

static void
streams_of_the_draft_inflate_to_their_arrays(void **state)
{
	json_t *all = vectors_read(), *vector = NULL;
	size_t i = 0;

	(void)state;
	json_array_foreach(json_object_get(all, "vectors"), i, vector)
	{
		uint8_t stream[8192], *want = NULL, *got = NULL;
		struct buf zlib = BUF_OF(stream);
		size_t n = 0;

		want = raw_make(vector, &n);
		got = malloc(n + 1);
		assert_int_equal(
		        base64url_get(bytes_of_text(text_of(vector, "lst")), &zlib), ERR_OK);
		assert_int_equal(status_inflate(buf_bytes(&zlib), got, n), ERR_OK);
		assert_memory_equal(want, got, n);
		assert_int_equal(status_inflate(buf_bytes(&zlib), got, n - 1), ERR_LIMIT);
		assert_int_equal(status_inflate(buf_bytes(&zlib), got, n + 1), ERR_TRUNCATED);
		free(want);
		free(got);
	}
	json_decref(all);
}

static void
small_examples_of_the_draft_inflate(void **state)
{
	json_t *all = vectors_read(), *small = NULL;
	size_t i = 0;

	(void)state;
	json_array_foreach(json_object_get(all, "small"), i, small)
	{
		uint8_t zlib[64], raw[16], want[16], again_room[64];
		struct buf again = BUF_OF(again_room);
		size_t zlib_n = strlen(text_of(small, "zlib")) / 2,
		       raw_n = strlen(text_of(small, "raw")) / 2;

		assert_int_equal(
		        hex_decode(bytes_of_text(text_of(small, "zlib")), zlib, zlib_n), ERR_OK);
		assert_int_equal(
		        hex_decode(bytes_of_text(text_of(small, "raw")), want, raw_n), ERR_OK);
		assert_int_equal(status_inflate(bytes_of(zlib, zlib_n), raw, raw_n), ERR_OK);
		assert_memory_equal(raw, want, raw_n);
		assert_int_equal(status_deflate(bytes_of(raw, raw_n), &again), ERR_OK);
		assert_true(bytes_equal(buf_bytes(&again), bytes_of(zlib, zlib_n)));
	}
	json_decref(all);
}

static struct key *
draft_key(const json_t *all)
{
	const json_t *jwk = json_object_get(all, "test_pub_jwk");
	uint8_t room[64];
	struct buf raw = BUF_OF(room);
	struct key *k = NULL;

	assert_int_equal(base64url_get(bytes_of_text(text_of(jwk, "x")), &raw), ERR_OK);
	assert_int_equal(base64url_get(bytes_of_text(text_of(jwk, "y")), &raw), ERR_OK);
	assert_int_equal(key_from_public(KEY_ES256, buf_bytes(&raw), &k), ERR_OK);
	return k;
}

/* The draft's token keeps its kid unprotected and its maps unsorted: our reader refuses it, its
 * signature holds. */
static void
the_drafts_cwt_verifies_under_its_key_and_is_not_one_of_ours(void **state)
{
	json_t *all = vectors_read();
	struct key *k = draft_key(all);
	const char *hex = text_of(all, "cwt");
	uint8_t token[512], tbs_room[512];
	struct buf tbs = BUF_OF(tbs_room);
	size_t n = strlen(hex) / 2;
	struct cose_sign1 m;
	struct status_token t;

	(void)state;
	assert_int_equal(hex_decode(bytes_of_text(hex), token, n), ERR_OK);
	assert_int_not_equal(status_cwt_decode(bytes_of(token, n), &m, &t), ERR_OK);
	/* d2 84 58 20 <32 protected> a1 04 42 31 32 58 50 <80 payload> 58 40 <64 signature> */
	cose_put_tbs(&tbs, bytes_of(token + 4, 32), bytes_of(token + 4 + 32 + 7, 80));
	assert_int_equal(key_verify(k, buf_bytes(&tbs), bytes_of(token + n - 64, 64)), ERR_OK);
	token[60] ^= 1;
	tbs = BUF_OF(tbs_room);
	cose_put_tbs(&tbs, bytes_of(token + 4, 32), bytes_of(token + 4 + 32 + 7, 80));
	assert_int_equal(
	        key_verify(k, buf_bytes(&tbs), bytes_of(token + n - 64, 64)), ERR_SIGNATURE);
	key_free(k);
	json_decref(all);
}

static void
the_drafts_jwt_verifies_under_its_key(void **state)
{
	json_t *all = vectors_read();
	struct key *k = draft_key(all);
	const char *jwt = text_of(all, "jwt"), *dot = strrchr(jwt, '.');
	uint8_t room[80];
	struct buf signature = BUF_OF(room);

	(void)state;
	assert_int_equal(base64url_get(bytes_of_text(dot + 1), &signature), ERR_OK);
	assert_int_equal(
	        key_verify(k, bytes_of(jwt, (size_t)(dot - jwt)), buf_bytes(&signature)), ERR_OK);
	assert_int_equal(
	        key_verify(k, bytes_of(jwt, (size_t)(dot - jwt) - 1), buf_bytes(&signature)),
	        ERR_SIGNATURE);
	key_free(k);
	json_decref(all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(vectors_of_the_draft_are_made_again_byte_for_byte),
	        cmocka_unit_test(streams_of_the_draft_inflate_to_their_arrays),
	        cmocka_unit_test(small_examples_of_the_draft_inflate),
	        cmocka_unit_test(the_drafts_cwt_verifies_under_its_key_and_is_not_one_of_ours),
	        cmocka_unit_test(the_drafts_jwt_verifies_under_its_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
