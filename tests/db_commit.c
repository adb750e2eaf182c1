/* db_commit.c - a COMMIT counts only when the server said so: batches are whole or nothing, an
 * answer that was lost is unknown, and a server that could lose what it said is not used. */
#include "db_support.h"

#include <pthread.h>
#include <time.h>

#define DATABASE "zz_db_commit"

static int
setup(void **state)
{
	(void)state;
	db_fresh(DATABASE);
	return 0;
}

static double
seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t
head_size(void)
{
	struct store *s = db_store(DATABASE, STORE_PUBLISH);
	uint64_t size;
	int64_t time;
	assert_int_equal(store_head(s, &size, &time), ERR_OK);
	store_free(s);
	return size;
}

static bool
request_there(unsigned number)
{
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	struct db_request m;
	struct store_requests got;
	enum err e = store_request_get(s, db_request(&m, number, "issue").id, &got);
	if (e == ERR_OK)
		store_result_free(got.owner);
	else
		assert_int_equal(e, ERR_NOT_FOUND);
	store_free(s);
	return e == ERR_OK;
}

static void
a_thousand_certificates_commit_at_once(void **state)
{
	(void)state;
	enum { ROUNDS = 20 };
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	double start = seconds();
	for (unsigned i = 0; i < ROUNDS; i++)
		assert_int_equal(db_issue(s, DB_BATCH_MAX, i), ERR_OK);
	double took = seconds() - start;
	print_message("%d certificates in batches of %d: %.0f a second, %.1f ms a batch\n",
	        ROUNDS * DB_BATCH_MAX, DB_BATCH_MAX, ROUNDS * DB_BATCH_MAX / took,
	        took * 1000 / ROUNDS);
	assert_int_equal(head_size(), ROUNDS * DB_BATCH_MAX);
	store_free(s);
}

static void
the_same_batch_commits_once(void **state)
{
	(void)state;
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	uint64_t size, after;
	int64_t time;
	assert_int_equal(store_begin_head(s, &size, &time), ERR_OK);
	struct db_batch *d = db_batch(size, 10, 100);
	assert_int_equal(store_commit_batch(s, &d->b), ERR_OK);
	assert_int_equal(store_begin_head(s, &after, &time), ERR_OK);
	assert_int_equal(store_commit_batch(s, &d->b), ERR_EXISTS); /* the same indexes */
	free(d);
	assert_int_equal(store_begin_head(s, &after, &time), ERR_OK);
	assert_int_equal(after, size + 10);
	d = db_batch(after, 10, 100);
	assert_int_equal(
	        store_commit_batch(s, &d->b), ERR_EXISTS); /* new indexes, the same request */
	free(d);
	assert_int_equal(head_size(), size + 10);
	store_free(s);
}

static void
a_batch_with_one_bad_row_leaves_nothing(void **state)
{
	(void)state;
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	uint64_t size, after;
	int64_t time;
	static const enum err want[] = {
	        ERR_EXISTS, ERR_EXISTS, ERR_INTERNAL, ERR_SIZE, ERR_NOT_WAITING};
	for (unsigned i = 0; i < sizeof want / sizeof want[0]; i++) {
		assert_int_equal(store_begin_head(s, &size, &time), ERR_OK);
		struct db_batch *d = db_batch(size, 10, 110 + i);
		struct store_event twice[2] = {d->events[0], d->events[0]};
		if (i == 0)
			d->certificates[9].idx = 0; /* a place that is taken */
		if (i == 1)
			d->certificates[9].serial = d->certificates[8].serial;
		if (i == 2)
			d->certificates[9].index = size + 10; /* no such entry */
		if (i == 3)
			d->b.time = time - 1;
		if (i == 4) {
			twice[0].state = STATE_LAPSED; /* never waited */
			d->b.events = twice;
		}
		assert_int_equal(store_commit_batch(s, &d->b), want[i]);
		free(d);
		after = head_size();
		assert_int_equal(after, size);
		assert_false(request_there(110 + i));
	}
	store_free(s);
}

static void
a_batch_without_entries_leaves_the_head(void **state)
{
	(void)state;
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	uint64_t size;
	int64_t time;
	assert_int_equal(store_begin_head(s, &size, &time), ERR_OK);
	struct db_batch *d = db_batch(size, 0, 120);
	assert_int_equal(store_commit_batch(s, &d->b), ERR_OK); /* every seat was refused */
	free(d);
	assert_true(request_there(120));
	assert_int_equal(head_size(), size);
	store_free(s);
}

static void
commit_of_a_failed_transaction_is_not_done(void **state)
{
	(void)state;
	struct pg *pg = db_pg(DATABASE, "zz_issuer");
	assert_int_equal(pg_begin(pg), ERR_OK);
	assert_int_equal(pg_script(pg, "SELECT 1 / 0"), ERR_INTERNAL);
	assert_int_equal(pg_commit(pg), ERR_DATABASE);
	pg_free(pg);
}

static void
backends_end(const char *what, const char *where)
{
	char sql[300];
	struct pg *pg = db_pg("postgres", "postgres");
	snprintf(sql, sizeof sql,
	        "SELECT %s(pid) FROM pg_stat_activity WHERE datname = '%s' AND %s", what, DATABASE,
	        where);
	db_do(pg, sql);
	pg_free(pg);
	struct timespec wait = {.tv_nsec = 100 * 1000 * 1000};
	nanosleep(&wait, NULL);
}

static void
a_connection_lost_before_the_batch_is_not_done(void **state)
{
	(void)state;
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	uint64_t size, after;
	int64_t time;
	assert_int_equal(store_begin_head(s, &size, &time), ERR_OK);
	backends_end("pg_terminate_backend", "usename = 'zz_issuer'");
	struct db_batch *d = db_batch(size, 10, 130);
	struct store_requests got;
	assert_int_equal(store_request_get(s, d->requests[0].id, &got),
	        ERR_DATABASE); /* no new connection in a transaction */
	assert_int_equal(store_commit_batch(s, &d->b), ERR_DATABASE);
	free(d);
	assert_false(request_there(130));
	assert_int_equal(store_begin_head(s, &after, &time), ERR_OK); /* connected again */
	assert_int_equal(after, size);
	store_rollback(s);
	store_rollback(s);
	store_free(s);
}

static void
a_connection_lost_at_commit_is_unknown(void **state)
{
	(void)state;
	struct pg *pg = db_pg(DATABASE, "zz_issuer");
	assert_int_equal(pg_begin(pg), ERR_OK);
	db_do(pg, "SELECT size FROM zz.log_head WHERE id = 1 FOR UPDATE");
	backends_end("pg_terminate_backend", "usename = 'zz_issuer'");
	assert_int_equal(pg_commit(pg), ERR_UNKNOWN_COMMIT);
	assert_false(pg_alive(pg));
	assert_int_equal(pg_commit(pg), ERR_DATABASE); /* now it is known that nothing is sent */
	pg_free(pg);
}

struct breaker {
	const char *function;
	bool did;
};

/* Waits until a COMMIT waits for the standby that is not there, then breaks the wait. */
static void *
break_commit(void *context)
{
	struct breaker *b = context;
	char sql[200];
	struct pg *pg = db_pg("postgres", "postgres");
	snprintf(sql, sizeof sql,
	        "SELECT count(*) FROM (SELECT %s(pid) FROM pg_stat_activity WHERE wait_event = "
	        "'SyncRep' AND datname = '%s') x",
	        b->function, DATABASE);
	for (int i = 0; i < 200 && !b->did; i++) {
		struct timespec wait = {.tv_nsec = 50 * 1000 * 1000};
		nanosleep(&wait, NULL);
		b->did = db_number(pg, sql) > 0;
	}
	pg_free(pg);
	return NULL;
}

static void
standby_names_set(const char *names)
{
	char sql[100];
	struct pg *pg = db_pg("postgres", "postgres");
	snprintf(sql, sizeof sql, "ALTER SYSTEM SET synchronous_standby_names = '%s'", names);
	db_do(pg, sql);
	db_do(pg, "SELECT pg_reload_conf()");
	pg_free(pg);
	struct timespec wait = {.tv_nsec = 300 * 1000 * 1000};
	nanosleep(&wait, NULL);
}

/* The same to whoever only read. */
static enum err
settle_broken(struct store *s, const char *function)
{
	struct breaker b = {.function = function};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, break_commit, &b), 0);
	enum err e = store_settle(s);
	pthread_join(thread, NULL);
	assert_true(b.did);
	return e;
}

/* The server says COMMIT (cancel) or nothing (terminate), and both times the row is there: so the
 * answer is unknown. */
static void
a_broken_wait_for_the_standby_is_unknown(void **state)
{
	(void)state;
	static const char *const functions[] = {"pg_cancel_backend", "pg_terminate_backend"};
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	struct store *other = db_store(DATABASE, STORE_ISSUER);
	for (unsigned i = 0; i < 2; i++) {
		standby_names_set("nobody");
		struct breaker b = {.function = functions[i]};
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, break_commit, &b), 0);
		enum err e = db_issue(s, 10, 140 + i);
		pthread_join(thread, NULL);
		assert_true(b.did);
		assert_int_equal(e, ERR_UNKNOWN_COMMIT);
		/* everyone sees the row, and nobody may answer it before the standby has it */
		assert_true(request_there(140 + i));
		assert_int_equal(settle_broken(other, functions[i]), ERR_UNKNOWN_COMMIT);
		standby_names_set("");
		assert_int_equal(store_settle(other), ERR_OK);
	}
	store_free(other);
	/* the control: nobody breaks it, and the answer is yes */
	assert_int_equal(db_issue(s, 10, 142), ERR_OK);
	store_free(s);
}

static void
who_holds_the_head_too_long_is_ended(void **state)
{
	(void)state;
	struct pg *stopped = db_pg(
	        DATABASE, "zz_issuer"); /* a front that was stopped: its own time limit is off */
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	uint64_t size;
	int64_t time;
	assert_int_equal(pg_begin(stopped), ERR_OK);
	db_do(stopped, "SELECT size FROM zz.log_head WHERE id = 1 FOR UPDATE");
	double start = seconds();
	assert_int_equal(store_begin_head(s, &size, &time), ERR_BUSY);
	assert_true(seconds() - start >= 4.9 && seconds() - start < 8);
	db_do(stopped, "SELECT 1"); /* held for 5 s only: left alone */
	enum err e = ERR_BUSY;
	for (int i = 0; i < 3 && e == ERR_BUSY; i++)
		e = store_begin_head(s, &size, &time);
	assert_int_equal(e, ERR_OK);
	assert_int_equal(pg_script(stopped, "SELECT 1"), ERR_DATABASE);
	store_rollback(s);
	store_free(s);
	pg_free(stopped);
}

static void
a_server_that_may_lose_commits_is_refused(void **state)
{
	(void)state;
	static const char *const settings[] = {"fsync", "full_page_writes", "synchronous_commit"};
	char room[300];
	for (size_t i = 0; i < 3; i++) {
		char sql[100];
		struct pg *pg = db_pg("postgres", "postgres");
		snprintf(sql, sizeof sql, "ALTER SYSTEM SET %s = off", settings[i]);
		db_do(pg, sql);
		db_do(pg, "SELECT pg_reload_conf()");
		struct timespec wait = {.tv_nsec = 300 * 1000 * 1000};
		nanosleep(&wait, NULL);
		struct store *s = NULL;
		assert_int_equal(
		        store_open(db_conninfo(DATABASE, "zz_issuer", room), STORE_ISSUER, &s),
		        ERR_CONFIG);
		snprintf(sql, sizeof sql, "ALTER SYSTEM RESET %s", settings[i]);
		db_do(pg, sql);
		db_do(pg, "SELECT pg_reload_conf()");
		nanosleep(&wait, NULL);
		pg_free(pg);
	}
	store_free(db_store(DATABASE, STORE_ISSUER));
	struct store *s = NULL;
	assert_int_equal(store_open("host=/nowhere dbname=zz user=zz_issuer", STORE_ISSUER, &s),
	        ERR_DATABASE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_thousand_certificates_commit_at_once),
	        cmocka_unit_test(the_same_batch_commits_once),
	        cmocka_unit_test(a_batch_with_one_bad_row_leaves_nothing),
	        cmocka_unit_test(a_batch_without_entries_leaves_the_head),
	        cmocka_unit_test(commit_of_a_failed_transaction_is_not_done),
	        cmocka_unit_test(a_connection_lost_before_the_batch_is_not_done),
	        cmocka_unit_test(a_connection_lost_at_commit_is_unknown),
	        cmocka_unit_test(a_broken_wait_for_the_standby_is_unknown),
	        cmocka_unit_test(who_holds_the_head_too_long_is_ended),
	        cmocka_unit_test(a_server_that_may_lose_commits_is_refused),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
