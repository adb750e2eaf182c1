/* test_note.c - signed notes of others and of our own, byte for byte, and every malformed note
 * refused. */
#include "base64.h"
#include "note.h"
#include "seed_key.h"
#include "sm2_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define DASH "\xe2\x80\x94 "
#define ORIGIN "ca.example.gov/log"
#define ROOT3 "1Pksj7uJcg6ztVZ3x9fvrd/rENEaGoSguo8aIzN/qpU="
#define LINE3                                                                                      \
	DASH ORIGIN " AU8f8UZUtn/GaP9B+jtlO1hjG80OH1Wf8sk9BooknnsDsdUdwuuRD/"                      \
	            "LhZhG2HuvDaoSX0JqrmHX71EJcm3DcRnTDXgk=\n"
#define BODY3 ORIGIN "\n3\n" ROOT3 "\n"
#define NOTE3 BODY3 "\n" LINE3
#define OTHER_LINE DASH "other.example AAAAAAA=\n"

static struct key *own; /* seed 00..1f */

static int
own_make(void **state)
{
	(void)state;
	own = seed_key_from(0);
	return own == NULL ? -1 : 0;
}

static int
own_free(void **state)
{
	(void)state;
	key_free(own);
	return 0;
}

static struct merkle_hash
root_of(const char *text)
{
	struct merkle_hash h;
	struct buf b = BUF_OF(h.b);

	assert_int_equal(base64_get(bytes_of_text(text), &b), ERR_OK);
	return h;
}

static enum err
verdict(struct bytes note)
{
	struct checkpoint c;
	enum err e = checkpoint_decode(note, &c);

	return e != ERR_OK ? e : checkpoint_verify(&c, BYTES_LIT(ORIGIN), own);
}

/* Notes of others; those whose text is no checkpoint are taken apart here. */
static const struct {
	const char *what, *vkey, *text, *lines;
	bool checkpoint;
} others[] = {
        {"example of the specification",
                "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
                "This is an example message.\n",
                DASH
                "example.com/foo "
                "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1"
                "Yu72IneyaQM=\n",
                false},
        {"first signer of x/mod",
                "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                "If you think cryptography is the answer to your problem,\nthen you don't know "
                "what your problem is.\n",
                DASH "PeterNeumann "
                     "x08go/ZJkuBS9UG/"
                     "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6Ry"
                     "yBwJnAM=\n",
                false},
        {"second signer of x/mod, after another",
                "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop",
                "If you think cryptography is the answer to your problem,\nthen you don't know "
                "what your problem is.\n",
                DASH "PeterNeumann "
                     "x08go/ZJkuBS9UG/"
                     "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6Ry"
                     "yBwJnAM=\n" DASH "EnochRoot "
                     "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/"
                     "5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1"
                     "RvMc+QQ=\n",
                false},
        {"Go checksum database",
                "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
                "go.sum database tree\n35225469\nvt5T6GaLCXvyHFl9VUvvItR43XZxfLgftEcTyO3eJCQ=\n",
                DASH "sum.golang.org "
                     "Az3grpukl5AXaVfYkLiDGORx/"
                     "DN2nlcS5kZHR5uYOBV2KA2HgXpD+gu9HHONebHLAyaKbbTM75QTtPydhKCE"
                     "xixSfwQ=\n",
                true},
};

static void
notes_of_others_verify(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		struct checkpoint c = {.text = bytes_of_text(others[i].text),
		        .signatures = bytes_of_text(others[i].lines)};
		struct bytes name;
		struct key *k;
		char room[1024];
		struct buf b = BUF_OF(room);

		assert_int_equal(
		        note_vkey_decode(bytes_of_text(others[i].vkey), &name, &k), ERR_OK);
		note_vkey_put(&b, name, k);
		assert_true(bytes_equal_text(buf_bytes(&b), others[i].vkey));
		assert_int_equal(checkpoint_verify(&c, name, k), ERR_OK);
		assert_int_equal(checkpoint_verify(&c, BYTES_LIT("another"), k), ERR_KID_UNKNOWN);
		assert_int_equal(checkpoint_verify(&c, name, own), ERR_KID_UNKNOWN);
		c.text = bytes_skip(c.text, 1);
		assert_int_equal(checkpoint_verify(&c, name, k), ERR_SIGNATURE);
		b.n = 0;
		buf_put_text(&b, others[i].text);
		buf_put_u8(&b, '\n');
		buf_put_text(&b, others[i].lines);
		assert_true(
		        (checkpoint_decode(buf_bytes(&b), &c) == ERR_OK) == others[i].checkpoint);
		assert_true(!others[i].checkpoint || checkpoint_verify(&c, name, k) == ERR_OK);
		key_free(k);
	}
}

/* The private key of x/mod's first signer makes the same bytes. */
static void
a_note_of_others_is_made_again(void **state)
{
	uint8_t typed[33], blob[4 + KEY_SIGNATURE_BYTES] = {0xc7, 0x4f, 0x20, 0xa3};
	char room[128];
	struct buf b = BUF_OF(typed), text = BUF_OF(room);
	struct key *k;

	(void)state;
	assert_int_equal(
	        base64_get(BYTES_LIT("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"), &b), ERR_OK);
	k = seed_key(typed + 1);
	assert_non_null(k);
	assert_int_equal(key_sign(k, bytes_of_text(others[1].text), blob + 4), ERR_OK);
	base64_put(&text, bytes_of(blob, sizeof blob));
	assert_true(bytes_equal(
	        buf_bytes(&text), bytes_of(others[1].lines + sizeof DASH "PeterNeumann", text.n)));
	text.n = 0;
	note_vkey_put(&text, BYTES_LIT("PeterNeumann"), k);
	assert_true(bytes_equal_text(buf_bytes(&text), others[1].vkey));
	key_free(k);
}

static const struct {
	uint64_t size;
	const char *root, *sha256, *blob; /* of the whole checkpoint, or of its signature line */
} checkpoints[] = {
        {3, ROOT3, "d3b0f8b214604929a16922fefd9cad4851928dcaa9e9ae2836ad46cd188c62d9", NULL},
        {257, "hVuTaqAMuYtRFEhCSa0514pr6TYj4mwB6OSH3AIYSlo=",
                "66c77a47fc6a342e06af8987c486fde51a81e6e4ae93383c193c374a0cdd3505", NULL},
        {70000, "2gUy/3su5W9AZxEPyWTp8ntZWflSe//z+lAap1hN6vM=", NULL,
                "AU8f8RXGHNfgLyPY8yOewnX+NQ/"
                "pKyGlm2dGh4gQUyDpqTJWYmdojNmkLUOCOQpkT7LhBNAz04ZMVBApUW1OqeS0wAw=\n"},
};

static void
checkpoints_of_our_log_have_their_known_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof checkpoints / sizeof checkpoints[0]; i++) {
		struct merkle_hash root = root_of(checkpoints[i].root);
		char room[512], hex[65];
		struct buf b = BUF_OF(room);
		struct checkpoint c;
		uint8_t hash[SHA256_BYTES];

		assert_int_equal(
		        checkpoint_sign(BYTES_LIT(ORIGIN), checkpoints[i].size, &root, own, &b),
		        ERR_OK);
		sha256_one(buf_bytes(&b), hash);
		hex_encode(bytes_of(hash, sizeof hash), hex);
		if (checkpoints[i].sha256 != NULL)
			assert_string_equal(hex, checkpoints[i].sha256);
		if (checkpoints[i].blob != NULL)
			assert_true(bytes_equal_text(
			        bytes_skip(buf_bytes(&b), b.n - strlen(checkpoints[i].blob)),
			        checkpoints[i].blob));
		if (checkpoints[i].size == 3)
			assert_true(bytes_equal_text(buf_bytes(&b), NOTE3));
		assert_int_equal(checkpoint_decode(buf_bytes(&b), &c), ERR_OK);
		assert_true(bytes_equal_text(c.origin, ORIGIN));
		assert_int_equal(c.size, checkpoints[i].size);
		assert_memory_equal(&c.root, &root, sizeof root);
		assert_int_equal(checkpoint_verify(&c, BYTES_LIT(ORIGIN), own), ERR_OK);
	}
}

/* A line's name, and what stands in the lines of a note whose text is that of size 3. */
static const struct {
	const char *what, *lines;
	enum err want;
} lines[] = {
        {"ours alone", LINE3, ERR_OK},
        {"another before", OTHER_LINE LINE3, ERR_OK},
        {"another after", LINE3 OTHER_LINE, ERR_OK},
        {"a cosignature with its time",
                DASH
                "witness.example.org "
                "uKLPIAAAAABpVGeAhm2bOvKc3LaB9PFN1ruG19Y5yqslmcAAbhftnn1Zznmo0LXFZq4LGvqKqLX8jWlw"
                "LKasxEGTLIqAVusneCBmBw==\n" LINE3,
                ERR_OK},
        {"ours twice", LINE3 LINE3, ERR_OK},
        {"the name with another key id", DASH ORIGIN " AAAAAAA=\n" LINE3, ERR_OK},
        {"the key id with another name", DASH "other.example AU8f8QA=\n" LINE3, ERR_OK},
        {"another name in Chinese", DASH "\xe7\x9c\x9f\xe8\xaf\x81 AAAAAAA=\n" LINE3, ERR_OK},
        {"another alone", OTHER_LINE, ERR_KID_UNKNOWN},
        {"the name with another key id alone", DASH ORIGIN " AAAAAAA=\n", ERR_KID_UNKNOWN},
        {"ours good, then bad", LINE3 DASH ORIGIN " AU8f8QA=\n", ERR_SIGNATURE},
        {"ours bad, then good", DASH ORIGIN " AU8f8QA=\n" LINE3, ERR_SIGNATURE},
        {"no line", "", ERR_TRUNCATED},
        {"a line without end", DASH "other.example AAAAAAA=", ERR_TRUNCATED},
        {"no dash", "other.example AAAAAAA=\n", ERR_ENCODING},
        {"a hyphen", "- other.example AAAAAAA=\n", ERR_ENCODING},
        {"an en dash", "\xe2\x80\x93 other.example AAAAAAA=\n", ERR_ENCODING},
        {"no blank after the dash", "\xe2\x80\x94other.example AAAAAAA=\n", ERR_ENCODING},
        {"no name", DASH " AAAAAAA=\n", ERR_ENCODING},
        {"a plus in the name", DASH "a+b AAAAAAA=\n", ERR_ENCODING},
        {"a blank above ASCII in the name",
                DASH "a\xe3\x80\x80"
                     "b AAAAAAA=\n",
                ERR_ENCODING},
        {"a narrow blank in the name",
                DASH "a\xe2\x80\x8a"
                     "b AAAAAAA=\n",
                ERR_ENCODING},
        {"two blanks", DASH "other.example  AAAAAAA=\n", ERR_ENCODING},
        {"a blank at the end", LINE3 DASH "other.example AAAAAAA= \n", ERR_ENCODING},
        {"no signature", DASH "other.example\n", ERR_TRUNCATED},
        {"an empty signature", DASH "other.example \n", ERR_TRUNCATED},
        {"a key id alone", DASH "other.example AAAAAA==\n", ERR_TRUNCATED},
        {"no padding", DASH "other.example AAAAAAA\n", ERR_ENCODING},
        {"unused bits", DASH "other.example AAAAAAB=\n", ERR_ENCODING},
        {"the url alphabet", DASH "other.example AAAA__8=\n", ERR_ENCODING},
        {"a carriage return", DASH "other.example AAAAAAA=\r\n", ERR_ENCODING},
        {"a bad line after ours", LINE3 "x\n", ERR_ENCODING},
};

static void
signature_lines_have_one_form_and_strangers_are_passed_over(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		char room[1024];
		struct buf b = BUF_OF(room);
		enum err e;

		buf_put_text(&b, BODY3 "\n");
		buf_put_text(&b, lines[i].lines);
		e = verdict(buf_bytes(&b));
		if (e != lines[i].want)
			fail_msg("%s: %s", lines[i].what, err_word(e));
	}
}

static const struct {
	const char *what, *text;
	enum err want;
} bodies[] = {
        {"as it must be", BODY3, ERR_OK},
        {"an origin with blanks", "go.sum database tree\n3\n" ROOT3 "\n", ERR_OK},
        {"the empty log", ORIGIN "\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", ERR_OK},
        {"the largest size", ORIGIN "\n9223372036854775807\n" ROOT3 "\n", ERR_OK},
        {"an extension line", BODY3 "more\n", ERR_OK},
        {"a size too large", ORIGIN "\n9223372036854775808\n" ROOT3 "\n", ERR_LIMIT},
        {"a size above 64 bits", ORIGIN "\n18446744073709551619\n" ROOT3 "\n", ERR_LIMIT},
        {"a leading zero", ORIGIN "\n03\n" ROOT3 "\n", ERR_ENCODING},
        {"a sign", ORIGIN "\n+3\n" ROOT3 "\n", ERR_ENCODING},
        {"a negative size", ORIGIN "\n-3\n" ROOT3 "\n", ERR_ENCODING},
        {"a hexadecimal size", ORIGIN "\n0x3\n" ROOT3 "\n", ERR_ENCODING},
        {"a blank at the size", ORIGIN "\n3 \n" ROOT3 "\n", ERR_ENCODING},
        {"no size", ORIGIN "\n\n" ROOT3 "\n", ERR_ENCODING},
        {"no origin", "\n3\n" ROOT3 "\n", ERR_ENCODING},
        {"no root", ORIGIN "\n3\n", ERR_TRUNCATED},
        {"an empty root", ORIGIN "\n3\n\n", ERR_ENCODING},
        {"a root of 31 bytes", ORIGIN "\n3\n1Pksj7uJcg6ztVZ3x9fvrd/rENEaGoSguo8aIzN/qg==\n",
                ERR_VALUE},
        {"a root of 33 bytes", ORIGIN "\n3\n1Pksj7uJcg6ztVZ3x9fvrd/rENEaGoSguo8aIzN/qpUA\n",
                ERR_LIMIT},
        {"a root without padding", ORIGIN "\n3\n1Pksj7uJcg6ztVZ3x9fvrd/rENEaGoSguo8aIzN/qpU\n",
                ERR_ENCODING},
        {"unused bits in the root", ORIGIN "\n3\n1Pksj7uJcg6ztVZ3x9fvrd/rENEaGoSguo8aIzN/qpV=\n",
                ERR_ENCODING},
        {"an empty extension line", BODY3 "\nmore\n", ERR_ENCODING},
        {"a last empty line", BODY3 "\n", ERR_ENCODING},
        {"no text", "", ERR_TRUNCATED},
        {"a line end alone", "\n", ERR_ENCODING},
        {"a tab", "a\tb\n3\n" ROOT3 "\n", ERR_ENCODING},
        {"a carriage return", "a\r\n3\n" ROOT3 "\n", ERR_ENCODING},
        {"not UTF-8", "a\xff\n3\n" ROOT3 "\n", ERR_NOT_UTF8},
        {"a surrogate", "a\xed\xa0\x80\n3\n" ROOT3 "\n", ERR_NOT_UTF8},
};

static void
checkpoint_bodies_have_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		struct checkpoint c = {.size = 77};
		char room[512];
		struct buf b = BUF_OF(room);
		enum err e;

		buf_put_text(&b, bodies[i].text);
		buf_put_text(&b, "\n" OTHER_LINE);
		e = checkpoint_decode(buf_bytes(&b), &c);
		if (e != bodies[i].want)
			fail_msg("%s: %s", bodies[i].what, err_word(e));
		assert_true(e == ERR_OK ? bytes_equal_text(c.text, bodies[i].text) : c.size == 77);
	}
}

static void
a_nul_in_a_note_is_refused(void **state)
{
	char note[] = NOTE3;

	(void)state;
	note[2] = '\0';
	assert_int_equal(verdict(bytes_of(note, sizeof note - 1)), ERR_ENCODING);
	assert_int_equal(
	        verdict(bytes_of(NOTE3, sizeof NOTE3)), ERR_ENCODING); /* the NUL after it */
}

static void
thirty_two_signatures_are_read_and_no_more(void **state)
{
	char room[4096];
	struct buf b = BUF_OF(room);

	(void)state;
	buf_put_text(&b, BODY3 "\n");
	for (unsigned i = 1; i < NOTE_SIGNATURES_MAX; i++)
		buf_put_text(&b, OTHER_LINE);
	buf_put_text(&b, LINE3);
	assert_int_equal(verdict(buf_bytes(&b)), ERR_OK);
	buf_put_text(&b, OTHER_LINE);
	assert_int_equal(verdict(buf_bytes(&b)), ERR_LIMIT);
}

/* A note of n bytes: one long extension line fills it. */
static struct bytes
note_of_length(char *room, size_t n)
{
	struct buf b = buf_init(room, n);

	buf_put_text(&b, BODY3);
	memset(room + b.n, 'x', n - b.n);
	b.n = n - strlen("\n\n" OTHER_LINE);
	buf_put_text(&b, "\n\n" OTHER_LINE);
	return buf_bytes(&b);
}

static void
a_note_above_its_limit_is_refused(void **state)
{
	static char room[CHECKPOINT_BYTES_MAX + 1];

	(void)state;
	assert_int_equal(
	        verdict(note_of_length(room, sizeof room - 1)), ERR_KID_UNKNOWN); /* it was read */
	assert_int_equal(verdict(note_of_length(room, sizeof room)), ERR_LIMIT);
}

static void
every_prefix_of_a_note_is_refused(void **state)
{
	(void)state;
	assert_int_equal(verdict(BYTES_LIT(NOTE3)), ERR_OK);
	for (size_t n = 0; n < sizeof NOTE3 - 1; n++) {
		struct checkpoint c;

		assert_int_not_equal(checkpoint_decode(bytes_of(NOTE3, n), &c), ERR_OK);
	}
}

static void
every_changed_bit_of_a_note_is_refused(void **state)
{
	char note[] = NOTE3;

	(void)state;
	for (size_t bit = 0; bit < 8 * (sizeof note - 1); bit++) {
		note[bit / 8] = (char)(note[bit / 8] ^ 1 << bit % 8);
		assert_int_not_equal(verdict(bytes_of(note, sizeof note - 1)), ERR_OK);
		note[bit / 8] = (char)(note[bit / 8] ^ 1 << bit % 8);
	}
	assert_int_equal(verdict(bytes_of(note, sizeof note - 1)), ERR_OK);
}

static void
only_a_fit_name_size_and_key_are_signed(void **state)
{
	struct merkle_hash root = root_of(ROOT3);
	struct checkpoint c;
	struct key *es256;
	char room[512];
	struct buf b = BUF_OF(room), small = buf_init(room, 100);

	(void)state;
	assert_int_equal(key_generate(KEY_ES256, &es256), ERR_OK);
	assert_int_equal(checkpoint_sign(BYTES_LIT("a b"), 3, &root, own, &b), ERR_VALUE);
	assert_int_equal(checkpoint_sign(BYTES_LIT("a+b"), 3, &root, own, &b), ERR_VALUE);
	assert_int_equal(checkpoint_sign(BYTES_LIT("a\nb"), 3, &root, own, &b), ERR_VALUE);
	assert_int_equal(checkpoint_sign(BYTES_LIT(""), 3, &root, own, &b), ERR_VALUE);
	assert_int_equal(checkpoint_sign(BYTES_LIT(ORIGIN), 1ULL << 63, &root, own, &b), ERR_VALUE);
	assert_int_equal(checkpoint_sign(BYTES_LIT(ORIGIN), 3, &root, es256, &b), ERR_ALG_MISMATCH);
	assert_int_equal(b.n, 0);
	assert_int_equal(checkpoint_sign(BYTES_LIT(ORIGIN), 3, &root, own, &small), ERR_LIMIT);
	assert_int_equal(checkpoint_decode(BYTES_LIT(NOTE3), &c), ERR_OK);
	assert_int_equal(checkpoint_verify(&c, BYTES_LIT(ORIGIN), es256), ERR_ALG_MISMATCH);
	note_vkey_put(&b, BYTES_LIT(ORIGIN), es256);
	assert_int_equal(buf_end(&b), ERR_LIMIT);
	key_free(es256);
}

/* The line of an SM2 authority: type FF, then a name of our own, so that nobody takes it for his.
 */
static void
an_sm2_line_stands_beside_the_other(void **state)
{
	struct merkle_hash root = root_of(ROOT3);
	struct checkpoint c;
	struct key *sm2, *other;
	char room[1024];
	struct buf b = BUF_OF(room);

	(void)state;
	assert_int_equal(key_read_pem(BYTES_LIT(SM2_PRIVATE), &sm2), ERR_OK);
	assert_int_equal(key_generate(KEY_SM2, &other), ERR_OK);
	assert_int_equal(checkpoint_sign(BYTES_LIT(ORIGIN), 3, &root, sm2, &b), ERR_ALG_MISMATCH);
	assert_int_equal(checkpoint_sign(BYTES_LIT(ORIGIN), 3, &root, own, &b), ERR_OK);
	assert_int_equal(checkpoint_decode(buf_bytes(&b), &c), ERR_OK);
	assert_int_equal(checkpoint_verify(&c, BYTES_LIT(ORIGIN), sm2), ERR_KID_UNKNOWN);
	assert_int_equal(checkpoint_sign_also(BYTES_LIT(ORIGIN), sm2, &b), ERR_OK);
	assert_int_equal(checkpoint_decode(buf_bytes(&b), &c), ERR_OK);
	assert_int_equal(checkpoint_verify(&c, BYTES_LIT(ORIGIN), own), ERR_OK);
	assert_int_equal(checkpoint_verify(&c, BYTES_LIT(ORIGIN), sm2), ERR_OK);
	assert_int_equal(checkpoint_verify(&c, BYTES_LIT(ORIGIN), other), ERR_KID_UNKNOWN);
	assert_int_equal(checkpoint_verify(&c, BYTES_LIT("other/log"), sm2), ERR_KID_UNKNOWN);
	/* another size: the line is there, and is not of this text */
	room[sizeof ORIGIN] = '4';
	assert_int_equal(checkpoint_decode(buf_bytes(&b), &c), ERR_OK);
	assert_int_equal(checkpoint_verify(&c, BYTES_LIT(ORIGIN), sm2), ERR_SIGNATURE);
	key_free(sm2);
	key_free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(notes_of_others_verify),
	        cmocka_unit_test(a_note_of_others_is_made_again),
	        cmocka_unit_test(checkpoints_of_our_log_have_their_known_bytes),
	        cmocka_unit_test(signature_lines_have_one_form_and_strangers_are_passed_over),
	        cmocka_unit_test(checkpoint_bodies_have_one_form),
	        cmocka_unit_test(a_nul_in_a_note_is_refused),
	        cmocka_unit_test(thirty_two_signatures_are_read_and_no_more),
	        cmocka_unit_test(a_note_above_its_limit_is_refused),
	        cmocka_unit_test(every_prefix_of_a_note_is_refused),
	        cmocka_unit_test(every_changed_bit_of_a_note_is_refused),
	        cmocka_unit_test(only_a_fit_name_size_and_key_are_signed),
	        cmocka_unit_test(an_sm2_line_stands_beside_the_other),
	};

	return cmocka_run_group_tests(tests, own_make, own_free);
}
