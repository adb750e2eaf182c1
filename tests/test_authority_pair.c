/* test_authority_pair.c - a certificate that follows another comes with the end of that one or not
 * at all, whatever the front appends and whoever comes in between. */
#include "follow_world.h"

/* ---- what the log takes ---- */

/* Refused by PREPARE (first fault at `at`) and by EXTEND, and nothing has changed. */
static void
refused(const char *what, const struct signed_entry *entries, size_t count, size_t at)
{
	struct state_answer before = state_of(w), after;
	enum err faults[8] = {ERR_OK};
	size_t first = 0;

	assert_int_equal(ask_prepare(w, w->size, entries, count, faults), ERR_OK);
	while (first < count && faults[first] == ERR_OK)
		first++;
	if (first != at)
		fail_msg("%s: first fault at %zu", what, first);
	assert_int_not_equal(ask_extend(w, w->size, entries, count, NULL), ERR_OK);
	after = state_of(w);
	assert_true(bytes_equal(before.all, after.all));
	for (size_t i = 0; i < CERTS; i++)
		assert_int_not_equal(status_of(records[i]), STATUS_SUPERSEDED);
}

/* A front with every entry in its hand: 0 and 2 replace, 1 and 3 end, 4 and 5 are of another answer
 * to the same request, 6 is of somebody else. */
static void
a_pair_is_appended_whole_and_in_order_or_not_at_all(void **state)
{
	static const struct {
		const char *what;
		size_t count, order[4], at;
	} rows[] = {
	        {"a new one alone", 1, {0}, 0},
	        {"an end alone", 1, {1}, 0},
	        {"the end first", 2, {1, 0}, 0},
	        {"two new ones", 2, {0, 2}, 1},
	        {"ends after both", 4, {0, 2, 1, 3}, 1},
	        {"seats swapped", 4, {0, 3, 2, 1}, 1},
	        {"another's end", 2, {0, 3}, 1},
	        {"something between", 3, {0, 6, 1}, 1},
	        {"the end of another answer", 2, {0, 5}, 1},
	        {"answers mixed", 4, {0, 5, 4, 1}, 1},
	        {"the end twice", 3, {0, 1, 1}, 2},
	        {"the pair twice", 4, {0, 1, 0, 1}, 2},
	        {"two answers, one after the other", 4, {0, 1, 4, 5}, 2},
	        {"a second pair that stays open", 3, {0, 1, 2}, 2},
	};
	const struct proof p = {.records = records, .record_count = 2};
	struct bytes jws = session_after("renewal", 1, 2, records);
	struct signed_entry all[12], pick[4];
	struct rows r, again, stranger;
	size_t n;

	(void)state;
	assert_int_equal(ask_issue_with(w, jws, &p, &r), ERR_OK);
	assert_int_equal(ask_issue_with(w, jws, &p, &again), ERR_OK);
	assert_int_equal(ask_issue(w, world_session(w, 80, 1), NULL, 0, &stranger), ERR_OK);
	n = rows_entries(&r, all);
	assert_int_equal(n, 4);
	assert_int_equal(rows_entries(&again, all + n), 4);
	rows_entries(&stranger, all + 6);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t k = 0; k < rows[i].count; k++)
			pick[k] = all[rows[i].order[k]];
		refused(rows[i].what, pick, rows[i].count, rows[i].at);
	}
	/* a batch that ends between the two, and another that begins there */
	assert_int_equal(ask_extend(w, w->size, all, 3, NULL), ERR_MOVE);
	assert_int_equal(ask_extend(w, w->size, all, 1, NULL), ERR_MOVE);
	assert_int_equal(ask_extend(w, w->size + 1, all + 1, 1, NULL), ERR_SIZE);
	world_extend(w, all, 4);
	assert_int_equal(status_of(records[0]), STATUS_SUPERSEDED);
	/* again: the same place is known, another is not given */
	assert_int_equal(ask_extend(w, w->size - 4, all, 4, NULL), ERR_OK);
	assert_int_equal(ask_extend(w, w->size - 3, all + 1, 3, NULL), ERR_OK);
	assert_int_equal(ask_extend(w, w->size, all, 4, NULL), ERR_EXECUTED);
	assert_int_equal(ask_extend(w, w->size, all + 4, 2, NULL), ERR_EXECUTED);
	assert_int_equal(state_of(w).size, w->size);
}

/* Who was first is first: the pair falls whole. */
static void
what_changed_between_answer_and_log_refuses_the_pair_whole(void **state)
{
	struct rows a = renew(1), b = renew(1), c = renew(2);
	struct signed_entry pair[2], two[4];
	enum err faults[4];

	(void)state;
	rows_entries(&a, pair);
	assert_int_equal(ask_prepare(w, w->size, pair, 2, faults), ERR_OK);
	assert_true(faults[0] == ERR_OK && faults[1] == ERR_OK); /* negative control */
	revoke_it(records[0]);
	refused("revoked", pair, 2, 1);
	assert_int_equal(status_of(records[0]), STATUS_INVALID);
	/* of a session of two the other seat waits for its next answer, nothing half done */
	rows_entries(&c, two);
	refused("a session with one revoked", two, 4, 1);
	rows_entries(&b, pair);
	refused("another answer", pair, 2, 1);
	assert_int_equal(follow_one("renewal", records[0], records[0], NULL), OUTCOME_NO_MOVE);
}

static void
a_hold_that_came_first_is_not_ended_by_a_renewal(void **state)
{
	struct rows a = renew(1);
	struct signed_entry pair[2];

	(void)state;
	rows_entries(&a, pair);
	hold(records[0]);
	refused("on hold", pair, 2, 1);
	assert_int_equal(status_of(records[0]), STATUS_SUSPENDED);
}

static void
of_two_renewals_of_one_certificate_the_first_counts(void **state)
{
	struct rows a = renew(1), b = renew(1);
	struct signed_entry all[4];
	enum err faults[4];

	(void)state;
	rows_entries(&a, all);
	rows_entries(&b, all + 2);
	assert_int_equal(ask_prepare(w, w->size, all, 4, faults), ERR_OK);
	assert_true(faults[1] == ERR_OK && faults[2] == ERR_OK && faults[3] == ERR_MOVE);
	assert_int_equal(ask_extend(w, w->size, all, 4, NULL), ERR_MOVE);
	world_extend(w, all + 2, 2);
	assert_int_equal(ask_extend(w, w->size, all, 2, NULL), ERR_MOVE);
	assert_int_equal(status_of(a.rows[0].e.record), STATUS_VALID); /* a place, no certificate */
	assert_int_equal(status_of(records[0]), STATUS_SUPERSEDED);
}

/* Snapshot and journal, and a signer that gets everything from the database, say the same. */
static void
a_restart_and_a_catch_up_say_the_same_of_the_pairs(void **state)
{
	static const size_t batches[] = {3, CERTS, 4, 2};
	char second[FOLDER_BYTES], first[FOLDER_BYTES];
	struct rows a = renew(2), b;
	struct state_answer was, is;

	(void)state;
	append(&a);
	authority_snapshot(w->a);
	assert_int_equal(follow_one("review", records[2], records[2], &b), OUTCOME_NOT_SAME_HOLDER);
	assert_int_equal(replace(WANG, LOST, records[0], &b), ERR_OK);
	assert_int_equal(b.rows[0].outcome, OUTCOME_NO_MOVE);
	assert_int_equal(
	        follow_one("review", a.rows[0].e.record, a.rows[0].e.record, &b), OUTCOME_ISSUED);
	append(&b);
	was = state_of(w);
	world_reopen(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	is = state_of(w);
	assert_true(bytes_equal(was.all, is.all));
	assert_int_equal(status_of(a.rows[0].e.record), STATUS_SUPERSEDED);
	world_close(w);
	folder_make(second);
	state_make(w, second);
	memcpy(first, w->dir, sizeof first);
	memcpy(w->dir, second, sizeof second);
	world_open(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	for (size_t i = 0, at = 0; i < sizeof batches / sizeof batches[0]; at += batches[i++])
		assert_int_equal(ask_extend(w, at, w->log_entries + at, batches[i], NULL), ERR_OK);
	is = state_of(w);
	assert_true(is.size == was.size && memcmp(is.root.b, was.root.b, SHA256_BYTES) == 0);
	assert_int_equal(status_of(records[1]), STATUS_SUPERSEDED);
	assert_int_equal(status_of(b.rows[0].e.record), STATUS_VALID);
	folder_remove(first);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
	        TEST(a_pair_is_appended_whole_and_in_order_or_not_at_all),
	        TEST(what_changed_between_answer_and_log_refuses_the_pair_whole),
	        TEST(a_hold_that_came_first_is_not_ended_by_a_renewal),
	        TEST(of_two_renewals_of_one_certificate_the_first_counts),
	        TEST(a_restart_and_a_catch_up_say_the_same_of_the_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
