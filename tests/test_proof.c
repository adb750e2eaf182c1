/* test_proof.c - tlog-proof text: one spelling, no prefix and no changed byte passes, and the proof
 * that another implementation made is read and made again. */
#include "naive_tree.h"
#include "proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define VKEY "ca.example.gov/log+014f1ff1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
/* Entry 1 ("leaf 1") of the log of three: made with Go's golang.org/x/mod. */
#define NOTE                                                                                       \
	"ca.example.gov/log\n3\n1Pksj7uJcg6ztVZ3x9fvrd/rENEaGoSguo8aIzN/qpU=\n\n"                  \
	"\xe2\x80\x94 ca.example.gov/log "                                                         \
	"AU8f8UZUtn/GaP9B+jtlO1hjG80OH1Wf8sk9BooknnsDsdUdwuuRD/LhZhG2HuvDaoSX0JqrmHX71EJcm3DcRnT"  \
	"DXgk=\n"
#define TEXT                                                                                       \
	"c2sp.org/tlog-proof@v1\nindex 1\n"                                                        \
	"G7l9zCFjXUfiZj79/QoXRobZjdcBNS3SzQbotD/T0wU=\n"                                           \
	"qze6NNHf4pAV3nF6bVdkqPsCnDp6D1tkuTtUNRiFv3w=\n\n" NOTE

static enum err
all_verify(struct bytes text, const char *entry)
{
	struct proof p;
	struct checkpoint c;
	struct merkle_hash leaf = naive_leaf(entry, strlen(entry));
	struct bytes name;
	struct key *log = NULL;
	enum err e = proof_decode(text, &p);

	assert_int_equal(note_vkey_decode(BYTES_LIT(VKEY), &name, &log), ERR_OK);
	if (e == ERR_OK && (e = checkpoint_decode(p.note, &c)) == ERR_OK &&
	        (e = checkpoint_verify(&c, name, log)) == ERR_OK)
		e = proof_verify(&p, &c, &leaf);
	key_free(log);
	return e;
}

static void
a_proof_made_by_others_verifies(void **state)
{
	(void)state;
	assert_int_equal(all_verify(BYTES_LIT(TEXT), "leaf 1"), ERR_OK);
	assert_int_equal(all_verify(BYTES_LIT(TEXT), "leaf 2"), ERR_SIGNATURE);
}

static void
what_is_read_is_written_again_the_same(void **state)
{
	static const char extra[] = "c2sp.org/tlog-proof@v1\nextra aGk=\nindex 0\n\n" NOTE;
	static const char *const texts[] = {TEXT, extra};
	uint8_t room[2048];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct buf out = BUF_OF(room);
		struct proof p;

		assert_int_equal(proof_decode(bytes_of_text(texts[i]), &p), ERR_OK);
		assert_int_equal(p.extra_n, i == 0 ? 0 : 2);
		proof_put(&out, &p);
		assert_int_equal(buf_end(&out), ERR_OK);
		assert_true(bytes_equal_text(buf_bytes(&out), texts[i]));
	}
}

static void
every_prefix_and_every_changed_byte_is_refused(void **state)
{
	uint8_t text[sizeof TEXT];

	(void)state;
	for (size_t n = 0; n < sizeof TEXT - 1; n++)
		assert_int_not_equal(all_verify(bytes_of(TEXT, n), "leaf 1"), ERR_OK);
	for (size_t i = 0; i < sizeof TEXT - 1; i++) {
		memcpy(text, TEXT, sizeof text);
		text[i] ^= 1;
		if (all_verify(bytes_of(text, sizeof TEXT - 1), "leaf 1") == ERR_OK)
			fail_msg("byte %zu", i);
	}
}

static void
other_spellings_are_refused(void **state)
{
	static const char *const bad[] = {
	        "",
	        "c2sp.org/tlog-proof@v2\nindex 0\n\n" NOTE,
	        "c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\n" NOTE,
	        "c2sp.org/tlog-proof@v1\nindex 00\n\n" NOTE,
	        "c2sp.org/tlog-proof@v1\nindex +0\n\n" NOTE,
	        "c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\n" NOTE,
	        "c2sp.org/tlog-proof@v1\nextra \nindex 0\n\n" NOTE,
	        "c2sp.org/tlog-proof@v1\nextra aGk\nindex 0\n\n" NOTE,
	        "c2sp.org/tlog-proof@v1\nindex 0\nextra aGk=\n\n" NOTE,
	        "c2sp.org/tlog-proof@v1\nextra aGk=\nextra aGk=\nindex 0\n\n" NOTE,
	        "c2sp.org/tlog-proof@v1\nindex 0\naGk=\n\n" NOTE,
	        "c2sp.org/tlog-proof@v1\nindex 0\n\n",
	        "c2sp.org/tlog-proof@v1\nindex 0\n",
	};
	struct proof p;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (proof_decode(bytes_of_text(bad[i]), &p) == ERR_OK)
			fail_msg("%s", bad[i]);
}

/* 63 hashes are read, 64 are not: no tree is that high. */
static void
the_path_has_its_limit(void **state)
{
	(void)state;
	for (unsigned n = MERKLE_PATH_MAX; n <= MERKLE_PATH_MAX + 1; n++) {
		uint8_t room[8192];
		struct buf b = BUF_OF(room);
		struct proof p;

		buf_put_text(&b, "c2sp.org/tlog-proof@v1\nindex 0\n");
		for (unsigned i = 0; i < n; i++)
			buf_put_text(&b, "qze6NNHf4pAV3nF6bVdkqPsCnDp6D1tkuTtUNRiFv3w=\n");
		buf_put_text(&b, "\n" NOTE);
		assert_int_equal(
		        proof_decode(buf_bytes(&b), &p), n == MERKLE_PATH_MAX ? ERR_OK : ERR_LIMIT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_proof_made_by_others_verifies),
	        cmocka_unit_test(what_is_read_is_written_again_the_same),
	        cmocka_unit_test(every_prefix_and_every_changed_byte_is_refused),
	        cmocka_unit_test(other_spellings_are_refused),
	        cmocka_unit_test(the_path_has_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
