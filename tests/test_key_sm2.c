/* test_key_sm2.c - SM2 with SM3: the published example verifies, and nothing that was signed with
 * another ID, or with none, ever does. */
#include "hash.h"
#include "key.h"
#include "sm2_key.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MESSAGE "message digest"

static struct key *key;

static int
key_load(void **state)
{
	(void)state;
	return key_read_pem(BYTES_LIT(SM2_PRIVATE), &key) != ERR_OK;
}

static int
key_unload(void **state)
{
	(void)state;
	key_free(key);
	return 0;
}

static void
the_published_example_verifies(void **state)
{
	uint8_t s[KEY_SIGNATURE_BYTES], raw[KEY_PUBLIC_BYTES_MAX];
	struct key *public = NULL;

	(void)state;
	assert_int_equal(hex_decode(BYTES_LIT(SM2_SIGNATURE), s, sizeof s), ERR_OK);
	assert_int_equal(key_verify(key, BYTES_LIT(MESSAGE), bytes_of(s, sizeof s)), ERR_OK);
	assert_int_equal(
	        key_verify(key, BYTES_LIT("message digesT"), bytes_of(s, sizeof s)), ERR_SIGNATURE);
	memcpy(raw, key_public(key).p, sizeof raw);
	assert_int_equal(key_from_public(KEY_SM2, bytes_of(raw, sizeof raw), &public), ERR_OK);
	assert_int_equal(key_verify(public, BYTES_LIT(MESSAGE), bytes_of(s, sizeof s)), ERR_OK);
	key_free(public);
	/* no point of this curve; and the same numbers are none of P-256 */
	assert_int_equal(key_from_public(KEY_ES256, bytes_of(raw, sizeof raw), &public), ERR_VALUE);
	raw[0] ^= 1;
	assert_int_equal(key_from_public(KEY_SM2, bytes_of(raw, sizeof raw), &public), ERR_VALUE);
	assert_int_equal(key_from_public(KEY_SM2, bytes_of(raw, 32), &public), ERR_VALUE);
}

static void
sm3_is_that_of_the_standard(void **state)
{
	uint8_t hash[SM3_BYTES];
	char hex[2 * SM3_BYTES + 1];

	(void)state;
	sm3_one(BYTES_LIT("abc"), hash); /* GB/T 32905-2016 annex A.1 */
	hex_encode(bytes_of(hash, sizeof hash), hex);
	assert_string_equal(
	        hex, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}

/* By the library alone: id NULL sets none. DER in `der`; its length. */
static size_t
library_sign(const char *id, uint8_t der[80])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p = NULL;
	size_t n = 80;

	assert_int_equal(
	        EVP_DigestSignInit_ex(c, &p, "SM3", NULL, NULL, key_openssl(key), NULL), 1);
	if (id != NULL)
		assert_int_equal(EVP_PKEY_CTX_set1_id(p, id, (int)strlen(id)), 1);
	assert_int_equal(
	        EVP_DigestSign(c, der, &n, (const uint8_t *)MESSAGE, sizeof MESSAGE - 1), 1);
	EVP_MD_CTX_free(c);
	return n;
}

static int
library_verify(const char *id, const uint8_t *der, size_t n)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p = NULL;
	int ok;

	assert_int_equal(
	        EVP_DigestVerifyInit_ex(c, &p, "SM3", NULL, NULL, key_openssl(key), NULL), 1);
	if (id != NULL)
		assert_int_equal(EVP_PKEY_CTX_set1_id(p, id, (int)strlen(id)), 1);
	ok = EVP_DigestVerify(c, der, n, (const uint8_t *)MESSAGE, sizeof MESSAGE - 1);
	EVP_MD_CTX_free(c);
	return ok == 1;
}

static void
the_same_bytes_without_the_id_or_with_another_fail(void **state)
{
	static const struct {
		const char *id;
		enum err want;
	} rows[] = {
	        {KEY_SM2_ID, ERR_OK}, /* positive control: the rest is the same */
	        {"1234567812345679", ERR_SIGNATURE},
	        {"123456781234567", ERR_SIGNATURE},
	        {"ALICE123@YAHOO.COM", ERR_SIGNATURE},
	        {"", ERR_SIGNATURE},
	        {NULL, ERR_SIGNATURE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t der[80];
		size_t n = library_sign(rows[i].id, der);

		assert_true(library_verify(rows[i].id, der, n));
		if (key_verify_der(key, BYTES_LIT(MESSAGE), bytes_of(der, n)) != rows[i].want)
			fail_msg("ID %s", rows[i].id == NULL ? "(none)" : rows[i].id);
	}
}

/* The other way round: what we sign is with the ID, and a reader that sets none refuses it. */
static void
our_signatures_need_the_id(void **state)
{
	EVP_MD_CTX *c = key_openssl_signer(key);
	uint8_t der[80];
	size_t n = sizeof der;

	(void)state;
	assert_int_equal(
	        EVP_DigestSign(c, der, &n, (const uint8_t *)MESSAGE, sizeof MESSAGE - 1), 1);
	EVP_MD_CTX_free(c);
	assert_true(library_verify(KEY_SM2_ID, der, n));
	assert_false(library_verify("1234567812345679", der, n));
	assert_false(library_verify("", der, n));
}

/* Why the template has it: after the first byte the library refuses an ID. */
static void
the_id_cannot_be_set_after_the_first_update(void **state)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p = NULL;

	(void)state;
	assert_int_equal(
	        EVP_DigestSignInit_ex(c, &p, "SM3", NULL, NULL, key_openssl(key), NULL), 1);
	assert_int_equal(EVP_DigestSignUpdate(c, "m", 1), 1);
	assert_int_not_equal(EVP_PKEY_CTX_set1_id(p, KEY_SM2_ID, sizeof KEY_SM2_ID - 1), 1);
	EVP_MD_CTX_free(c);
}

static void
another_digest_than_sm3_is_refused(void **state)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	(void)state;
	assert_int_not_equal(
	        EVP_DigestSignInit_ex(c, NULL, "SHA2-256", NULL, NULL, key_openssl(key), NULL), 1);
	EVP_MD_CTX_free(c);
}

static void
numbers_at_the_edges_are_refused(void **state)
{
	static const char order[] =
	        "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123";
	uint8_t s[KEY_SIGNATURE_BYTES], n[32];

	(void)state;
	assert_int_equal(hex_decode(bytes_of_text(order), n, sizeof n), ERR_OK);
	for (unsigned r = 0; r < 4; r++)
		for (unsigned t = 0; t < 4; t++) {
			memset(s, 0, sizeof s);
			if (r >= 2)
				memcpy(s, n, 32);
			if (t >= 2)
				memcpy(s + 32, n, 32);
			s[31] = (uint8_t)(s[31] + (r & 1));
			s[63] = (uint8_t)(s[63] + (t & 1));
			assert_int_equal(key_verify(key, BYTES_LIT(MESSAGE), bytes_of(s, sizeof s)),
			        ERR_SIGNATURE);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_published_example_verifies),
	        cmocka_unit_test(sm3_is_that_of_the_standard),
	        cmocka_unit_test(the_same_bytes_without_the_id_or_with_another_fail),
	        cmocka_unit_test(our_signatures_need_the_id),
	        cmocka_unit_test(the_id_cannot_be_set_after_the_first_update),
	        cmocka_unit_test(another_digest_than_sm3_is_refused),
	        cmocka_unit_test(numbers_at_the_edges_are_refused),
	};

	return cmocka_run_group_tests(tests, key_load, key_unload);
}
