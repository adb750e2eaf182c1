/* test_authority_places.c - places on the lists: the same request again gets the same ones until it
 * is in the log, so that a record that was kept back is revoked with the one that was logged. */
#include "authority_issue.h"
#include "authority_world.h"

static struct world *w;

static int
make(void **state)
{
	(void)state;
	w = world_new();
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

static uint64_t
places(uint64_t request, uint64_t count, int64_t lifetime)
{
	struct evidence ev = {.request = {.exp = w->now + lifetime}};
	const struct issue is = {.a = w->a, .ev = &ev, .iat = w->now};
	uint64_t first = UINT64_MAX;

	sha256_one(bytes_of((const uint8_t *)&request, sizeof request), ev.jws.hash);
	assert_int_equal(issue_places(w->a, &is, count, &first), ERR_OK);
	return first;
}

static enum status
status_of(struct bytes record)
{
	enum status now = STATUS_VALID;
	struct cose_sign1 m;
	struct record r;

	assert_int_equal(record_open(record, false, &m, &r), ERR_OK);
	assert_int_equal(fold_status(&w->a->fold, r.list, r.idx, &now), ERR_OK);
	return now;
}

static void
a_record_that_was_kept_back_is_revoked_with_the_logged_one(void **state)
{
	struct bytes session = world_session(w, 1, 2), kept[2], order, approval;
	struct signed_entry entries[2] = {0}, e;
	struct rows first = {0}, second = {0}, r = {0};

	(void)state;
	assert_int_equal(ask_issue(w, session, NULL, 0, &first), ERR_OK);
	world_issue(w, 100, 3); /* others come in between */
	w->now += 5;
	assert_int_equal(ask_issue(w, session, NULL, 0, &second), ERR_OK);
	assert_true(first.rows != NULL && second.rows != NULL && second.count == 2);
	if (first.rows == NULL || second.rows == NULL)
		return;
	for (size_t i = 0; i < 2; i++)
		kept[i] = first.rows[i].e.record;
	assert_false(bytes_equal(kept[0], second.rows[0].e.record));
	world_extend(w, entries, rows_entries(&second, entries));
	assert_int_equal(ask_issue(w, session, NULL, 0, NULL), ERR_EXECUTED);

	order = world_revoke(w, WANG, &second.rows[0].e.record, 1);
	approval = world_approve(w, LI, order);
	assert_int_equal(
	        ask_order(w, order, &approval, 1, &second.rows[0].e.record, 1, &r), ERR_OK);
	assert_true(r.rows != NULL && r.count == 1);
	if (r.rows == NULL)
		return;
	e = r.rows[0].e;
	world_extend(w, &e, 1);
	assert_int_equal(status_of(second.rows[0].e.record), STATUS_INVALID);
	assert_int_equal(status_of(kept[0]), STATUS_INVALID);
	assert_int_equal(status_of(kept[1]), STATUS_VALID); /* the other seat is nobody's matter */
}

static void
requests_share_no_place(void **state)
{
	uint64_t next = places(0, 3, 100);

	(void)state;
	assert_int_equal(places(0, 3, 100), next);
	next += 3;
	/* far more than are remembered: each gets new ones */
	for (uint64_t i = 1; i < 40000; i++, next++)
		assert_int_equal(places(i, 1, 100), next);
	assert_int_equal(places(39999, 1, 100), next - 1);
	/* another number of seats that pass: nothing says which is which */
	assert_int_equal(places(39999, 2, 100), next);
	assert_int_equal(places(39999, 2, 100), next);
	assert_int_equal(places(0, 3, 100), next + 2); /* forgotten, so not the first ones */
}

/* What is under way outlives any number of requests that are over. */
static void
an_open_request_is_not_pushed_out_by_those_that_ended(void **state)
{
	uint64_t open = places(0, 1, 1000);

	(void)state;
	for (uint64_t i = 1; i < 40000; i++)
		(void)places(i, 1, 0);
	assert_int_equal(places(0, 1, 1000), open);
}

static void
a_signer_that_was_restored_forgets_what_the_log_gave_away(void **state)
{
	uint64_t before = places(0, 1, 100);

	(void)state;
	w->a->fold.slots = w->a->slot_next + 10;
	assert_int_equal(places(0, 1, 100), w->a->fold.slots);
	assert_true(w->a->fold.slots > before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                a_record_that_was_kept_back_is_revoked_with_the_logged_one, make, unmake),
	        cmocka_unit_test_setup_teardown(requests_share_no_place, make, unmake),
	        cmocka_unit_test_setup_teardown(
	                an_open_request_is_not_pushed_out_by_those_that_ended, make, unmake),
	        cmocka_unit_test_setup_teardown(
	                a_signer_that_was_restored_forgets_what_the_log_gave_away, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
