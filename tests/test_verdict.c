/* test_verdict.c - form, signature, log and data at hand: MALFORMED, NOT_ISSUED, NOT_LOGGED,
 * ATTACK, and every bit of a record. */
#include "base45.h"
#include "verdict_fixture.h"

/* VALID */

static void
a_bare_record_is_valid_and_its_log_not_checked(void **state)
{
	struct fixture *f = *state;

	expect(f, VERDICT_VALID, REASON_NONE);
	assert_true(f->v.has_record);
	assert_false(f->v.log_checked);
	assert_int_equal(f->v.status_time, WORLD_NOW - 100);
	assert_true(bytes_equal(f->v.record.name, f->r.name));
}

static void
a_qr_text_is_valid(void **state)
{
	struct fixture *f = *state;
	uint8_t room[QR_TEXT_BYTES_MAX];
	struct buf text = BUF_OF(room);

	qr_put(&text, f->bare);
	f->in.data = buf_bytes(&text);
	expect(f, VERDICT_VALID, REASON_NONE);
	assert_true(bytes_equal(f->v.record.cti, f->r.cti));
}

static void
a_bundle_is_valid_and_its_log_checked(void **state)
{
	struct fixture *f = *state;

	fixture_bundle(f, 3);
	f->in.require_log = true;
	expect(f, VERDICT_VALID, REASON_NONE);
	assert_true(f->v.log_checked);
	assert_int_equal(f->v.log_index, 3);
	assert_int_equal(f->v.log_size, 9);
}

/* MALFORMED */

static void
what_is_no_record_is_malformed(void **state)
{
	struct fixture *f = *state;
	const struct {
		struct bytes data;
		enum verdict_reason reason;
	} rows[] = {
	        {BYTES_LIT(""), REASON_FORM}, {BYTES_LIT("ZZ1:"), REASON_FORM},
	        {BYTES_LIT("ZZ1:****"), REASON_FORM},
	        {BYTES_LIT("https://cx.example.cn/zz?id=1"), REASON_ADDRESS},
	        {BYTES_LIT("HTTP://cx.example.cn"), REASON_ADDRESS},
	        {BYTES_LIT("http:/"), REASON_FORM},
	        {f->list, REASON_FORM}, /* a token of another type */
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		f->in.data = rows[i].data;
		expect(f, VERDICT_MALFORMED, rows[i].reason);
		assert_false(f->v.has_record);
	}
}

static void
every_prefix_and_a_trailing_byte_is_malformed(void **state)
{
	struct fixture *f = *state;

	for (size_t n = 0; n < f->bare.n; n++) {
		f->in.data = bytes_of(f->bare.p, n);
		expect(f, VERDICT_MALFORMED, REASON_FORM);
	}
	f->bare_room[f->bare.n] = 0;
	f->in.data = bytes_of(f->bare_room, f->bare.n + 1);
	expect(f, VERDICT_MALFORMED, REASON_FORM);
}

static void
every_flipped_bit_of_a_record_is_not_issued_or_malformed(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 8 * f->bare.n; i++) {
		f->bare_room[i / 8] ^= (uint8_t)(1U << i % 8);
		verdict_find(&f->in, &f->v);
		assert_true(f->v.code == VERDICT_NOT_ISSUED || f->v.code == VERDICT_MALFORMED);
		assert_false(f->v.has_record);
		f->bare_room[i / 8] ^= (uint8_t)(1U << i % 8);
	}
	expect(f, VERDICT_VALID, REASON_NONE);
}

/* A bundle adds the receipt: a bit of that breaks the proof. No flip may leave `log: checked`. */
static void
every_flipped_bit_of_a_bundle_is_refused(void **state)
{
	struct fixture *f = *state;

	fixture_bundle(f, 1);
	for (size_t i = 0; i < 8 * f->bundle.n; i++) {
		f->bundle_room[i / 8] ^= (uint8_t)(1U << i % 8);
		verdict_find(&f->in, &f->v);
		assert_true(f->v.code == VERDICT_NOT_ISSUED || f->v.code == VERDICT_MALFORMED ||
		            f->v.code == VERDICT_NOT_LOGGED);
		assert_false(f->v.log_checked);
		f->bundle_room[i / 8] ^= (uint8_t)(1U << i % 8);
	}
	expect(f, VERDICT_VALID, REASON_NONE);
}

/* NOT_ISSUED */

static void
a_record_under_another_key_is_not_issued(void **state)
{
	struct fixture *f = *state;
	const struct {
		const struct key *k;
		enum verdict_reason reason;
	} rows[] = {
	        {f->w->stranger, REASON_KEY},
	        {f->w->status, REASON_KEY}, /* the authority's own, for another purpose */
	        {f->w->late, REASON_KEY_TIME},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fixture_record(f, rows[i].k);
		expect(f, VERDICT_NOT_ISSUED, rows[i].reason);
		assert_false(f->v.has_record);
	}
}

static void
a_record_of_another_authority_is_not_issued(void **state)
{
	struct fixture *f = *state;

	f->r.iss = BYTES_LIT("zz.example.org.cn");
	fixture_record(f, f->w->record);
	expect(f, VERDICT_NOT_ISSUED, REASON_ISSUER);
}

static void
a_record_after_its_keys_last_day_is_not_issued(void **state)
{
	struct fixture *f = *state;

	f->w->m.keys[0].not_after = f->r.iat; /* the end is not part of it */
	expect(f, VERDICT_NOT_ISSUED, REASON_KEY_TIME);
	f->w->m.keys[0].not_after = f->r.iat + 1;
	expect(f, VERDICT_VALID, REASON_NONE);
	f->w->m.keys[0].not_before = f->r.iat;
	expect(f, VERDICT_VALID, REASON_NONE);
	f->w->m.keys[0].not_before = f->r.iat + 1;
	expect(f, VERDICT_NOT_ISSUED, REASON_KEY_TIME);
}

/* NOT_LOGGED */

static void
a_proof_was_asked_for_and_none_came(void **state)
{
	struct fixture *f = *state;

	f->in.require_log = true;
	expect(f, VERDICT_NOT_LOGGED, REASON_NO_PROOF);
	assert_true(f->v.has_record);
}

static void
the_proof_of_another_record_does_not_serve(void **state)
{
	struct fixture *f = *state;
	uint8_t cti[16], room[RECORD_BYTES_MAX], bundle_room[BUNDLE_BYTES_MAX],
	        receipt_room[RECEIPT_BYTES_MAX];
	struct buf other = BUF_OF(room), bundle = BUF_OF(bundle_room),
	           receipt = BUF_OF(receipt_room);
	struct record r = world_record(cti, 2);
	struct cose_sign1 m;
	struct bytes text;

	fixture_bundle(f, 3);
	assert_int_equal(record_open(f->bundle, true, &m, &r), ERR_OK);
	assert_int_equal(bundle_receipt(&m, &text), ERR_OK);
	buf_put(&receipt, text);
	r = world_record(cti, 2);
	assert_int_equal(record_sign(&r, f->w->record, &other), ERR_OK);
	assert_int_equal(bundle_put(&bundle, buf_bytes(&other), buf_bytes(&receipt)), ERR_OK);
	f->in.data = buf_bytes(&bundle);
	expect(f, VERDICT_NOT_LOGGED, REASON_PROOF);
}

static void
a_receipt_of_another_log_key_does_not_serve(void **state)
{
	struct fixture *f = *state;
	struct buf bundle = BUF_OF(f->bundle_room);
	struct key *other = NULL;

	world_append_any(f->w, 1);
	world_append(f->w, f->bare);
	assert_int_equal(key_generate(KEY_ED25519, &other), ERR_OK);
	world_bundle(f->w, other, f->bare, 1, 2, &bundle);
	key_free(other);
	f->in.data = buf_bytes(&bundle);
	expect(f, VERDICT_NOT_LOGGED, REASON_PROOF);
}

static void
a_receipt_past_the_log_keys_cut_or_time_does_not_serve(void **state)
{
	struct fixture *f = *state;

	fixture_bundle(f, 3);
	f->w->m.keys[4].last_size = f->w->size - 1;
	expect(f, VERDICT_NOT_LOGGED, REASON_PROOF);
	f->w->m.keys[4].last_size = f->w->size;
	expect(f, VERDICT_VALID, REASON_NONE);
	f->w->m.keys[4].not_after = WORLD_NOW - 60; /* the time of the receipt */
	expect(f, VERDICT_NOT_LOGGED, REASON_PROOF);
}

static void
a_key_that_was_cut_off_needs_an_entry_below_the_cut(void **state)
{
	struct fixture *f = *state;

	fixture_record(f, f->w->cut);
	expect(f, VERDICT_NOT_LOGGED, REASON_CUT_OFF);
	fixture_bundle(f, WORLD_CUT);
	expect(f, VERDICT_NOT_LOGGED, REASON_CUT_OFF);
	fixture_bundle(f, WORLD_CUT - 1);
	expect(f, VERDICT_VALID, REASON_NONE);
}

/* ATTACK */

static void
a_receipt_that_contradicts_the_checkpoint_held_is_a_fork(void **state)
{
	struct fixture *f = *state;
	uint8_t room[BYTES];
	struct buf note = BUF_OF(room);
	struct checkpoint c;

	fixture_bundle(f, 3);
	world_checkpoint(f->w, f->w->log, f->w->size, &note);
	assert_int_equal(checkpoint_decode(buf_bytes(&note), &c), ERR_OK);
	f->in.checkpoint = &c;
	expect(f, VERDICT_VALID, REASON_NONE);
	c.root.b[0] ^= 1;
	expect(f, VERDICT_ATTACK, REASON_FORK);
	c.size++; /* another size says nothing */
	expect(f, VERDICT_VALID, REASON_NONE);
}

static void
a_list_of_another_number_or_signature_is_an_attack(void **state)
{
	struct fixture *f = *state;
	uint8_t room[BYTES];
	struct buf other = BUF_OF(room);

	world_list(f->w, f->w->status, 1, WORLD_NOW - 100, &other);
	f->in.list_token = buf_bytes(&other);
	expect(f, VERDICT_ATTACK, REASON_MIXED);
	f->in.list_token = f->list;
	f->list_room[f->list.n - 1] ^= 1;
	expect(f, VERDICT_ATTACK, REASON_LIST);
	f->list_room[f->list.n - 1] ^= 1;
	f->in.list_token.n--;
	expect(f, VERDICT_ATTACK, REASON_LIST);
	f->in.list_token = f->list;
	f->w->m.keys[3].not_after = WORLD_NOW - 100;
	expect(f, VERDICT_ATTACK, REASON_LIST);
}

static void
a_list_under_a_key_that_the_manifest_does_not_name_counts_as_none(void **state)
{
	struct fixture *f = *state;
	struct buf list = BUF_OF(f->list_room);

	world_list(f->w, f->w->stranger, 0, WORLD_NOW - 100, &list);
	f->in.list_token = buf_bytes(&list);
	expect(f, VERDICT_STATUS_UNKNOWN, REASON_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(a_bare_record_is_valid_and_its_log_not_checked),
	        T(a_qr_text_is_valid),
	        T(a_bundle_is_valid_and_its_log_checked),
	        T(what_is_no_record_is_malformed),
	        T(every_prefix_and_a_trailing_byte_is_malformed),
	        T(every_flipped_bit_of_a_record_is_not_issued_or_malformed),
	        T(every_flipped_bit_of_a_bundle_is_refused),
	        T(a_record_under_another_key_is_not_issued),
	        T(a_record_of_another_authority_is_not_issued),
	        T(a_record_after_its_keys_last_day_is_not_issued),
	        T(a_proof_was_asked_for_and_none_came),
	        T(the_proof_of_another_record_does_not_serve),
	        T(a_receipt_of_another_log_key_does_not_serve),
	        T(a_receipt_past_the_log_keys_cut_or_time_does_not_serve),
	        T(a_key_that_was_cut_off_needs_an_entry_below_the_cut),
	        T(a_receipt_that_contradicts_the_checkpoint_held_is_a_fork),
	        T(a_list_of_another_number_or_signature_is_an_attack),
	        T(a_list_under_a_key_that_the_manifest_does_not_name_counts_as_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
