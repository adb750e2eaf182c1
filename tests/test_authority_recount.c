/* test_authority_recount.c - a root is signed only when two counts of the log agree: a bit that
 * falls over in either, in a kept head or on the way to the disk stops the signer before it signs.
 */
#include "authority_world.h"

static struct world *w;

static int
make(void **state)
{
	(void)state;
	w = world_new();
	world_start(w);
	world_issue(w, 1, 4); /* 7 entries: three subtrees are in the frontier */
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	world_delete(w);
	return 0;
}

static size_t
answer(unsigned first, unsigned count, struct signed_entry *entries)
{
	struct rows r;

	assert_int_equal(ask_issue(w, world_session(w, first, count), NULL, 0, &r), ERR_OK);
	return rows_entries(&r, entries);
}

/* Nothing is signed any more, by whichever way one asks. */
static void
signs_nothing(uint64_t size)
{
	struct bytes note, receipt;
	struct signed_entry entries[1] = {0};
	enum err faults[1];

	assert_int_equal(state_of(w).problem, ERR_RECOUNT);
	assert_int_equal(ask_issue(w, world_session(w, 90, 1), NULL, 0, NULL), ERR_RECOUNT);
	assert_int_equal(ask_prepare(w, size, entries, 0, faults), ERR_RECOUNT);
	assert_int_equal(ask_extend(w, size, NULL, 0, NULL), ERR_RECOUNT);
	assert_int_equal(ask_checkpoint(w, 7, &note, &receipt), ERR_RECOUNT);
	assert_int_equal(ask_number(w, authority_list, 0), ERR_RECOUNT);
	assert_int_equal(ask_number(w, authority_crl, 0), ERR_RECOUNT);
}

/* A bit of one count falls over between two batches; `bit` is the fault, NULL the control. */
static void
bit_run(struct merkle_hash *bit)
{
	struct signed_entry entries[2] = {0};
	size_t n = answer(20, 2, entries);
	struct head_answer h;

	if (bit == NULL) {
		assert_int_equal(ask_extend(w, 7, entries, n, &h), ERR_OK);
		assert_true(h.size == 9 && h.signature.n == KEY_SIGNATURE_BYTES);
		return;
	}
	bit->b[9] ^= 4;
	assert_int_equal(ask_extend(w, 7, entries, n, &h), ERR_RECOUNT);
	signs_nothing(7);
	/* nothing wrong was written: the next start reads the log anew and goes on */
	world_reopen(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	assert_int_equal(ask_extend(w, 7, entries, n, &h), ERR_OK);
	assert_true(h.size == 9 && h.signature.n == KEY_SIGNATURE_BYTES);
}

static void
without_a_fault_the_batch_is_signed(void **state)
{
	(void)state;
	bit_run(NULL);
}

static void
a_bit_in_the_first_count_stops_the_signer(void **state)
{
	(void)state;
	bit_run(&w->a->fold.frontier.level[2]);
}

static void
a_bit_in_the_second_count_stops_the_signer(void **state)
{
	(void)state;
	bit_run(&w->a->recount.level[1]);
}

/* A repeated EXTEND signs without a new batch, CHECKPOINT from the kept head. */
static void
a_bit_that_falls_over_later_is_found_too(void **state)
{
	struct bytes note, receipt;

	(void)state;
	assert_int_equal(ask_checkpoint(w, 7, &note, &receipt), ERR_OK);
	w->a->heads[(w->a->head_count - 1) % AUTHORITY_HEADS].root.b[0] ^= 1;
	assert_int_equal(ask_checkpoint(w, 7, &note, &receipt), ERR_RECOUNT);
	signs_nothing(7);
	world_reopen(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	assert_int_equal(ask_extend(w, 7, NULL, 0, NULL), ERR_OK);
	w->a->fold.frontier.level[0].b[31] ^= 1;
	assert_int_equal(ask_extend(w, 7, NULL, 0, NULL), ERR_RECOUNT);
	signs_nothing(7);
}

/* The second count reads what the disk gives back. */
static void
what_the_disk_does_not_give_back_is_not_signed(void **state)
{
	struct signed_entry entries[2] = {0};
	size_t n = answer(20, 2, entries), before_n;
	uint8_t *before = folder_get(w->dir, "journal-000000000000", &before_n);
	struct head_answer h;

	(void)state;
	folder_unlink(NULL, w->dir, "journal-000000000000");
	folder_put(w->dir, "journal-000000000000", bytes_of(before, before_n));
	assert_int_equal(ask_extend(w, 7, entries, n, &h), ERR_RECOUNT);
	signs_nothing(9);
	world_reopen(w); /* and no snapshot keeps what the journal lacks */
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	assert_int_equal(ask_extend(w, 7, entries, n, &h), ERR_OK);
	assert_int_equal(h.size, 9);
	free(before);
}

/* At every size up to past a tile, in batches of every length: the two counts agree. */
static void
both_counts_agree_at_every_size(void **state)
{
	struct merkle_hash root;

	(void)state;
	for (unsigned i = 1; w->size < 270; i++) {
		world_issue(w, 100 + 40 * i, 1 + i % 33);
		assert_int_equal(authority_recount_same(w->a, &root), ERR_OK);
		assert_memory_equal(&w->a->recount.level[0], &w->a->fold.frontier.level[0],
		        (w->size & 1) * sizeof root);
	}
	world_reopen(w);
	assert_int_equal(authority_recount_same(w->a, &root), ERR_OK);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(without_a_fault_the_batch_is_signed),
	        T(a_bit_in_the_first_count_stops_the_signer),
	        T(a_bit_in_the_second_count_stops_the_signer),
	        T(a_bit_that_falls_over_later_is_found_too),
	        T(what_the_disk_does_not_give_back_is_not_signed),
	        T(both_counts_agree_at_every_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
