/* test_key.c - keys of one kind only, under the names that the standards give them; each signature
 * is of its own message, and nothing of another form verifies. */
#include "cbor.h"
#include "seed_key.h"
#include "sm2_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include <cmocka.h>

#define PEM(kind, body) "-----BEGIN " kind "-----\n" body "\n-----END " kind "-----\n"
/* The secret number is 0102..20, and the seed 0001..1f: everybody knows these keys. */
#define P256_PRIVATE                                                                               \
	PEM("PRIVATE KEY", "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAQIDBAUGBwgJCgsM\n"    \
	                   "DQ4PEBESExQVFhcYGRobHB0eHyChRANCAARRXD1uueOWuQTT/sp/VP3NDMHpl783\n"    \
	                   "XcpRWtCmw7QDX0U2vjpQ8xj7+aVHWQKiIVAr7w1X4IxTsswKVvF9n5NU")
#define P256_PUBLIC                                                                                \
	PEM("PUBLIC KEY", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUVw9brnjlrkE0/7Kf1T9zQzB6Ze/\n"     \
	                  "N13KUVrQpsO0A19FNr46UPMY+/mlR1kCoiFQK+8NV+CMU7LMClbxfZ+TVA==")
#define ED_PRIVATE                                                                                 \
	PEM("PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f")
#define ED_PUBLIC PEM("PUBLIC KEY", "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=")

static struct key *keys[3]; /* ES256, Ed25519, SM2 */

static int
make_keys(void **state)
{
	(void)state;
	return key_generate(KEY_ES256, &keys[0]) != ERR_OK ||
	       key_generate(KEY_ED25519, &keys[1]) != ERR_OK ||
	       key_generate(KEY_SM2, &keys[2]) != ERR_OK;
}

static int
free_keys(void **state)
{
	(void)state;
	key_free(keys[0]);
	key_free(keys[1]);
	key_free(keys[2]);
	return 0;
}

/* What another implementation calculated for the same keys (RFC 9679, RFC 7638). */
static const struct {
	const char *private, *public;
	enum key_suite suite;
	const char *kid, *thumb, *cose;
} known[] = {
        {P256_PRIVATE, P256_PUBLIC, KEY_ES256, "4ed61fd7fdb953da",
                "6UoWwDCkLjV0J-pQG8c0THxbVhBcpR0AZDift1Yl5DM",
                "a401022001215820515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f"
                "2258204536be3a50f318fbf9a5475902a221502bef0d57e08c53b2cc0a56f17d9f9354"},
        {ED_PRIVATE, ED_PUBLIC, KEY_ED25519, "be5de2f4bcdc383a",
                "1IG2tMH7J2wbJZnOf8LJzQitKf7LMvoAElsuDMVM54Y",
                "a30101200621582003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"},
        {SM2_PRIVATE, SM2_PUBLIC, KEY_SM2, "795b882b748c7af0",
                "lgVsnVqdKsFLJ2q4y2l6gACWaCOEQcWQb1t30j4Q6fU",
                "a40102203a0001012c21582009f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff3"
                "56f35020225820ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"},
};
enum { KNOWN = sizeof known / sizeof known[0] };

static void
names_equal(const struct key *k, size_t i)
{
	uint8_t room[KEY_COSE_BYTES_MAX];
	struct buf cose = BUF_OF(room);
	char hex[2 * KEY_COSE_BYTES_MAX + 1];

	assert_int_equal(key_suite(k), known[i].suite);
	hex_encode(key_kid(k), hex);
	assert_string_equal(hex, known[i].kid);
	assert_string_equal(key_thumb_text(k), known[i].thumb);
	assert_int_equal(key_thumb(k).n, KEY_THUMB_BYTES);
	key_put_cose(k, &cose);
	assert_int_equal(cbor_check(buf_bytes(&cose)), ERR_OK);
	hex_encode(buf_bytes(&cose), hex);
	assert_string_equal(hex, known[i].cose);
}

static void
names_are_those_of_the_standards(void **state)
{
	(void)state;
	for (size_t i = 0; i < KNOWN; i++) {
		struct key *k = NULL;

		assert_int_equal(key_read_pem(bytes_of_text(known[i].private), &k), ERR_OK);
		assert_true(key_is_private(k));
		names_equal(k, i);
		key_free(k);
		assert_int_equal(key_read_pem(bytes_of_text(known[i].public), &k), ERR_OK);
		assert_false(key_is_private(k));
		names_equal(k, i);
		key_free(k);
	}
}

/* The examples of RFC 9679 section 6 and of RFC 8037 appendix A.3. */
static void
thumbprints_are_those_of_the_published_examples(void **state)
{
	uint8_t raw[64];
	char hex[17];
	struct key *k = NULL;

	(void)state;
	assert_int_equal(
	        hex_decode(BYTES_LIT("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08"
	                             "551d1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0"
	                             "084d19c"),
	                raw, 64),
	        ERR_OK);
	assert_int_equal(key_from_public(KEY_ES256, bytes_of(raw, 64), &k), ERR_OK);
	hex_encode(key_kid(k), hex);
	assert_string_equal(hex, "496bd8afadf307e5");
	key_free(k);
	assert_int_equal(hex_decode(BYTES_LIT("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af02"
	                                      "1a68f707511a"),
	                         raw, 32),
	        ERR_OK);
	assert_int_equal(key_from_public(KEY_ED25519, bytes_of(raw, 32), &k), ERR_OK);
	assert_string_equal(key_thumb_text(k), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
	key_free(k);
}

static void
pem_and_cose_keys_come_back_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint8_t room[KEY_PEM_BYTES_MAX], signature[KEY_SIGNATURE_BYTES];
		struct key *again = NULL;
		struct buf b = BUF_OF(room);

		assert_int_equal(key_write_private(keys[i], &b), ERR_OK);
		assert_int_equal(key_read_pem(buf_bytes(&b), &again), ERR_OK);
		assert_true(bytes_equal(key_public(again), key_public(keys[i])));
		assert_int_equal(key_sign(again, BYTES_LIT("m"), signature), ERR_OK);
		assert_int_equal(
		        key_verify(keys[i], BYTES_LIT("m"), bytes_of(signature, 64)), ERR_OK);
		key_free(again);
		b = BUF_OF(room);
		assert_int_equal(key_write_public(keys[i], &b), ERR_OK);
		assert_int_equal(key_read_pem(buf_bytes(&b), &again), ERR_OK);
		assert_false(key_is_private(again));
		assert_true(bytes_equal(key_kid(again), key_kid(keys[i])));
		/* a public key signs nothing and has no private PEM */
		assert_int_equal(key_sign(again, BYTES_LIT("m"), signature), ERR_VALUE);
		b = BUF_OF(room);
		assert_int_equal(key_write_private(again, &b), ERR_VALUE);
		assert_int_equal(b.n, 0);
		key_free(again);
		b = BUF_OF(room);
		key_put_cose(keys[i], &b);
		assert_int_equal(key_from_cose(buf_bytes(&b), &again), ERR_OK);
		assert_true(bytes_equal(key_public(again), key_public(keys[i])));
		assert_string_equal(key_thumb_text(again), key_thumb_text(keys[i]));
		key_free(again);
		b = buf_init(room, 16);
		assert_int_not_equal(key_write_public(keys[i], &b), ERR_OK);
	}
}

/* A context that signed once and is used again signs both messages and says success: each of our
 * signatures takes a fresh copy. */
static void
a_key_signs_each_message_by_itself(void **state)
{
	static const char *const texts[] = {"first", "second", "", "first"};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (size_t t = 0; t < 4; t++) {
			uint8_t s[KEY_SIGNATURE_BYTES];
			struct bytes text = bytes_of_text(texts[t]), sig = bytes_of(s, sizeof s);
			char both[32];

			assert_int_equal(key_sign(keys[i], text, s), ERR_OK);
			assert_int_equal(key_verify(keys[i], text, sig), ERR_OK);
			assert_int_equal(key_verify(keys[i], text, sig), ERR_OK);
			snprintf(both, sizeof both, "%s%s", texts[0], texts[t]);
			assert_int_equal(
			        key_verify(keys[i], bytes_of_text(both), sig), ERR_SIGNATURE);
			assert_int_equal(
			        key_verify(keys[i], BYTES_LIT("other"), sig), ERR_SIGNATURE);
			assert_int_equal(key_verify(keys[(i + 1) % 3], text, sig), ERR_SIGNATURE);
		}
}

/* Negative control: the trap is there, in the library that we use. */
static void
a_context_used_twice_signs_both_messages(void **state)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t s[80];
	size_t n = sizeof s;

	(void)state;
	assert_int_equal(
	        EVP_DigestSignInit_ex(c, NULL, "SHA2-256", NULL, NULL, key_openssl(keys[0]), NULL),
	        1);
	assert_int_equal(EVP_DigestSign(c, s, &n, (const uint8_t *)"a", 1), 1);
	n = sizeof s;
	if (EVP_DigestSign(c, s, &n, (const uint8_t *)"b", 1) == 1) {
		EVP_MD_CTX *v = EVP_MD_CTX_new();

		assert_int_equal(EVP_DigestVerifyInit_ex(v, NULL, "SHA2-256", NULL, NULL,
		                         key_openssl(keys[0]), NULL),
		        1);
		assert_int_not_equal(EVP_DigestVerify(v, s, n, (const uint8_t *)"b", 1), 1);
		EVP_MD_CTX_free(v);
	}
	EVP_MD_CTX_free(c);
}

/* RFC 8032 signatures follow from key and message: by another implementation. */
static void
ed25519_signs_the_same_bytes_as_others(void **state)
{
	struct key *k = seed_key_from(0);
	uint8_t s[KEY_SIGNATURE_BYTES];
	char hex[2 * KEY_SIGNATURE_BYTES + 1];

	(void)state;
	assert_int_equal(key_sign(k, BYTES_LIT("message"), s), ERR_OK);
	hex_encode(bytes_of(s, sizeof s), hex);
	assert_string_equal(hex,
	        "7bc0ea578290c8dcf6fc8a6e134a7f3e794ddd7e8922108bccd6202f95de532b92"
	        "c2298dc8e161ac2b5e3653f92c5b0e12adf26b3d46e7bd2057715f25d3e205");
	key_free(k);
}

static void
signatures_of_another_length_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint8_t s[KEY_SIGNATURE_BYTES + 1] = {0};

		assert_int_equal(key_sign(keys[i], BYTES_LIT("m"), s), ERR_OK);
		for (size_t n = 0; n <= sizeof s; n++)
			assert_int_equal(key_verify(keys[i], BYTES_LIT("m"), bytes_of(s, n)),
			        n == KEY_SIGNATURE_BYTES ? ERR_OK : ERR_SIGNATURE);
	}
}

static void
every_changed_bit_of_a_signature_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint8_t s[KEY_SIGNATURE_BYTES];

		assert_int_equal(key_sign(keys[i], BYTES_LIT("m"), s), ERR_OK);
		for (size_t bit = 0; bit < 8 * sizeof s; bit++) {
			s[bit / 8] ^= (uint8_t)(1U << bit % 8);
			assert_int_equal(key_verify(keys[i], BYTES_LIT("m"), bytes_of(s, sizeof s)),
			        ERR_SIGNATURE);
			s[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
	}
}

/* Numbers that are short, zero or not below the order never verify, and never break the encoder. */
static void
ecdsa_numbers_at_the_edges_are_refused(void **state)
{
	static const char order[] =
	        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
	uint8_t values[4][32] = {{0}}, s[KEY_SIGNATURE_BYTES];

	(void)state;
	values[1][31] = 1;
	assert_int_equal(hex_decode(bytes_of_text(order), values[2], 32), ERR_OK);
	memset(values[3], 0xff, 32);
	for (size_t r = 0; r < 4; r++)
		for (size_t t = 0; t < 4; t++) {
			memcpy(s, values[r], 32);
			memcpy(s + 32, values[t], 32);
			assert_int_equal(key_verify(keys[0], BYTES_LIT("m"), bytes_of(s, sizeof s)),
			        ERR_SIGNATURE);
		}
}

static void
points_that_are_not_on_the_curve_are_refused(void **state)
{
	uint8_t raw[65];
	struct key *k = NULL;

	(void)state;
	memcpy(raw, key_public(keys[0]).p, 64);
	assert_int_equal(key_from_public(KEY_ES256, bytes_of(raw, 64), &k), ERR_OK);
	key_free(k);
	for (size_t i = 0; i < 64; i++) {
		raw[i] ^= 1;
		/* another x has a point of its own in half of all cases, but not with this y */
		assert_int_equal(key_from_public(KEY_ES256, bytes_of(raw, 64), &k), ERR_VALUE);
		raw[i] ^= 1;
	}
	for (size_t n = 0; n <= 65; n++)
		if (n != 64)
			assert_int_equal(
			        key_from_public(KEY_ES256, bytes_of(raw, n), &k), ERR_VALUE);
	for (size_t n = 0; n <= 65; n++)
		if (n != 32)
			assert_int_equal(
			        key_from_public(KEY_ED25519, bytes_of(raw, n), &k), ERR_VALUE);
	memset(raw, 0, sizeof raw);
	assert_int_equal(key_from_public(KEY_ES256, bytes_of(raw, 64), &k), ERR_VALUE);
	memset(raw, 0xff, sizeof raw); /* not below the prime */
	assert_int_equal(key_from_public(KEY_ES256, bytes_of(raw, 64), &k), ERR_VALUE);
	assert_int_equal(key_from_public(KEY_SM2, bytes_of(raw, 64), &k), ERR_VALUE);
}

static void
other_kinds_of_key_are_refused(void **state)
{
	static const struct {
		const char *what, *pem;
		enum err want;
	} rows[] = {
	        {"P-384",
	                PEM("PRIVATE KEY",
	                        "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAAAAAAAAAAAAAAAAAA\n"
	                        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWhZANiAAQR3iSiwlHH\n"
	                        "d1c8rF6gJeRn8gjlHb/5j8VPZmHL5WWDsDeIL0ocopfmCrzbw4NthLyPppbHdED5\n"
	                        "LQ9YN+kKAOfFKEtEd1TV3uiMmGUztpAa6zF3aG0K6PszGEQUq+bBcTo="),
	                ERR_VALUE},
	        {"P-384, public",
	                PEM("PUBLIC KEY",
	                        "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEEd4kosJRx3dXPKxeoCXkZ/II5R2/+Y/F\n"
	                        "T2Zhy+Vlg7A3iC9KHKKX5gq828ODbYS8j6aWx3RA+S0PWDfpCgDnxShLRHdU1d7o\n"
	                        "jJhlM7aQGusxd2htCuj7MxhEFKvmwXE6"),
	                ERR_VALUE},
	        {"RSA",
	                PEM("PUBLIC KEY",
	                        "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDPmy/y8WEbe2S8rKYPF2GzjDGp\n"
	                        "N++xeO5L7rra6b7lON5j4cjfBtp0fFyPEGH5MqQ9/X8t0NLMIpK88IgFBZiUy2vk\n"
	                        "ypDzrPKNMqDSAOPGy8rr0RLhojoSfO1Lp0isAWSd83uLOJVnPT8OlUgDlxD+qMHt\n"
	                        "8TzCOOInEQ6nqfRbAwIDAQAB"),
	                ERR_VALUE},
	        {"X25519",
	                PEM("PRIVATE KEY",
	                        "MC4CAQAwBQYDK2VuBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"),
	                ERR_VALUE},
	        {"encrypted: nobody is asked for a password",
	                PEM("ENCRYPTED PRIVATE KEY",
	                        "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg8q6Atc5Jq6wICCAAw\n"
	                        "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEHoRl7CII4fiNSuIpWaqgMUEgZAI\n"
	                        "b5ioVMWWN1zOVLM7YtN6CvUWi3+RyVXeRO5tYu1FmpOaSy2cMmHfkhpsI9MP8ptF\n"
	                        "VBAuoNU1WakRaJ3bRYm/y236TpMY2AimGsh59vvUH+55nruxaeZsDBXhMRKCrasU\n"
	                        "BFk9WFUaOLdrLaQlKqhVFxm67BT4a1RYczJpEZd4RCYgmfmGsSRYJwc/9zDZaHQ="),
	                ERR_VALUE},
	        {"nothing", "", ERR_VALUE},
	        {"no PEM", "hello", ERR_VALUE},
	        {"an empty block", PEM("PUBLIC KEY", ""), ERR_VALUE},
	        {"cut off", "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQY", ERR_VALUE},
	};
	char large[KEY_PEM_BYTES_MAX + 2];
	struct key *k = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (key_read_pem(bytes_of_text(rows[i].pem), &k) != rows[i].want)
			fail_msg("%s is read", rows[i].what);
	/* the limit: blanks after a good key up to it, and one more */
	memset(large, '\n', sizeof large);
	memcpy(large, ED_PUBLIC, sizeof ED_PUBLIC - 1);
	assert_int_equal(key_read_pem(bytes_of(large, KEY_PEM_BYTES_MAX), &k), ERR_OK);
	key_free(k);
	assert_int_equal(key_read_pem(bytes_of(large, KEY_PEM_BYTES_MAX + 1), &k), ERR_LIMIT);
	assert_null(key_suite_by_name("rsa"));
}

static void
cose_keys_have_one_spelling(void **state)
{
	(void)state;
	for (size_t i = 0; i < KNOWN; i++) {
		uint8_t room[KEY_COSE_BYTES_MAX], again_room[KEY_COSE_BYTES_MAX];
		size_t n = strlen(known[i].cose) / 2;
		struct key *k = NULL;

		assert_int_equal(hex_decode(bytes_of_text(known[i].cose), room, n), ERR_OK);
		for (size_t cut = 0; cut < n; cut++)
			assert_int_not_equal(key_from_cose(bytes_of(room, cut), &k), ERR_OK);
		room[n] = 0;
		assert_int_equal(key_from_cose(bytes_of(room, n + 1), &k), ERR_TRAILING);
		for (size_t at = 0; at < n; at++)
			for (unsigned v = 0; v < 256; v++) {
				struct buf again = BUF_OF(again_room);
				uint8_t before = room[at];

				room[at] = (uint8_t)v;
				if (key_from_cose(bytes_of(room, n), &k) == ERR_OK) {
					key_put_cose(k, &again);
					assert_true(
					        bytes_equal(buf_bytes(&again), bytes_of(room, n)));
					key_free(k);
				}
				room[at] = before;
			}
	}
}

static void
cose_keys_of_another_form_are_refused(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		const char *to;
	} rows[] = {
	        {"kty OKP with a curve of EC2", 2, "01"},
	        {"curve P-384", 4, "02"},
	        {"three members", 0, "a3"},
	        {"five members", 0, "a5"},
	        {"y as a sign", 40, "22f5"},
	        {"x of 31 bytes", 6, "581f"},
	        {"key -4 in place of -3", 40, "23"},
	};
	uint8_t good[KEY_COSE_BYTES_MAX], room[KEY_COSE_BYTES_MAX];
	size_t n = strlen(known[0].cose) / 2;
	struct key *k = NULL;

	(void)state;
	assert_int_equal(hex_decode(bytes_of_text(known[0].cose), good, n), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		memcpy(room, good, n);
		assert_int_equal(hex_decode(bytes_of_text(rows[i].to), room + rows[i].at,
		                         strlen(rows[i].to) / 2),
		        ERR_OK);
		if (key_from_cose(bytes_of(room, n), &k) == ERR_OK)
			fail_msg("%s is read", rows[i].what);
	}
	assert_int_equal(key_from_cose(bytes_of(good, n), &k), ERR_OK);
	key_free(k);
}

static void
suites_are_named_in_one_table(void **state)
{
	static const struct {
		const char *name, *jose;
		int64_t alg;
	} rows[] = {{"es256", "ES256", -7}, {"ed25519", "EdDSA", -8}, {"sm2", "SM2SM3", -66037}};

	(void)state;
	for (size_t i = 0; i < KEY_SUITE_COUNT; i++) {
		const struct key_suite_info *s = key_suite_by_name(rows[i].name);

		assert_ptr_equal(s, key_suite_info((enum key_suite)i));
		assert_string_equal(s->jose_alg, rows[i].jose);
		assert_int_equal(s->cose_alg, rows[i].alg);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(names_are_those_of_the_standards),
	        cmocka_unit_test(thumbprints_are_those_of_the_published_examples),
	        cmocka_unit_test(pem_and_cose_keys_come_back_the_same),
	        cmocka_unit_test(a_key_signs_each_message_by_itself),
	        cmocka_unit_test(a_context_used_twice_signs_both_messages),
	        cmocka_unit_test(ed25519_signs_the_same_bytes_as_others),
	        cmocka_unit_test(signatures_of_another_length_are_refused),
	        cmocka_unit_test(every_changed_bit_of_a_signature_is_refused),
	        cmocka_unit_test(ecdsa_numbers_at_the_edges_are_refused),
	        cmocka_unit_test(points_that_are_not_on_the_curve_are_refused),
	        cmocka_unit_test(other_kinds_of_key_are_refused),
	        cmocka_unit_test(cose_keys_have_one_spelling),
	        cmocka_unit_test(cose_keys_of_another_form_are_refused),
	        cmocka_unit_test(suites_are_named_in_one_table),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
