/* test_fold.c - the log decides: each check of an entry against the log before it, at its edge, and
 * checking changes nothing. */
#include "fold_world.h"

static struct world *w;

static int
make(void **state)
{
	(void)state;
	w = world_make();
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static int
clear(void **state)
{
	(void)state;
	world_clear(w);
	roster_free(w->roster);
	w->roster = NULL;
	return 0;
}

static enum status
status_of(uint32_t idx)
{
	enum status s = STATUS_INVALID;

	assert_int_equal(fold_status(&w->fold, 0, idx, &s), ERR_OK);
	return s;
}

static void
the_genesis_is_first_and_only_there(void **state)
{
	(void)state;
	assert_int_equal(put(w, issue_new(w, NOW, 1)), ERR_NOT_READY);
	assert_int_equal(put(w, version_new(w, ENTRY_MANIFEST, NOW, 1)), ERR_NOT_READY);
	assert_int_equal(put(w, entry_new(w, ENTRY_GENESIS, NOW)), ERR_OK);
	assert_int_equal(put(w, entry_new(w, ENTRY_GENESIS, NOW)), ERR_NOT_READY);
	assert_int_equal(put(w, version_new(w, ENTRY_MANIFEST, NOW, 1)), ERR_OK);
	assert_int_equal(w->fold.frontier.size, 2);
}

/* Also inside of one batch. */
static void
a_batch_may_begin_with_the_genesis(void **state)
{
	struct fold_batch *b = NULL;

	(void)state;
	assert_int_equal(fold_batch_open(&w->fold, NULL, false, &b), ERR_OK);
	assert_int_equal(batch_put(b, entry_new(w, ENTRY_GENESIS, NOW)), ERR_OK);
	assert_int_equal(batch_put(b, entry_new(w, ENTRY_GENESIS, NOW)), ERR_NOT_READY);
	assert_int_equal(batch_put(b, version_new(w, ENTRY_ROSTER, NOW, 1)), ERR_OK);
	fold_batch_apply(b, &w->fold);
	fold_batch_free(b);
	assert_int_equal(w->fold.frontier.size, 2);
	assert_int_equal(w->fold.roster_version, 1);
}

static void
checks_change_nothing(void **state)
{
	struct fold_batch *b = NULL;
	struct merkle_hash before, after;
	struct world_entry *issue, *revoke;

	(void)state;
	world_start(w);
	merkle_root(&w->fold.frontier, &before);
	assert_int_equal(fold_batch_open(&w->fold, NULL, true, &b), ERR_OK);
	assert_int_equal(batch_put(b, issue = issue_new(w, NOW + 5, 2)), ERR_OK);
	assert_int_equal(
	        batch_put(b, revoke = status_new(w, NOW + 5, 0, STATUS_INVALID, 1)), ERR_OK);
	assert_int_equal(batch_put(b, list_new(w, NOW + 6)), ERR_OK);
	assert_int_equal(batch_put(b, version_new(w, ENTRY_ROSTER, NOW + 6, 5)), ERR_OK);
	assert_int_equal(batch_put(b, stop_new(w, NOW + 6, "330106-01", false)), ERR_OK);
	fold_batch_free(b);
	merkle_root(&w->fold.frontier, &after);
	assert_memory_equal(before.b, after.b, SHA256_BYTES);
	assert_true(w->fold.time == NOW && w->fold.roster_version == 0);
	assert_int_equal(status_of(0), STATUS_VALID);
	assert_false(fold_executed(&w->fold, issue->e.request, bytes_of(NULL, 0)));
	assert_false(fold_executed(&w->fold, revoke->e.request, revoke->e.cti));
	assert_int_equal(w->fold.lists[0].sequence, 0);
	assert_false(holds_stopped(&w->fold.holds, BYTES_LIT("330106-01")));
	assert_int_equal(fold_issued(&w->fold, BYTES_LIT("330106-01"), date_shanghai(NOW)), 1);
	/* the same entries pass again, and now they count */
	assert_int_equal(put(w, issue), ERR_OK);
	assert_int_equal(put(w, revoke), ERR_OK);
	assert_int_equal(status_of(0), STATUS_INVALID);
	assert_true(fold_executed(&w->fold, issue->e.request, bytes_of(NULL, 0)));
	assert_true(fold_executed(&w->fold, revoke->e.request, revoke->e.cti));
	assert_int_equal(fold_issued(&w->fold, BYTES_LIT("330106-01"), date_shanghai(NOW)), 2);
}

static void
the_tree_is_that_of_the_entries(void **state)
{
	struct merkle_frontier f = {0};
	struct merkle_hash mine, leaf, want;

	(void)state;
	world_start(w);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(put(w, issue_new(w, NOW, 2 + i)), ERR_OK);
	for (size_t i = 0; i < w->count; i++) {
		struct buf b = BUF_OF(w->entries[i].bytes);

		entry_put(&w->entries[i].e, &b);
		merkle_leaf(buf_bytes(&b), &leaf);
		merkle_append(&f, &leaf);
	}
	merkle_root(&f, &want);
	merkle_root(&w->fold.frontier, &mine);
	assert_int_equal(w->fold.frontier.size, 22);
	assert_memory_equal(mine.b, want.b, SHA256_BYTES);
}

/* ---- issue ---- */

static void
a_request_is_executed_once(void **state)
{
	struct world_entry *again;

	(void)state;
	world_start(w);
	again = issue_new(w, NOW, 1); /* another seat of the request that was executed */
	assert_int_equal(put(w, again), ERR_EXECUTED);
	be_put(again->e.request, 2, 8); /* negative control */
	assert_int_equal(put(w, again), ERR_OK);
}

/* All seats of one answer, each slot once and rising. */
static void
seats_come_from_one_answer_and_slots_rise(void **state)
{
	struct world_entry *first, *same, *other, *lower, *next;
	struct fold_batch *b = NULL;

	(void)state;
	world_start(w);
	lower = issue_new(w, NOW, 2);
	first = issue_new(w, NOW, 2);
	next = issue_new(w, NOW, 2);
	other = issue_new(w, NOW, 2);
	other->n.answer = 99;
	assert_int_equal(fold_batch_open(&w->fold, NULL, false, &b), ERR_OK);
	assert_int_equal(batch_put(b, first), ERR_OK);
	same = first;
	assert_int_equal(batch_put(b, same), ERR_EXECUTED);  /* the same seat twice */
	assert_int_equal(batch_put(b, other), ERR_EXECUTED); /* another answer */
	assert_int_equal(batch_put(b, lower), ERR_EXECUTED); /* a slot that falls */
	assert_int_equal(batch_put(b, next), ERR_OK);
	/* of another request in between any answer and slot will do */
	lower->n.answer = 7;
	be_put(lower->e.request, 3, 8);
	assert_int_equal(batch_put(b, lower), ERR_OK);
	fold_batch_apply(b, &w->fold);
	fold_batch_free(b);
	assert_int_equal(w->fold.frontier.size, 5);
	/* a seat that comes later than its batch */
	assert_int_equal(put(w, issue_new(w, NOW, 2)), ERR_EXECUTED);
}

static void
notes_of_an_issue_are_complete(void **state)
{
	struct world_entry *we;

	(void)state;
	world_start(w);
	we = issue_new(w, NOW, 2);
	we->n.slot = -1;
	assert_int_equal(put(w, we), ERR_VALUE);
	we->n.slot = 5;
	we->n.exp = 0; /* it could be replayed for ever */
	assert_int_equal(put(w, we), ERR_VALUE);
	we->n.exp = NOW;
	assert_int_equal(put(w, we), ERR_OK);
}

static void
slots_open_lists_and_are_remembered(void **state)
{
	struct world_entry *we;
	enum status s;

	(void)state;
	world_start(w);
	assert_int_equal(w->fold.slots, 1);
	assert_int_equal(fold_status(&w->fold, 1, 0, &s), ERR_SERIAL_UNKNOWN);
	assert_int_equal(fold_status(&w->fold, 0, LIST_ENTRIES, &s), ERR_SERIAL_UNKNOWN);
	assert_int_equal(fold_status(&w->fold, 0, LIST_ENTRIES - 1, &s), ERR_OK);
	we = issue_new(w, NOW, 2);
	we->n.slot = LIST_ENTRIES - 1;
	assert_int_equal(put(w, we), ERR_OK);
	assert_int_equal(w->fold.list_count, 1);
	we = issue_new(w, NOW, 3);
	we->n.slot = 2 * LIST_ENTRIES;
	assert_int_equal(put(w, we), ERR_OK);
	assert_int_equal(w->fold.list_count, 3);
	assert_int_equal(w->fold.slots, 2 * LIST_ENTRIES + 1);
	assert_int_equal(fold_status(&w->fold, 1, 0, &s), ERR_OK);
	we = issue_new(w, NOW, 4);
	we->n.slot = 10; /* another front was faster */
	assert_int_equal(put(w, we), ERR_OK);
	assert_int_equal(w->fold.slots, 2 * LIST_ENTRIES + 1);
}

static void
the_daily_cap_holds_at_its_edge_and_inside_one_batch(void **state)
{
	const int64_t tomorrow = NOW + DAY_S;
	struct fold_batch *b = NULL;
	struct world_entry *we;

	(void)state;
	world_cap(w, 4);
	world_start(w); /* the first of the day */
	assert_int_equal(fold_batch_open(&w->fold, w->roster, false, &b), ERR_OK);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(batch_put(b, issue_new(w, NOW, 10)), ERR_OK);
	assert_int_equal(batch_put(b, issue_new(w, NOW, 10)), ERR_CAP);
	fold_batch_apply(b, &w->fold);
	fold_batch_free(b);
	assert_int_equal(fold_issued(&w->fold, BYTES_LIT("330106-01"), date_shanghai(NOW)), 4);
	assert_int_equal(put(w, issue_new(w, NOW, 11)), ERR_CAP);
	/* another centre, and one that the roster does not name any more */
	we = issue_new(w, NOW, 12);
	we->e.center = BYTES_LIT("440305-02");
	assert_int_equal(put(w, we), ERR_OK);
	/* the last second of the day, and the first of the next */
	we = issue_new(w, date_shanghai_start(date_shanghai(tomorrow)) - 1, 13);
	assert_int_equal(put(w, we), ERR_CAP);
	we = issue_new(w, date_shanghai_start(date_shanghai(tomorrow)), 13);
	assert_int_equal(put(w, we), ERR_OK);
	/* negative control: without a roster nothing is capped */
	roster_free(w->roster);
	w->roster = NULL;
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(put(w, issue_new(w, tomorrow, 20 + i)), ERR_OK);
}

static void
a_stopped_centre_gets_nothing_until_it_is_resumed(void **state)
{
	struct fold_batch *b = NULL;

	(void)state;
	world_start(w);
	assert_int_equal(put(w, stop_new(w, NOW, "330106-01", true)), ERR_MOVE);
	assert_int_equal(put(w, stop_new(w, NOW, "330106-01", false)), ERR_OK);
	assert_int_equal(put(w, stop_new(w, NOW, "330106-01", false)), ERR_MOVE);
	assert_int_equal(put(w, issue_new(w, NOW, 2)), ERR_STOPPED);
	assert_int_equal(put(w, stop_new(w, NOW, "330106-01", true)), ERR_OK);
	assert_int_equal(put(w, issue_new(w, NOW, 2)), ERR_OK);
	/* in one batch, each against the log before it */
	assert_int_equal(fold_batch_open(&w->fold, NULL, false, &b), ERR_OK);
	assert_int_equal(batch_put(b, issue_new(w, NOW, 3)), ERR_OK);
	assert_int_equal(batch_put(b, stop_new(w, NOW, "330106-01", false)), ERR_OK);
	assert_int_equal(batch_put(b, issue_new(w, NOW, 4)), ERR_STOPPED);
	fold_batch_free(b);
}

/* ---- times ---- */

static void
age_counts_against_the_log_and_only_when_it_is_prepared(void **state)
{
	struct world_entry *old, *older;

	(void)state;
	world_start(w);
	assert_int_equal(put(w, issue_new(w, NOW + 100, 2)), ERR_OK);
	old = issue_new(w, NOW + 100 - ENTRY_AGE_S_MAX, 3);
	older = issue_new(w, NOW + 100 - ENTRY_AGE_S_MAX - 1, 4);
	assert_int_equal(prepare(w, old), ERR_OK);
	assert_int_equal(prepare(w, older), ERR_STALE);
	/* what is committed is appended, however long it took */
	assert_int_equal(put(w, older), ERR_OK);
	assert_int_equal(w->fold.time, NOW + 100);
}

static void
a_request_past_its_end_is_refused_by_the_logs_time(void **state)
{
	struct world_entry *edge, *over, *order;

	(void)state;
	world_start(w);
	edge = issue_new(w, NOW, 2);
	over = issue_new(w, NOW, 3);
	order = status_new(w, NOW, 0, STATUS_INVALID, 1);
	edge->n.exp = NOW + 50;
	over->n.exp = order->n.exp = NOW + 49;
	assert_int_equal(put(w, version_new(w, ENTRY_ROSTER, NOW + 50, 1)), ERR_OK);
	assert_int_equal(put(w, edge), ERR_OK);
	assert_int_equal(put(w, over), ERR_REQUEST_EXPIRED);
	assert_int_equal(put(w, order), ERR_REQUEST_EXPIRED);
}

/* The replay memory may forget a request only when its age alone refuses it. */
static void
executed_requests_are_remembered_until_their_end(void **state)
{
	struct world_entry *first;

	(void)state;
	world_start(w);
	first = issue_new(w, NOW, 2);
	first->n.exp = NOW + 1000;
	assert_int_equal(put(w, first), ERR_OK);
	/* enough others to make room again and again, at a time when the first may still come */
	for (unsigned i = 0; i < 1500; i++)
		assert_int_equal(put(w, issue_new(w, NOW + 1000, 100 + i)), ERR_OK);
	assert_true(fold_executed(&w->fold, first->e.request, bytes_of(NULL, 0)));
	assert_int_equal(put(w, first), ERR_EXECUTED);
	/* a second later its age refuses it, remembered or not */
	for (unsigned i = 0; i < 900; i++)
		assert_int_equal(put(w, issue_new(w, NOW + 1001, 5000 + i)), ERR_OK);
	assert_int_equal(put(w, first), ERR_REQUEST_EXPIRED);
	assert_true(w->fold.done_count < 2500);
}

/* ---- versions and lists ---- */

static void
versions_rise(void **state)
{
	static const enum entry_type types[] = {ENTRY_MANIFEST, ENTRY_ROSTER};
	struct fold_batch *b = NULL;

	(void)state;
	world_start(w);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(put(w, version_new(w, types[i], NOW, 0)), ERR_VERSION);
		assert_int_equal(put(w, version_new(w, types[i], NOW, 3)), ERR_OK);
		assert_int_equal(put(w, version_new(w, types[i], NOW, 3)), ERR_VERSION);
		assert_int_equal(put(w, version_new(w, types[i], NOW, 2)), ERR_VERSION);
		assert_int_equal(fold_batch_open(&w->fold, NULL, false, &b), ERR_OK);
		assert_int_equal(batch_put(b, version_new(w, types[i], NOW, 5)), ERR_OK);
		assert_int_equal(batch_put(b, version_new(w, types[i], NOW, 5)), ERR_VERSION);
		assert_int_equal(batch_put(b, version_new(w, types[i], NOW, 6)), ERR_OK);
		fold_batch_apply(b, &w->fold);
		fold_batch_free(b);
	}
	assert_true(w->fold.manifest_version == 6 && w->fold.roster_version == 6);
	assert_int_equal(w->fold.roster_sha256[7], 6);
}

static void
list_versions_chain_and_rise(void **state)
{
	struct world_entry *first, *second, *we;
	struct fold_batch *b = NULL;

	(void)state;
	assert_int_equal(put(w, entry_new(w, ENTRY_GENESIS, NOW)), ERR_OK);
	assert_int_equal(put(w, list_new(w, NOW)), ERR_SERIAL_UNKNOWN);
	assert_int_equal(put(w, issue_new(w, NOW, 1)), ERR_OK);
	we = list_new(w, NOW);
	we->e.previous_sha256[0] = 1; /* the first follows nothing */
	assert_int_equal(put(w, we), ERR_STALE);
	assert_int_equal(put(w, first = list_new(w, NOW)), ERR_OK);
	assert_memory_equal(w->fold.lists[0].previous, first->e.cwt_sha256, SHA256_BYTES);
	assert_int_equal(w->fold.lists[0].covered, 2);
	we = list_new(w, NOW); /* its second is taken */
	assert_int_equal(put(w, we), ERR_STALE);
	we = list_new(w, NOW + 1);
	memset(we->e.previous_sha256, 0, SHA256_BYTES);
	assert_int_equal(put(w, we), ERR_STALE);
	we = list_new(w, NOW + 1);
	we->e.tree_size = 1; /* covers less than the one before it */
	assert_int_equal(put(w, we), ERR_STALE);
	second = list_new(w, NOW + 1);
	assert_int_equal(fold_batch_open(&w->fold, NULL, false, &b), ERR_OK);
	assert_int_equal(batch_put(b, second), ERR_OK);
	assert_int_equal(batch_put(b, list_new(w, NOW + 2)), ERR_STALE);
	fold_batch_apply(b, &w->fold);
	fold_batch_free(b);
	assert_int_equal(w->fold.lists[0].sequence, NOW + 1);
}

static void
what_is_not_served_is_not_appended(void **state)
{
	struct world_entry *we;

	(void)state;
	world_start(w);
	we = entry_new(w, ENTRY_CUTOFF, NOW);
	we->e.kid = BYTES_LIT("12345678");
	we->e.tree_size = 1000;
	assert_int_equal(put(w, we), ERR_SIZE); /* a log that is not so long */
	assert_int_equal(put(w, status_new(w, NOW, 0, STATUS_SUPERSEDED, 1)), ERR_MOVE);
}

/* The same entries in one batch and one by one give the same fold. */
static void
check_then_apply_equals_one_by_one(void **state)
{
	struct merkle_hash a, b_root;
	struct fold_batch *b = NULL;
	struct fold once;
	size_t n;

	(void)state;
	world_start(w);
	assert_int_equal(put(w, issue_new(w, NOW, 2)), ERR_OK);
	assert_int_equal(put(w, status_new(w, NOW + 1, 0, STATUS_INVALID, 1)), ERR_OK);
	assert_int_equal(put(w, status_new(w, NOW + 1, 1, STATUS_SUSPENDED, 1)), ERR_OK);
	assert_int_equal(put(w, version_new(w, ENTRY_ROSTER, NOW + 2, 1)), ERR_OK);
	assert_int_equal(put(w, stop_new(w, NOW + 2, "440305-02", false)), ERR_OK);
	n = w->count;
	fold_init(&once);
	assert_int_equal(fold_batch_open(&once, NULL, false, &b), ERR_OK);
	/* the first certificate of a list opens it: so its orders are of a later batch */
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(batch_put(b, &w->entries[i]), ERR_OK);
		if (i != 2 && i + 1 != n)
			continue;
		fold_batch_apply(b, &once);
		fold_batch_free(b);
		assert_int_equal(fold_batch_open(&once, NULL, false, &b), ERR_OK);
	}
	fold_batch_free(b);
	merkle_root(&w->fold.frontier, &a);
	merkle_root(&once.frontier, &b_root);
	assert_memory_equal(a.b, b_root.b, SHA256_BYTES);
	assert_true(once.time == w->fold.time && once.slots == w->fold.slots);
	assert_memory_equal(once.lists[0].raw, w->fold.lists[0].raw, LIST_BYTES);
	assert_int_equal(once.lists[0].row_count, 2);
	assert_int_equal(once.lists[0].row_count, w->fold.lists[0].row_count);
	for (size_t i = 0; i < 2; i++) {
		const struct crl_row *x = &once.lists[0].rows[i], *y = &w->fold.lists[0].rows[i];

		assert_memory_equal(x->serial, y->serial, sizeof x->serial);
		assert_true(x->reason == y->reason && x->revoked_at == y->revoked_at &&
		            x->invalid_from == y->invalid_from);
	}
	assert_int_equal(once.done_count, w->fold.done_count);
	assert_int_equal(once.holds.stop_count, 1);
	fold_free(&once);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(the_genesis_is_first_and_only_there, clear),
	        cmocka_unit_test_setup(a_batch_may_begin_with_the_genesis, clear),
	        cmocka_unit_test_setup(checks_change_nothing, clear),
	        cmocka_unit_test_setup(the_tree_is_that_of_the_entries, clear),
	        cmocka_unit_test_setup(a_request_is_executed_once, clear),
	        cmocka_unit_test_setup(seats_come_from_one_answer_and_slots_rise, clear),
	        cmocka_unit_test_setup(notes_of_an_issue_are_complete, clear),
	        cmocka_unit_test_setup(slots_open_lists_and_are_remembered, clear),
	        cmocka_unit_test_setup(the_daily_cap_holds_at_its_edge_and_inside_one_batch, clear),
	        cmocka_unit_test_setup(a_stopped_centre_gets_nothing_until_it_is_resumed, clear),
	        cmocka_unit_test_setup(
	                age_counts_against_the_log_and_only_when_it_is_prepared, clear),
	        cmocka_unit_test_setup(a_request_past_its_end_is_refused_by_the_logs_time, clear),
	        cmocka_unit_test_setup(executed_requests_are_remembered_until_their_end, clear),
	        cmocka_unit_test_setup(versions_rise, clear),
	        cmocka_unit_test_setup(list_versions_chain_and_rise, clear),
	        cmocka_unit_test_setup(what_is_not_served_is_not_appended, clear),
	        cmocka_unit_test_setup(check_then_apply_equals_one_by_one, clear),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
