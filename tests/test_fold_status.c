/* test_fold_status.c - which status may follow which, in the log and inside of one batch, and what
 * the CRL says of it. */
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
	world_start(w);
	return 0;
}

static enum status
status_of(uint32_t idx)
{
	enum status s = STATUS_INVALID;

	assert_int_equal(fold_status(&w->fold, 0, idx, &s), ERR_OK);
	return s;
}

/* Brings place 0 into that status by legal moves. */
static void
bring(enum status s)
{
	if (s == STATUS_SUSPENDED)
		assert_int_equal(put(w, status_new(w, NOW, 0, STATUS_SUSPENDED, 1)), ERR_OK);
	if (s == STATUS_INVALID)
		assert_int_equal(put(w, status_new(w, NOW, 0, STATUS_INVALID, 1)), ERR_OK);
	assert_int_equal(status_of(0), s);
}

/* DESIGN.md section 4: VALID -> SUSPENDED -> VALID, VALID or SUSPENDED -> INVALID; nothing leaves
 * INVALID. */
static void
moves_are_those_of_the_table(void **state)
{
	static const struct {
		enum status from, to;
		enum err want;
	} rows[] = {
	        {STATUS_VALID, STATUS_VALID, ERR_MOVE},
	        {STATUS_VALID, STATUS_INVALID, ERR_OK},
	        {STATUS_VALID, STATUS_SUSPENDED, ERR_OK},
	        {STATUS_VALID, STATUS_SUPERSEDED, ERR_MOVE},
	        {STATUS_SUSPENDED, STATUS_VALID, ERR_OK},
	        {STATUS_SUSPENDED, STATUS_INVALID, ERR_OK},
	        {STATUS_SUSPENDED, STATUS_SUSPENDED, ERR_MOVE}, /* of another request */
	        {STATUS_SUSPENDED, STATUS_SUPERSEDED, ERR_MOVE},
	        {STATUS_INVALID, STATUS_VALID, ERR_MOVE},
	        {STATUS_INVALID, STATUS_INVALID, ERR_MOVE},
	        {STATUS_INVALID, STATUS_SUSPENDED, ERR_MOVE},
	        {STATUS_INVALID, STATUS_SUPERSEDED, ERR_MOVE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world_entry *we;

		clear(NULL);
		bring(rows[i].from);
		we = status_new(w, NOW + 1, 0, rows[i].to, 1);
		assert_int_equal(prepare(w, we), rows[i].want);
		assert_int_equal(put(w, we), rows[i].want);
		assert_int_equal(status_of(0), rows[i].want == ERR_OK ? rows[i].to : rows[i].from);
		assert_int_equal(status_of(1), STATUS_VALID);
	}
}

static void
a_certificate_changes_once_in_a_batch(void **state)
{
	struct fold_batch *b = NULL;

	(void)state;
	assert_int_equal(fold_batch_open(&w->fold, NULL, false, &b), ERR_OK);
	assert_int_equal(batch_put(b, status_new(w, NOW, 0, STATUS_SUSPENDED, 1)), ERR_OK);
	assert_int_equal(batch_put(b, status_new(w, NOW, 0, STATUS_INVALID, 1)), ERR_MOVE);
	assert_int_equal(batch_put(b, status_new(w, NOW, 1, STATUS_INVALID, 1)), ERR_OK);
	fold_batch_apply(b, &w->fold);
	fold_batch_free(b);
	assert_int_equal(status_of(0), STATUS_SUSPENDED);
	assert_int_equal(status_of(1), STATUS_INVALID);
}

/* An order is executed once for each certificate, and for each of several. */
static void
an_order_is_executed_once_a_certificate(void **state)
{
	struct world_entry *first, *again, *other;
	struct fold_batch *b = NULL;

	(void)state;
	first = status_new(w, NOW, 0, STATUS_SUSPENDED, 1);
	assert_int_equal(put(w, first), ERR_OK);
	assert_int_equal(put(w, status_new(w, NOW, 0, STATUS_VALID, 1)), ERR_OK);
	/* VALID again: the move would be legal, the replay is not */
	again = status_new(w, NOW, 0, STATUS_SUSPENDED, 1);
	memcpy(again->e.request, first->e.request, SHA256_BYTES);
	assert_int_equal(put(w, again), ERR_EXECUTED);
	/* the next chunk of the same order */
	other = status_new(w, NOW, 1, STATUS_SUSPENDED, 1);
	memcpy(other->e.request, first->e.request, SHA256_BYTES);
	assert_int_equal(fold_batch_open(&w->fold, NULL, false, &b), ERR_OK);
	assert_int_equal(batch_put(b, other), ERR_OK);
	assert_int_equal(batch_put(b, other), ERR_EXECUTED);
	fold_batch_free(b);
}

static void
places_without_certificates_have_no_status(void **state)
{
	struct world_entry *we = status_new(w, NOW, 0, STATUS_INVALID, 1);

	(void)state;
	we->e.list = 1;
	assert_int_equal(put(w, we), ERR_SERIAL_UNKNOWN);
	we->e.list = UINT32_MAX;
	assert_int_equal(put(w, we), ERR_SERIAL_UNKNOWN);
	we->e.list = 0;
	we->n.exp = 0; /* no request stands behind it */
	assert_int_equal(put(w, we), ERR_VALUE);
	we->n.exp = NOW;
	assert_int_equal(put(w, we), ERR_OK);
}

/* Rows are what is INVALID or SUSPENDED, with the reason and dates of the newest entry. */
static void
the_rows_of_the_crl_follow(void **state)
{
	const struct crl_row *row;
	struct world_entry *we;

	(void)state;
	assert_null(fold_row(&w->fold, 0, (const uint8_t[16]){0}));
	assert_null(fold_row(&w->fold, 1, (const uint8_t[16]){0}));
	we = status_new(w, NOW + 5, 0, STATUS_SUSPENDED, 1);
	assert_int_equal(put(w, we), ERR_OK);
	row = fold_row(&w->fold, 0, we->cti);
	assert_non_null(row);
	assert_int_equal(row->reason, 6);
	assert_int_equal(row->revoked_at, NOW + 5);
	assert_int_equal(row->invalid_from, date_shanghai(NOW));
	assert_int_equal(put(w, status_new(w, NOW + 6, 0, STATUS_VALID, 1)), ERR_OK);
	assert_null(fold_row(&w->fold, 0, we->cti));
	assert_int_equal(w->fold.lists[0].row_count, 0);
	we = status_new(w, NOW + 7, 0, STATUS_INVALID, 1);
	we->e.effective = 3;
	assert_int_equal(put(w, we), ERR_OK);
	row = fold_row(&w->fold, 0, we->cti);
	assert_true(row != NULL && row->reason == 9 && row->revoked_at == NOW + 7);
	assert_int_equal(row->invalid_from, 3);
	/* from held to revoked: one row, not two */
	assert_int_equal(put(w, status_new(w, NOW + 8, 1, STATUS_SUSPENDED, 1)), ERR_OK);
	assert_int_equal(put(w, status_new(w, NOW + 9, 1, STATUS_INVALID, 1)), ERR_OK);
	assert_int_equal(w->fold.lists[0].row_count, 2);
}

static void
a_list_is_dirty_from_a_change_to_its_next_version(void **state)
{
	const struct fold_list *l = &w->fold.lists[0];

	(void)state;
	assert_int_equal(l->changed, 2); /* new: to be signed, though nothing stands on it */
	assert_int_equal(put(w, list_new(w, NOW)), ERR_OK);
	assert_true(l->covered >= l->changed);
	assert_int_equal(put(w, issue_new(w, NOW, 2)), ERR_OK);
	assert_true(l->covered >= l->changed); /* a new certificate is VALID: nothing changed */
	assert_int_equal(put(w, status_new(w, NOW, 0, STATUS_INVALID, 1)), ERR_OK);
	assert_true(l->covered < l->changed);
	assert_int_equal(put(w, list_new(w, NOW + 1)), ERR_OK);
	assert_true(l->covered >= l->changed);
}

/* Many rows and rehashes: every place keeps its own status. */
static void
a_thousand_orders_keep_apart(void **state)
{
	struct fold_batch *b = NULL;

	(void)state;
	assert_int_equal(fold_batch_open(&w->fold, NULL, false, &b), ERR_OK);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(
		        batch_put(b, status_new(w, NOW, 3 * i, STATUS_INVALID, 1)), ERR_OK);
	fold_batch_apply(b, &w->fold);
	fold_batch_free(b);
	for (uint32_t i = 0; i < 3000; i++)
		assert_int_equal(status_of(i), i % 3 == 0 ? STATUS_INVALID : STATUS_VALID);
	assert_int_equal(w->fold.lists[0].row_count, 1000);
	for (size_t i = w->count - 1000; i < w->count; i++) {
		assert_true(fold_executed(&w->fold, w->entries[i].e.request, w->entries[i].e.cti));
		assert_non_null(fold_row(&w->fold, 0, w->entries[i].cti));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(moves_are_those_of_the_table, clear),
	        cmocka_unit_test_setup(a_certificate_changes_once_in_a_batch, clear),
	        cmocka_unit_test_setup(an_order_is_executed_once_a_certificate, clear),
	        cmocka_unit_test_setup(places_without_certificates_have_no_status, clear),
	        cmocka_unit_test_setup(the_rows_of_the_crl_follow, clear),
	        cmocka_unit_test_setup(a_list_is_dirty_from_a_change_to_its_next_version, clear),
	        cmocka_unit_test_setup(a_thousand_orders_keep_apart, clear),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
