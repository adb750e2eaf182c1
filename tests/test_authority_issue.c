/* test_authority_issue.c - ISSUE: a session of the right centre becomes records whose entries
 * follow from them, and anything else becomes nothing. */
#include "authority_world.h"

static struct world *w;

static int
make(void **state)
{
	(void)state;
	w = world_new();
	return 0;
}

static int
make_started(void **state)
{
	make(state);
	world_start(w);
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	world_delete(w);
	return 0;
}

/* Record, entry, note and tag of one seat, as a stranger and as the signer read them. */
static void
seat_check(const struct row *row, const struct rows *all, uint64_t slot)
{
	uint8_t room[ENTRY_BYTES_MAX], tag[ENTRY_TAG_BYTES];
	struct buf b = BUF_OF(room);
	struct cose_sign1 m;
	struct record r;
	struct entry entry, mine;
	struct entry_note note;
	uint32_t list, idx;

	assert_int_equal(record_open(row->e.record, false, &m, &r), ERR_OK);
	assert_int_equal(cose_verify(&m, w->record, RECORD_TYPE), ERR_OK);
	entry_of_record(&r, row->e.record, &mine);
	entry_put(&mine, &b);
	assert_true(bytes_equal(buf_bytes(&b), row->e.entry));
	assert_int_equal(entry_decode(row->e.entry, &entry), ERR_OK);
	assert_int_equal(entry_note_decode(row->e.note, &note), ERR_OK);
	entry_tag(bytes_of(w->a->tag_key, 32), row->e.entry, row->e.note, tag);
	assert_true(bytes_equal(row->e.tag, bytes_of(tag, sizeof tag)));
	assert_true(bytes_equal(note.sender, key_thumb(w->people.keys[CENTER])));
	assert_true(note.slot == (int64_t)slot && note.seat == (int64_t)row->seat);
	assert_true(note.answer == all->answer && note.exp == w->now + ISSUE_LIFETIME_S_MAX);
	status_place(bytes_of(w->a->slot_key, 32), slot, &list, &idx);
	assert_true(r.list == list && r.idx == idx);
	assert_true(bytes_equal_text(r.iss, HOST) && r.iat == w->now);
	assert_int_equal(r.cti.p[6] >> 4, 7); /* UUIDv7 */
	assert_int_equal(r.cti.p[8] >> 6, 2);
	assert_true(be_get(r.cti.p, 6) == (uint64_t)w->now * 1000);
	assert_true(bytes_equal(r.request, bytes_of(all->request, SHA256_BYTES)));
	assert_true(bytes_equal_text(r.center, "330106-01") && bytes_equal_text(r.item, "030102"));
	assert_true(bytes_equal_text(r.policy, "SP-19"));
	/* 2026-10-18 to 2032-10-17, review by 2029-10-17 */
	assert_int_equal(r.first_issued, date_from_civil(2026, 10, 18));
	assert_int_equal(r.nbf, date_shanghai_start(date_from_civil(2026, 10, 18)));
	assert_int_equal(r.exp, date_shanghai_start(date_from_civil(2032, 10, 18)));
	assert_int_equal(r.review_due, date_from_civil(2029, 10, 17));
}

static void
a_session_becomes_records_whose_entries_follow_from_them(void **state)
{
	struct session s = session_of(1, 4);
	uint8_t room[8192];
	struct buf b = BUF_OF(room);
	struct bytes jws;
	struct jws j;
	struct rows r;

	(void)state;
	s.failing = 1;
	jws = session_sign(&s, w->people.keys[CENTER], &b);
	assert_int_equal(jws_decode(jws, JWS_BYTES_MAX, &j), ERR_OK);
	assert_int_equal(ask_issue(w, jws, NULL, 0, &r), ERR_OK);
	assert_int_equal(r.count, 4);
	assert_memory_equal(r.request, j.hash, SHA256_BYTES);
	for (size_t i = 0; i < 3; i++) {
		assert_true(r.rows[i].outcome == OUTCOME_ISSUED && r.rows[i].seat == i + 1);
		assert_true(r.rows[i].has_entry);
		seat_check(&r.rows[i], &r, i);
	}
	assert_int_equal(r.rows[3].outcome, OUTCOME_SCORE_PASS);
	assert_false(r.rows[3].has_entry);
	assert_int_equal(r.rows[3].e.record.n, 0);
	/* nothing is in the log yet, and the same request may be asked again: the same places */
	assert_int_equal(state_of(w).size, 3);
	assert_int_equal(ask_issue(w, jws, NULL, 0, &r), ERR_OK);
	seat_check(&r.rows[0], &r, 0);
}

static void
nothing_is_signed_before_the_publisher_has_spoken(void **state)
{
	struct manifest_plan plan = manifest_plan_of(w);
	struct signed_entry first[3] = {0};
	struct head_answer h;
	enum err faults[3] = {ERR_OK};
	struct bytes jws, note, receipt;

	(void)state;
	assert_int_equal(ask_init(w, &first[0]), ERR_OK);
	assert_int_equal(ask_manifest(w, &plan, 1, &first[1]), ERR_OK);
	assert_int_equal(ask_roster(w, 1, CAP, &first[2]), ERR_OK);
	assert_int_equal(ask_prepare(w, 0, first, 3, faults), ERR_NOT_READY);
	/* what is committed is appended all the same, and not signed */
	assert_int_equal(ask_extend(w, 0, first, 3, &h), ERR_OK);
	assert_true(h.size == 3 && h.signature.n == 0);
	w->size = 3;
	jws = world_session(w, 1, 1);
	assert_int_equal(state_of(w).problem, ERR_NOT_READY);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_NOT_READY);
	assert_int_equal(ask_order(w, jws, NULL, 0, NULL, 0, NULL), ERR_NOT_READY);
	assert_int_equal(ask_number(w, authority_list, 0), ERR_NOT_READY);
	assert_int_equal(ask_number(w, authority_crl, 0), ERR_NOT_READY);
	assert_int_equal(ask_checkpoint(w, 3, &note, &receipt), ERR_NOT_READY);
	/* only the publisher's own socket counts */
	w->from = FROM_FRONT;
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_PROTOCOL);
	w->from = FROM_ADMIN;
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_PROTOCOL);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_NOT_READY);
	w->from = FROM_PUBLISHER;
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_OK);
	assert_int_equal(ask_extend(w, 0, first, 3, &h), ERR_OK);
	assert_int_equal(h.signature.n, KEY_SIGNATURE_BYTES);
	assert_int_equal(ask_checkpoint(w, 3, &note, &receipt), ERR_OK);
	/* and again after each start */
	world_reopen(w);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_NOT_READY);
}

static void
a_log_without_manifest_or_roster_issues_nothing(void **state)
{
	struct manifest_plan plan = manifest_plan_of(w);
	struct signed_entry e = {0};
	struct bytes jws;

	(void)state;
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	jws = world_session(w, 1, 1);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_NOT_READY);
	assert_int_equal(ask_init(w, &e), ERR_OK);
	world_extend(w, &e, 1);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_NOT_READY);
	assert_int_equal(ask_manifest(w, &plan, 1, &e), ERR_OK);
	world_extend(w, &e, 1);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_NOT_READY);
	assert_int_equal(ask_roster(w, 1, CAP, &e), ERR_OK);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_NOT_READY); /* not appended yet */
	world_extend(w, &e, 1);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_OK);
}

/* A signed session with one thing wrong. */
static struct bytes
spoiled(size_t which, enum who *by, struct session *s)
{
	static uint8_t room[8192];
	struct buf b = BUF_OF(room);

	*s = session_of(1, 1);
	*by = CENTER;
	switch (which) {
	case 0:
		*by = STRANGER;
		break;
	case 1:
		*by = SHENZHEN;
		break;
	case 2:
		*by = WANG;
		break;
	case 3:
		s->region = "110000";
		break;
	case 4:
		s->exam_age_days = EXAM_LATE_DAYS + 1;
		break;
	case 5:
		s->exam_age_days = EXAM_OLD_DAYS + 1;
		break;
	case 6:
		s->exam_age_days = -1;
		break;
	case 7:
		s->iat = NOW - ISSUE_LIFETIME_S_MAX;
		break;
	case 8:
		s->iat = NOW + IAT_AHEAD_S_MAX + 1;
		break;
	default:
		break;
	}
	return session_sign(s, w->people.keys[*by], &b);
}

static void
sessions_with_one_thing_wrong_are_refused_by_name(void **state)
{
	static const enum err want[] = {ERR_KID_UNKNOWN, ERR_CENTER, ERR_ROLE, ERR_SCOPE_REGION,
	        ERR_EXAM_LATE, ERR_EXAM_TOO_OLD, ERR_EXAM_FUTURE, ERR_REQUEST_EXPIRED,
	        ERR_TIME_AHEAD, ERR_OK};
	const uint64_t slots = w->a->slot_next;

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		enum who by;
		struct session s;
		struct bytes jws = spoiled(i, &by, &s);
		enum err e = ask_issue(w, jws, NULL, 0, NULL);

		if (e != want[i])
			fail_msg("case %zu: %s", i, err_word(e));
	}
	assert_int_equal(w->a->slot_next, slots + 1); /* only the last drew one */
}

static void
a_late_session_is_issued_with_an_officials_signature(void **state)
{
	struct session s;
	enum who by;
	struct bytes jws = keep(w, spoiled(4, &by, &s));
	struct bytes wrong[] = {world_approve(w, CENTER_AGAIN, jws)};
	struct bytes right[] = {world_approve(w, LI, jws)};
	struct entry_note note;
	struct rows r;

	(void)state;
	assert_int_equal(ask_issue(w, jws, wrong, 1, NULL), ERR_ROLE);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_EXAM_LATE);
	assert_int_equal(ask_issue(w, jws, right, 1, &r), ERR_OK);
	assert_int_equal(entry_note_decode(r.rows[0].e.note, &note), ERR_OK);
	assert_int_equal(note.official_count, 1);
	assert_true(bytes_equal(note.officials[0], key_thumb(w->people.keys[LI])));
}

static void
messages_of_another_form_are_refused(void **state)
{
	struct bytes jws = world_session(w, 1, 1), whole, approval = world_approve(w, LI, jws);
	struct bytes many[REQUEST_APPROVALS_MAX + 1];
	struct buf *b;

	(void)state;
	for (size_t i = 0; i <= REQUEST_APPROVALS_MAX; i++)
		many[i] = approval;
	assert_int_equal(ask_issue(w, jws, many, REQUEST_APPROVALS_MAX + 1, NULL), ERR_LIMIT);
	b = ask_start(w, 3);
	evidence_ask(b, jws, NULL, 0);
	cbor_put_array(b, 1); /* records come with what follows them */
	cbor_put_bytes(b, BYTES_LIT("record"));
	assert_int_equal(ask(w, authority_issue), ERR_PROTOCOL);
	b = ask_start(w, 3);
	evidence_ask(b, jws, NULL, 0);
	cbor_put_array(b, 0);
	whole = keep(w, buf_bytes(b));
	for (size_t n = 0; n < whole.n; n += n < 16 || n + 16 > whole.n ? 1 : 61)
		assert_int_not_equal(ask_bytes(w, authority_issue, bytes_of(whole.p, n)), ERR_OK);
	cbor_put_uint(b, 0);
	assert_int_equal(ask(w, authority_issue), ERR_TRAILING);
	assert_int_equal(ask_bytes(w, authority_issue, whole), ERR_OK);
	/* another type of request on this road */
	{
		struct rows r = world_issue(w, 500, 1);
		struct bytes revoke = world_revoke(w, WANG, &r.rows[0].e.record, 1);

		assert_int_equal(ask_issue(w, revoke, NULL, 0, NULL), ERR_TYPE_UNKNOWN);
	}
}

static void
the_daily_cap_holds_at_its_edge(void **state)
{
	struct session s = session_of(1, 4);
	uint8_t room[16384];
	struct buf b = BUF_OF(room);
	struct signed_entry e = {0};

	(void)state;
	assert_int_equal(ask_roster(w, 2, 5, &e), ERR_OK);
	world_extend(w, &e, 1);
	assert_int_equal(ask_issue(w, world_session(w, 1, 6), NULL, 0, NULL), ERR_CAP);
	assert_int_equal(ask_issue(w, world_session(w, 1, 5), NULL, 0, NULL), ERR_OK);
	world_issue(w, 1, 2);
	assert_int_equal(ask_issue(w, world_session(w, 10, 4), NULL, 0, NULL), ERR_CAP);
	s.failing = 1; /* who did not pass costs nothing */
	assert_int_equal(
	        ask_issue(w, session_sign(&s, w->people.keys[CENTER], &b), NULL, 0, NULL), ERR_OK);
	world_issue(w, 10, 3);
	assert_int_equal(ask_issue(w, world_session(w, 20, 1), NULL, 0, NULL), ERR_CAP);
	w->now += DAY_S; /* a new day */
	assert_int_equal(ask_issue(w, world_session(w, 20, 5), NULL, 0, NULL), ERR_OK);
}

/* Two answers that fit the cap each do not fit together: the log decides, also in one batch. */
static void
two_answers_within_the_cap_do_not_pass_it_together(void **state)
{
	struct signed_entry e = {0}, entries[8] = {0};
	enum err faults[8] = {ERR_OK};
	struct rows a, b;
	size_t n;

	(void)state;
	assert_int_equal(ask_roster(w, 2, 5, &e), ERR_OK);
	world_extend(w, &e, 1);
	assert_int_equal(ask_issue(w, world_session(w, 1, 3), NULL, 0, &a), ERR_OK);
	assert_int_equal(ask_issue(w, world_session(w, 9, 3), NULL, 0, &b), ERR_OK);
	n = rows_entries(&a, entries);
	n += rows_entries(&b, entries + n);
	assert_int_equal(ask_prepare(w, w->size, entries, n, faults), ERR_OK);
	assert_int_equal(faults[4], ERR_OK);
	assert_int_equal(faults[5], ERR_CAP);
	assert_int_equal(ask_extend(w, w->size, entries, n, NULL), ERR_CAP);
	assert_int_equal(state_of(w).size, w->size);
	world_extend(w, entries, 5);
}

static void
an_executed_request_is_refused(void **state)
{
	struct bytes jws = world_session(w, 1, 2), other;
	struct signed_entry entries[2] = {0};
	struct rows r;

	(void)state;
	assert_int_equal(ask_issue(w, jws, NULL, 0, &r), ERR_OK);
	world_extend(w, entries, rows_entries(&r, entries));
	assert_int_equal(ask_issue(w, jws, NULL, 0, &r), ERR_EXECUTED);
	world_reopen(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	assert_int_equal(ask_issue(w, jws, NULL, 0, &r), ERR_EXECUTED);
	other = world_session(w, 1, 2); /* the same seats, signed anew: another request */
	assert_int_equal(ask_issue(w, other, NULL, 0, &r), ERR_OK);
}

static void
a_session_in_which_nobody_passed_is_answered_and_draws_nothing(void **state)
{
	struct session s = session_of(1, 3);
	uint8_t room[8192];
	struct buf b = BUF_OF(room);
	struct rows r;

	(void)state;
	s.failing = 3;
	assert_int_equal(
	        ask_issue(w, session_sign(&s, w->people.keys[CENTER], &b), NULL, 0, &r), ERR_OK);
	for (size_t i = 0; i < 3; i++)
		assert_true(r.rows[i].outcome == OUTCOME_SCORE_PASS && !r.rows[i].has_entry);
	assert_int_equal(w->a->slot_next, 0);
}

static void
a_clock_that_is_wrong_stops_issuing(void **state)
{
	struct bytes jws = world_session(w, 1, 1);

	(void)state;
	w->now = NOW - 1; /* behind the log */
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_CLOCK);
	assert_int_equal(ask_number(w, authority_list, 0), ERR_CLOCK);
	assert_int_equal(state_of(w).problem, ERR_CLOCK);
	w->now = NOW;
	w->clock = ERR_CLOCK; /* it leapt */
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_CLOCK);
	assert_int_equal(ask_checkpoint(w, 3, &jws, &jws), ERR_CLOCK);
	w->clock = ERR_OK;
	jws = world_session(w, 1, 1);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_OK);
}

static void
a_start_long_after_the_log_waits_for_the_operator(void **state)
{
	struct bytes jws;

	(void)state;
	w->now = NOW + CLOCK_GAP_S_MAX;
	world_reopen(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	jws = world_session(w, 1, 1);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_OK);
	w->now++;
	world_reopen(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_CLOCK);
	w->a->clock_doubt = false; /* --confirm-clock */
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_OK);
}

static void
keys_and_rosters_that_are_over_issue_nothing(void **state)
{
	struct manifest_plan plan = manifest_plan_of(w);
	struct signed_entry e = {0};

	(void)state;
	plan.not_after = NOW + 100;
	assert_int_equal(ask_manifest(w, &plan, 2, &e), ERR_OK);
	world_extend(w, &e, 1);
	w->now = NOW + 99;
	assert_int_equal(ask_issue(w, world_session(w, 1, 1), NULL, 0, NULL), ERR_OK);
	w->now = NOW + 100;
	assert_int_equal(ask_issue(w, world_session(w, 1, 1), NULL, 0, NULL), ERR_RECORD_KEY);
	w->now = NOW + 1000 * (int64_t)DAY_S;
	assert_int_equal(ask_issue(w, world_session(w, 1, 1), NULL, 0, NULL), ERR_ROSTER_EXPIRED);
}

/* A slot that was drawn is never drawn again: two certificates on one place would share a fate. */
static void
slots_are_drawn_once(void **state)
{
	struct rows r = world_issue(w, 1, 3);
	struct entry_note note;
	uint8_t *text;
	size_t n;

	(void)state;
	assert_int_equal(w->a->slot_next, 3);
	text = folder_get(w->dir, "slots", &n);
	assert_true(n > 0 && text[0] != '3'); /* a block is reserved before its first is used */
	world_reopen(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	assert_int_equal(w->a->slot_next, 3); /* a clean end gives the rest back */
	/* the process dies: what was reserved is lost, and nothing is drawn twice */
	world_close(w);
	folder_put(w->dir, "slots", bytes_of(text, n));
	world_open(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	r = world_issue(w, 10, 1);
	assert_int_equal(entry_note_decode(r.rows[0].e.note, &note), ERR_OK);
	assert_true(note.slot >= 4096);
	/* an old file beside a newer log */
	world_close(w);
	folder_put(w->dir, "slots", BYTES_LIT("1"));
	world_open(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	r = world_issue(w, 20, 1);
	n = (size_t)note.slot;
	assert_int_equal(entry_note_decode(r.rows[0].e.note, &note), ERR_OK);
	assert_int_equal(note.slot, n + 1);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH(make_it, name) cmocka_unit_test_setup_teardown(name, make_it, unmake)
	        WITH(make_started, a_session_becomes_records_whose_entries_follow_from_them),
	        WITH(make, nothing_is_signed_before_the_publisher_has_spoken),
	        WITH(make, a_log_without_manifest_or_roster_issues_nothing),
	        WITH(make_started, sessions_with_one_thing_wrong_are_refused_by_name),
	        WITH(make_started, a_late_session_is_issued_with_an_officials_signature),
	        WITH(make_started, messages_of_another_form_are_refused),
	        WITH(make_started, the_daily_cap_holds_at_its_edge),
	        WITH(make_started, two_answers_within_the_cap_do_not_pass_it_together),
	        WITH(make_started, an_executed_request_is_refused),
	        WITH(make_started, a_session_in_which_nobody_passed_is_answered_and_draws_nothing),
	        WITH(make_started, a_clock_that_is_wrong_stops_issuing),
	        WITH(make_started, a_start_long_after_the_log_waits_for_the_operator),
	        WITH(make_started, keys_and_rosters_that_are_over_issue_nothing),
	        WITH(make_started, slots_are_drawn_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
