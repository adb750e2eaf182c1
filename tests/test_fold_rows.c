/* test_fold_rows.c - rows of a list are found by serial whatever came and went, as fast among many
 * as among few. */
#include "fold_item.h"
#include "fold_world.h"
#include "snapshot.h"
#include "temp_folder.h"

#include <time.h>

enum { SERIALS = 3000, MOVES = 40000, MANY = 200000, LINEAR = 500 };

static uint64_t
draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return *seed >> 20;
}

/* Of a few milliseconds, as serials drawn in one batch are. */
static void
serial_make(uint64_t n, uint8_t out[16])
{
	uint64_t seed = n;

	be_put(out, 0x0199f3a0b1c27000U + n % 16, 8);
	be_put(out + 8, draw(&seed) << 20 ^ n, 8);
}

static void
list_free(struct fold_list *l)
{
	free(l->rows);
	free(l->places);
}

/* The table that the index replaces. */
static const struct crl_row *
linear_find(const struct fold_list *l, const uint8_t *serial)
{
	for (size_t i = 0; i < l->row_count; i++)
		if (memcmp(l->rows[i].serial, serial, 16) == 0)
			return &l->rows[i];
	return NULL;
}

static void
agree(const struct fold_list *l)
{
	for (uint64_t n = 0; n < SERIALS; n++) {
		uint8_t serial[16];

		serial_make(n, serial);
		assert_ptr_equal(fold_rows_find(l, serial), linear_find(l, serial));
	}
}

static void
rows_that_come_and_go_are_found_as_a_search_of_all_finds_them(void **state)
{
	struct fold_list l = {0};
	uint64_t seed = 7;

	(void)state;
	for (unsigned i = 0; i < MOVES; i++) {
		/* a while more come than go, a while more go */
		bool grow = draw(&seed) % 8 < (i / 10000 % 2 == 0 ? 6 : 2);
		uint8_t serial[16];
		struct crl_row *row;

		serial_make(draw(&seed) % SERIALS, serial);
		row = fold_rows_find(&l, serial);
		if (row == NULL && grow)
			fold_rows_add(&l, serial)->reason = 9;
		else if (row != NULL && !grow)
			fold_rows_remove(&l, row);
		if (i % 10000 == 9999)
			agree(&l);
	}
	while (l.row_count > 0)
		fold_rows_remove(&l, &l.rows[l.row_count / 2]);
	for (size_t i = 0; i < l.place_room; i++)
		assert_int_equal(l.places[i], 0); /* no place is left behind */
	list_free(&l);
}

/* The worst there could be: nothing but one run of places, over the end of the table too. */
static void
serials_that_begin_at_one_place_keep_apart(void **state)
{
	struct fold_list l = {0};
	uint8_t serial[16], left;

	(void)state;
	for (unsigned i = 0; i < 24; i++) {
		memset(serial, 0, sizeof serial);
		be_put(serial, i, 8);
		be_put(serial + 8, i, 8); /* both halves cancel out */
		fold_rows_add(&l, serial);
	}
	for (unsigned i = 0; i < 24; i += 3)
		fold_rows_remove(&l, fold_rows_find(&l, l.rows[i % l.row_count].serial));
	left = (uint8_t)l.row_count;
	assert_int_equal(left, 16);
	for (unsigned i = 0; i < left; i++)
		assert_ptr_equal(fold_rows_find(&l, l.rows[i].serial), &l.rows[i]);
	list_free(&l);
}

/* Held, released, held again, revoked: and read back from a snapshot, the same goes on. */
static void
a_held_certificate_has_one_row_through_every_move(void **state)
{
	char folder[FOLDER_BYTES], path[FOLDER_PATH_BYTES];
	struct world *w = world_make();
	struct world_entry *held;
	struct fold back;

	(void)state;
	folder_make(folder);
	folder_path(folder, "snapshot", path);
	world_start(w);
	for (uint32_t i = 0; i < 300; i++)
		assert_int_equal(put(w, status_new(w, NOW, i, STATUS_SUSPENDED, 2)), ERR_OK);
	for (uint32_t i = 0; i < 300; i += 2)
		assert_int_equal(put(w, status_new(w, NOW + 1, i, STATUS_VALID, 2)), ERR_OK);
	assert_int_equal(w->fold.lists[0].row_count, 150);
	assert_int_equal(snapshot_write(path, &w->fold), ERR_OK);
	fold_init(&back);
	assert_int_equal(snapshot_read(path, &back), ERR_OK);
	fold_free(&w->fold);
	w->fold = back;
	for (uint32_t i = 0; i < 300; i++) {
		held = status_new(w, NOW + 2, i, STATUS_INVALID, 2);
		assert_true((fold_row(&w->fold, 0, held->cti) != NULL) == (i % 2 == 1));
		assert_int_equal(put(w, held), ERR_OK);
		assert_int_equal(fold_row(&w->fold, 0, held->cti)->reason, 9);
	}
	assert_int_equal(w->fold.lists[0].row_count, 300);
	/* negative control: what the index does not lead to is not found */
	memset(w->fold.lists[0].places, 0,
	        w->fold.lists[0].place_room * sizeof *w->fold.lists[0].places);
	assert_null(fold_row(&w->fold, 0, held->cti));
	world_free(w);
	folder_remove(folder);
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* 200,000 look-ups by index take less than 500 by search of all: the negative control. */
static void
look_up_does_not_grow_with_the_list(void **state)
{
	struct fold_list l = {0};
	double start, indexed, searched;
	uint8_t serial[16];

	(void)state;
	for (uint64_t n = 0; n < MANY; n++) {
		serial_make(n, serial);
		fold_rows_add(&l, serial);
	}
	start = seconds();
	for (uint64_t n = 0; n < MANY; n++) {
		serial_make(n, serial);
		assert_ptr_equal(fold_rows_find(&l, serial), &l.rows[n]);
	}
	indexed = seconds() - start;
	start = seconds();
	for (uint64_t n = 0; n < LINEAR; n++) {
		serial_make(MANY - 1 - n, serial);
		assert_non_null(linear_find(&l, serial));
	}
	searched = seconds() - start;
	assert_true(indexed < searched);
	list_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(rows_that_come_and_go_are_found_as_a_search_of_all_finds_them),
	        cmocka_unit_test(serials_that_begin_at_one_place_keep_apart),
	        cmocka_unit_test(a_held_certificate_has_one_row_through_every_move),
	        cmocka_unit_test(look_up_does_not_grow_with_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
