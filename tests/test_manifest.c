/* test_manifest.c - only what the root signed, in the one spelling, is a manifest. */
#include "manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct key *root, *record, *status, *logger;
static uint8_t record_cose[KEY_COSE_BYTES_MAX], status_cose[KEY_COSE_BYTES_MAX],
        log_cose[KEY_COSE_BYTES_MAX];

static int
make_keys(void **state)
{
	(void)state;
	return key_generate(KEY_ES256, &root) != ERR_OK ||
	       key_generate(KEY_ES256, &record) != ERR_OK ||
	       key_generate(KEY_ES256, &status) != ERR_OK ||
	       key_generate(KEY_ED25519, &logger) != ERR_OK;
}

static int
free_keys(void **state)
{
	(void)state;
	key_free(root);
	key_free(record);
	key_free(status);
	key_free(logger);
	return 0;
}

static struct manifest_key
entry(const struct key *k, enum key_purpose purpose, uint8_t room[KEY_COSE_BYTES_MAX])
{
	struct buf b = buf_init(room, KEY_COSE_BYTES_MAX);

	key_put_cose(k, &b);
	return (struct manifest_key){
	        key_kid(k), buf_bytes(&b), purpose, 1000, 2000, UINT64_MAX, false, NULL};
}

static struct manifest
sample(void)
{
	struct manifest m;

	memset(&m, 0, sizeof m);
	m.iss = BYTES_LIT("a.example");
	m.iat = 1000;
	m.version = 1;
	m.name_zh = BYTES_LIT("某局");
	m.name_en = BYTES_LIT("Some office");
	m.origin = BYTES_LIT("a.example/log");
	m.log_vkey = BYTES_LIT("a.example/log+00000000+AA==");
	m.status_prefix = BYTES_LIT("https://a.example/status/");
	m.crl_ca = BYTES_LIT("der");
	m.keys[0] = entry(record, KEY_RECORD, record_cose);
	m.keys[0].last_size = 77;
	m.keys[1] = entry(status, KEY_STATUS, status_cose);
	m.keys[2] = entry(logger, KEY_LOG, log_cose);
	m.keys[0].soft = m.keys[2].soft = true;
	m.transcript = BYTES_LIT("0123456789abcdef0123456789ABCDEF");
	m.key_count = 3;
	m.witnesses[0] = BYTES_LIT("w+1+AA");
	m.witness_count = 1;
	m.quorum = 1;
	return m;
}

static enum err
open_and_close(struct bytes in)
{
	struct manifest m;
	enum err e = manifest_open(in, root, &m);

	if (e == ERR_OK)
		manifest_close(&m);
	return e;
}

static void
what_is_signed_is_read(void **state)
{
	uint8_t room[2000], again_room[2000];
	struct buf b = BUF_OF(room);
	struct manifest m = sample(), read;

	(void)state;
	assert_int_equal(manifest_sign(&m, root, &b), ERR_OK);
	assert_int_equal(manifest_open(buf_bytes(&b), root, &read), ERR_OK);
	assert_int_equal(read.version, 1);
	assert_int_equal(read.key_count, 3);
	assert_int_equal(read.keys[0].last_size, 77);
	assert_true(read.keys[1].last_size == UINT64_MAX);
	assert_true(read.keys[0].soft && !read.keys[1].soft && read.keys[2].soft);
	assert_true(bytes_equal(read.transcript, m.transcript));
	assert_true(bytes_equal(read.name_zh, m.name_zh));
	assert_true(bytes_equal(read.witnesses[0], m.witnesses[0]));
	assert_ptr_equal(manifest_find(&read, key_kid(record), KEY_RECORD), &read.keys[0]);
	assert_null(manifest_find(&read, key_kid(record), KEY_STATUS));
	assert_null(manifest_find(&read, key_kid(root), KEY_RECORD));
	/* what decodes re-encodes to the same claims: only the signature differs */
	b = BUF_OF(again_room);
	assert_int_equal(manifest_sign(&read, root, &b), ERR_OK);
	assert_memory_equal(room, again_room, b.n - KEY_SIGNATURE_BYTES);
	manifest_close(&read);
}

/* Members 11 and 12 are absent where they say nothing, and are refused in any other form. */
static void
optional_members_have_one_spelling(void **state)
{
	uint8_t room[2000], short_room[2000];
	struct buf b = BUF_OF(room), less = BUF_OF(short_room);
	struct manifest m = sample(), read;

	(void)state;
	assert_int_equal(manifest_sign(&m, root, &b), ERR_OK);
	m.keys[0].soft = m.keys[2].soft = false;
	m.transcript = bytes_of(NULL, 0);
	assert_int_equal(manifest_sign(&m, root, &less), ERR_OK);
	assert_int_equal(b.n - less.n, 1 + 1 + 2 * 9 + 1 + 34);
	assert_int_equal(manifest_open(buf_bytes(&less), root, &read), ERR_OK);
	assert_true(!read.keys[0].soft && read.transcript.n == 0);
	manifest_close(&read);
	m.transcript = BYTES_LIT("31 bytes are no SHA-256 at all.");
	less = BUF_OF(short_room);
	assert_int_equal(manifest_sign(&m, root, &less), ERR_VALUE);
}

static void
another_key_than_the_root_is_refused(void **state)
{
	uint8_t room[2000];
	struct buf b = BUF_OF(room);
	struct manifest m = sample(), read;

	(void)state;
	assert_int_equal(manifest_sign(&m, record, &b), ERR_OK);
	assert_int_equal(manifest_open(buf_bytes(&b), root, &read), ERR_KID_UNKNOWN);
	b.n = 0;
	assert_int_equal(cose_sign(root, "application/zz-head+cwt", BYTES_LIT("\xa0"), &b), ERR_OK);
	assert_int_equal(open_and_close(buf_bytes(&b)), ERR_VALUE);
}

static void
every_prefix_and_every_changed_byte_is_refused(void **state)
{
	uint8_t room[2000];
	struct buf b = BUF_OF(room);
	struct manifest m = sample();

	(void)state;
	assert_int_equal(manifest_sign(&m, root, &b), ERR_OK);
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *copy = malloc(n + 1);

		memcpy(copy, room, n);
		assert_int_not_equal(open_and_close(bytes_of(copy, n)), ERR_OK);
		free(copy);
	}
	for (size_t i = 0; i < b.n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			room[i] ^= (uint8_t)(1U << bit);
			assert_int_not_equal(open_and_close(buf_bytes(&b)), ERR_OK);
			room[i] ^= (uint8_t)(1U << bit);
		}
	room[b.n] = 0;
	assert_int_equal(open_and_close(bytes_of(room, b.n + 1)), ERR_TRAILING);
	assert_int_equal(open_and_close(buf_bytes(&b)), ERR_OK);
}

static void
faults_are_not_signed(void **state)
{
	uint8_t room[2000];
	struct buf b = BUF_OF(room);
	struct manifest m = sample();

	(void)state;
	m.keys[1].kid = m.keys[0].kid;
	assert_int_equal(manifest_sign(&m, root, &b), ERR_VALUE);
	m = sample();
	m.origin = BYTES_LIT("b.example/log");
	assert_int_equal(manifest_sign(&m, root, &b), ERR_VALUE);
	m = sample();
	m.status_prefix = BYTES_LIT("https://b.example/status/");
	assert_int_equal(manifest_sign(&m, root, &b), ERR_VALUE);
	m = sample();
	m.version = 0;
	assert_int_equal(manifest_sign(&m, root, &b), ERR_VALUE);
	m = sample();
	m.quorum = 2;
	assert_int_equal(manifest_sign(&m, root, &b), ERR_VALUE);
	m = sample();
	m.keys[0].purpose = KEY_REQUEST;
	assert_int_equal(manifest_sign(&m, root, &b), ERR_VALUE);
	m = sample();
	m.keys[0].not_after = m.keys[0].not_before;
	assert_int_equal(manifest_sign(&m, root, &b), ERR_VALUE);
	m = sample();
	m.key_count = 0;
	assert_int_equal(manifest_sign(&m, root, &b), ERR_LIMIT);
}

static void
a_kid_that_is_not_its_keys_is_refused(void **state)
{
	uint8_t room[2000];
	struct buf b = BUF_OF(room);
	struct manifest m = sample();

	(void)state;
	m.keys[0].kid = BYTES_LIT("12345678");
	assert_int_equal(manifest_sign(&m, root, &b), ERR_OK);
	assert_int_equal(open_and_close(buf_bytes(&b)), ERR_VALUE);
}

/* The defence of an SM2 authority: with the ES256 status key alone nobody makes a head for its
 * readers, nor with the Ed25519 log key a checkpoint. */
static void
under_an_sm2_root_the_head_and_a_line_of_the_log_are_sm2(void **state)
{
	uint8_t room[MANIFEST_BYTES_MAX], cose[2][KEY_COSE_BYTES_MAX], note_room[1024];
	struct buf b = BUF_OF(room), note = BUF_OF(note_room);
	struct key *keys[3] = {NULL, NULL, NULL}; /* root, status, log */
	struct manifest m = sample(), got;
	struct merkle_hash hash = {{7}};
	struct checkpoint c;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(key_generate(KEY_SM2, &keys[i]), ERR_OK);
	m.keys[m.key_count++] = entry(keys[1], KEY_STATUS, cose[0]);
	m.keys[m.key_count++] = entry(keys[2], KEY_LOG, cose[1]);
	assert_int_equal(manifest_sign(&m, keys[0], &b), ERR_OK);
	assert_int_equal(manifest_open(buf_bytes(&b), keys[0], &got), ERR_OK);
	assert_true(got.sm2);
	assert_non_null(manifest_find(&got, key_kid(status), KEY_STATUS));
	assert_null(manifest_head_key(&got, key_kid(status)));
	assert_non_null(manifest_head_key(&got, key_kid(keys[1])));
	assert_null(manifest_head_key(&got, key_kid(keys[2])));
	assert_int_equal(checkpoint_sign(m.origin, 9, &hash, logger, &note), ERR_OK);
	assert_int_equal(checkpoint_decode(buf_bytes(&note), &c), ERR_OK);
	assert_int_equal(manifest_checkpoint(&got, &c), ERR_KID_UNKNOWN);
	/* a line of another SM2 key of the manifest is none */
	assert_int_equal(checkpoint_sign_also(m.origin, keys[1], &note), ERR_OK);
	assert_int_equal(checkpoint_decode(buf_bytes(&note), &c), ERR_OK);
	assert_int_equal(manifest_checkpoint(&got, &c), ERR_KID_UNKNOWN);
	assert_int_equal(checkpoint_sign_also(m.origin, keys[2], &note), ERR_OK);
	assert_int_equal(checkpoint_decode(buf_bytes(&note), &c), ERR_OK);
	assert_int_equal(manifest_checkpoint(&got, &c), ERR_OK);
	/* until when both suites sign: the earlier end counts */
	got.keys[got.key_count - 2].not_after = 1500;
	assert_int_equal(manifest_keys_end(got.keys, got.key_count, KEY_STATUS, 1200), 1500);
	assert_int_equal(manifest_keys_end(got.keys, got.key_count, KEY_LOG, 1200), 2000);
	manifest_close(&got);
	/* the same under another root: the ES256 key's head counts, and no such line is asked for
	 */
	b = BUF_OF(room);
	assert_int_equal(manifest_sign(&m, root, &b), ERR_OK);
	assert_int_equal(manifest_open(buf_bytes(&b), root, &got), ERR_OK);
	assert_false(got.sm2);
	assert_non_null(manifest_head_key(&got, key_kid(status)));
	note = BUF_OF(note_room);
	assert_int_equal(checkpoint_sign(m.origin, 9, &hash, logger, &note), ERR_OK);
	assert_int_equal(checkpoint_decode(buf_bytes(&note), &c), ERR_OK);
	assert_int_equal(manifest_checkpoint(&got, &c), ERR_OK);
	manifest_close(&got);
	for (size_t i = 0; i < 3; i++)
		key_free(keys[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_is_signed_is_read),
	        cmocka_unit_test(optional_members_have_one_spelling),
	        cmocka_unit_test(another_key_than_the_root_is_refused),
	        cmocka_unit_test(every_prefix_and_every_changed_byte_is_refused),
	        cmocka_unit_test(faults_are_not_signed),
	        cmocka_unit_test(a_kid_that_is_not_its_keys_is_refused),
	        cmocka_unit_test(under_an_sm2_root_the_head_and_a_line_of_the_log_are_sm2),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
