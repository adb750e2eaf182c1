#ifndef TESTS_DB_SUPPORT_H
#define TESTS_DB_SUPPORT_H
/* db_support.h - what the database tests share: connections of every role to a fresh database, and
 * batches of invented certificates. Run under tools/with_postgres; without it the tests fail, they
 * never skip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hash.h"
#include "pg.h"
#include "store.h"
#include "store_admin.h"
#include "store_publish.h"
#include "store_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DB_NOW = 1792224000, DB_BATCH_MAX = 1000 };

/* conninfo of a role in a database of the temporary server */
static inline const char *
db_conninfo(const char *database, const char *user, char room[300])
{
	const char *base = getenv("ZZ_TEST_PG");
	if (base == NULL)
		fail_msg("ZZ_TEST_PG is not set: run this under tools/with_postgres");
	snprintf(room, 300, "%s dbname=%s user=%s", base, database, user);
	return room;
}

static inline struct pg *
db_pg(const char *database, const char *user)
{
	char room[300];
	struct pg_session session = {.conninfo = db_conninfo(database, user, room),
	        .application = "test",
	        .settings = "-c idle_in_transaction_session_timeout=0"};
	struct pg *pg = NULL;
	assert_int_equal(pg_open(&session, &pg), ERR_OK);
	return pg;
}

static inline void
db_do(struct pg *pg, const char *sql)
{
	enum err e = pg_script(pg, sql);
	if (e != ERR_OK)
		fail_msg("%s: %s %s", sql, err_word(e), pg_sqlstate(pg));
}

static inline void
db_do_in(const char *database, const char *user, const char *sql)
{
	struct pg *pg = db_pg(database, user);
	db_do(pg, sql);
	pg_free(pg);
}

static inline int64_t
db_number(struct pg *pg, const char *sql)
{
	struct pg_result *r;
	assert_int_equal(pg_query(pg, sql, NULL, &r), ERR_OK);
	assert_int_equal(pg_rows(r), 1);
	struct pg_row row = pg_row(r, 0);
	int64_t v = pg_next_int(&row);
	assert_int_equal(pg_row_end(&row), ERR_OK);
	pg_result_free(r);
	return v;
}

/* A database as the migrations leave it, with a name of its own. */
static inline void
db_fresh(const char *database)
{
	char sql[200];
	struct pg *pg = db_pg("postgres", "postgres");
	snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s WITH (FORCE)", database);
	db_do(pg, sql);
	snprintf(sql, sizeof sql, "CREATE DATABASE %s OWNER zz_owner TEMPLATE zz", database);
	db_do(pg, sql);
	pg_free(pg);
}

static inline struct store *
db_store(const char *database, enum store_role role)
{
	static const char *const users[] = {[STORE_ISSUER] = "zz_issuer",
	        [STORE_PUBLISH] = "zz_publish",
	        [STORE_ADMIN] = "zz_admin"};
	char room[300];
	struct store *s = NULL;
	assert_int_equal(store_open(db_conninfo(database, users[role], room), role, &s), ERR_OK);
	return s;
}

/* Memory of an invented request: bytes follow from its number. */
struct db_request {
	uint8_t id[32];
	char kid[44], jti[33];
	struct store_request row;
};

static inline struct store_request
db_request(struct db_request *r, unsigned number, const char *type)
{
	char seed[32];
	snprintf(seed, sizeof seed, "request %u", number);
	sha256_one(bytes_of_text(seed), r->id);
	snprintf(r->kid, sizeof r->kid, "kid%040u", number);
	snprintf(r->jti, sizeof r->jti, "jti%029u", number);
	r->row = (struct store_request){.id = bytes_of(r->id, 32),
	        .kid = bytes_of_text(r->kid),
	        .jti = bytes_of_text(r->jti),
	        .type = bytes_of_text(type),
	        .center = BYTES_LIT("330106-01"),
	        .sender = BYTES_LIT("sender"),
	        .session = BYTES_LIT("330106-2026-10-0042"),
	        .jws = BYTES_LIT("e30.e30.e30"),
	        .exp = DB_NOW + 3600,
	        .received_at = DB_NOW};
	return r->row;
}

/* An invented batch: `count` certificates of one request, entry i at index size + i. */
struct db_batch {
	uint8_t serial[DB_BATCH_MAX][16], tag[DB_BATCH_MAX][16], holder[DB_BATCH_MAX][32];
	uint8_t entry[DB_BATCH_MAX][120], note[60], record[380];
	struct signed_entry entries[DB_BATCH_MAX];
	struct store_certificate certificates[DB_BATCH_MAX];
	struct db_request request;
	struct store_request requests[1];
	struct store_event events[1];
	struct store_batch b;
};

static inline void
db_certificate(struct db_batch *d, size_t i, uint64_t index)
{
	memset(d->serial[i], 0, 16);
	be_put(d->serial[i], index, 8);
	memset(d->tag[i], 0x7a, 16);
	be_put(d->tag[i], index, 8);
	memset(d->holder[i], 0x68, 32);
	be_put(d->holder[i], index, 8);
	memset(d->entry[i], 0x65, sizeof d->entry[i]);
	be_put(d->entry[i], index, 8);
	d->entries[i] = (struct signed_entry){.entry = bytes_of(d->entry[i], sizeof d->entry[i]),
	        .note = bytes_of(d->note, sizeof d->note),
	        .tag = bytes_of(d->tag[i], 16),
	        .record = bytes_of(d->record, sizeof d->record)};
	d->certificates[i] = (struct store_certificate){.index = index,
	        .serial = bytes_of(d->serial[i], 16),
	        .request = d->requests[0].id,
	        .seat = (uint32_t)i + 1,
	        .holder_key = bytes_of(d->holder[i], 32),
	        .item = BYTES_LIT("030102"),
	        .center = BYTES_LIT("330106-01"),
	        .list = (uint32_t)(index >> 20),
	        .idx = (uint32_t)(index & 0xfffff),
	        .exp = DB_NOW + 1000000,
	        .record = bytes_of(d->record, sizeof d->record)};
}

/* Of request `number`, on a log of `size`. The caller may change d->b before it commits. */
static inline struct db_batch *
db_batch(uint64_t size, size_t count, unsigned number)
{
	struct db_batch *d = calloc(1, sizeof *d);
	assert_non_null(d);
	assert_true(count <= DB_BATCH_MAX);
	memset(d->record, 0x72, sizeof d->record);
	memset(d->note, 0x6e, sizeof d->note);
	d->requests[0] = db_request(&d->request, number, "issue");
	d->events[0] = (struct store_event){.request = d->requests[0].id,
	        .state = STATE_EXECUTED,
	        .code = BYTES_LIT(""),
	        .at = DB_NOW};
	for (size_t i = 0; i < count; i++)
		db_certificate(d, i, size + i);
	d->b = (struct store_batch){.size = size,
	        .time = DB_NOW,
	        .requests = d->requests,
	        .request_count = 1,
	        .events = d->events,
	        .event_count = 1,
	        .certificates = d->certificates,
	        .certificate_count = count,
	        .entries = d->entries,
	        .entry_count = count};
	return d;
}

/* Locks the head and commits the batch of `count` certificates of request `number`. */
static inline enum err
db_issue(struct store *s, size_t count, unsigned number)
{
	uint64_t size;
	int64_t time;
	enum err e = store_begin_head(s, &size, &time);
	if (e != ERR_OK)
		return e;
	struct db_batch *d = db_batch(size, count, number);
	e = store_commit_batch(s, &d->b);
	free(d);
	return e;
}
#endif
