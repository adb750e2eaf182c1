/* store_writer.c - the writer's transaction: under the head lock all of a batch is written, or
 * nothing. */
#include "store_writer.h"
#include "date.h"
#include "log.h"
#include "store_internal.h"

#include <assert.h>

/* A front that was stopped while it held the lock is ended by the others: DESIGN.md section 4. */
static void
holder_end(struct store *s)
{
	struct pg_result *r;
	if (store_exec(s, SQL_HEAD_HOLDER_END, NULL, &r) != ERR_OK)
		return;
	if (pg_rows(r) > 0)
		log_fault("head_holder_ended", "sessions=%zu", pg_rows(r));
	pg_result_free(r);
}

enum err
store_begin_head(struct store *s, uint64_t *size, int64_t *time)
{
	enum err e = store_begin(s);
	if (e != ERR_OK)
		return e;
	e = store_lock_head(s, size, time);
	if (e == ERR_OK)
		return ERR_OK;
	e = store_end(s, e);
	if (e == ERR_BUSY)
		holder_end(s);
	return e;
}

void
store_rollback(struct store *s)
{
	if (s->in_transaction)
		err_ignore(store_end(s, ERR_DATABASE));
}

/* -- what the writer looks up -- */

struct entry_row {
	uint64_t index, batch;
	struct signed_entry e;
};

static enum err
entry_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct entry_row *r = out;
	r->index = pg_next_uint(row);
	r->batch = pg_next_uint(row);
	r->e.entry = pg_next_bytes(row);
	r->e.note = pg_next_bytes(row);
	r->e.tag = pg_next_fixed(row, ENTRY_TAG_BYTES);
	r->e.record = pg_next_bytes(row);
	return ERR_OK;
}

/* Splits rows into the two arrays of the answer; the indexes must follow each other. */
static enum err
entries_split(const struct store_rows *from, uint64_t first, struct store_entries *out)
{
	const struct entry_row *rows = from->rows;
	struct signed_entry *entries = store_result_room(from->owner, from->count, sizeof *entries);
	uint64_t *batch = store_result_room(from->owner, from->count, sizeof *batch);
	if (entries == NULL || batch == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < from->count; i++) {
		if (rows[i].index != first + i) {
			log_fault("log_gap", "index=%llu", (unsigned long long)(first + i));
			return ERR_INTERNAL;
		}
		entries[i] = rows[i].e;
		batch[i] = rows[i].batch;
	}
	*out = (struct store_entries){.rows = entries,
	        .batch = batch,
	        .first = first,
	        .count = from->count,
	        .owner = from->owner};
	return ERR_OK;
}

static enum err
entries_get(
        struct store *s, enum store_sql id, uint64_t first, size_t limit, struct store_entries *out)
{
	static const struct store_reader reader = {sizeof(struct entry_row), entry_read};
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT8, (int64_t)first);
	pg_put_int(&p, PG_INT8, (int64_t)limit);
	enum err e = store_read(s, id, &p, &reader, &rows);
	if (e != ERR_OK)
		return e;
	e = entries_split(&rows, first, out);
	if (e != ERR_OK)
		store_result_free(rows.owner);
	return e;
}

enum err
store_entries_from(struct store *s, uint64_t size, size_t bytes_max, struct store_entries *out)
{
	return entries_get(s, SQL_ENTRIES_FROM, size, bytes_max, out);
}

enum err
store_log_from(struct store *s, uint64_t index, size_t limit, struct store_entries *out)
{
	return entries_get(s, SQL_LOG_FROM, index, limit, out);
}

static enum err
known_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct store_known *k = out;
	k->position = (size_t)pg_next_uint(row) - 1; /* SQL counts from 1 */
	k->id = pg_next_fixed(row, SHA256_BYTES);
	return store_state_of(pg_next_bytes(row), &k->state);
}

enum err
store_known(struct store *s, const struct store_key *keys, size_t count, struct store_knowns *out)
{
	static const struct store_reader reader = {sizeof(struct store_known), known_read};
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	PG_COLUMN(&p, PG_TEXT, keys, kid, count);
	PG_COLUMN(&p, PG_TEXT, keys, jti, count);
	enum err e = store_read(s, SQL_KNOWN, &p, &reader, &rows);
	if (e == ERR_OK)
		*out = (struct store_knowns){rows.rows, rows.count, rows.owner};
	return e;
}

static enum err
holder_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct store_holder *h = out;
	h->position = (size_t)pg_next_uint(row) - 1;
	h->held = pg_next_int(row) != 0;
	h->banned = pg_next_int(row) != 0;
	return ERR_OK;
}

enum err
store_holders(struct store *s, const struct store_holder_item *pairs, size_t count, int64_t now,
        struct store_holders *out)
{
	static const struct store_reader reader = {sizeof(struct store_holder), holder_read};
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	PG_COLUMN(&p, PG_BYTEA, pairs, holder_key, count);
	PG_COLUMN(&p, PG_TEXT, pairs, item, count);
	PG_COLUMN(&p, PG_BYTEA, pairs, follows, count);
	pg_put_int(&p, PG_INT8, now);
	pg_put_int(&p, PG_INT8, date_shanghai(now));
	enum err e = store_read(s, SQL_HOLDERS, &p, &reader, &rows);
	if (e == ERR_OK)
		*out = (struct store_holders){rows.rows, rows.count, rows.owner};
	return e;
}

static enum err
pending_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct store_pending *p = out;
	p->id = pg_next_uint(row);
	p->e.entry = pg_next_bytes(row);
	p->e.note = pg_next_bytes(row);
	p->e.tag = pg_next_fixed(row, ENTRY_TAG_BYTES);
	return ERR_OK;
}

enum err
store_pending(struct store *s, size_t limit, struct store_pendings *out)
{
	static const struct store_reader reader = {sizeof(struct store_pending), pending_read};
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT8, (int64_t)limit);
	enum err e = store_read(s, SQL_PENDING, &p, &reader, &rows);
	if (e == ERR_OK)
		*out = (struct store_pendings){rows.rows, rows.count, rows.owner};
	return e;
}

enum err
store_pending_void(struct store *s, uint64_t id, const char *why)
{
	bool own = !s->in_transaction;
	enum err e = own ? store_begin(s) : ERR_OK;
	if (e != ERR_OK)
		return e;
	struct pg_params p;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT8, (int64_t)id);
	pg_put_bytes(&p, bytes_of_text(why));
	e = store_write(s, SQL_PENDING_VOID, &p, 1);
	return own ? store_end(s, e) : e;
}

/* -- what it writes -- */

enum err
store_put_entries(struct store *s, uint64_t size, const struct signed_entry *rows, size_t count)
{
	struct pg_params p;
	if (count == 0)
		return ERR_OK;
	if (count > STORE_BATCH_MAX)
		return ERR_LIMIT;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT8, (int64_t)size);
	PG_COLUMN(&p, PG_BYTEA, rows, entry, count);
	PG_COLUMN(&p, PG_BYTEA, rows, note, count);
	PG_COLUMN(&p, PG_BYTEA, rows, tag, count);
	return store_write(s, SQL_ENTRIES_PUT, &p, count);
}

enum err
store_put_head(struct store *s, uint64_t old_size, uint64_t size, int64_t time)
{
	struct pg_params p;
	struct pg_result *r;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT8, (int64_t)old_size);
	pg_put_int(&p, PG_INT8, (int64_t)size);
	pg_put_int(&p, PG_INT8, time);
	enum err e = store_exec(s, SQL_HEAD_UPDATE, &p, &r);
	if (e != ERR_OK)
		return e;
	size_t affected = pg_affected(r);
	pg_result_free(r);
	return affected == 1 ? ERR_OK : ERR_SIZE;
}

static enum err
put_done(struct store *s, const struct store_done *rows, size_t count)
{
	struct pg_params p;
	if (count == 0)
		return ERR_OK;
	pg_params_init(&p);
	PG_COLUMN(&p, PG_INT8, rows, pending, count);
	PG_COLUMN(&p, PG_INT8, rows, index, count);
	return store_write(s, SQL_PENDING_DONE, &p, count);
}

/* Entries before what names them; the head last, where a trigger counts the entries. */
static enum err
put_batch(struct store *s, const struct store_batch *b)
{
	enum err e;
	if ((e = store_put_requests(s, b->requests, b->request_count)) != ERR_OK ||
	        (e = store_put_events(s, b->events, b->event_count)) != ERR_OK ||
	        (e = store_put_entries(s, b->size, b->entries, b->entry_count)) != ERR_OK ||
	        (e = store_put_certificates(s, b->certificates, b->certificate_count)) != ERR_OK ||
	        (e = store_put_changes(s, b->changes, b->change_count)) != ERR_OK ||
	        (e = put_done(s, b->done, b->done_count)) != ERR_OK)
		return e;
	return b->entry_count == 0 ? ERR_OK
	                           : store_put_head(s, b->size, b->size + b->entry_count, b->time);
}

enum err
store_commit_batch(struct store *s, const struct store_batch *b)
{
	assert(s->in_transaction);
	return store_end(s, put_batch(s, b));
}
