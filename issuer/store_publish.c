/* store_publish.c - tokens of the status lists: kept together with their pending entry 3 before any
 * file is written. */
#include "store_publish.h"
#include "store_internal.h"

static enum err
count_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct store_list_count *c = out;
	c->list = (uint32_t)pg_next_uint(row);
	c->certificates = pg_next_uint(row);
	for (size_t i = 0; i < sizeof c->status / sizeof c->status[0]; i++)
		c->status[i] = pg_next_uint(row);
	return ERR_OK;
}

enum err
store_list_counts(struct store *s, struct store_list_counts *out)
{
	static const struct store_reader reader = {sizeof(struct store_list_count), count_read};
	struct store_rows rows;
	enum err e = store_read(s, SQL_LIST_COUNTS, NULL, &reader, &rows);
	if (e == ERR_OK)
		*out = (struct store_list_counts){rows.rows, rows.count, rows.owner};
	return e;
}

static enum err
id_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	uint64_t *id = out;
	*id = pg_next_uint(row);
	return ERR_OK;
}

static enum err
id_get(struct store *s, enum store_sql sql, struct pg_params *p, uint64_t *id)
{
	static const struct store_reader reader = {sizeof(uint64_t), id_read};
	struct store_rows rows;
	enum err e = store_read_one(s, sql, p, &reader, &rows);
	if (e != ERR_OK)
		return e;
	*id = *(const uint64_t *)rows.rows;
	store_result_free(rows.owner);
	return ERR_OK;
}

/* ERR_NOT_FOUND when the tag is there already. */
enum err
store_put_pending(struct store *s, const struct signed_entry *e, int64_t now, uint64_t *id)
{
	struct pg_params p;
	pg_params_init(&p);
	pg_put_bytes(&p, e->entry);
	pg_put_bytes(&p, e->note);
	pg_put_bytes(&p, e->tag);
	pg_put_int(&p, PG_INT8, now);
	enum err err = id_get(s, SQL_PENDING_PUT, &p, id);
	if (err != ERR_NOT_FOUND)
		return err;
	pg_params_init(&p);
	pg_put_bytes(&p, e->tag);
	err = id_get(s, SQL_PENDING_BY_TAG, &p, id);
	return err == ERR_OK ? ERR_EXISTS : err;
}

static enum err
put_token(
        struct store *s, uint32_t list, const struct signer_token *t, int64_t now, uint64_t pending)
{
	struct pg_params p;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT4, list);
	pg_put_int(&p, PG_INT8, (int64_t)t->sequence);
	pg_put_bytes(&p, t->cwt);
	pg_put_bytes(&p, t->jwt);
	pg_put_int(&p, PG_INT8, (int64_t)pending);
	pg_put_int(&p, PG_INT8, now);
	return store_write(s, SQL_PUBLICATION_PUT, &p, 1);
}

enum err
store_publication_put(struct store *s, uint32_t list, const struct signer_token *token, int64_t now,
        uint64_t *pending)
{
	uint64_t id = 0;
	enum err e = store_begin(s);
	if (e == ERR_OK && (e = store_put_pending(s, &token->e, now, &id)) == ERR_OK)
		e = put_token(s, list, token, now, id);
	e = store_end(s, e);
	if (e == ERR_OK)
		*pending = id;
	return e;
}

static enum err
pending_state_read(struct pg_row *row, enum store_pending_state *state, uint64_t *index)
{
	uint64_t word = pg_next_uint(row);
	*index = pg_next_uint(row);
	if (word < PENDING_OPEN || word > PENDING_VOID)
		return ERR_INTERNAL;
	*state = (enum store_pending_state)word;
	return ERR_OK;
}

static enum err
publication_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct store_publication *b = out;
	b->list = (uint32_t)pg_next_uint(row);
	b->sequence = pg_next_uint(row);
	b->cwt = pg_next_bytes(row);
	b->jwt = pg_next_bytes(row);
	b->pending = pg_next_uint(row);
	return pending_state_read(row, &b->state, &b->index);
}

enum err
store_publication_latest(
        struct store *s, uint32_t list, bool appended, struct store_publication *out)
{
	static const struct store_reader reader = {
	        sizeof(struct store_publication), publication_read};
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT4, list);
	pg_put_int(&p, PG_BOOL, appended);
	enum err e = store_read_one(s, SQL_PUBLICATION_LATEST, &p, &reader, &rows);
	if (e != ERR_OK)
		return e;
	*out = *(const struct store_publication *)rows.rows;
	out->owner = rows.owner;
	return ERR_OK;
}

struct pending_now {
	enum store_pending_state state;
	uint64_t index;
};

static enum err
pending_now_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct pending_now *n = out;
	return pending_state_read(row, &n->state, &n->index);
}

enum err
store_pending_state(
        struct store *s, uint64_t pending, enum store_pending_state *state, uint64_t *index)
{
	static const struct store_reader reader = {sizeof(struct pending_now), pending_now_read};
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT8, (int64_t)pending);
	enum err e = store_read_one(s, SQL_PENDING_STATE, &p, &reader, &rows);
	if (e != ERR_OK)
		return e;
	const struct pending_now *n = rows.rows;
	*state = n->state;
	if (n->state == PENDING_DONE)
		*index = n->index;
	store_result_free(rows.owner);
	return ERR_OK;
}
