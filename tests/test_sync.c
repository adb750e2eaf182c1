/* test_sync.c - zz-verify sync takes honest growth, and tells a server that fails from one that
 * lies. */
#include "sync_fixture.h"

/* honest */

static void
the_first_sync_keeps_everything_and_the_second_nothing_new(void **state)
{
	struct fixture *f = *state;
	int64_t newest = 0;

	expect(f, SYNC_DONE, REASON_NONE);
	assert_int_equal(f->r.version, 3);
	assert_int_equal(f->r.size, 3);
	assert_int_equal(f->r.lists, 1);
	assert_int_equal(f->r.crls, 1);
	assert_int_equal(f->r.changed, 4);
	assert_true(state_has(f->dir, "lists/0.cwt") && state_has(f->dir, "crl/0.crl"));
	assert_int_equal(state_newest(f->dir, &newest), ERR_OK);
	assert_int_equal(newest, WORLD_NOW);
	expect(f, SYNC_DONE, REASON_NONE);
	assert_int_equal(f->r.changed, 0);
}

static void
a_log_that_grows_is_proved_by_its_tiles(void **state)
{
	static const uint64_t sizes[] = {4, 7, 255, 256, 257, 300, 511, 512, 700, 1100};
	struct fixture *f = *state;

	run(f);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		f->o.now = WORLD_NOW + (int64_t)(i + 1) * STEP;
		publish(f, f->o.now, sizes[i]);
		expect(f, SYNC_DONE, REASON_NONE);
		assert_int_equal(f->r.size, sizes[i]);
	}
	assert_true(f->tile_gets < 60);
}

static void
a_full_tile_serves_where_the_partial_one_is_gone(void **state)
{
	struct fixture *f = *state;

	run(f);
	publish(f, WORLD_NOW + STEP, 20);
	f->o.now = WORLD_NOW + STEP;
	world_append_any(f->w, 492);
	f->log_size = 512; /* the log has grown since the checkpoint */
	f->no_partial = true;
	expect(f, SYNC_DONE, REASON_NONE);
	assert_int_equal(f->r.size, 20);
}

static void
a_suspension_may_end_and_a_new_manifest_comes(void **state)
{
	struct fixture *f = *state;

	run(f);
	status_set(f->w->raw, 79, STATUS_VALID);
	status_set(f->w->raw, 78, STATUS_INVALID);
	world_manifest(f->w, 4, WORLD_NOW);
	publish(f, WORLD_NOW + STEP, 5);
	f->o.now = WORLD_NOW + STEP;
	expect(f, SYNC_DONE, REASON_NONE);
	assert_int_equal(f->r.version, 4);
}

/* The very bytes that are held, after their expiry: an honest copy, but of last week. */
static void
data_past_its_expiry_is_a_freeze(void **state)
{
	struct fixture *f = *state;

	run(f);
	f->o.now = WORLD_NOW + LIST_LIFETIME_S - 1;
	expect(f, SYNC_DONE, REASON_NONE);
	f->o.now++;
	expect(f, SYNC_ATTACK, REASON_FREEZE);
}

static void
a_device_without_a_clock_takes_newer_data_and_refuses_older(void **state)
{
	struct fixture *f = *state;

	f->o.now = 1000;
	expect(f, SYNC_ATTACK, REASON_AHEAD);
	f->o.clock_trusted = false;
	expect(f, SYNC_DONE, REASON_NONE);
	publish(f, WORLD_NOW - 1, 3);
	expect(f, SYNC_ATTACK, REASON_ROLLBACK);
}

static void
a_server_that_fails_is_away_and_not_an_attack(void **state)
{
	struct fixture *f = *state;

	f->broken = ERR_IO;
	expect(f, SYNC_AWAY, REASON_NONE);
	assert_false(state_has(f->dir, "manifest.cose"));
	f->broken = ERR_OK;
	serve_not(f, "/log/checkpoint");
	expect(f, SYNC_AWAY, REASON_NONE);
	publish(f, WORLD_NOW, 3);
	expect(f, SYNC_DONE, REASON_NONE);
	publish(f, WORLD_NOW, 10);
	f->log_size = 0; /* a checkpoint whose tiles are not in place proves nothing yet */
	expect(f, SYNC_AWAY, REASON_NONE);
}

static void
a_folder_of_another_root_is_a_fault_here(void **state)
{
	struct fixture *f = *state;
	const struct key *other = f->w->stranger;

	run(f);
	assert_int_equal(state_write(f->dir, "manifest.cose", BYTES_LIT("junk")), ERR_OK);
	expect(f, SYNC_FAULT, REASON_NONE);
	f->o.root = other; /* what the server sends is not signed by that root */
	expect(f, SYNC_ATTACK, REASON_MANIFEST);
}

static void
one_sync_at_a_time(void **state)
{
	struct fixture *f = *state;
	int first = -1, second = -1;

	assert_int_equal(state_lock(f->dir, &first), ERR_OK);
	assert_int_equal(state_lock(f->dir, &second), ERR_BUSY);
	close(first);
	assert_int_equal(state_lock(f->dir, &second), ERR_OK);
	close(second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(the_first_sync_keeps_everything_and_the_second_nothing_new),
	        T(a_log_that_grows_is_proved_by_its_tiles),
	        T(a_full_tile_serves_where_the_partial_one_is_gone),
	        T(a_suspension_may_end_and_a_new_manifest_comes),
	        T(data_past_its_expiry_is_a_freeze),
	        T(a_device_without_a_clock_takes_newer_data_and_refuses_older),
	        T(a_server_that_fails_is_away_and_not_an_attack),
	        T(a_folder_of_another_root_is_a_fault_here),
	        T(one_sync_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
