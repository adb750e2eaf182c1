/* test_authority_follow.c - what a certificate takes over from the one that it follows, and which
 * may not be followed: whatever the front brings, only a record of our own signature counts. */
#include "follow_world.h"

/* ---- what a renewal is ---- */

static void
a_renewal_comes_with_the_end_of_what_it_follows(void **state)
{
	struct rows r = renew(2);
	struct record old = claims_of(records[0]), new = claims_of(r.rows[0].e.record);
	struct entry_note note, end_note;
	struct entry end;

	(void)state;
	assert_int_equal(entry_note_decode(r.rows[0].e.note, &note), ERR_OK);
	assert_true(bytes_equal(note.follows, old.cti) && note.seat == 1);
	assert_true(bytes_equal(new.follows, old.cti) && new.sequence == 2);
	assert_true(new.first_issued == old.first_issued &&new.exp == old.exp);
	assert_int_equal(entry_decode(r.rows[0].end.entry, &end), ERR_OK);
	assert_int_equal(entry_note_decode(r.rows[0].end.note, &end_note), ERR_OK);
	assert_true(end.type == ENTRY_STATUS && end.status == STATUS_SUPERSEDED);
	assert_true(end.crl_reason == CRL_SUPERSEDED && end.until == -1);
	assert_true(bytes_equal(end.cti, old.cti) && end.list == old.list && end.idx == old.idx);
	assert_true(end.effective == date_shanghai(w->now) && end.time == w->now);
	assert_true(end_note.answer == note.answer && end_note.seat == note.seat);
	assert_true(end_note.slot == -1 && end_note.follows.n == 0);
	assert_true(bytes_equal(end_note.sender, note.sender) && end_note.exp == note.exp);
	assert_int_equal(status_of(records[0]), STATUS_VALID); /* nothing before the log has it */
	append(&r);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(status_of(records[i]), STATUS_SUPERSEDED);
		assert_int_equal(status_of(r.rows[i].e.record), STATUS_VALID);
	}
	assert_int_equal(status_of(records[2]), STATUS_VALID);
	assert_null(fold_row(&w->a->fold, old.list, old.cti.p)); /* superseded is on no CRL */
	/* once: neither the same nor another session, and the new one in its turn */
	assert_int_equal(follow_one("renewal", records[0], records[0], NULL), OUTCOME_NO_MOVE);
	assert_int_equal(
	        follow_one("renewal", r.rows[0].e.record, r.rows[0].e.record, &r), OUTCOME_ISSUED);
	assert_int_equal(claims_of(r.rows[0].e.record).sequence, 3);
}

static int64_t
first_second(int year, int month, int day)
{
	return date_shanghai_start(date_from_civil(year, month, day));
}

/* What the front brings for a seat, signed by us but not what the seat may follow. */
static enum outcome
brought(size_t which)
{
	struct record r = claims_of(records[0]);
	struct bytes like;

	switch (which) {
	case 0:
		return follow_one("renewal", records[0], bytes_of(NULL, 0), NULL);
	case 1:
		return follow_one("renewal", records[0], records[1], NULL);
	case 2:
		return follow_one("renewal", records[1], records[1], NULL);
	case 3:
		r.item = BYTES_LIT("030101");
		break;
	case 4:
		r.doc_type = BYTES_LIT("04");
		break;
	case 5:
		r.doc_number = BYTES_LIT("A0000002");
		break;
	case 6:
		r.iat -= DAY_S;
		r.nbf -= DAY_S;
		r.exp = first_second(2026, 10, 18); /* until last midnight */
		break;
	case 7:
		r.list = 7;
		break;
	default:
		r.exp = first_second(2026, 10, 19);
		break;
	}
	like = record_by(w->record, &r);
	return follow_one("renewal", like, like, NULL);
}

static void
a_seat_that_may_not_follow_is_refused_alone(void **state)
{
	static const enum outcome want[] = {OUTCOME_NOT_SAME_HOLDER, OUTCOME_NOT_SAME_HOLDER,
	        OUTCOME_NOT_SAME_HOLDER, OUTCOME_NOT_SAME_HOLDER, OUTCOME_NOT_SAME_HOLDER,
	        OUTCOME_NOT_SAME_HOLDER, OUTCOME_NO_MOVE, OUTCOME_NO_MOVE, OUTCOME_ISSUED};
	const struct bytes mixed[] = {records[0], bytes_of(NULL, 0), records[3]};
	const struct bytes named[] = {records[0], records[1], records[2]};
	const struct proof p = {.records = mixed, .record_count = 3};
	struct rows r;

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		enum outcome got = brought(i);

		if (got != want[i])
			fail_msg("case %zu: %s", i, outcome_word(got));
	}
	assert_int_equal(ask_issue_with(w, session_after("renewal", 1, 3, named), &p, &r), ERR_OK);
	assert_true(r.rows[0].outcome == OUTCOME_ISSUED && r.rows[0].ends);
	assert_true(r.rows[1].outcome == OUTCOME_NOT_SAME_HOLDER && !r.rows[1].ends);
	assert_true(r.rows[2].outcome == OUTCOME_NOT_SAME_HOLDER && !r.rows[2].ends);
	append(&r);
	assert_int_equal(status_of(records[1]), STATUS_VALID);
}

static void
what_is_over_or_on_hold_is_followed_by_nothing(void **state)
{
	struct bytes replace =
	        order_on(WANG, "replace", records[1], ",\"ground\":\"X02\",\"changes\":{}");
	struct proof p = {.records = &records[1], .record_count = 1};
	struct rows r;

	(void)state;
	revoke_it(records[0]);
	assert_int_equal(follow_one("renewal", records[0], records[0], NULL), OUTCOME_NO_MOVE);
	assert_int_equal(follow_one("review", records[0], records[0], NULL), OUTCOME_NO_MOVE);
	assert_int_equal(ask_issue_with(w, replace, &p, &r), ERR_OK); /* negative control */
	assert_int_equal(r.rows[0].outcome, OUTCOME_ISSUED);
	hold(records[1]);
	assert_int_equal(ask_issue_with(w, replace, &p, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_NO_MOVE);
	assert_false(r.rows[0].has_entry);
}

static void
only_a_record_of_our_own_signature_is_followed(void **state)
{
	struct bytes jws = session_after("renewal", 1, 1, records), bad;
	const struct proof good = {.records = records, .record_count = 1};
	const struct proof none = {.records = records, .record_count = 0};
	const struct proof two = {.records = records, .record_count = 2};
	const struct proof p = {.records = &bad, .record_count = 1};
	struct record r = claims_of(records[0]);
	struct key *foreign = NULL;

	(void)state;
	assert_int_equal(key_generate(KEY_ES256, &foreign), ERR_OK);
	bad = record_by(foreign, &r);
	assert_int_equal(ask_issue_with(w, jws, &p, NULL), ERR_SERIAL_UNKNOWN);
	bad = record_by(w->status, &r); /* a key of ours for another purpose */
	assert_int_equal(ask_issue_with(w, jws, &p, NULL), ERR_SERIAL_UNKNOWN);
	for (size_t i = 0; i < records[0].n; i++) {
		bad = keep(w, records[0]);
		w->arena.p[(size_t)(bad.p - w->arena.p) + i] ^= 1;
		if (ask_issue_with(w, jws, &p, NULL) == ERR_OK)
			fail_msg("byte %zu", i);
	}
	bad = bytes_of(records[0].p, 0);
	assert_int_not_equal(ask_issue_with(w, jws, &p, NULL), ERR_OK);
	assert_int_equal(ask_issue_with(w, jws, &none, NULL), ERR_SERIAL_UNKNOWN);
	assert_int_equal(ask_issue_with(w, jws, &two, NULL), ERR_PROTOCOL);
	/* nor does a first certificate bring one */
	assert_int_equal(ask_issue_with(w, world_session(w, 90, 1), &good, NULL), ERR_PROTOCOL);
	assert_int_equal(ask_issue_with(w, jws, &good, NULL), ERR_OK);
	key_free(foreign);
}

/* ---- dates ---- */

/* The clock at that day's noon, with keys and roster that last so long. */
static void
clock_set(int year, int month, int day)
{
	struct manifest_plan plan = manifest_plan_of(w);
	struct signed_entry e = {0};

	plan.not_after = NOW + 3000 * (int64_t)DAY_S;
	assert_int_equal(ask_manifest(w, &plan, 2, &e), ERR_OK);
	world_extend(w, &e, 1);
	w->now = first_second(year, month, day) + DAY_S / 2;
}

static void
a_term_that_begins_on_the_29th_of_february_ends_on_the_28th(void **state)
{
	struct record old = claims_of(records[0]), new;
	struct rows r;

	(void)state;
	clock_set(2028, 2, 29);
	assert_int_equal(follow_one("renewal", records[0], records[0], &r), OUTCOME_ISSUED);
	new = claims_of(r.rows[0].e.record);
	assert_int_equal(new.nbf, first_second(2028, 2, 29));
	assert_int_equal(new.exp, first_second(2034, 3, 1));
	assert_int_equal(new.review_due, date_from_civil(2031, 2, 28));
	assert_int_equal(new.first_issued, old.first_issued);
	append(&r);
	assert_int_equal(status_of(records[0]), STATUS_SUPERSEDED);
}

static void
a_review_keeps_the_end_and_its_next_day_lies_before_it(void **state)
{
	struct record old = claims_of(records[0]), new;
	struct bytes like;
	struct rows r;

	(void)state;
	assert_int_equal(follow_one("review", records[0], records[0], &r), OUTCOME_ISSUED);
	new = claims_of(r.rows[0].e.record);
	assert_true(new.exp == old.exp &&new.sequence == 2);
	assert_int_equal(new.review_due, date_from_civil(2029, 10, 17));
	/* three years from now is its very last day, a day more, and a day less */
	for (int k = -1; k <= 1; k++) {
		int64_t last = date_from_civil(2029, 10, 17) + k;

		old.exp = date_shanghai_start(last + 1);
		old.sequence = 7;
		like = record_by(w->record, &old);
		assert_int_equal(follow_one("review", like, like, &r), OUTCOME_ISSUED);
		new = claims_of(r.rows[0].e.record);
		assert_true(new.exp == old.exp &&new.sequence == 8);
		assert_int_equal(new.review_due, date_from_civil(2029, 10, 17) + (k < 0 ? k : 0));
	}
}

/* ---- replacement ---- */

static void
a_replacement_is_as_it_was_but_for_what_changes(void **state)
{
	struct record old = claims_of(records[0]), new;
	struct entry_note note;
	struct rows r;

	(void)state;
	old.region = BYTES_LIT("330106");
	old.authority = BYTES_LIT("某局");
	old.sex = 2;
	w->now += 40 * (int64_t)DAY_S;
	assert_int_equal(replace(WANG, LOST, record_by(w->record, &old), &r), ERR_OK);
	new = claims_of(r.rows[0].e.record);
	assert_true(new.exp == old.exp &&new.review_due == old.review_due &&new.sex == old.sex);
	assert_true(new.first_issued == old.first_issued &&new.sequence == 2);
	assert_true(bytes_equal(new.name, old.name) && bytes_equal(new.doc_number, old.doc_number));
	assert_true(bytes_equal(new.photo, old.photo) && bytes_equal(new.region, old.region));
	assert_true(bytes_equal(new.center, old.center) && bytes_equal(new.policy, old.policy));
	assert_true(bytes_equal(new.authority, old.authority) && bytes_equal(new.item, old.item));
	assert_int_equal(entry_note_decode(r.rows[0].e.note, &note), ERR_OK);
	assert_true(note.seat == SEAT_OF_OFFICIAL && r.rows[0].seat == SEAT_OF_OFFICIAL);
	assert_int_equal(replace(WANG,
	                         CHANGED("\"name\":\"李四\",\"sex\":\"M\",\"doc_type\":\"08\","
	                                 "\"doc_number\":\"A7654321\""),
	                         records[0], &r),
	        ERR_OK);
	new = claims_of(r.rows[0].e.record);
	assert_true(bytes_equal_text(new.name, "李四") && new.sex == 1);
	assert_true(bytes_equal_text(new.doc_number, "A7654321"));
	assert_true(bytes_equal(new.photo, old.photo));
	assert_int_equal(replace(WANG,
	                         CHANGED("\"photo_sha256\":\"ff"
	                                 "00112233445566778899aabbccddee"
	                                 "00112233445566778899aabbccddeeff\""),
	                         records[0], &r),
	        ERR_OK);
	assert_int_equal(claims_of(r.rows[0].e.record).photo.p[0], 0xff);
	append(&r);
	assert_int_equal(status_of(records[0]), STATUS_SUPERSEDED);
}

static void
a_replacement_with_wrong_data_gives_none(void **state)
{
	static const struct {
		const char *more;
		enum outcome want;
	} rows[] = {
	        {CHANGED("\"name\":\"\""), OUTCOME_NAME},
	        {CHANGED("\"sex\":\"X\""), OUTCOME_SEX},
	        {CHANGED("\"doc_type\":\"99\",\"doc_number\":\"A7654321\""), OUTCOME_DOC_TYPE},
	        {CHANGED("\"doc_type\":\"01\",\"doc_number\":\"A7654321\""), OUTCOME_DOC_NUMBER},
	        {CHANGED("\"doc_type\":\"01\",\"doc_number\":\"110105201501010017\""), OUTCOME_AGE},
	        {CHANGED("\"photo_sha256\":\"00\""), OUTCOME_DIGEST},
	        {CHANGED("\"photo_sha256\":\"\""), OUTCOME_DIGEST},
	        {CHANGED(""), OUTCOME_ISSUED},
	};
	struct record old = claims_of(records[0]);
	struct rows r;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(replace(WANG, rows[i].more, records[0], &r), ERR_OK);
		if (r.rows[0].outcome != rows[i].want)
			fail_msg("%s: %s", rows[i].more,
			        outcome_word((enum outcome)r.rows[0].outcome));
	}
	old.policy = BYTES_LIT("XX-1"); /* no policy, no age to ask for */
	assert_int_equal(replace(WANG, LOST, record_by(w->record, &old), &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_NO_MOVE);
	old = claims_of(records[0]);
	old.exp = first_second(2026, 10, 19);
	for (int64_t late = -1; late <= 0; late++) { /* to its last second */
		w->now = old.exp + late;
		assert_int_equal(replace(WANG, LOST, record_by(w->record, &old), &r), ERR_OK);
		assert_int_equal(r.rows[0].outcome, late < 0 ? OUTCOME_ISSUED : OUTCOME_NO_MOVE);
	}
	assert_int_equal(replace(WANG, LOST, records[1], &r), ERR_SERIAL_UNKNOWN);
	assert_int_equal(replace(WANG, LOST, bytes_of(NULL, 0), &r), ERR_SERIAL_UNKNOWN);
	assert_int_equal(replace(WANG, ",\"ground\":\"X02\",\"changes\":{\"name\":\"李四\"}",
	                         records[0], &r),
	        ERR_CHANGES);
}

static void
a_centre_replaces_its_own_with_an_officials_signature(void **state)
{
	struct record old = claims_of(records[0]);
	struct bytes mine = order_on(CENTER, "replace", records[0], LOST);
	struct bytes theirs = order_on(SHENZHEN, "replace", records[0], LOST);
	struct bytes approvals[] = {world_approve(w, WANG, mine), world_approve(w, WANG, theirs),
	        world_approve(w, CENTER_AGAIN, mine)};
	struct proof p = {approvals, 1, records, 1, bytes_of(NULL, 0)};
	struct bytes other;
	struct rows r;

	(void)state;
	assert_int_equal(replace(CENTER, LOST, records[0], &r), ERR_APPROVALS);
	assert_int_equal(ask_issue_with(w, mine, &p, &r), ERR_OK);
	assert_true(r.rows[0].outcome == OUTCOME_ISSUED && r.rows[0].seat == SEAT_OF_CENTER);
	p.approvals = approvals + 2;
	assert_int_equal(ask_issue_with(w, mine, &p, &r), ERR_ROLE);
	p.approvals = approvals + 1;
	assert_int_equal(ask_issue_with(w, theirs, &p, &r), ERR_NOT_YOURS);
	old.center = BYTES_LIT("440305-02"); /* negative control: the same, of that centre */
	other = record_by(w->record, &old);
	p.records = &other;
	assert_int_equal(ask_issue_with(w, theirs, &p, &r), ERR_OK);
	p.approvals = approvals;
	assert_int_equal(ask_issue_with(w, mine, &p, &r), ERR_NOT_YOURS);
}

static void
stops_and_caps_bind_centres_and_no_official(void **state)
{
	struct bytes stop = order_sign(w, WANG, "stop", "\"center\":\"330106-01\"");
	struct bytes mine = order_on(CENTER, "replace", records[0], LOST);
	struct bytes approval = world_approve(w, WANG, mine);
	const struct proof p = {&approval, 1, records, 1, bytes_of(NULL, 0)};
	struct signed_entry e = {0}, pair[2];
	enum err faults[2];
	struct rows before, r, stopped;

	(void)state;
	assert_int_equal(ask_issue_with(w, mine, &p, &before), ERR_OK);
	assert_int_equal(ask_roster(w, 2, CERTS, &e), ERR_OK); /* the cap is reached */
	world_extend(w, &e, 1);
	assert_int_equal(ask_issue_with(w, mine, &p, &r), ERR_CAP);
	assert_int_equal(
	        ask_prepare(w, w->size, pair, rows_entries(&before, pair), faults), ERR_OK);
	assert_true(faults[0] == ERR_CAP && faults[1] == ERR_MOVE);
	assert_int_equal(ask_order(w, stop, NULL, 0, NULL, 0, &stopped), ERR_OK);
	append(&stopped);
	assert_int_equal(ask_issue_with(w, mine, &p, &r), ERR_STOPPED);
	assert_int_equal(ask_prepare(w, w->size, pair, 2, faults), ERR_OK);
	assert_true(faults[0] == ERR_STOPPED && faults[1] == ERR_MOVE);
	assert_int_equal(replace(LI, LOST, records[0], &r), ERR_OK);
	append(&r);
	assert_int_equal(status_of(records[0]), STATUS_SUPERSEDED);
	assert_int_equal(status_of(r.rows[0].e.record), STATUS_VALID);
	/* and it took nothing from the centre's day */
	assert_int_equal(
	        fold_issued(&w->a->fold, BYTES_LIT("330106-01"), date_shanghai(w->now)), CERTS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
	        TEST(a_renewal_comes_with_the_end_of_what_it_follows),
	        TEST(a_seat_that_may_not_follow_is_refused_alone),
	        TEST(what_is_over_or_on_hold_is_followed_by_nothing),
	        TEST(only_a_record_of_our_own_signature_is_followed),
	        TEST(a_term_that_begins_on_the_29th_of_february_ends_on_the_28th),
	        TEST(a_review_keeps_the_end_and_its_next_day_lies_before_it),
	        TEST(a_replacement_is_as_it_was_but_for_what_changes),
	        TEST(a_replacement_with_wrong_data_gives_none),
	        TEST(a_centre_replaces_its_own_with_an_officials_signature),
	        TEST(stops_and_caps_bind_centres_and_no_official),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
