/* test_snapshot.c - a fold comes back from its file as it was, or not at all. */
#include "snapshot.h"

#include "fold_world.h"
#include "temp_folder.h"

static char folder[FOLDER_BYTES], path[FOLDER_PATH_BYTES], second[FOLDER_PATH_BYTES];
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
folder_open(void **state)
{
	(void)state;
	folder_make(folder);
	folder_path(folder, "snapshot", path);
	folder_path(folder, "again", second);
	world_clear(w);
	return 0;
}

static int
folder_close(void **state)
{
	(void)state;
	folder_remove(folder);
	return 0;
}

/* Something of everything that a fold holds. */
static void
fill(void)
{
	struct world_entry *we;

	world_start(w);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(put(w, issue_new(w, NOW + i, 2 + i)), ERR_OK);
	we = issue_new(w, NOW + 50, 100);
	we->n.slot = LIST_ENTRIES + 5;
	we->e.center = BYTES_LIT("440305-02");
	assert_int_equal(put(w, we), ERR_OK);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(put(w, status_new(w, NOW + 60, i, STATUS_INVALID, 1)), ERR_OK);
	assert_int_equal(put(w, status_new(w, NOW + 60, 11, STATUS_SUSPENDED, 1)), ERR_OK);
	we = status_new(w, NOW + 61, 12, STATUS_SUSPENDED, 1);
	we->e.crl_reason = -1; /* none stands in the entry */
	assert_int_equal(put(w, we), ERR_OK);
	assert_int_equal(put(w, status_new(w, NOW + 62, 11, STATUS_VALID, 1)), ERR_OK);
	assert_int_equal(put(w, stop_new(w, NOW + 62, "440305-02", false)), ERR_OK);
	assert_int_equal(put(w, list_new(w, NOW + 63)), ERR_OK);
	assert_int_equal(put(w, version_new(w, ENTRY_MANIFEST, NOW + 63, 4)), ERR_OK);
	assert_int_equal(put(w, version_new(w, ENTRY_ROSTER, NOW + 63, 5)), ERR_OK);
}

static void
same(const struct fold *a, const struct fold *b)
{
	assert_int_equal(a->frontier.size, b->frontier.size);
	for (unsigned i = 0; i < 64; i++)
		if ((a->frontier.size >> i & 1) != 0)
			assert_memory_equal(
			        a->frontier.level[i].b, b->frontier.level[i].b, SHA256_BYTES);
	assert_true(a->time == b->time && a->slots == b->slots);
	assert_int_equal(a->list_count, b->list_count);
	for (uint32_t i = 0; i < a->list_count; i++) {
		const struct fold_list *x = &a->lists[i], *y = &b->lists[i];

		assert_memory_equal(x->raw, y->raw, LIST_BYTES);
		assert_int_equal(x->row_count, y->row_count);
		for (size_t k = 0; k < x->row_count; k++) {
			assert_memory_equal(x->rows[k].serial, y->rows[k].serial, 16);
			assert_int_equal(x->rows[k].reason, y->rows[k].reason);
			assert_int_equal(x->rows[k].revoked_at, y->rows[k].revoked_at);
			assert_int_equal(x->rows[k].invalid_from, y->rows[k].invalid_from);
		}
		assert_true(x->sequence == y->sequence && x->this_update == y->this_update);
		assert_true(x->covered == y->covered && x->changed == y->changed);
		assert_memory_equal(x->previous, y->previous, SHA256_BYTES);
	}
	assert_int_equal(a->caps.count, b->caps.count);
	for (size_t i = 0; i < a->caps.count; i++) {
		assert_string_equal(a->caps.rows[i].center, b->caps.rows[i].center);
		assert_true(a->caps.rows[i].day == b->caps.rows[i].day &&
		            a->caps.rows[i].count == b->caps.rows[i].count);
	}
	assert_true(a->done_count == b->done_count && a->done_room == b->done_room);
	assert_int_equal(a->holds.count, b->holds.count);
	assert_int_equal(a->holds.stop_count, b->holds.stop_count);
	assert_true(a->manifest_version == b->manifest_version);
	assert_true(a->roster_version == b->roster_version);
	assert_memory_equal(a->manifest_sha256, b->manifest_sha256, SHA256_BYTES);
	assert_memory_equal(a->roster_sha256, b->roster_sha256, SHA256_BYTES);
}

static void
a_fold_comes_back_as_it_was(void **state)
{
	struct fold back;
	uint8_t *a, *b;
	size_t a_n, b_n;

	(void)state;
	fill();
	assert_int_equal(snapshot_write(path, &w->fold), ERR_OK);
	fold_init(&back);
	assert_int_equal(snapshot_read(path, &back), ERR_OK);
	same(&w->fold, &back);
	for (size_t i = 0; i < w->count; i++)
		if (w->entries[i].e.type == ENTRY_ISSUE)
			assert_true(
			        fold_executed(&back, w->entries[i].e.request, bytes_of(NULL, 0)));
	assert_true(holds_stopped(&back.holds, BYTES_LIT("440305-02")));
	/* and written again it is the same file */
	assert_int_equal(snapshot_write(second, &back), ERR_OK);
	a = folder_get(folder, "snapshot", &a_n);
	b = folder_get(folder, "again", &b_n);
	assert_true(bytes_equal(bytes_of(a, a_n), bytes_of(b, b_n)));
	free(a);
	free(b);
	fold_free(&back);
}

/* What was read goes on as what was written. */
static void
both_go_on_alike(void **state)
{
	struct merkle_hash a, b;
	struct fold first;
	struct world_entry *replay, *order;

	(void)state;
	fill();
	assert_int_equal(snapshot_write(path, &w->fold), ERR_OK);
	first = w->fold;
	fold_init(&w->fold);
	assert_int_equal(snapshot_read(path, &w->fold), ERR_OK);
	replay = issue_new(w, NOW + 70, 3);
	order = status_new(w, NOW + 70, 12, STATUS_VALID, 1);
	assert_int_equal(put(w, replay), ERR_EXECUTED);
	assert_int_equal(put(w, order), ERR_OK);
	assert_int_equal(put(w, issue_new(w, NOW + 70, 200)), ERR_OK);
	merkle_root(&w->fold.frontier, &a);
	fold_free(&w->fold);
	w->fold = first;
	assert_int_equal(put(w, replay), ERR_EXECUTED);
	assert_int_equal(put(w, order), ERR_OK);
	assert_int_equal(put(w, &w->entries[w->count - 1]), ERR_OK);
	merkle_root(&w->fold.frontier, &b);
	assert_memory_equal(a.b, b.b, SHA256_BYTES);
}

static void
an_empty_fold_comes_back_empty(void **state)
{
	struct fold back;

	(void)state;
	assert_int_equal(snapshot_write(path, &w->fold), ERR_OK);
	fold_init(&back);
	assert_int_equal(snapshot_read(path, &back), ERR_OK);
	same(&w->fold, &back);
	fold_free(&back);
}

static enum err
read_bytes(struct bytes in)
{
	struct fold back;
	enum err e;

	folder_put(folder, "again", in);
	fold_init(&back);
	e = snapshot_read(second, &back);
	fold_free(&back); /* also after a fault there is nothing else to free */
	return e;
}

static void
a_missing_or_damaged_snapshot_is_refused_by_name(void **state)
{
	struct fold back;
	uint8_t *p;
	size_t n;

	(void)state;
	fold_init(&back);
	assert_int_equal(snapshot_read(path, &back), ERR_NOT_FOUND);
	fill();
	assert_int_equal(snapshot_write(path, &w->fold), ERR_OK);
	p = folder_get(folder, "snapshot", &n);
	assert_int_equal(read_bytes(bytes_of(p, n)), ERR_OK);
	for (size_t i = 0; i < n; i += i < 400 ? 1 : 4099) {
		p[i] ^= 0x10;
		assert_int_equal(read_bytes(bytes_of(p, n)), ERR_ENCODING);
		p[i] ^= 0x10;
	}
	for (size_t cut = 0; cut < n; cut += cut < 100 ? 1 : 40009)
		assert_int_equal(read_bytes(bytes_of(p, cut)), ERR_ENCODING);
	assert_int_equal(read_bytes(bytes_of(p, n - 1)), ERR_ENCODING);
	free(p);
}

/* With a right hash the form is checked all the same: an older version, and each cut of the body.
 */
static void
a_snapshot_of_another_form_is_refused(void **state)
{
	uint8_t *p;
	size_t n;

	(void)state;
	world_start(w);
	assert_int_equal(snapshot_write(path, &w->fold), ERR_OK);
	p = folder_get(folder, "snapshot", &n);
	for (size_t cut = SHA256_BYTES + 1; cut < n; cut += cut < 300 || n - cut < 300 ? 1 : 9973) {
		sha256_one(bytes_of(p + SHA256_BYTES, cut - SHA256_BYTES), p);
		assert_int_not_equal(read_bytes(bytes_of(p, cut)), ERR_OK);
	}
	p[SHA256_BYTES + 1]++; /* the version */
	sha256_one(bytes_of(p + SHA256_BYTES, n - SHA256_BYTES), p);
	assert_int_equal(read_bytes(bytes_of(p, n)), ERR_VERSION);
	p[SHA256_BYTES + 1]--;
	sha256_one(bytes_of(p + SHA256_BYTES, n - SHA256_BYTES), p);
	assert_int_equal(read_bytes(bytes_of(p, n)), ERR_OK);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                a_fold_comes_back_as_it_was, folder_open, folder_close),
	        cmocka_unit_test_setup_teardown(both_go_on_alike, folder_open, folder_close),
	        cmocka_unit_test_setup_teardown(
	                an_empty_fold_comes_back_empty, folder_open, folder_close),
	        cmocka_unit_test_setup_teardown(a_missing_or_damaged_snapshot_is_refused_by_name,
	                folder_open, folder_close),
	        cmocka_unit_test_setup_teardown(
	                a_snapshot_of_another_form_is_refused, folder_open, folder_close),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
