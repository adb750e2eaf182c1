/* test_status.c - our own tokens, their streams, and the places of slots. */
#include "base64.h"
#include "json.h"
#include "jws.h"
#include "status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *
text_of(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	assert_non_null(s);
	return s;
}

/* our own tokens */

struct fixture {
	struct key *key;
	uint8_t raw[LIST_BYTES], stream[4096], token[8192];
	struct status_token t;
	size_t token_n;
};

static int
fixture_make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct buf stream = BUF_OF(f->stream), token = BUF_OF(f->token);

	assert_int_equal(key_generate(KEY_ES256, &f->key), ERR_OK);
	status_set(f->raw, 0, STATUS_INVALID);
	status_set(f->raw, LIST_ENTRIES - 1, STATUS_SUPERSEDED);
	assert_int_equal(status_deflate(bytes_of(f->raw, sizeof f->raw), &stream), ERR_OK);
	f->t = (struct status_token){.list = 7,
	        .uri = BYTES_LIT("https://zz.example.gov.cn/status/7"),
	        .iat = 1792224000,
	        .exp = 1792224000 + LIST_LIFETIME_S,
	        .ttl = LIST_TTL_S,
	        .sequence = 1792224000,
	        .lst = buf_bytes(&stream)};
	memset(f->t.previous, 0x5a, sizeof f->t.previous);
	assert_int_equal(status_cwt_sign(&f->t, f->key, &token), ERR_OK);
	f->token_n = token.n;
	*state = f;
	return 0;
}

static int
fixture_free(void **state)
{
	struct fixture *f = *state;

	key_free(f->key);
	free(f);
	return 0;
}

static void
a_token_is_read_back_as_it_was_signed(void **state)
{
	struct fixture *f = *state;
	struct cose_sign1 m;
	struct status_token t;
	uint8_t raw[LIST_BYTES];

	assert_int_equal(status_cwt_decode(bytes_of(f->token, f->token_n), &m, &t), ERR_OK);
	assert_int_equal(cose_verify(&m, f->key, STATUS_CWT_TYPE), ERR_OK);
	assert_int_equal(cbor_check(m.payload), ERR_OK); /* sorted, shortest, definite */
	assert_int_equal(t.list, 7);
	assert_true(bytes_equal(t.uri, f->t.uri));
	assert_int_equal(t.iat, f->t.iat);
	assert_int_equal(t.exp, f->t.exp);
	assert_int_equal(t.ttl, LIST_TTL_S);
	assert_int_equal(t.sequence, f->t.sequence);
	assert_memory_equal(t.previous, f->t.previous, SHA256_BYTES);
	assert_int_equal(status_inflate(t.lst, raw, sizeof raw), ERR_OK);
	assert_memory_equal(raw, f->raw, sizeof raw);
}

static void
the_claims_stand_in_the_order_of_their_encoded_keys(void **state)
{
	struct fixture *f = *state;
	struct cose_sign1 m;
	struct status_token t;
	static const uint8_t start[] = {0xa6, 0x02, 0x78, 34};

	assert_int_equal(status_cwt_decode(bytes_of(f->token, f->token_n), &m, &t), ERR_OK);
	assert_memory_equal(m.payload.p, start, sizeof start);
	/* … 04 exp, 06 iat, then 19 fffd a2 63 "lst" */
	assert_memory_equal(m.payload.p + 4 + 34, "\x04\x1a", 2);
	assert_memory_equal(m.payload.p + 4 + 34 + 6, "\x06\x1a", 2);
	assert_memory_equal(m.payload.p + 4 + 34 + 12, "\x19\xff\xfd\xa2\x63lst", 8);
}

static void
every_prefix_of_a_token_is_refused(void **state)
{
	struct fixture *f = *state;
	struct cose_sign1 m;
	struct status_token t;

	for (size_t n = 0; n < f->token_n; n++)
		assert_int_not_equal(status_cwt_decode(bytes_of(f->token, n), &m, &t), ERR_OK);
	f->token[f->token_n] = 0;
	assert_int_equal(
	        status_cwt_decode(bytes_of(f->token, f->token_n + 1), &m, &t), ERR_TRAILING);
}

static void
every_changed_byte_of_a_token_is_refused_or_breaks_the_signature(void **state)
{
	struct fixture *f = *state;
	struct cose_sign1 m;
	struct status_token t;

	for (size_t i = 0; i < f->token_n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			f->token[i] ^= (uint8_t)(1U << bit);
			if (status_cwt_decode(bytes_of(f->token, f->token_n), &m, &t) == ERR_OK)
				assert_int_not_equal(
				        cose_verify(&m, f->key, STATUS_CWT_TYPE), ERR_OK);
			f->token[i] ^= (uint8_t)(1U << bit);
		}
}

static void
a_token_that_breaks_the_format_is_not_signed(void **state)
{
	struct fixture *f = *state;
	uint8_t room[8192];
	const struct {
		const char *what;
		struct bytes uri;
		int64_t iat, exp, ttl;
		uint32_t list;
	} rows[] = {
	        {"another list's number", BYTES_LIT("https://zz.example.gov.cn/status/8"), 10, 20,
	                5, 7},
	        {"a quote in the URI", BYTES_LIT("https://zz\"/status/7"), 10, 20, 5, 7},
	        {"a zero in the URI", bytes_of("https://z\0/status/7", 19), 10, 20, 5, 7},
	        {"no number", BYTES_LIT("https://zz.example.gov.cn/status/"), 10, 20, 5, 7},
	        {"a leading zero", BYTES_LIT("https://zz.example.gov.cn/status/07"), 10, 20, 5, 7},
	        {"exp at iat", BYTES_LIT("https://zz.example.gov.cn/status/7"), 20, 20, 5, 7},
	        {"ttl zero", BYTES_LIT("https://zz.example.gov.cn/status/7"), 10, 20, 0, 7},
	        {"a negative time", BYTES_LIT("https://zz.example.gov.cn/status/7"), -1, 20, 5, 7},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct status_token t = f->t;
		struct buf out = BUF_OF(room);

		t.uri = rows[i].uri;
		t.iat = rows[i].iat;
		t.exp = rows[i].exp;
		t.ttl = rows[i].ttl;
		t.list = rows[i].list;
		if (status_cwt_sign(&t, f->key, &out) != ERR_VALUE ||
		        status_jwt_sign(&t, f->key, &out) != ERR_VALUE)
			fail_msg("%s was signed", rows[i].what);
	}
}

static void
the_jwt_says_the_same(void **state)
{
	struct fixture *f = *state;
	uint8_t room[16384], payload_room[8192];
	struct buf out = BUF_OF(room), payload = BUF_OF(payload_room);
	struct jws j;
	json_t *claims = NULL;
	const json_t *list = NULL, *version = NULL;
	char hex[2 * SHA256_BYTES + 1], lst_room[8192];
	struct buf lst = BUF_OF(lst_room);

	assert_int_equal(status_jwt_sign(&f->t, f->key, &out), ERR_OK);
	assert_int_equal(jws_decode(buf_bytes(&out), TOKEN_BYTES_MAX, &j), ERR_OK);
	assert_int_equal(jws_verify(&j, f->key), ERR_OK);
	assert_string_equal(j.typ, STATUS_JWT_TYP);
	assert_string_equal(j.kid, key_thumb_text(f->key));
	assert_int_equal(jws_payload(&j, &payload), ERR_OK);
	assert_int_equal(json_read(buf_bytes(&payload), TOKEN_BYTES_MAX, &claims), ERR_OK);
	assert_int_equal(json_object_size(claims), 6);
	assert_string_equal(text_of(claims, "sub"), "https://zz.example.gov.cn/status/7");
	assert_int_equal(json_integer_value(json_object_get(claims, "iat")), f->t.iat);
	assert_int_equal(json_integer_value(json_object_get(claims, "exp")), f->t.exp);
	assert_int_equal(json_integer_value(json_object_get(claims, "ttl")), f->t.ttl);
	list = json_object_get(claims, "status_list");
	assert_int_equal(json_integer_value(json_object_get(list, "bits")), 2);
	base64url_put(&lst, f->t.lst);
	assert_true(bytes_equal_text(buf_bytes(&lst), text_of(list, "lst")));
	version = json_object_get(claims, "zz_version");
	assert_int_equal(json_integer_value(json_array_get(version, 0)), f->t.sequence);
	hex_encode(bytes_of(f->t.previous, SHA256_BYTES), hex);
	assert_string_equal(json_string_value(json_array_get(version, 1)), hex);
	json_decref(claims);
}

/* A list of noise does not shrink: it must still fit the token's limit, and inflate again. */
static void
the_largest_list_there_can_be_fits_both_tokens(void **state)
{
	struct fixture *f = *state;
	uint8_t *raw = malloc(LIST_BYTES), *stream = malloc(TOKEN_BYTES_MAX),
	        *token = malloc(TOKEN_BYTES_MAX);
	struct buf zlib = buf_init(stream, TOKEN_BYTES_MAX), out = buf_init(token, TOKEN_BYTES_MAX);
	struct status_token t = f->t, back;
	struct cose_sign1 m;

	random_bytes(raw, LIST_BYTES);
	assert_int_equal(status_deflate(bytes_of(raw, LIST_BYTES), &zlib), ERR_OK);
	t.lst = buf_bytes(&zlib);
	assert_int_equal(status_cwt_sign(&t, f->key, &out), ERR_OK);
	assert_int_equal(status_cwt_decode(buf_bytes(&out), &m, &back), ERR_OK);
	assert_int_equal(cose_verify(&m, f->key, STATUS_CWT_TYPE), ERR_OK);
	out = buf_init(token, TOKEN_BYTES_MAX);
	assert_int_equal(status_jwt_sign(&t, f->key, &out), ERR_OK);
	free(raw);
	free(stream);
	free(token);
}

/* Places by chance, as status_place spreads them. */
static void
list_draw(uint8_t *raw, uint32_t a_million)
{
	uint64_t z = a_million;

	memset(raw, 0, LIST_BYTES);
	for (uint32_t i = 0; i < LIST_ENTRIES; i++) {
		z = z * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		if ((z >> 33) % 1000000 < a_million)
			status_set(raw, i, (z >> 60) == 0 ? STATUS_SUSPENDED : STATUS_INVALID);
	}
}

/* Each way of compressing: small enough, the draft's header, and the same bits again. */
static void
lists_of_any_share_of_revoked_are_small_and_inflate(void **state)
{
	static uint8_t raw[LIST_BYTES], back[LIST_BYTES], stream[TOKEN_BYTES_MAX];
	static const struct {
		uint32_t a_million;
		size_t bytes;
	} rows[] = {{0, 300}, {100, 700}, {1000, 2600}, {1900, 4600}, {2100, 5200}, {4000, 8600},
	        {10000, 16500}, {12500, 19500}, {13500, 22300}, {30000, 40500}, {260000, 130000}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf zlib = BUF_OF(stream);

		list_draw(raw, rows[i].a_million);
		assert_int_equal(status_deflate(bytes_of(raw, LIST_BYTES), &zlib), ERR_OK);
		if (zlib.n > rows[i].bytes)
			fail_msg("%u of a million: %zu bytes", rows[i].a_million, zlib.n);
		assert_memory_equal(stream, "\x78\xda", 2);
		assert_int_equal(status_inflate(buf_bytes(&zlib), back, LIST_BYTES), ERR_OK);
		assert_memory_equal(back, raw, LIST_BYTES);
	}
}

static void
a_list_that_does_not_fit_its_room_is_refused(void **state)
{
	static uint8_t raw[LIST_BYTES];
	uint8_t room[200];
	struct buf zlib = BUF_OF(room), none = buf_init(room, 1);

	(void)state;
	assert_int_equal(status_deflate(bytes_of(raw, LIST_BYTES), &zlib), ERR_LIMIT);
	assert_int_equal(zlib.n, 0);
	assert_int_equal(status_deflate(bytes_of(raw, LIST_BYTES), &none), ERR_LIMIT);
}

static void
a_stream_that_inflates_to_more_or_less_is_refused(void **state)
{
	static uint8_t large[4 * LIST_BYTES];
	uint8_t stream[8192], raw[LIST_BYTES];
	const struct {
		const char *what;
		size_t n;
		enum err want;
	} rows[] = {
	        {"exact", LIST_BYTES, ERR_OK},
	        {"one byte less", LIST_BYTES - 1, ERR_TRUNCATED},
	        {"one byte more", LIST_BYTES + 1, ERR_LIMIT},
	        {"four times", 4 * LIST_BYTES, ERR_LIMIT},
	        {"nothing", 0, ERR_TRUNCATED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf zlib = BUF_OF(stream);

		assert_int_equal(status_deflate(bytes_of(large, rows[i].n), &zlib), ERR_OK);
		if (status_inflate(buf_bytes(&zlib), raw, sizeof raw) != rows[i].want)
			fail_msg("%s", rows[i].what);
	}
}

static void
a_damaged_stream_is_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t raw[LIST_BYTES], stream[4096 + 1];
	size_t n = f->t.lst.n;

	for (size_t i = 0; i < n; i++)
		assert_int_not_equal(
		        status_inflate(bytes_of(f->t.lst.p, i), raw, sizeof raw), ERR_OK);
	memcpy(stream, f->t.lst.p, n);
	stream[n] = 0;
	assert_int_equal(status_inflate(bytes_of(stream, n + 1), raw, sizeof raw), ERR_TRAILING);
	stream[n - 1] ^= 1; /* the checksum */
	assert_int_equal(status_inflate(bytes_of(stream, n), raw, sizeof raw), ERR_ENCODING);
}

static void
each_index_has_its_own_two_bits(void **state)
{
	uint8_t raw[LIST_BYTES] = {0};

	(void)state;
	for (uint32_t i = 0; i < 4096; i++)
		status_set(raw, i, (enum status)(i * 7 % 4));
	for (uint32_t i = 0; i < 4096; i++)
		assert_int_equal(status_get(raw, i), i * 7 % 4);
	status_set(raw, 5, STATUS_VALID);
	assert_int_equal(status_get(raw, 4), 4 * 7 % 4);
	assert_int_equal(status_get(raw, 5), STATUS_VALID);
	assert_int_equal(status_get(raw, 6), 6 * 7 % 4);
}

/* places */

static void
places_are_a_permutation_of_a_whole_list(void **state)
{
	struct bytes key = BYTES_LIT("0123456789abcdef0123456789abcdef");
	uint8_t *seen = calloc(1, LIST_ENTRIES);
	uint32_t list = 0, idx = 0, beside = 0, before = 0;

	(void)state;
	assert_non_null(seen);
	for (uint64_t slot = 0; slot < LIST_ENTRIES; slot++) {
		status_place(key, 3 * (uint64_t)LIST_ENTRIES + slot, &list, &idx);
		assert_int_equal(list, 3);
		assert_true(idx < LIST_ENTRIES && seen[idx] == 0);
		seen[idx] = 1;
		beside += slot > 0 && (idx == before + 1 || idx + 1 == before);
		before = idx;
	}
	assert_true(beside < 50); /* neighbours in order of issue are not neighbours in the list */
	free(seen);
}

static void
another_list_or_key_gives_other_places(void **state)
{
	unsigned same_list = 0, same_key = 0;

	(void)state;
	for (uint64_t slot = 0; slot < 1000; slot++) {
		uint32_t list = 0, a = 0, b = 0, c = 0;

		status_place(BYTES_LIT("key one"), slot, &list, &a);
		status_place(BYTES_LIT("key one"), slot + LIST_ENTRIES, &list, &b);
		assert_int_equal(list, 1);
		status_place(BYTES_LIT("key two"), slot, &list, &c);
		same_list += a == b;
		same_key += a == c;
	}
	assert_true(same_list < 5 && same_key < 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                a_token_is_read_back_as_it_was_signed, fixture_make, fixture_free),
	        cmocka_unit_test_setup_teardown(the_claims_stand_in_the_order_of_their_encoded_keys,
	                fixture_make, fixture_free),
	        cmocka_unit_test_setup_teardown(
	                every_prefix_of_a_token_is_refused, fixture_make, fixture_free),
	        cmocka_unit_test_setup_teardown(
	                every_changed_byte_of_a_token_is_refused_or_breaks_the_signature,
	                fixture_make, fixture_free),
	        cmocka_unit_test_setup_teardown(
	                a_token_that_breaks_the_format_is_not_signed, fixture_make, fixture_free),
	        cmocka_unit_test_setup_teardown(the_jwt_says_the_same, fixture_make, fixture_free),
	        cmocka_unit_test_setup_teardown(
	                the_largest_list_there_can_be_fits_both_tokens, fixture_make, fixture_free),
	        cmocka_unit_test(lists_of_any_share_of_revoked_are_small_and_inflate),
	        cmocka_unit_test(a_list_that_does_not_fit_its_room_is_refused),
	        cmocka_unit_test_setup_teardown(a_stream_that_inflates_to_more_or_less_is_refused,
	                fixture_make, fixture_free),
	        cmocka_unit_test_setup_teardown(
	                a_damaged_stream_is_refused, fixture_make, fixture_free),
	        cmocka_unit_test(each_index_has_its_own_two_bits),
	        cmocka_unit_test(places_are_a_permutation_of_a_whole_list),
	        cmocka_unit_test(another_list_or_key_gives_other_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
