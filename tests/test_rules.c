/* test_rules.c - whole sessions: who may hand them in, for what, and when, each rule at its edge.
 */
#include "rules_world.h"

static void
a_good_session_passes(void **state)
{
	struct world w;
	struct rules_session s;

	(void)state;
	world_make(&w);
	assert_int_equal(check(&w, &s), ERR_OK);
	assert_true(bytes_equal_text(s.item->code, "030102"));
	assert_true(bytes_equal_text(s.policy->id, "SP-19"));
	assert_int_equal(s.exam_day, date_from_civil(2026, 10, 17));
	assert_false(s.late);
}

static void
role_centre_and_scope_are_the_signers(void **state)
{
	static const struct {
		const char *what, *center, *region, *item;
		enum role role;
		enum err want;
	} rows[] = {
	        {"as entitled", "330106-01", "330000", "030102", ROLE_CENTER, ERR_OK},
	        {"prefix of two digits", "330106-01", "110105", "030102", ROLE_CENTER, ERR_OK},
	        {"official", "330106-01", "330000", "030102", ROLE_OFFICIAL, ERR_ROLE},
	        {"other centre", "330106-02", "330000", "030102", ROLE_CENTER, ERR_CENTER},
	        {"longer code", "330106-011", "330000", "030102", ROLE_CENTER, ERR_CENTER},
	        {"no code", "", "330000", "030102", ROLE_CENTER, ERR_CENTER},
	        {"other region", "330106-01", "440000", "030102", ROLE_CENTER, ERR_SCOPE_REGION},
	        {"below a full code", "330106-01", "330106", "030102", ROLE_CENTER,
	                ERR_SCOPE_REGION},
	        {"region too short", "330106-01", "11", "030102", ROLE_CENTER, ERR_SCOPE_REGION},
	        {"region too long", "330106-01", "1101050", "030102", ROLE_CENTER,
	                ERR_SCOPE_REGION},
	        {"region of letters", "330106-01", "11010x", "030102", ROLE_CENTER,
	                ERR_SCOPE_REGION},
	        {"no region", "330106-01", "", "030102", ROLE_CENTER, ERR_SCOPE_REGION},
	        {"unknown item", "330106-01", "330000", "030199", ROLE_CENTER, ERR_ITEM_UNKNOWN},
	        {"category", "330106-01", "330000", "0301", ROLE_CENTER, ERR_ITEM_UNKNOWN},
	        {"management item", "330106-01", "330000", "020301", ROLE_CENTER, ERR_SCOPE_ITEM},
	        {"Beijing's item elsewhere", "330106-01", "330000", "031901", ROLE_CENTER,
	                ERR_SCOPE_ITEM},
	        {"Beijing's item in Beijing", "330106-01", "110000", "031901", ROLE_CENTER, ERR_OK},
	        {"Beijing's item in Chaoyang", "330106-01", "110105", "031901", ROLE_CENTER,
	                ERR_OK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world w;
		struct rules_session s;
		enum err e;

		world_make(&w);
		w.center.role = rows[i].role;
		w.request.session.center = bytes_of_text(rows[i].center);
		w.request.session.region = bytes_of_text(rows[i].region);
		w.request.session.item = bytes_of_text(rows[i].item);
		if ((e = check(&w, &s)) != rows[i].want)
			fail_msg("%s: %s", rows[i].what, err_word(e));
	}
}

static void
an_empty_scope_entitles_to_nothing(void **state)
{
	struct world w;
	struct rules_session s;

	(void)state;
	world_make(&w);
	w.center.region_count = 0;
	assert_int_equal(check(&w, &s), ERR_SCOPE_REGION);
	world_make(&w);
	w.center.items[0] = BYTES_LIT("");
	assert_int_equal(check(&w, &s), ERR_SCOPE_ITEM);
}

static void
times_are_checked_at_their_edges(void **state)
{
	static const struct {
		const char *what, *theory, *practical, *now;
		enum err want;
		bool late;
	} rows[] = {
	        {"one moment", "2026-10-17T14:00:00+08:00", "2026-10-17T14:00:00+08:00",
	                "2026-10-17T14:00:00+08:00", ERR_OK, false},
	        {"practical first", "2026-10-17T14:00:01+08:00", "2026-10-17T14:00:00+08:00",
	                "2026-10-18T00:00:00+08:00", ERR_EXAM_ORDER, false},
	        {"365 days apart", "2025-10-17T00:00:00+08:00", "2026-10-17T23:59:59+08:00",
	                "2026-10-18T00:00:00+08:00", ERR_OK, false},
	        {"366 days apart", "2025-10-16T23:59:59+08:00", "2026-10-17T00:00:00+08:00",
	                "2026-10-18T00:00:00+08:00", ERR_EXAM_ORDER, false},
	        {"a second ahead", "2026-10-17T09:00:00+08:00", "2026-10-17T14:00:01+08:00",
	                "2026-10-17T14:00:00+08:00", ERR_EXAM_FUTURE, false},
	        {"60 days ago", "2026-10-17T00:00:00+08:00", "2026-10-17T00:00:00+08:00",
	                "2026-12-16T23:59:59+08:00", ERR_OK, false},
	        {"61 days ago", "2026-10-17T00:00:00+08:00", "2026-10-17T23:59:59+08:00",
	                "2026-12-17T00:00:00+08:00", ERR_OK, true},
	        {"365 days ago", "2026-10-17T00:00:00+08:00", "2026-10-17T00:00:00+08:00",
	                "2027-10-17T23:59:59+08:00", ERR_OK, true},
	        {"366 days ago", "2026-10-17T00:00:00+08:00", "2026-10-17T23:59:59+08:00",
	                "2027-10-18T00:00:00+08:00", ERR_EXAM_TOO_OLD, false},
	        {"before any policy", "2010-06-30T09:00:00+08:00", "2010-06-30T23:59:59+08:00",
	                "2010-07-01T09:00:00+08:00", ERR_POLICY_NONE, false},
	        {"first day of a policy in Shanghai", "2010-06-30T09:00:00+08:00",
	                "2010-06-30T16:00:00Z", "2010-07-01T09:00:00+08:00", ERR_OK, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world w;
		struct rules_session s = {.late = false};
		enum err e;

		world_make(&w);
		w.request.session.theory_at = moment(rows[i].theory);
		w.request.session.practical_at = moment(rows[i].practical);
		w.now = moment(rows[i].now);
		if ((e = check(&w, &s)) != rows[i].want || s.late != rows[i].late)
			fail_msg("%s: %s, late %d", rows[i].what, err_word(e), s.late);
	}
}

static void
the_policy_is_that_of_the_practical_day(void **state)
{
	struct world w;
	struct rules_session s;

	(void)state;
	world_make(&w);
	w.request.session.theory_at = moment("2026-05-30T09:00:00+08:00");
	w.request.session.practical_at = moment("2026-05-31T23:59:59+08:00");
	w.now = moment("2026-06-02T00:00:00+08:00");
	assert_int_equal(check(&w, &s), ERR_OK);
	assert_true(bytes_equal_text(s.policy->id, "SP-30"));
	w.request.session.practical_at = moment("2026-05-31T16:00:00Z");
	assert_int_equal(check(&w, &s), ERR_OK);
	assert_true(bytes_equal_text(s.policy->id, "SP-19"));
}

static void
two_different_examiners_are_needed(void **state)
{
	struct world w;
	struct rules_session s;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		world_make(&w);
		w.request.session.examiners[i] = BYTES_LIT("");
		assert_int_equal(check(&w, &s), ERR_EXAMINERS);
	}
	world_make(&w);
	w.request.session.examiners[1] = BYTES_LIT("E33-0069");
	assert_int_equal(check(&w, &s), ERR_EXAMINERS);
}

static void
other_bases_are_not_served(void **state)
{
	static const char *const bases[] = {"renewal", "review", "", "Initial"};
	struct world w;
	struct rules_session s;

	(void)state;
	for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
		world_make(&w);
		w.request.session.basis = bytes_of_text(bases[i]);
		assert_int_equal(check(&w, &s), ERR_BASIS);
	}
	world_make(&w);
	w.seats[0].follows = BYTES_LIT("00112233445566778899aabbccddeeff");
	assert_int_equal(check(&w, &s), ERR_BASIS);
	world_make(&w);
	w.request.type = REQUEST_REVOKE;
	assert_int_equal(check(&w, &s), ERR_TYPE_UNKNOWN);
}

static void
seat_numbers_are_distinct_in_any_order(void **state)
{
	static const struct {
		unsigned seats[3];
		enum err want;
	} rows[] = {
	        {{1, 2, 3}, ERR_OK},
	        {{3, 1, 2}, ERR_OK},
	        {{99999, 1, 8}, ERR_OK},
	        {{7, 8, 9}, ERR_OK},
	        {{1, 2, 1}, ERR_SEATS},
	        {{99999, 1, 99999}, ERR_SEATS},
	        {{0, 1, 2}, ERR_SEATS},
	        {{1, 2, 100000}, ERR_SEATS},
	        {{1, 2, UINT32_MAX}, ERR_SEATS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world w;
		struct rules_session s;

		world_make(&w);
		for (size_t k = 0; k < 3; k++) {
			w.seats[k] = good_seat(1);
			w.seats[k].seat = rows[i].seats[k];
		}
		w.request.seat_count = 3;
		assert_int_equal(check(&w, &s), rows[i].want);
	}
}

static void
a_session_has_1_to_5000_seats(void **state)
{
	struct request_seat *seats = calloc(REQUEST_SEATS_MAX + 1, sizeof *seats);
	struct world w;
	struct rules_session s;

	(void)state;
	assert_non_null(seats);
	world_make(&w);
	for (unsigned i = 0; i <= REQUEST_SEATS_MAX; i++)
		seats[i] = good_seat(i + 1);
	w.request.seats = seats;
	w.request.seat_count = REQUEST_SEATS_MAX;
	assert_int_equal(check(&w, &s), ERR_OK);
	w.request.seat_count = REQUEST_SEATS_MAX + 1;
	assert_int_equal(check(&w, &s), ERR_SEATS);
	w.request.seat_count = 0;
	assert_int_equal(check(&w, &s), ERR_SEATS);
	free(seats);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_good_session_passes),
	        cmocka_unit_test(role_centre_and_scope_are_the_signers),
	        cmocka_unit_test(an_empty_scope_entitles_to_nothing),
	        cmocka_unit_test(times_are_checked_at_their_edges),
	        cmocka_unit_test(the_policy_is_that_of_the_practical_day),
	        cmocka_unit_test(two_different_examiners_are_needed),
	        cmocka_unit_test(other_bases_are_not_served),
	        cmocka_unit_test(seat_numbers_are_distinct_in_any_order),
	        cmocka_unit_test(a_session_has_1_to_5000_seats),
	};

	return cmocka_run_group_tests(tests, open_field, close_field);
}
