/* test_monitor.c - the monitor against a small authority in memory: honest growth raises nothing,
 * and each lie of a hostile one is called by its name. */
#include "monitor_server.h"

/* Time passes, and things are decided and published as they should be. */
static void
step(struct server *v)
{
	v->now += HEAD_AGE;
	status_set(v->w->raw, 5, STATUS_INVALID);
	decide(v, 5, STATUS_INVALID, v->now);
	publish(v);
}

static void
honest_growth_raises_nothing(void **state)
{
	struct server *v = *state;

	v->o.burst = 1000;
	expect_nothing(v);
	assert_int_equal(v->r.fresh, 13);
	step(v);
	expect_nothing(v);
	assert_int_equal(v->r.fresh, 2);
	for (int i = 0; i < 300; i++) { /* over the edge of a bundle */
		v->now += 1;
		issue(v, "440305-02", (uint8_t)(30 + i / 10), v->now);
	}
	publish(v);
	expect_nothing(v);
	assert_int_equal(v->r.before, 15);
	assert_int_equal(v->r.size, 316);
	expect_nothing(v);
	assert_int_equal(v->r.fresh, 0);
	assert_int_equal(v->s.count_count, 2);
	assert_int_equal(v->s.counts[0].certificates, 10);
	assert_int_equal(v->s.counts[0].requests, 1);
	assert_int_equal(v->s.statuses[STATUS_INVALID], 1);
}

/* What was decided after the list was signed is not in it, and that is no lie. */
static void
a_list_is_judged_as_of_the_size_it_covers(void **state)
{
	struct server *v = *state;
	uint64_t covered;

	expect_nothing(v);
	v->now += HEAD_AGE;
	covered = v->size;
	decide(v, 9, STATUS_SUSPENDED, v->now);
	v->shown = v->size;
	expect_nothing(v); /* a pass ends between the two */
	list_log(v, v->now + 10, covered);
	head_make(v, v->now + 10);
	v->now += 10;
	expect_nothing(v);
	/* negative control: as if it covered the decision too */
	list_log(v, v->now + 10, v->size);
	head_make(v, v->now + 10);
	v->now += 10;
	expect_only(v, ALARM_LIST_FOLD);
}

static void
a_fork_is_named_and_not_learned(void **state)
{
	struct server *v = *state;

	expect_nothing(v);
	v->entries[4].b[20] ^= 1;
	step(v);
	expect_only(v, ALARM_FORK);
	assert_true(state_has(v->dir, "contradiction"));
	v->entries[4].b[20] ^= 1;
	expect_nothing(v);
	assert_int_equal(v->r.before, 13);
}

static void
a_rollback_is_named(void **state)
{
	struct server *v = *state;
	uint64_t size = v->size;
	uint8_t head[HEAD_BYTES_MAX];
	size_t n = v->head_n;

	memcpy(head, v->head, n);
	expect_nothing(v);
	step(v);
	expect_nothing(v);
	v->shown = size;
	expect_only(v, ALARM_ROLLBACK);
	v->shown = v->size;
	memcpy(v->head, head, n);
	v->head_n = n;
	expect_only(v, ALARM_ROLLBACK);
}

/* The log has the revocation; the list at its address does not. */
static void
a_list_that_hides_a_revocation_is_named(void **state)
{
	struct server *v = *state;
	static uint8_t old[TOKEN_BYTES_MAX];
	size_t n = v->cwt_n;

	memcpy(old, v->cwt, n);
	expect_nothing(v);
	step(v);
	memcpy(v->cwt, old, n);
	v->cwt_n = n;
	expect_nothing(v); /* a cache may have it still */
	v->now += 301;
	expect_only(v, ALARM_LIST_HIDDEN);
}

/* The authority itself signs and logs a list without the revocation. */
static void
a_logged_list_that_leaves_a_decision_out_is_named(void **state)
{
	struct server *v = *state;

	expect_nothing(v);
	v->now += HEAD_AGE;
	decide(v, 5, STATUS_INVALID, v->now);
	publish(v); /* w->raw was not changed */
	expect_only(v, ALARM_LIST_FOLD);
}

static void
a_list_that_is_not_logged_is_named(void **state)
{
	struct server *v = *state;
	struct buf token = BUF_OF(v->cwt);

	expect_nothing(v);
	v->now += HEAD_AGE;
	world_list(v->w, v->w->status, 0, v->now, &token);
	v->cwt_n = token.n;
	expect_only(v, ALARM_LIST_HIDDEN);
}

static void
a_revocation_taken_back_is_named(void **state)
{
	struct server *v = *state;

	step(v);
	expect_nothing(v);
	v->now += HEAD_AGE;
	decide(v, 5, STATUS_VALID, v->now);
	status_set(v->w->raw, 5, STATUS_VALID);
	publish(v);
	expect_only(v, ALARM_UNDONE);
}

static void
a_burst_and_the_night_are_named_once(void **state)
{
	struct server *v = *state;

	expect_nothing(v);
	v->now += 3600;
	for (int i = 0; i < 101; i++)
		issue(v, "330106-01", 8, v->now);
	publish(v);
	expect_only(v, ALARM_BURST);
	assert_int_equal(v->r.finding_count, 1);
	assert_string_equal(v->r.findings[0].center, "330106-01");
	issue(v, "330106-01", 9, v->now + 1);
	v->now += 2;
	publish(v);
	expect_nothing(v);
	v->now += 14 * 3600; /* one in the morning */
	issue(v, "440305-02", 10, v->now);
	issue(v, "440305-02", 10, v->now);
	publish(v);
	expect_only(v, ALARM_NIGHT);
	assert_int_equal(v->r.finding_count, 1);
}

static void
back_dating_and_a_session_that_is_spread_are_named(void **state)
{
	struct server *v = *state;

	expect_nothing(v);
	v->now += HEAD_AGE;
	issue(v, "440305-02", 11, v->now);
	issue(v, "440305-02", 12, v->now - ENTRY_AGE_S_MAX); /* as the signer allows */
	publish(v);
	expect_nothing(v);
	issue(v, "440305-02", 13, v->now - ENTRY_AGE_S_MAX - 1);
	v->now += 2;
	publish(v);
	expect_only(v, ALARM_TIME_BACK);
	v->now += HEAD_AGE;
	issue(v, "440305-02", 11, v->now);
	publish(v);
	expect_only(v, ALARM_SPREAD);
	issue(v, "440305-02", 0, v->now);
	v->now += 2;
	publish(v);
	expect_only(v, ALARM_NO_SESSION);
	issue(v, "440305-02", 14, v->now + 400);
	v->now += 2;
	publish(v);
	run(v);
	assert_true(found(v, ALARM_FUTURE));
}

static void
a_centre_sees_what_is_issued_in_its_name(void **state)
{
	struct server *v = *state;
	uint8_t known[1][SHA256_BYTES];
	json_t *json;

	memset(known[0], 7, SHA256_BYTES);
	v->o.center = "330106-01";
	v->o.known = (const uint8_t(*)[SHA256_BYTES])known;
	v->o.known_count = 1;
	expect_nothing(v);
	json = monitor_json(&v->o, &v->s, &v->r);
	assert_int_equal(json_array_size(json_object_get(json, "requests")), 1);
	json_decref(json);
	v->now += HEAD_AGE;
	issue(v, "440305-02", 20, v->now); /* not its affair */
	publish(v);
	expect_nothing(v);
	v->now += HEAD_AGE;
	issue(v, "330106-01", 21, v->now);
	publish(v);
	expect_only(v, ALARM_UNKNOWN_REQUEST);
	assert_true(monitor_shows(&v->o, &v->r.findings[0]));
	v->o.center = "440305-02";
	assert_false(monitor_shows(&v->o, &v->r.findings[0]));
}

static void
what_is_not_signed_or_not_logged_is_named(void **state)
{
	struct server *v = *state;
	struct key *log = v->w->log, *other = NULL;

	assert_int_equal(key_generate(KEY_ED25519, &other), ERR_OK);
	v->w->log = other;
	expect_only(v, ALARM_CHECKPOINT);
	v->w->log = log;
	key_free(other);
	v->o.root = v->w->stranger;
	expect_only(v, ALARM_MANIFEST);
	v->o.root = v->w->root;
	expect_nothing(v);
	world_manifest(v->w, 4, v->now); /* the root signed it, the log lacks it */
	expect_only(v, ALARM_MANIFEST);
}

static void
a_server_that_fails_is_no_alarm_and_nothing_is_learned(void **state)
{
	static const char *const paths[] = {"/manifest.cose", "/status/head.cwt", "/status/0.cwt",
	        "/log/checkpoint", "/log/tile/entries/000.p/13"};
	struct server *v = *state;

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		v->missing = paths[i];
		if (i == 4) /* the full bundle is asked for then, which is longer: not there */
			v->missing = "/log/checkpoint";
		run(v);
		assert_int_equal(v->r.end, MONITOR_AWAY);
		assert_int_equal(v->r.finding_count, 0);
		assert_false(state_has(v->dir, "monitor.json"));
	}
	v->missing = NULL;
	expect_nothing(v);
	v->now += 8 * DAY_S;
	run(v);
	assert_true(found(v, ALARM_STALE));
}

#define T(f) cmocka_unit_test_setup_teardown(f, server_make, server_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(honest_growth_raises_nothing),
	        T(a_list_is_judged_as_of_the_size_it_covers),
	        T(a_fork_is_named_and_not_learned),
	        T(a_rollback_is_named),
	        T(a_list_that_hides_a_revocation_is_named),
	        T(a_logged_list_that_leaves_a_decision_out_is_named),
	        T(a_list_that_is_not_logged_is_named),
	        T(a_revocation_taken_back_is_named),
	        T(a_burst_and_the_night_are_named_once),
	        T(back_dating_and_a_session_that_is_spread_are_named),
	        T(a_centre_sees_what_is_issued_in_its_name),
	        T(what_is_not_signed_or_not_logged_is_named),
	        T(a_server_that_fails_is_no_alarm_and_nothing_is_learned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
