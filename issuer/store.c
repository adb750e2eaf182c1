/* store.c - one connection of one role: made anew after a loss, but never inside a transaction, so
 * that half a transaction cannot be continued on another connection. */
#include "log.h"
#include "store_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct block { /* memory of a result: a chain */
	struct block *next;
	max_align_t data[];
};
struct store_result {
	struct pg_result *pg;
	struct block *blocks;
};

static const char *const role_words[] = {
        [STORE_ISSUER] = "issuerd", [STORE_PUBLISH] = "issuer-publish", [STORE_ADMIN] = "zz-admin"};

/* Every statement goes by an index, or reads a table on purpose: a plan made while the tables were
 * empty must not scan them once they are not. With such plans the costs
 * mean nothing, so no JIT and no parallel workers. */
static const char planner[] =
        "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off"
        " -c max_parallel_workers_per_gather=0";

static enum err
ready(struct store *s)
{
	if (s->pg != NULL && pg_alive(s->pg))
		return ERR_OK;
	if (s->in_transaction)
		return ERR_DATABASE;
	pg_free(s->pg);
	s->pg = NULL;
	struct pg_statement statements[STORE_SQL_MAX];
	struct pg_session session = {.conninfo = s->conninfo,
	        .application = role_words[s->role],
	        .settings = planner,
	        .statements = statements,
	        .statement_count = store_sql_of(s->role, statements)};
	return pg_open(&session, &s->pg);
}

enum err
store_open(const char *conninfo, enum store_role role, struct store **out)
{
	struct store *s = calloc(1, sizeof *s);
	if (s == NULL)
		return ERR_MEMORY;
	s->role = role;
	s->conninfo = strdup(conninfo);
	enum err e = s->conninfo == NULL ? ERR_MEMORY : ready(s);
	if (e != ERR_OK) {
		store_free(s);
		return e;
	}
	*out = s;
	return ERR_OK;
}

void
store_free(struct store *s)
{
	if (s == NULL)
		return;
	pg_free(s->pg);
	free(s->conninfo);
	free(s);
}

enum err
store_exec(struct store *s, enum store_sql id, struct pg_params *params, struct pg_result **out)
{
	enum err e = ready(s);
	if (e == ERR_OK)
		return pg_exec(s->pg, id, params, out);
	if (params != NULL)
		pg_params_free(params);
	return e;
}

enum err
store_write(struct store *s, enum store_sql id, struct pg_params *params, size_t count)
{
	struct pg_result *r;
	enum err e = store_exec(s, id, params, &r);
	if (e != ERR_OK)
		return e;
	size_t affected = pg_affected(r);
	pg_result_free(r);
	if (affected == count)
		return ERR_OK;
	log_fault("database_rows", "statement=%d wrote=%zu must_be=%zu", (int)id, affected, count);
	return ERR_INTERNAL;
}

enum err
store_begin(struct store *s)
{
	assert(!s->in_transaction);
	enum err e = ready(s);
	if (e == ERR_OK)
		e = pg_begin(s->pg);
	s->in_transaction = e == ERR_OK;
	return e;
}

enum err
store_end(struct store *s, enum err e)
{
	if (!s->in_transaction) {
		assert(e != ERR_OK);
		return e;
	}
	s->in_transaction = false;
	if (e == ERR_OK)
		return pg_commit(s->pg);
	pg_rollback(s->pg);
	return e;
}

/* -- results -- */

void *
store_result_room(struct store_result *r, size_t count, size_t size)
{
	if (size > 0 && count > (SIZE_MAX - sizeof(struct block)) / size)
		return NULL;
	struct block *b = calloc(1, sizeof *b + count * size);
	if (b == NULL)
		return NULL;
	b->next = r->blocks;
	r->blocks = b;
	return b->data;
}

void
store_result_free(struct store_result *r)
{
	if (r == NULL)
		return;
	for (struct block *b = r->blocks, *next; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	pg_result_free(r->pg);
	free(r);
}

static enum err
read_rows(struct store_result *owner, const struct store_reader *reader, struct store_rows *out)
{
	size_t count = pg_rows(owner->pg);
	uint8_t *rows = store_result_room(owner, count, reader->size);
	if (rows == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < count; i++) {
		struct pg_row row = pg_row(owner->pg, i);
		enum err e = reader->read(&row, owner, rows + i * reader->size);
		if (e == ERR_OK)
			e = pg_row_end(&row);
		if (e != ERR_OK)
			return e;
	}
	*out = (struct store_rows){.rows = rows, .count = count, .owner = owner};
	return ERR_OK;
}

enum err
store_read(struct store *s, enum store_sql id, struct pg_params *params,
        const struct store_reader *reader, struct store_rows *out)
{
	struct pg_result *pg;
	enum err e = store_exec(s, id, params, &pg);
	if (e != ERR_OK)
		return e;
	struct store_result *owner = calloc(1, sizeof *owner);
	if (owner == NULL) {
		pg_result_free(pg);
		return ERR_MEMORY;
	}
	owner->pg = pg;
	e = read_rows(owner, reader, out);
	if (e != ERR_OK)
		store_result_free(owner);
	return e;
}

enum err
store_read_one(struct store *s, enum store_sql id, struct pg_params *params,
        const struct store_reader *reader, struct store_rows *out)
{
	struct store_rows rows;
	enum err e = store_read(s, id, params, reader, &rows);
	if (e != ERR_OK)
		return e;
	if (rows.count != 1) {
		store_result_free(rows.owner);
		return rows.count == 0 ? ERR_NOT_FOUND : ERR_INTERNAL;
	}
	*out = rows;
	return ERR_OK;
}

/* -- log and trust -- */

struct head {
	uint64_t size;
	int64_t time;
};

static enum err
head_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct head *h = out;
	h->size = pg_next_uint(row);
	h->time = pg_next_int(row);
	return ERR_OK;
}

static enum err
head_get(struct store *s, enum store_sql id, uint64_t *size, int64_t *time)
{
	static const struct store_reader reader = {sizeof(struct head), head_read};
	struct store_rows rows;
	enum err e = store_read_one(s, id, NULL, &reader, &rows);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_INTERNAL : e;
	const struct head *h = rows.rows;
	*size = h->size;
	*time = h->time;
	store_result_free(rows.owner);
	return ERR_OK;
}

static enum err
synchronous_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	*(bool *)out = pg_next_int(row) != 0;
	return ERR_OK;
}

enum err
store_synchronous(struct store *s, bool *out)
{
	static const struct store_reader reader = {sizeof(bool), synchronous_read};
	struct store_rows rows;
	enum err e = store_read_one(s, SQL_SYNCHRONOUS, NULL, &reader, &rows);

	if (e != ERR_OK)
		return e;
	*out = *(const bool *)rows.rows;
	store_result_free(rows.owner);
	return ERR_OK;
}

/* Lock and COMMIT of the head write a record behind everything that was committed before, and the
 * standby confirms in that order. While such a COMMIT waits the next one gets no lock, so the
 * sessions that wait do not heap up. */
enum err
store_settle(struct store *s)
{
	uint64_t size;
	int64_t time;
	bool synchronous;
	enum err e = store_synchronous(s, &synchronous);

	if (e != ERR_OK || !synchronous)
		return e;
	e = store_begin(s);
	return store_end(s, e == ERR_OK ? store_lock_head(s, &size, &time) : e);
}

enum err
store_head(struct store *s, uint64_t *size, int64_t *time)
{
	return head_get(s, SQL_HEAD, size, time);
}

enum err
store_lock_head(struct store *s, uint64_t *size, int64_t *time)
{
	assert(s->in_transaction);
	return head_get(s, SQL_HEAD_LOCK, size, time);
}

static enum err
message_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct store_message *m = out;
	m->version = pg_next_uint(row);
	m->message = pg_next_bytes(row);
	m->sha256 = pg_next_fixed(row, SHA256_BYTES);
	return ERR_OK;
}

static enum err
message_get(struct store *s, enum store_sql id, uint64_t version, struct store_message *out)
{
	static const struct store_reader reader = {sizeof *out, message_read};
	struct pg_params p;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT8, (int64_t)version);
	struct store_rows rows;
	enum err e = store_read_one(s, id, &p, &reader, &rows);
	if (e != ERR_OK)
		return e;
	*out = *(const struct store_message *)rows.rows;
	out->owner = rows.owner;
	return ERR_OK;
}

enum err
store_roster_get(struct store *s, uint64_t version, struct store_message *out)
{
	return message_get(s, SQL_ROSTER_GET, version, out);
}

enum err
store_manifest_get(struct store *s, uint64_t version, struct store_message *out)
{
	return message_get(s, SQL_MANIFEST_GET, version, out);
}
