/* test_authority_order.c - ORDER: nobody acts alone, on what the signer itself has signed, and only
 * as the present status allows. */
#include "authority_world.h"

static struct world *w;
static struct rows certs; /* five certificates in the log */
static struct bytes records[5];

static int
make(void **state)
{
	(void)state;
	w = world_new();
	world_start(w);
	certs = world_issue(w, 1, 5);
	for (size_t i = 0; i < 5; i++)
		records[i] = certs.rows[i].e.record;
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	world_delete(w);
	return 0;
}

static enum status
status_of(struct bytes record)
{
	struct cose_sign1 m;
	struct record r;
	enum status s = STATUS_INVALID;

	assert_int_equal(record_open(record, false, &m, &r), ERR_OK);
	assert_int_equal(fold_status(&w->a->fold, r.list, r.idx, &s), ERR_OK);
	return s;
}

/* An order by Wang that Li approves. */
static enum err
revoke_first(size_t count, struct rows *out)
{
	struct bytes jws = world_revoke(w, WANG, records, count);
	struct bytes approval = world_approve(w, LI, jws);

	return ask_order(w, jws, &approval, 1, records, count, out);
}

static void
append(const struct rows *r)
{
	struct signed_entry *entries = calloc(r->count + 1, sizeof *entries);

	world_extend(w, entries, rows_entries(r, entries));
	free(entries);
}

static void
two_officials_revoke_and_the_entry_says_so(void **state)
{
	struct bytes jws = world_revoke(w, WANG, records, 2), approval = world_approve(w, LI, jws);
	struct cose_sign1 m;
	struct record record;
	struct entry_note note;
	struct entry e;
	struct jws j;
	struct rows r;

	(void)state;
	assert_int_equal(ask_order(w, jws, &approval, 1, records, 2, &r), ERR_OK);
	assert_int_equal(jws_decode(jws, JWS_BYTES_MAX, &j), ERR_OK);
	assert_int_equal(r.count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(r.rows[i].outcome, OUTCOME_REVOKED);
		assert_int_equal(record_open(records[i], false, &m, &record), ERR_OK);
		assert_true(bytes_equal(r.rows[i].cti, record.cti));
		assert_int_equal(entry_decode(r.rows[i].e.entry, &e), ERR_OK);
		assert_int_equal(e.type, ENTRY_STATUS);
		assert_true(bytes_equal(e.cti, record.cti) && e.list == record.list);
		assert_true(e.idx == record.idx && e.status == STATUS_INVALID);
		assert_true(e.crl_reason == 9 && e.until == -1 && e.time == NOW);
		assert_int_equal(e.effective, date_from_civil(2026, 10, 17));
		assert_memory_equal(e.request, j.hash, SHA256_BYTES);
		assert_int_equal(entry_note_decode(r.rows[i].e.note, &note), ERR_OK);
		assert_true(bytes_equal(note.sender, key_thumb(w->people.keys[WANG])));
		assert_int_equal(note.official_count, 1);
		assert_true(bytes_equal(note.officials[0], key_thumb(w->people.keys[LI])));
		assert_true(note.slot == -1 && note.seat == -1 && note.answer == r.answer);
		assert_int_equal(note.exp, NOW + ORDER_LIFETIME_S_MAX);
	}
	/* nothing has changed before the log has it */
	assert_int_equal(status_of(records[0]), STATUS_VALID);
	append(&r);
	assert_int_equal(status_of(records[0]), STATUS_INVALID);
	assert_int_equal(status_of(records[1]), STATUS_INVALID);
	assert_int_equal(status_of(records[2]), STATUS_VALID);
}

static void
a_second_revocation_answers_already_with_the_first_date(void **state)
{
	struct rows r;

	(void)state;
	assert_int_equal(revoke_first(1, &r), ERR_OK);
	append(&r);
	w->now = NOW + 1000;
	assert_int_equal(revoke_first(2, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_ALREADY);
	assert_int_equal(r.rows[0].first, NOW);
	assert_false(r.rows[0].has_entry);
	assert_int_equal(r.rows[1].outcome, OUTCOME_REVOKED);
	append(&r);
	assert_int_equal(status_of(records[1]), STATUS_INVALID);
}

/* The defence, and what happens without it: the same order with one more signature passes. */
static void
signatures_that_do_not_suffice_are_refused_by_name(void **state)
{
	static const struct {
		const char *what;
		enum who by[2];
		size_t count;
		enum err want;
	} rows[] = {
	        {"the sender alone", {LI, LI}, 0, ERR_APPROVALS},
	        {"the sender twice", {WANG, LI}, 1, ERR_APPROVAL_PERSON},
	        {"the same person with another key", {WANG_AGAIN, LI}, 1, ERR_APPROVAL_PERSON},
	        {"a centre", {CENTER, LI}, 1, ERR_ROLE},
	        {"a stranger", {STRANGER, LI}, 1, ERR_KID_UNKNOWN},
	        {"a key of tomorrow", {LATE, LI}, 1, ERR_KEY_EXPIRED},
	        {"another official", {LI, LI}, 1, ERR_OK},
	        {"another official twice", {LI, LI}, 2, ERR_APPROVAL_PERSON},
	        {"two other officials", {LI, ZHANG}, 2, ERR_OK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bytes jws = world_revoke(w, WANG, records, 1), approvals[2];
		enum err e;

		for (size_t k = 0; k < rows[i].count; k++)
			approvals[k] = world_approve(w, rows[i].by[k], jws);
		e = ask_order(w, jws, approvals, rows[i].count, records, 1, NULL);
		if (e != rows[i].want)
			fail_msg("%s: %s", rows[i].what, err_word(e));
	}
}

static void
an_approval_of_other_bytes_or_another_time_is_refused(void **state)
{
	struct bytes jws = world_revoke(w, WANG, records, 1);
	struct bytes other = world_revoke(w, WANG, records, 1);
	struct bytes approval = world_approve(w, LI, other);
	struct consent old = {NOW - DAY_S, NOW, "approve", ""};
	uint8_t room[4096];
	struct buf b = BUF_OF(room);

	(void)state;
	assert_int_equal(ask_order(w, jws, &approval, 1, records, 1, NULL), ERR_APPROVAL_OTHER);
	assert_int_equal(ask_order(w, other, &approval, 1, records, 1, NULL), ERR_OK);
	approval = approval_sign(w->people.keys[LI], jws, &old, &b);
	assert_int_equal(ask_order(w, jws, &approval, 1, records, 1, NULL), ERR_REQUEST_EXPIRED);
	w->now = NOW - 1; /* negative control: a second earlier it was one; the clock is behind */
	assert_int_equal(ask_order(w, jws, &approval, 1, records, 1, NULL), ERR_CLOCK);
	w->now = NOW;
	old.exp = NOW + 1;
	b = BUF_OF(room);
	approval = approval_sign(w->people.keys[LI], jws, &old, &b);
	assert_int_equal(ask_order(w, jws, &approval, 1, records, 1, NULL), ERR_OK);
	old.decision = "reject";
	b = BUF_OF(room);
	approval = approval_sign(w->people.keys[LI], jws, &old, &b);
	assert_int_equal(ask_order(w, jws, &approval, 1, records, 1, NULL), ERR_APPROVAL_REJECT);
	w->now = NOW + ORDER_LIFETIME_S_MAX;
	approval = world_approve(w, LI, jws);
	assert_int_equal(ask_order(w, jws, &approval, 1, records, 1, NULL), ERR_REQUEST_EXPIRED);
}

/* A record as the signer would write it, by whatever key. */
static struct bytes
record_by(const struct key *k, struct bytes like, uint32_t idx)
{
	uint8_t room[RECORD_BYTES_MAX];
	struct buf b = BUF_OF(room);
	struct cose_sign1 m;
	struct record r;

	assert_int_equal(record_open(like, false, &m, &r), ERR_OK);
	r.idx = idx;
	assert_int_equal(record_sign(&r, k, &b), ERR_OK);
	return keep(w, buf_bytes(&b));
}

static void
only_records_of_our_own_signature_are_touched(void **state)
{
	struct key *foreign = NULL;
	struct bytes jws = world_revoke(w, WANG, records, 1), approval = world_approve(w, LI, jws);
	struct bytes bad;

	(void)state;
	assert_int_equal(key_generate(KEY_ES256, &foreign), ERR_OK);
	bad = record_by(foreign, records[0], 5); /* of another authority */
	assert_int_equal(ask_order(w, jws, &approval, 1, &bad, 1, NULL), ERR_SERIAL_UNKNOWN);
	bad = record_by(w->status, records[0], 5); /* a key of ours for another purpose */
	assert_int_equal(ask_order(w, jws, &approval, 1, &bad, 1, NULL), ERR_SERIAL_UNKNOWN);
	/* our record with another place on the list, or any byte changed */
	for (size_t i = 0; i < records[0].n; i += 3) {
		bad = keep(w, records[0]);
		w->arena.p[(size_t)(bad.p - w->arena.p) + i] ^= 1;
		assert_int_not_equal(ask_order(w, jws, &approval, 1, &bad, 1, NULL), ERR_OK);
	}
	bad = keep(w, records[0]);
	w->arena.p[(size_t)(bad.p - w->arena.p) + bad.n - 1] ^= 1;
	assert_int_equal(ask_order(w, jws, &approval, 1, &bad, 1, NULL), ERR_SIGNATURE);
	/* a record that the request does not name */
	assert_int_equal(ask_order(w, jws, &approval, 1, &records[1], 1, NULL), ERR_SERIAL_UNKNOWN);
	assert_int_equal(ask_order(w, jws, &approval, 1, records, 2, NULL), ERR_SERIAL_UNKNOWN);
	assert_int_equal(ask_order(w, jws, &approval, 1, records, 1, NULL), ERR_OK);
	key_free(foreign);
}

static void
the_same_certificate_is_appended_once(void **state)
{
	struct bytes twice[] = {records[0], records[0]};
	struct bytes jws = world_revoke(w, WANG, records, 1), approval = world_approve(w, LI, jws);
	struct signed_entry entries[2] = {0};
	enum err faults[2] = {ERR_OK};
	struct rows r, again;

	(void)state;
	assert_int_equal(ask_order(w, jws, &approval, 1, twice, 2, &r), ERR_OK);
	assert_int_equal(rows_entries(&r, entries), 2);
	assert_int_equal(ask_prepare(w, w->size, entries, 2, faults), ERR_OK);
	assert_true(faults[0] == ERR_OK && faults[1] == ERR_EXECUTED);
	assert_int_equal(ask_extend(w, w->size, entries, 2, NULL), ERR_EXECUTED);
	/* two answers, one after the other */
	assert_int_equal(ask_order(w, jws, &approval, 1, records, 1, &again), ERR_OK);
	world_extend(w, entries, 1);
	rows_entries(&again, entries);
	assert_int_equal(ask_prepare(w, w->size, entries, 1, faults), ERR_OK);
	assert_int_equal(faults[0], ERR_EXECUTED);
	assert_int_equal(ask_extend(w, w->size, entries, 1, NULL), ERR_EXECUTED);
}

/* Two different orders on one certificate: the log takes the first. */
static void
of_two_orders_the_first_in_the_log_counts(void **state)
{
	struct signed_entry first[1] = {0}, second[1] = {0};
	enum err faults[1] = {ERR_OK};
	struct rows a, b;

	(void)state;
	assert_int_equal(revoke_first(1, &a), ERR_OK);
	assert_int_equal(revoke_first(1, &b), ERR_OK);
	rows_entries(&a, first);
	rows_entries(&b, second);
	world_extend(w, second, 1);
	assert_int_equal(ask_prepare(w, w->size, first, 1, faults), ERR_OK);
	assert_int_equal(faults[0], ERR_MOVE);
	assert_int_equal(ask_extend(w, w->size, first, 1, NULL), ERR_MOVE);
}

static void
messages_of_another_form_are_refused(void **state)
{
	struct bytes jws = world_revoke(w, WANG, records, 1), approval = world_approve(w, LI, jws);
	struct bytes session = world_session(w, 50, 1), whole;
	struct bytes *many = calloc(ORDER_CHUNK_MAX + 1, sizeof *many);
	struct buf *b;

	(void)state;
	assert_int_equal(ask_order(w, session, NULL, 0, records, 1, NULL), ERR_TYPE_UNKNOWN);
	assert_int_equal(ask_order(w, jws, &approval, 1, NULL, 0, NULL), ERR_LIMIT);
	for (size_t i = 0; i <= ORDER_CHUNK_MAX; i++)
		many[i] = records[0];
	assert_int_equal(
	        ask_order(w, jws, &approval, 1, many, ORDER_CHUNK_MAX + 1, NULL), ERR_LIMIT);
	assert_int_equal(ask_order(w, jws, &approval, 1, many, ORDER_CHUNK_MAX, NULL), ERR_OK);
	free(many);
	b = ask_start(w, 4);
	cbor_put_bytes(b, jws);
	cbor_put_array(b, 0);
	approvals_ask(b, &approval, 1);
	cbor_put_array(b, 1);
	cbor_put_bytes(b, records[0]);
	whole = keep(w, buf_bytes(b));
	for (size_t n = 0; n < whole.n; n += 11)
		assert_int_not_equal(ask_bytes(w, authority_order, bytes_of(whole.p, n)), ERR_OK);
	cbor_put_uint(b, 0);
	assert_int_equal(ask(w, authority_order), ERR_TRAILING);
	assert_int_equal(ask_bytes(w, authority_order, whole), ERR_OK);
}

/* ---- holds and stops, as far as the handler decides; the log's own limits are the fold's ---- */

static struct bytes
order_sign(enum who by, const char *type, const char *members)
{
	char text[1200], jti[JTI_BYTES_MIN + 1];
	uint8_t room[4096];
	struct buf b = BUF_OF(room);

	jti_next(jti);
	snprintf(text, sizeof text,
	        "{\"type\":\"%s\",\"jti\":\"%s\",\"iat\":%lld,\"exp\":%lld,\"decision_no\":\"1\","
	        "\"decided_at\":\"2026-10-18\",%s}",
	        type, jti, (long long)w->now, (long long)w->now + DAY_S, members);
	return keep(w, signed_text(w->people.keys[by], REQUEST_TYP, text, &b));
}

static struct bytes
on_first(enum who by, const char *type, const char *more)
{
	char members[300], hex[33];
	uint8_t serial[16];

	serial_of(records[0], serial);
	hex_encode(bytes_of(serial, 16), hex);
	snprintf(members, sizeof members, "\"serials\":[\"%s\"]%s", hex, more);
	return order_sign(by, type, members);
}

#define HOLD ",\"ground\":\"S01\",\"effective_at\":\"2026-10-18\",\"until\":\"2026-11-10\""

static void
one_official_holds_for_three_days_and_a_second_confirms(void **state)
{
	struct bytes jws = on_first(WANG, "suspend", HOLD), approval = world_approve(w, LI, jws);
	struct entry e;
	struct rows r;

	(void)state;
	assert_int_equal(ask_order(w, jws, NULL, 0, records, 1, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_SUSPENDED);
	assert_int_equal(entry_decode(r.rows[0].e.entry, &e), ERR_OK);
	assert_int_equal(e.until, NOW + HOLD_FIRST_S);
	append(&r);
	assert_int_equal(status_of(records[0]), STATUS_SUSPENDED);
	/* the same again is no second signature */
	assert_int_equal(ask_order(w, jws, NULL, 0, records, 1, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_ALREADY);
	w->now += 60;
	assert_int_equal(ask_order(w, jws, &approval, 1, records, 1, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_CONFIRMED);
	assert_int_equal(entry_decode(r.rows[0].e.entry, &e), ERR_OK);
	assert_int_equal(e.until, date_shanghai_start(date_from_civil(2026, 11, 11)) - 1);
	append(&r);
	/* once only */
	assert_int_equal(ask_order(w, jws, &approval, 1, records, 1, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_ALREADY);
}

static void
a_held_certificate_is_reinstated_by_two_or_revoked(void **state)
{
	struct bytes hold = on_first(WANG, "suspend", HOLD);
	struct bytes back = on_first(LI, "reinstate", ""), approval = world_approve(w, ZHANG, back);
	struct rows r;

	(void)state;
	assert_int_equal(ask_order(w, back, &approval, 1, records, 1, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_ALREADY); /* it is VALID */
	assert_int_equal(ask_order(w, hold, NULL, 0, records, 1, &r), ERR_OK);
	append(&r);
	assert_int_equal(ask_order(w, back, NULL, 0, records, 1, &r), ERR_APPROVALS);
	assert_int_equal(ask_order(w, back, &approval, 1, records, 1, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_REINSTATED);
	append(&r);
	assert_int_equal(status_of(records[0]), STATUS_VALID);
	assert_int_equal(revoke_first(1, &r), ERR_OK);
	append(&r);
	/* nothing leaves INVALID */
	back = on_first(LI, "reinstate", "");
	approval = world_approve(w, ZHANG, back);
	assert_int_equal(ask_order(w, back, &approval, 1, records, 1, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_NO_MOVE);
	hold = on_first(ZHANG, "suspend", HOLD);
	assert_int_equal(ask_order(w, hold, NULL, 0, records, 1, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_NO_MOVE);
}

static void
a_hold_lapses_by_the_signers_clock_alone(void **state)
{
	struct bytes hold = on_first(WANG, "suspend", HOLD);
	struct signed_entry lapse = {0};
	struct cbor c;
	struct rows r;

	(void)state;
	assert_int_equal(ask_order(w, hold, NULL, 0, records, 1, &r), ERR_OK);
	append(&r);
	w->now = NOW + HOLD_FIRST_S;
	ask_start(w, 0);
	assert_int_equal(ask(w, authority_lapse), ERR_OK);
	assert_true(bytes_equal(buf_bytes(&w->out), BYTES_LIT("\x80"))); /* in its last second */
	w->now++;
	ask_start(w, 0);
	assert_int_equal(ask(w, authority_lapse), ERR_OK);
	c = cbor_init(buf_bytes(&w->out));
	cbor_array_exact(&c, 1);
	cbor_array_exact(&c, 3);
	lapse = entry_read(w, &c);
	assert_int_equal(cbor_end(&c), ERR_OK);
	world_extend(w, &lapse, 1);
	assert_int_equal(status_of(records[0]), STATUS_VALID);
	ask_start(w, 0);
	assert_int_equal(ask(w, authority_lapse), ERR_OK);
	assert_true(bytes_equal(buf_bytes(&w->out), BYTES_LIT("\x80")));
}

static void
a_stopped_centre_or_key_issues_nothing(void **state)
{
	char kid[200];
	struct bytes stop = order_sign(WANG, "stop", "\"center\":\"330106-01\"");
	struct bytes resume = order_sign(WANG, "resume", "\"center\":\"330106-01\"");
	struct bytes approval = world_approve(w, LI, resume);
	struct rows r;

	(void)state;
	assert_int_equal(ask_order(w, stop, NULL, 0, records, 1, &r), ERR_LIMIT);
	assert_int_equal(ask_order(w, stop, NULL, 0, NULL, 0, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_STOPPED);
	append(&r);
	assert_int_equal(ask_issue(w, world_session(w, 50, 1), NULL, 0, NULL), ERR_STOPPED);
	assert_int_equal(ask_order(w, resume, NULL, 0, NULL, 0, &r), ERR_APPROVALS);
	assert_int_equal(ask_order(w, resume, &approval, 1, NULL, 0, &r), ERR_OK);
	append(&r);
	assert_int_equal(ask_issue(w, world_session(w, 50, 1), NULL, 0, NULL), ERR_OK);
	snprintf(kid, sizeof kid, "\"kid\":\"%s\"", key_thumb_text(w->people.keys[CENTER]));
	assert_int_equal(ask_order(w, order_sign(WANG, "stop", kid), NULL, 0, NULL, 0, &r), ERR_OK);
	append(&r);
	assert_int_equal(ask_issue(w, world_session(w, 50, 1), NULL, 0, NULL), ERR_STOPPED);
	/* a name that is no centre stops nobody, so it is refused */
	stop = order_sign(WANG, "stop", "\"center\":\"330106-02\"");
	assert_int_equal(ask_order(w, stop, NULL, 0, NULL, 0, &r), ERR_VALUE);
	stop = order_sign(CENTER, "stop", "\"center\":\"440305-02\"");
	assert_int_equal(ask_order(w, stop, NULL, 0, NULL, 0, &r), ERR_ROLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
	        TEST(two_officials_revoke_and_the_entry_says_so),
	        TEST(a_second_revocation_answers_already_with_the_first_date),
	        TEST(signatures_that_do_not_suffice_are_refused_by_name),
	        TEST(an_approval_of_other_bytes_or_another_time_is_refused),
	        TEST(only_records_of_our_own_signature_are_touched),
	        TEST(the_same_certificate_is_appended_once),
	        TEST(of_two_orders_the_first_in_the_log_counts),
	        TEST(messages_of_another_form_are_refused),
	        TEST(one_official_holds_for_three_days_and_a_second_confirms),
	        TEST(a_held_certificate_is_reinstated_by_two_or_revoked),
	        TEST(a_hold_lapses_by_the_signers_clock_alone),
	        TEST(a_stopped_centre_or_key_issues_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
