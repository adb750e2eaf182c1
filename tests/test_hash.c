/* test_hash.c - the published vectors of SHA-256 and HMAC, in parts and in several threads; random
 * bytes differ. */
#include "hash.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
is_hex(const uint8_t hash[SHA256_BYTES], const char *want)
{
	char text[2 * SHA256_BYTES + 1];

	hex_encode(bytes_of(hash, SHA256_BYTES), text);
	assert_string_equal(text, want);
}

/* FIPS 180-4, examples of the standard. */
static void
sha256_gives_the_published_values(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	uint8_t out[SHA256_BYTES], *million = malloc(1000000);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		sha256_one(bytes_of_text(rows[i].text), out);
		is_hex(out, rows[i].want);
	}
	memset(million, 'a', 1000000);
	sha256_one(bytes_of(million, 1000000), out);
	is_hex(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	sha256(NULL, 0, out);
	is_hex(out, rows[0].want);
	free(million);
}

static void
parts_are_hashed_as_one_text(void **state)
{
	uint8_t text[200], whole[SHA256_BYTES], parts[SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)i;
	sha256_one(bytes_of(text, sizeof text), whole);
	for (size_t cut = 0; cut <= sizeof text; cut++) {
		const struct bytes list[] = {bytes_of(text, cut), bytes_of(NULL, 0),
		        bytes_of(text + cut, sizeof text - cut)};

		sha256(list, 3, parts);
		assert_memory_equal(whole, parts, SHA256_BYTES);
	}
}

/* RFC 4231. */
static void
hmac_gives_the_published_values(void **state)
{
	uint8_t key[131], out[SHA256_BYTES];
	struct bytes text = BYTES_LIT("Hi There"), halves[2];

	(void)state;
	memset(key, 0x0b, 20);
	hmac_sha256(bytes_of(key, 20), &text, 1, out);
	is_hex(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	halves[0] = BYTES_LIT("what do ya want ");
	halves[1] = BYTES_LIT("for nothing?");
	hmac_sha256(BYTES_LIT("Jefe"), halves, 2, out);
	is_hex(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	text = BYTES_LIT("Test Using Larger Than Block-Size Key - Hash Key First");
	hmac_sha256(bytes_of(key, sizeof key), &text, 1, out);
	is_hex(out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* A key of one block is not hashed, one of a byte more is: values by another implementation. */
static void
hmac_keys_at_the_edge_of_a_block(void **state)
{
	uint8_t key[65], hashed[SHA256_BYTES], a[SHA256_BYTES], b[SHA256_BYTES];
	const struct bytes text = BYTES_LIT("x");

	(void)state;
	memset(key, 'k', sizeof key);
	hmac_sha256(bytes_of(key, 64), &text, 1, a);
	is_hex(a, "f91c4c403625fb06910ef93999265bbd2d62baeaec6ff36455498cc124fe3e66");
	hmac_sha256(bytes_of(key, 65), &text, 1, a);
	sha256_one(bytes_of(key, 65), hashed);
	hmac_sha256(bytes_of(hashed, sizeof hashed), &text, 1, b);
	assert_memory_equal(a, b, SHA256_BYTES);
}

static void *
hash_often(void *arg)
{
	uint8_t out[SHA256_BYTES], want[SHA256_BYTES];
	struct bytes text = bytes_of(arg, 1);

	sha256_one(text, want);
	for (int i = 0; i < 2000; i++) {
		sha256_one(text, out);
		if (memcmp(out, want, sizeof out) != 0)
			return arg;
	}
	return NULL;
}

static void
threads_do_not_disturb_each_other(void **state)
{
	pthread_t threads[4];
	uint8_t texts[4] = {1, 2, 3, 4};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hash_often, &texts[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		void *bad = NULL;

		assert_int_equal(pthread_join(threads[i], &bad), 0);
		assert_null(bad);
	}
}

static void
random_bytes_differ_and_secrets_are_compared_and_wiped(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0};
	static const uint8_t zero[32];

	(void)state;
	random_bytes(a, sizeof a);
	random_bytes(b, sizeof b);
	assert_memory_not_equal(a, b, sizeof a);
	assert_false(secret_equal(a, b, sizeof a));
	memcpy(b, a, sizeof b);
	assert_true(secret_equal(a, b, sizeof a));
	for (size_t i = 0; i < sizeof b; i++) {
		b[i] ^= 1;
		assert_false(secret_equal(a, b, sizeof a));
		b[i] ^= 1;
	}
	secret_wipe(a, sizeof a);
	assert_memory_equal(a, zero, sizeof a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sha256_gives_the_published_values),
	        cmocka_unit_test(parts_are_hashed_as_one_text),
	        cmocka_unit_test(hmac_gives_the_published_values),
	        cmocka_unit_test(hmac_keys_at_the_edge_of_a_block),
	        cmocka_unit_test(threads_do_not_disturb_each_other),
	        cmocka_unit_test(random_bytes_differ_and_secrets_are_compared_and_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
