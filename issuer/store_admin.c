/* store_admin.c - what zz-admin writes: versions that may be put twice, and recovery from the
 * signer's journal. */
#include "store_admin.h"
#include "log.h"
#include "store_internal.h"

static enum err
version_insert(
        struct store *s, enum store_sql id, uint64_t version, struct bytes message, int64_t now)
{
	uint8_t digest[SHA256_BYTES];
	struct pg_params p;
	sha256_one(message, digest);
	enum err e = store_begin(s);
	if (e != ERR_OK)
		return e;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT8, (int64_t)version);
	pg_put_bytes(&p, message);
	pg_put_bytes(&p, bytes_of(digest, sizeof digest));
	pg_put_int(&p, PG_INT8, now);
	return store_end(s, store_write(s, id, &p, 1));
}

/* ERR_OK when what is there has the same bytes. */
static enum err
version_same(const struct store_message *there, struct bytes message)
{
	bool same = bytes_equal(there->message, message);
	store_result_free(there->owner);
	return same ? ERR_OK : ERR_EXISTS;
}

enum err
store_manifest_put(struct store *s, uint64_t version, struct bytes message, int64_t now)
{
	struct store_message there;
	enum err e = version_insert(s, SQL_MANIFEST_PUT, version, message, now);
	if (e != ERR_EXISTS)
		return e;
	e = store_manifest_get(s, version, &there);
	return e != ERR_OK ? e : version_same(&there, message);
}

enum err
store_roster_put(struct store *s, uint64_t version, struct bytes jws, int64_t now)
{
	struct store_message there;
	enum err e = version_insert(s, SQL_ROSTER_PUT, version, jws, now);
	if (e != ERR_EXISTS)
		return e;
	e = store_roster_get(s, version, &there);
	return e != ERR_OK ? e : version_same(&there, jws);
}

enum err
store_pending_put(struct store *s, const struct signed_entry *entry, int64_t now, uint64_t *id)
{
	uint64_t found = 0;
	enum err e = store_begin(s);
	if (e == ERR_OK)
		e = store_put_pending(s, entry, now, &found);
	bool there = e == ERR_EXISTS;
	e = store_end(s, e);
	if (e != ERR_OK && !there)
		return e;
	*id = found;
	return ERR_OK;
}

static enum err
count_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct store_count *c = out;
	c->table = pg_next_bytes(row);
	c->rows = pg_next_uint(row);
	return ERR_OK;
}

enum err
store_counts(struct store *s, struct store_counts *out)
{
	static const struct store_reader reader = {sizeof(struct store_count), count_read};
	struct store_rows rows;
	enum err e = store_read(s, SQL_COUNTS, NULL, &reader, &rows);
	if (e == ERR_OK)
		*out = (struct store_counts){rows.rows, rows.count, rows.owner};
	return e;
}

static enum err
put_recover_done(struct store *s, const struct store_recovery *r)
{
	struct pg_params p;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT8, (int64_t)r->size);
	PG_COLUMN(&p, PG_BYTEA, r->entries, tag, r->entry_count);
	return store_exec(s, SQL_RECOVER_DONE, &p, NULL);
}

static enum err
put_recovery(struct store *s, const struct store_recovery *r)
{
	uint64_t size;
	int64_t time;
	enum err e = store_lock_head(s, &size, &time);
	if (e != ERR_OK)
		return e;
	if (size != r->size) {
		log_fault("recover_size", "database=%llu asked=%llu", (unsigned long long)size,
		        (unsigned long long)r->size);
		return ERR_SIZE;
	}
	if ((e = store_put_entries(s, r->size, r->entries, r->entry_count)) != ERR_OK ||
	        (e = store_put_certificates(s, r->certificates, r->certificate_count)) != ERR_OK ||
	        (e = store_put_changes(s, r->changes, r->change_count)) != ERR_OK ||
	        (e = put_recover_done(s, r)) != ERR_OK)
		return e;
	return store_put_head(s, r->size, r->size + r->entry_count, r->time);
}

enum err
store_recover(struct store *s, const struct store_recovery *r)
{
	if (r->entry_count == 0)
		return ERR_VALUE;
	enum err e = store_begin(s);
	if (e == ERR_OK)
		e = put_recovery(s, r);
	return store_end(s, e);
}
