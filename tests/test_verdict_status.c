/* test_verdict_status.c - status, dates, questions, and the order of DESIGN.md section 6. */
#include "verdict_fixture.h"

/* REVOKED, SUSPENDED, SUPERSEDED */

static void
the_list_decides_the_status(void **state)
{
	struct fixture *f = *state;
	const struct {
		enum status s;
		enum verdict_code want;
	} rows[] = {
	        {STATUS_INVALID, VERDICT_REVOKED},
	        {STATUS_SUSPENDED, VERDICT_SUSPENDED},
	        {STATUS_SUPERSEDED, VERDICT_SUPERSEDED},
	        {STATUS_VALID, VERDICT_VALID},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		mark(f, rows[i].s);
		expect(f, rows[i].want, REASON_NONE);
		assert_false(f->v.has_row);
	}
}

static void
an_old_list_still_tells_of_a_revocation(void **state)
{
	struct fixture *f = *state;

	mark(f, STATUS_INVALID);
	f->in.now = WORLD_NOW + 30LL * DAY_S;
	expect(f, VERDICT_REVOKED, REASON_NONE);
	assert_true(f->v.status_expired);
}

static void
the_crl_gives_the_date(void **state)
{
	struct fixture *f = *state;
	struct crl_row row = {.reason = 9, .revoked_at = WORLD_NOW - 500, .invalid_from = 20000};
	struct crl *crl = NULL;
	uint8_t *der = NULL;
	size_t n = 0;

	memcpy(row.serial, f->cti, sizeof row.serial);
	world_crl(f->w, 0, WORLD_NOW - 100, &row, &der, &n);
	assert_int_equal(crl_open(bytes_of(der, n), f->w->ca, &crl), ERR_OK);
	f->in.crl = crl;
	mark(f, STATUS_INVALID);
	expect(f, VERDICT_REVOKED, REASON_NONE);
	assert_true(f->v.has_row);
	assert_int_equal(f->v.row.revoked_at, WORLD_NOW - 500);
	assert_int_equal(f->v.row.invalid_from, 20000);
	crl_free(crl);
	f->in.crl = NULL; /* the list is believed without */
	expect(f, VERDICT_REVOKED, REASON_NONE);
	assert_false(f->v.has_row);
	der[n - 1] ^= 1;
	assert_int_equal(crl_open(bytes_of(der, n), f->w->ca, &crl), ERR_SIGNATURE);
	free(der);
}

static void
a_crl_counts_alone_where_it_is_final_or_newer(void **state)
{
	struct fixture *f = *state;
	const struct {
		const char *what;
		int reason;
		int64_t at;
		bool list;
		enum verdict_code want;
	} rows[] = {
	        {"revoked, older than the list", 9, WORLD_NOW - 200, true, VERDICT_REVOKED},
	        {"revoked, no list", 9, WORLD_NOW - 200, false, VERDICT_REVOKED},
	        {"a hold that ended before the list", 6, WORLD_NOW - 200, true, VERDICT_VALID},
	        {"a hold after the list", 6, WORLD_NOW - 50, true, VERDICT_SUSPENDED},
	        {"a hold, no list", 6, WORLD_NOW - 200, false, VERDICT_SUSPENDED},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct crl_row row = {.reason = rows[i].reason,
		        .revoked_at = WORLD_NOW - 500,
		        .invalid_from = 20000};
		struct crl *crl = NULL;
		uint8_t *der = NULL;
		size_t n = 0;

		memcpy(row.serial, f->cti, sizeof row.serial);
		world_crl(f->w, 0, rows[i].at, &row, &der, &n);
		assert_int_equal(crl_open(bytes_of(der, n), f->w->ca, &crl), ERR_OK);
		f->in.crl = crl;
		f->in.list_token = rows[i].list ? f->list : bytes_of(NULL, 0);
		verdict_find(&f->in, &f->v);
		if (f->v.code != rows[i].want)
			fail_msg("%s: %s", rows[i].what, verdict_word(f->v.code));
		crl_free(crl);
		free(der);
	}
}

/* STATUS_UNKNOWN, VALID_AS_OF */

static void
status_data_grows_stale_and_then_unknown(void **state)
{
	struct fixture *f = *state;
	const struct {
		int64_t list_age, age_max;
		enum verdict_code want;
	} rows[] = {
	        {0, STATUS_FRESH_S, VERDICT_VALID}, {STATUS_FRESH_S, STATUS_FRESH_S, VERDICT_VALID},
	        {STATUS_FRESH_S + 1, STATUS_FRESH_S, VERDICT_VALID_AS_OF},
	        {STATUS_FRESH_S + 1, STATUS_FRESH_S + 1, VERDICT_VALID},
	        {1, 0, VERDICT_VALID_AS_OF}, {LIST_LIFETIME_S - 1, LIST_LIFETIME_S, VERDICT_VALID},
	        {LIST_LIFETIME_S, 10 * LIST_LIFETIME_S,
	                VERDICT_STATUS_UNKNOWN}, /* whatever age was asked for */
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fixture_list(f, WORLD_NOW - rows[i].list_age);
		f->in.age_s_max = rows[i].age_max;
		expect(f, rows[i].want, REASON_NONE);
	}
	f->in.list_token = bytes_of(NULL, 0);
	expect(f, VERDICT_STATUS_UNKNOWN, REASON_NONE);
	assert_int_equal(f->v.status_time, -1);
}

/* dates */

static void
dates_are_judged_at_their_edges(void **state)
{
	struct fixture *f = *state;
	const struct {
		int64_t now;
		enum verdict_code want;
	} rows[] = {
	        {f->r.nbf - 1, VERDICT_NOT_YET_VALID},
	        {f->r.nbf, VERDICT_VALID},
	        {date_shanghai_start(f->r.review_due + 1) - 1,
	                VERDICT_VALID}, /* the review's day is still in time */
	        {date_shanghai_start(f->r.review_due + 1), VERDICT_REVIEW_OVERDUE},
	        {f->r.exp - 1, VERDICT_REVIEW_OVERDUE},
	        {f->r.exp, VERDICT_EXPIRED},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fixture_list(f, rows[i].now);
		f->in.now = rows[i].now;
		expect(f, rows[i].want, REASON_NONE);
		fixture_list(f, WORLD_NOW);
		f->in.now = WORLD_NOW;
		f->in.at = rows[i].now; /* the same question, asked of that time */
		expect(f, rows[i].want, REASON_NONE);
		f->in.at = -1;
	}
	f->r.review_due = -1;
	fixture_record(f, f->w->record);
	f->in.at = f->r.exp - 1;
	expect(f, VERDICT_VALID, REASON_NONE);
}

static void
a_question_about_the_past_never_hides_a_revocation(void **state)
{
	struct fixture *f = *state;

	mark(f, STATUS_INVALID);
	f->in.at = f->r.nbf + 5;
	expect(f, VERDICT_REVOKED, REASON_NONE);
}

static void
a_clock_that_is_behind_takes_the_newest_signed_time(void **state)
{
	struct fixture *f = *state;

	f->in.now = 0; /* 1970: the list's own time is later */
	expect(f, VERDICT_VALID, REASON_NONE);
	assert_int_equal(f->v.now, WORLD_NOW - 100);
	f->in.newest = f->r.exp; /* and something newer was seen */
	expect(f, VERDICT_EXPIRED, REASON_NONE);
	f->in.newest = 0; /* control: without any signed time the clock is all there is */
	f->in.list_token = bytes_of(NULL, 0);
	expect(f, VERDICT_NOT_YET_VALID, REASON_NONE);
}

/* mismatch */

static void
another_item_or_person_is_a_mismatch(void **state)
{
	struct fixture *f = *state;

	f->in.item = BYTES_LIT("030102");
	f->in.document = BYTES_LIT(
	        "３３００００１９９６０８２１３８９７"); /* full width: normalised first */
	expect(f, VERDICT_VALID, REASON_NONE);
	assert_true(f->v.document_matched);
	f->in.document = BYTES_LIT("330000199608213898");
	expect(f, VERDICT_PERSON_MISMATCH, REASON_NONE);
	assert_false(f->v.document_matched);
	f->in.item = BYTES_LIT("030101");
	expect(f, VERDICT_ITEM_MISMATCH, REASON_NONE);
	f->in.document = BYTES_LIT("3300001996082138973300001996082138973300001996");
	expect(f, VERDICT_ITEM_MISMATCH, REASON_NONE);
	f->in.item = bytes_of(NULL, 0);
	expect(f, VERDICT_PERSON_MISMATCH, REASON_NONE);
}

/* order */

static void
spoil(struct fixture *f, enum verdict_code code)
{
	switch (code) {
	case VERDICT_MALFORMED:
		f->in.data.n--;
		return;
	case VERDICT_NOT_ISSUED:
		f->w->m.keys[0].not_after = f->w->m.keys[0].not_before + 1;
		return;
	case VERDICT_ATTACK:
		f->w->m.keys[3].not_after = 1; /* the list is not by a key in force */
		return;
	case VERDICT_NOT_LOGGED:
		f->in.require_log = true;
		return;
	case VERDICT_REVOKED:
		mark(f, STATUS_INVALID);
		return;
	case VERDICT_SUPERSEDED:
		mark(f, STATUS_SUPERSEDED);
		return;
	case VERDICT_SUSPENDED:
		mark(f, STATUS_SUSPENDED);
		return;
	case VERDICT_EXPIRED:
		f->in.at = f->r.exp;
		return;
	case VERDICT_NOT_YET_VALID:
		f->in.at = f->r.nbf - 1;
		return;
	case VERDICT_REVIEW_OVERDUE:
		f->in.at = f->r.exp - 1;
		return;
	case VERDICT_ITEM_MISMATCH:
		f->in.item = BYTES_LIT("030101");
		return;
	case VERDICT_PERSON_MISMATCH:
		f->in.document = BYTES_LIT("1");
		return;
	case VERDICT_STATUS_UNKNOWN:
		f->in.list_token = bytes_of(NULL, 0);
		return;
	case VERDICT_VALID_AS_OF:
		f->in.age_s_max = 0;
		return;
	case VERDICT_VALID:
	case VERDICT_COUNT:
	default:
		return;
	}
}

/* Faults that use the same knob cannot stand together. */
static bool
together(enum verdict_code a, enum verdict_code b)
{
	bool dates = a >= VERDICT_EXPIRED && a <= VERDICT_REVIEW_OVERDUE && b >= VERDICT_EXPIRED &&
	             b <= VERDICT_REVIEW_OVERDUE;
	bool status = a >= VERDICT_REVOKED && a <= VERDICT_SUSPENDED && b >= VERDICT_REVOKED &&
	              b <= VERDICT_SUSPENDED;
	bool list = b == VERDICT_STATUS_UNKNOWN &&
	            (a == VERDICT_ATTACK || (a >= VERDICT_REVOKED && a <= VERDICT_SUSPENDED));

	return !dates && !status && !list;
}

static void
of_two_faults_the_first_of_the_table_is_the_verdict(void **state)
{
	unsigned pairs = 0;

	(void)state;
	for (unsigned a = 0; a < VERDICT_COUNT; a++)
		for (unsigned b = a; b < VERDICT_COUNT; b++) {
			void *fixture = NULL;
			struct fixture *f = NULL;

			if (!together((enum verdict_code)a, (enum verdict_code)b) && a != b)
				continue;
			fixture_make(&fixture);
			f = fixture;
			spoil(f, (enum verdict_code)b);
			if (a != b)
				spoil(f, (enum verdict_code)a);
			verdict_find(&f->in, &f->v);
			if (f->v.code != (enum verdict_code)a)
				fail_msg("%s, not %s, beside %s", verdict_word(f->v.code),
				        verdict_word((enum verdict_code)a),
				        verdict_word((enum verdict_code)b));
			pairs++;
			fixture_free(&fixture);
		}
	assert_true(pairs > 100);
}

static void
the_table_is_in_the_order_and_with_the_codes_of_the_design(void **state)
{
	static const struct {
		const char *word;
		int code;
	} rows[] = {{"MALFORMED", 70}, {"NOT_ISSUED", 40}, {"ATTACK", 60}, {"NOT_LOGGED", 50},
	        {"REVOKED", 20}, {"SUPERSEDED", 22}, {"SUSPENDED", 21}, {"EXPIRED", 30},
	        {"NOT_YET_VALID", 31}, {"REVIEW_OVERDUE", 32}, {"ITEM_MISMATCH", 80},
	        {"PERSON_MISMATCH", 81}, {"STATUS_UNKNOWN", 11}, {"VALID_AS_OF", 10}, {"VALID", 0}};

	(void)state;
	assert_int_equal(VERDICT_COUNT, sizeof rows / sizeof rows[0]);
	for (unsigned i = 0; i < VERDICT_COUNT; i++) {
		assert_string_equal(verdict_word((enum verdict_code)i), rows[i].word);
		assert_int_equal(verdict_exit((enum verdict_code)i), rows[i].code);
	}
}

static void
no_word_calls_a_certificate_false(void **state)
{
	static const char *const never[] = {"fake", "Fake", "FAKE", "forged", "假", "伪"};

	(void)state;
	for (size_t n = 0; n < sizeof never / sizeof never[0]; n++) {
		for (unsigned i = 0; i < VERDICT_COUNT; i++) {
			assert_null(strstr(verdict_zh((enum verdict_code)i), never[n]));
			assert_null(strstr(verdict_en((enum verdict_code)i), never[n]));
		}
		for (unsigned i = 0; i < REASON_COUNT; i++) {
			assert_null(strstr(reason_zh((enum verdict_reason)i), never[n]));
			assert_null(strstr(reason_en((enum verdict_reason)i), never[n]));
		}
	}
}

static void
the_list_that_is_needed_is_told_beforehand(void **state)
{
	struct fixture *f = *state;
	uint32_t list = 9;

	f->r.list = 4;
	fixture_record(f, f->w->record);
	assert_int_equal(verdict_list(f->bare, &list), ERR_OK);
	assert_int_equal(list, 4);
	assert_int_not_equal(verdict_list(BYTES_LIT("ZZ1:0"), &list), ERR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(the_list_decides_the_status),
	        T(an_old_list_still_tells_of_a_revocation),
	        T(the_crl_gives_the_date),
	        T(a_crl_counts_alone_where_it_is_final_or_newer),
	        T(status_data_grows_stale_and_then_unknown),
	        T(dates_are_judged_at_their_edges),
	        T(a_question_about_the_past_never_hides_a_revocation),
	        T(a_clock_that_is_behind_takes_the_newest_signed_time),
	        T(another_item_or_person_is_a_mismatch),
	        cmocka_unit_test(of_two_faults_the_first_of_the_table_is_the_verdict),
	        cmocka_unit_test(the_table_is_in_the_order_and_with_the_codes_of_the_design),
	        cmocka_unit_test(no_word_calls_a_certificate_false),
	        T(the_list_that_is_needed_is_told_beforehand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
