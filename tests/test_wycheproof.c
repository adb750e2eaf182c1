/* test_wycheproof.c - the signatures of Project Wycheproof: what it calls invalid is refused, what
 * it calls valid verifies. */
#include "key.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct hex { /* malloc'ed */
	uint8_t *p;
	size_t n;
};

static struct hex
hex_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	struct hex h = {0};

	assert_non_null(text);
	h.n = strlen(text) / 2;
	h.p = malloc(h.n + 1);
	assert_int_equal(hex_decode(bytes_of_text(text), h.p, h.n), ERR_OK);
	return h;
}

static struct key *
group_key(const json_t *group, enum key_suite suite)
{
	const json_t *public = json_object_get(group, "publicKey");
	const char *pem = json_string_value(json_object_get(group, "publicKeyPem"));
	struct hex raw = hex_of(public, suite == KEY_ES256 ? "uncompressed" : "pk");
	size_t skip = suite == KEY_ES256 ? 1 : 0; /* the 04 of an uncompressed point */
	struct key *k = NULL, *of_pem = NULL;

	assert_int_equal(key_from_public(suite, bytes_of(raw.p + skip, raw.n - skip), &k), ERR_OK);
	assert_int_equal(key_read_pem(bytes_of_text(pem), &of_pem), ERR_OK);
	assert_true(bytes_equal(key_public(k), key_public(of_pem)));
	key_free(of_pem);
	free(raw.p);
	return k;
}

/* Counts what was valid, and fails by the number of the case. */
static size_t
case_check(const json_t *row, const struct key *k)
{
	const char *want = json_string_value(json_object_get(row, "result"));
	struct hex text = hex_of(row, "msg"), signature = hex_of(row, "sig");
	enum err e = key_verify(k, bytes_of(text.p, text.n), bytes_of(signature.p, signature.n));
	long long id = json_integer_value(json_object_get(row, "tcId"));

	if (strcmp(want, "acceptable") == 0)
		print_message("case %lld is acceptable: %s\n", id, err_word(e));
	else if (strcmp(want, "valid") == 0 ? e != ERR_OK : e != ERR_SIGNATURE)
		fail_msg("case %lld is %s, and is answered %s", id, want, err_word(e));
	free(text.p);
	free(signature.p);
	return strcmp(want, "valid") == 0;
}

static void
file_check(const char *name, enum key_suite suite, size_t count, size_t valid)
{
	char path[500];
	json_t *file, *group, *row;
	size_t i, k, seen = 0, good = 0;

	snprintf(path, sizeof path, "%s/tests/vectors/wycheproof/%s", SOURCE_DIR, name);
	file = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(file);
	json_array_foreach(json_object_get(file, "testGroups"), i, group)
	{
		struct key *key = group_key(group, suite);

		json_array_foreach(json_object_get(group, "tests"), k, row)
		{
			good += case_check(row, key);
			seen++;
		}
		key_free(key);
	}
	assert_int_equal(seen, json_integer_value(json_object_get(file, "numberOfTests")));
	assert_int_equal(seen, count);
	assert_int_equal(good, valid);
	json_decref(file);
}

static void
ecdsa_p256_with_raw_signatures(void **state)
{
	(void)state;
	file_check("ecdsa_secp256r1_sha256_p1363.json", KEY_ES256, 262, 173);
}

static void
ed25519_signatures(void **state)
{
	(void)state;
	file_check("ed25519.json", KEY_ED25519, 151, 88);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(ecdsa_p256_with_raw_signatures),
	        cmocka_unit_test(ed25519_signatures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
