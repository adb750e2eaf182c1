#ifndef ISSUER_STORE_INTERNAL_H
#define ISSUER_STORE_INTERNAL_H
/* store_internal.h - what the store_*.c files share; nobody else includes it. */
#include "pg.h"
#include "store.h"
#include "store_sql.h"

struct store {
	char *conninfo;
	enum store_role role;
	struct pg *pg;       /* NULL: connect at the next call */
	bool in_transaction; /* set until store_end, also when the connection is lost meanwhile */
};

/* Largest transaction: store_entries_from reads a window of so many rows. */
enum { STORE_BATCH_MAX = 32768 };

/* Runs a statement; outside a transaction it connects first where needed. `params` is consumed. */
MUST_USE enum err store_exec(
        struct store *s, enum store_sql id, struct pg_params *params, struct pg_result **out);
/* The same for a write of exactly `count` rows: ERR_INTERNAL for another number. */
MUST_USE enum err store_write(
        struct store *s, enum store_sql id, struct pg_params *params, size_t count);
MUST_USE enum err store_begin(struct store *s);
/* COMMIT when e is ERR_OK, else ROLLBACK and e. Harmless when store_begin failed. */
MUST_USE enum err store_end(struct store *s, enum err e);

/* Room that lives as long as the result; NULL when there is no memory. Zeroed. */
void *store_result_room(struct store_result *r, size_t count, size_t size);

/* Reads all rows of a statement into an array of structs of `size` bytes. The columns are those of
 * the reader. */
struct store_reader {
	size_t size;
	enum err (*read)(struct pg_row *row, struct store_result *owner, void *out);
};
struct store_rows {
	void *rows;
	size_t count;
	struct store_result *owner;
};
MUST_USE enum err store_read(struct store *s, enum store_sql id, struct pg_params *params,
        const struct store_reader *reader, struct store_rows *out);
/* One row, or ERR_NOT_FOUND and nothing owed. */
MUST_USE enum err store_read_one(struct store *s, enum store_sql id, struct pg_params *params,
        const struct store_reader *reader, struct store_rows *out);

/* Shared parts of writes: the caller has a transaction. */
MUST_USE enum err store_put_requests(
        struct store *s, const struct store_request *rows, size_t count);
MUST_USE enum err store_put_lists(struct store *s, const struct store_request *rows, size_t count);
MUST_USE enum err store_put_events(struct store *s, const struct store_event *rows, size_t count);
MUST_USE enum err store_put_entries(
        struct store *s, uint64_t size, const struct signed_entry *rows, size_t count);
MUST_USE enum err store_put_certificates(
        struct store *s, const struct store_certificate *rows, size_t count);
MUST_USE enum err store_put_changes(struct store *s, const struct store_change *rows, size_t count);
MUST_USE enum err store_put_head(struct store *s, uint64_t old_size, uint64_t size, int64_t time);
MUST_USE enum err store_lock_head(struct store *s, uint64_t *size, int64_t *time);
MUST_USE enum err store_state_of(struct bytes word, enum store_state *out);
MUST_USE enum err store_put_pending(
        struct store *s, const struct signed_entry *e, int64_t now, uint64_t *id);
#endif
