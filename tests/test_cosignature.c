/* test_cosignature.c - cosignatures of others verify, ours are theirs byte for byte, and nothing
 * else counts for a quorum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cosignature.h"
#include "seed_key.h"

/* a cosignature of the Sunlight project (skylight testdata) */
/* clang-format off */
#define ROME_TEXT "rome2026h1.example.org\n300\nlCkHUpkmVBEms2r2T1K6Og69+wUuuN3MIEW1/ezu2v0=\n"
#define ROME_VKEY "witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN"
#define ROME_LINE                                                                                    \
	"— witness.example.org uKLPIAAAAABpVGeAhm2bOvKc3LaB9PFN1ruG19Y5yqslmcAAbhftnn1Zznmo0LXFZq" \
	"4LGvqKqLX8jWlwLKasxEGTLIqAVusneCBmBw==\n"
/* ours, checked with another implementation: seed 20..3f, time 1700000000 */
#define OWN_TEXT "ca.example.gov/log\n70000\n2gUy/3su5W9AZxEPyWTp8ntZWflSe//z+lAap1hN6vM=\n"
#define OWN_NAME "witness.example.gov/w1"
#define OWN_VKEY OWN_NAME "+173a951a+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"
#define OWN_LINE                                                                                   \
	"— " OWN_NAME                                                                              \
	" FzqVGgAAAABlU/EAoMCmd0FBFouyXFYJDPnR4gia0t7dbHOf8UmjpDQ/liO0mQlfVNrU037cmD"              \
	"ncVT0y0cTTWqeD2nPLnCnK/+paBQ==\n"

/* clang-format on */

static enum err
find(const char *text, const char *lines, const char *vkey, struct cosignature *out)
{
	struct bytes name = {NULL, 0};
	struct key *k = NULL;
	enum err e = cosigner_vkey_decode(bytes_of_text(vkey), &name, &k);

	if (e == ERR_OK)
		e = cosignature_find(bytes_of_text(text), bytes_of_text(lines), name, k, out);
	key_free(k);
	return e;
}

static void
a_cosignature_of_others_verifies(void **state)
{
	struct cosignature c = {.time = 0};

	(void)state;
	assert_int_equal(find(ROME_TEXT, ROME_LINE, ROME_VKEY, &c), ERR_OK);
	assert_int_equal(c.time, 1767139200);
	assert_true(bytes_equal_text(c.line, ROME_LINE));
	assert_int_equal(find(OWN_TEXT, ROME_LINE OWN_LINE, OWN_VKEY, &c), ERR_OK);
	assert_int_equal(c.time, 1700000000);
	assert_true(bytes_equal_text(c.line, OWN_LINE));
}

static void
ours_is_the_published_one(void **state)
{
	struct key *k = seed_key_from(0x20);
	char room[COSIGNATURE_LINE_BYTES_MAX], vkey[200];
	struct buf line = BUF_OF(room), v = BUF_OF(vkey);

	(void)state;
	assert_int_equal(
	        cosignature_sign(BYTES_LIT(OWN_TEXT), BYTES_LIT(OWN_NAME), k, 1700000000, &line),
	        ERR_OK);
	assert_true(bytes_equal_text(buf_bytes(&line), OWN_LINE));
	cosigner_vkey_put(&v, BYTES_LIT(OWN_NAME), k);
	assert_true(bytes_equal_text(buf_bytes(&v), OWN_VKEY));
	key_free(k);
}

static void
every_changed_byte_of_text_or_line_is_refused(void **state)
{
	char text[] = ROME_TEXT, line[] = ROME_LINE;
	struct cosignature c = {.time = 0};

	(void)state;
	for (size_t i = 0; i < sizeof text - 1; i++) {
		text[i] ^= 1;
		assert_int_equal(find(text, ROME_LINE, ROME_VKEY, &c), ERR_SIGNATURE);
		text[i] ^= 1;
	}
	for (size_t i = 0; i < sizeof line - 1; i++) {
		line[i] ^= 1;
		assert_int_not_equal(find(text, line, ROME_VKEY, &c), ERR_OK);
		line[i] ^= 1;
	}
}

static void
lines_of_others_are_passed_over(void **state)
{
	struct cosignature c = {.time = 0};

	(void)state;
	assert_int_equal(find(ROME_TEXT, OWN_LINE, ROME_VKEY, &c), ERR_KID_UNKNOWN);
	assert_int_equal(find(ROME_TEXT, "", ROME_VKEY, &c), ERR_KID_UNKNOWN);
	assert_int_equal(find(ROME_TEXT, "rubbish\n\xff\n" ROME_LINE, ROME_VKEY, &c), ERR_OK);
	/* a line without its end is no line */
	assert_int_equal(
	        find(ROME_TEXT, "— witness.example.org uKLPIA==", ROME_VKEY, &c), ERR_KID_UNKNOWN);
}

static void
the_key_of_a_log_is_no_witness(void **state)
{
	struct key *k = seed_key_from(0x20), *read = NULL;
	char room[200];
	struct buf v = BUF_OF(room);
	struct bytes name;

	(void)state;
	note_vkey_put(&v, BYTES_LIT(OWN_NAME), k);
	assert_int_equal(cosigner_vkey_decode(buf_bytes(&v), &name, &read), ERR_VALUE);
	key_free(k);
}

/* Quorum of a manifest over the note of ROME_TEXT, cosigned by rome and by the seeds given. */
static enum err
quorum_of(const char *const *vkeys, size_t count, uint64_t quorum, const char *names_of_seed)
{
	static char room[8192];
	struct buf note = BUF_OF(room);
	struct manifest m = {.witness_count = count, .quorum = quorum};
	struct checkpoint c;

	buf_put_text(&note, ROME_TEXT "\n" ROME_LINE);
	if (names_of_seed != NULL) {
		struct key *k = seed_key_from(0x20);

		assert_int_equal(cosignature_sign(BYTES_LIT(ROME_TEXT),
		                         bytes_of_text(names_of_seed), k, 5, &note),
		        ERR_OK);
		key_free(k);
	}
	for (size_t i = 0; i < count; i++)
		m.witnesses[i] = bytes_of_text(vkeys[i]);
	assert_int_equal(checkpoint_decode(buf_bytes(&note), &c), ERR_OK);
	return cosignature_quorum(&m, &c);
}

static void
a_quorum_counts_keys_not_names(void **state)
{
	struct key *k = seed_key_from(0x20);
	char room[200];
	struct buf other = BUF_OF(room);
	const char *two[] = {ROME_VKEY, OWN_VKEY}, *same[3] = {OWN_VKEY, NULL, NULL};

	(void)state;
	cosigner_vkey_put(&other, BYTES_LIT("other"), k);
	buf_put_u8(&other, 0);
	same[1] = room;
	assert_int_equal(quorum_of(two, 2, 0, NULL), ERR_OK);
	assert_int_equal(quorum_of(two, 2, 1, NULL), ERR_OK);
	assert_int_equal(quorum_of(two, 2, 2, NULL), ERR_QUORUM);
	assert_int_equal(quorum_of(two, 2, 2, OWN_NAME), ERR_OK);
	/* the same key under two names is one witness */
	assert_int_equal(quorum_of(same, 2, 1, OWN_NAME), ERR_OK);
	assert_int_equal(quorum_of(same, 2, 2, OWN_NAME), ERR_QUORUM);
	/* and a cosignature under another name than the manifest's does not count */
	assert_int_equal(quorum_of(two, 2, 2, "other"), ERR_QUORUM);
	key_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_cosignature_of_others_verifies),
	        cmocka_unit_test(ours_is_the_published_one),
	        cmocka_unit_test(every_changed_byte_of_text_or_line_is_refused),
	        cmocka_unit_test(lines_of_others_are_passed_over),
	        cmocka_unit_test(the_key_of_a_log_is_no_witness),
	        cmocka_unit_test(a_quorum_counts_keys_not_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
