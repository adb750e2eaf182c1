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
	assert_int_equal(f->r.lists, LISTS);
	assert_int_equal(f->r.crls, LISTS);
	assert_int_equal(f->list_gets, LISTS);
	/* manifest, checkpoint, table, head, and of each list its raw bytes and CRL */
	assert_int_equal(f->r.changed, 4 + 2 * LISTS);
	assert_true(state_has(f->dir, "head.cwt") && state_has(f->dir, "crl/0.crl"));
	assert_int_equal(state_newest(f->dir, &newest), ERR_OK);
	assert_int_equal(newest, WORLD_NOW);
	f->gets = 0;
	expect(f, SYNC_DONE, REASON_NONE);
	assert_int_equal(f->r.changed, 0);
	assert_int_equal(f->r.lists, LISTS);
	assert_int_equal(f->gets, 1); /* the head alone */
}

/* Only the delta is fetched of what changed, and what it leaves untouched is not fetched at all. */
static void
a_delta_stands_in_for_the_lists(void **state)
{
	struct fixture *f = *state;

	run(f);
	status_set(f->w->raw, 5, STATUS_INVALID);
	status_set(f->w->raw, 79, STATUS_VALID);
	publish(f, WORLD_NOW + STEP, 5);
	f->o.now = WORLD_NOW + STEP;
	f->list_gets = 0;
	f->gets = 0;
	expect(f, SYNC_DONE, REASON_NONE);
	assert_int_equal(f->list_gets, 0);
	assert_int_equal(f->r.lists, LISTS);
	/* head, checkpoint, tile, table, delta, one CRL */
	assert_int_equal(f->gets, 6);
}

static void
without_crls_head_table_and_delta_are_enough(void **state)
{
	struct fixture *f = *state;

	f->o.crls = false;
	expect(f, SYNC_DONE, REASON_NONE);
	assert_false(state_has(f->dir, "crl/0.crl"));
	status_set(f->w->raw, 5, STATUS_INVALID);
	publish(f, WORLD_NOW + STEP, 3);
	f->o.now = WORLD_NOW + STEP;
	f->gets = 0;
	expect(f, SYNC_DONE, REASON_NONE);
	assert_int_equal(f->gets, 4); /* head, checkpoint, table, delta */
}

/* Else one that lacks newer revocations would pass for current. */
static void
a_crl_older_than_its_list_goes_and_comes_back(void **state)
{
	struct fixture *f = *state;

	run(f);
	status_set(f->w->raw, 5, STATUS_INVALID);
	publish(f, WORLD_NOW + STEP, 3);
	f->o.now = WORLD_NOW + STEP;
	f->o.crls = false;
	expect(f, SYNC_DONE, REASON_NONE);
	assert_false(state_has(f->dir, "crl/0.crl"));
	assert_true(state_has(f->dir, "crl/1.crl")); /* of a list that did not change */
	f->o.crls = true;
	expect(f, SYNC_DONE, REASON_NONE);
	assert_true(state_has(f->dir, "crl/0.crl"));
	assert_int_equal(f->r.crls, 1);
}

/* A delta serves every head from its base on. */
static void
a_delta_of_an_older_base_serves_too(void **state)
{
	struct fixture *f = *state;
	uint64_t first = f->sequence;
	uint8_t before[LIST_BYTES];

	memcpy(before, f->published, sizeof before);
	status_set(f->w->raw, 5, STATUS_SUSPENDED);
	publish(f, WORLD_NOW + STEP, 5);
	f->o.now = WORLD_NOW + STEP;
	run(f);
	status_set(f->w->raw, 6, STATUS_INVALID);
	memcpy(f->published, before, sizeof before);
	f->sequence = first;
	f->o.now += STEP;
	publish(f, f->o.now, 6);
	f->list_gets = 0;
	expect(f, SYNC_DONE, REASON_NONE);
	assert_int_equal(f->list_gets, 0);
}

static void
delta_junk(struct fixture *f)
{
	PATH(path, "/status/delta/%llu-%llu.cwt", (unsigned long long)f->p.delta.base,
	        (unsigned long long)f->p.head.sequence);

	serve(f, path, BYTES_LIT("junk"));
}

static void
delta_gone(struct fixture *f)
{
	PATH(path, "/status/delta/%llu-%llu.cwt", (unsigned long long)f->p.delta.base,
	        (unsigned long long)f->p.head.sequence);

	serve_not(f, path);
}

static void
delta_lies(struct fixture *f)
{
	f->p.changes[0].status = STATUS_SUSPENDED;
	publish_end(f);
}

static void
delta_of_a_list_that_is_not_counted(struct fixture *f)
{
	f->p.changes[0].list = LISTS;
	publish_end(f);
}

static void
delta_ahead_of_what_is_held(struct fixture *f)
{
	f->p.delta.base++;
	publish_end(f);
}

/* The gap, and every other fault of a delta, leads to the lists and to the same state. */
static void
where_the_delta_does_not_serve_the_list_is_fetched(void **state)
{
	static void (*const spoil[])(struct fixture * f) = {delta_junk, delta_gone, delta_lies,
	        delta_of_a_list_that_is_not_counted, delta_ahead_of_what_is_held};

	(void)state;
	for (size_t i = 0; i < sizeof spoil / sizeof spoil[0]; i++) {
		void *made = NULL;
		struct fixture *f;

		fixture_make(&made);
		f = made;
		run(f);
		status_set(f->w->raw, 5, STATUS_INVALID);
		f->o.now = WORLD_NOW + STEP;
		publish(f, f->o.now, 5);
		spoil[i](f);
		f->list_gets = 0;
		expect(f, SYNC_DONE, REASON_NONE);
		assert_int_equal(f->list_gets, 1);
		fixture_free(&made);
	}
}

/* The head of a cache names a table that is gone: the head is fetched once more. */
static void
a_publication_made_meanwhile_is_no_attack(void **state)
{
	struct fixture *f = *state;
	struct served *old = NULL;

	run(f);
	f->o.now = WORLD_NOW + STEP;
	publish(f, f->o.now, 5);
	old = served_find(f, "/status/head.cwt");
	memcpy(f->stale_head, old->bytes, old->n);
	f->stale_n = old->n;
	serve_not(f, "/status/table/1792225000.cwt");
	publish(f, f->o.now + 1, 6);
	f->stale_gets = 1;
	expect(f, SYNC_DONE, REASON_NONE);
	assert_int_equal(f->r.size, 6);
	/* control: with the same head again the missing part stays missing */
	publish(f, f->o.now + 2, 7);
	serve_not(f, "/status/table/1792225002.cwt");
	expect(f, SYNC_AWAY, REASON_NONE);
}

/* A sync that ended half-way leaves what was held, whole; files that no head names go. */
static void
a_broken_sync_leaves_the_held_publication_whole(void **state)
{
	struct fixture *f = *state;
	char name[STATE_NAME_MAX];

	run(f);
	state_raw_name(0, f->p.rows[0].raw_sha256, name);
	status_set(f->w->raw, 5, STATUS_INVALID);
	f->o.now = WORLD_NOW + STEP;
	publish(f, f->o.now, 5);
	serve(f, "/crl/0.crl", BYTES_LIT("junk"));
	expect(f, SYNC_ATTACK, REASON_CRL);
	assert_true(state_has(f->dir, name));
	publish(f, f->o.now + 1, 6);
	expect(f, SYNC_DONE, REASON_NONE);
	assert_false(state_has(f->dir, name));
	state_raw_name(0, f->p.rows[0].raw_sha256, name);
	assert_true(state_has(f->dir, name));
	assert_false(state_has(f->dir, "table-1792224000.cwt"));
	/* a list that was lost here is fetched again, though the head is the same */
	state_remove(f->dir, name);
	expect(f, SYNC_DONE, REASON_NONE);
	assert_true(state_has(f->dir, name));
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
	f->o.now = WORLD_NOW + HEAD_LIFETIME_S - 1;
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
	serve_not(f, "/log/checkpoints/3");
	expect(f, SYNC_AWAY, REASON_NONE);
	publish(f, WORLD_NOW, 3);
	expect(f, SYNC_DONE, REASON_NONE);
	publish(f, WORLD_NOW + 1, 10);
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
	state_remove(f->dir, "manifest.cose");
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
	        T(a_delta_stands_in_for_the_lists),
	        T(without_crls_head_table_and_delta_are_enough),
	        T(a_crl_older_than_its_list_goes_and_comes_back),
	        T(a_delta_of_an_older_base_serves_too),
	        T(where_the_delta_does_not_serve_the_list_is_fetched),
	        T(a_publication_made_meanwhile_is_no_attack),
	        T(a_broken_sync_leaves_the_held_publication_whole),
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
