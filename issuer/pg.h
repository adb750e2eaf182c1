#ifndef ISSUER_PG_H
#define ISSUER_PG_H
/* pg.h - one connection to PostgreSQL: prepared statements, parameters and results in binary, and a
 * COMMIT whose answer is checked. The only door to libpq. One connection is for one thread. Source:
 * DESIGN.md section 7.
 *
 * Errors of every call that speaks to the server:
 * - ERR_DATABASE: connection lost, server busy or shutting down; nothing was committed
 * - ERR_UNKNOWN_COMMIT: only from pg_commit; it may or may not have been committed, read it back
 * - ERR_EXISTS: a unique key is there already (SQLSTATE 23505)
 * - ERR_NOT_FOUND: a foreign key names a row that is not there (23503)
 * - ERR_BUSY: a lock was not given within lock_timeout (55P03)
 * - ERR_VALUE: a text is not UTF-8 or holds a NUL, a number is out of range
 * - ERR_MOVE, ERR_SIZE, ERR_NOT_WAITING, ERR_APPROVAL_PERSON: a trigger refused (ZZ002 to ZZ005)
 * - ERR_MEMORY, ERR_LIMIT: the parameters did not fit
 * - ERR_INTERNAL: anything else, our bug; logged once with its SQLSTATE */
#include "bytes.h"

struct pg;
struct pg_result;

/* -- parameters: built in order, one call for a scalar, a head and its items for an array -- */
enum pg_type { PG_INT2, PG_INT4, PG_INT8, PG_BOOL, PG_TEXT, PG_BYTEA };
enum { PG_PARAMS_MAX = 16, PG_BYTES_MAX = 512 * 1024 * 1024 };

struct pg_params { /* owns its bytes; the call that takes it frees them, whatever it answers */
	uint8_t *p;
	size_t n, cap;
	size_t start[PG_PARAMS_MAX];
	unsigned count;
	enum err failed; /* the first failure: the call that takes the parameters answers it */
};
void pg_params_init(struct pg_params *p);
void pg_params_free(struct pg_params *p); /* for parameters that were never handed on */
/* PG_INT2 to PG_BOOL; ERR_VALUE out of range. */
void pg_put_int(struct pg_params *p, enum pg_type type, int64_t v);
void pg_put_bytes(struct pg_params *p, struct bytes v); /* text and bytea */
/* An array of `count` elements, which follow by pg_item_int or pg_item_bytes. */
void pg_array(struct pg_params *p, enum pg_type type, size_t count);
void pg_item_int(struct pg_params *p, enum pg_type type, int64_t v);
void pg_item_bytes(struct pg_params *p, struct bytes v);
/* The array of one member of `count` structs that lie `stride` bytes apart; `first` is that member
 * in the first struct: PG_INT2 and PG_INT4 from a 4-byte integer or enum, PG_INT8 from an 8-byte
 * one, PG_TEXT and PG_BYTEA from struct bytes. An unsigned value above the signed maximum comes out
 * negative; the CHECKs of the tables refuse it. */
void pg_column(
        struct pg_params *p, enum pg_type type, const void *first, size_t stride, size_t count);
#define PG_COLUMN(params, type, rows, member, count)                                               \
	pg_column((params), (type), (count) == 0 ? NULL : (const void *)&(rows)[0].member,         \
	        sizeof *(rows), (count))

/* -- the connection -- */
struct pg_statement {
	unsigned id; /* its place in the table */
	const char *sql;
};
struct pg_session {
	const char *conninfo;    /* libpq keywords */
	const char *application; /* application_name */
	const char *settings;    /* more of "-c name=value", or "" */
	const struct pg_statement *statements;
	size_t statement_count;
};
/* Connects, checks that the server is 15 or newer and durable (fsync, full_page_writes,
 * synchronous_commit; with synchronous standbys not `local`), and prepares every statement.
 * ERR_CONFIG, with a line in the log that says what to do, where the server is not as it must be or
 * a statement does not fit the schema; ERR_DATABASE. */
MUST_USE enum err pg_open(const struct pg_session *session, struct pg **out);
void pg_free(struct pg *pg);
bool pg_alive(const struct pg *pg);           /* false once the connection was lost */
const char *pg_sqlstate(const struct pg *pg); /* of the last error; "" when the server gave none */

/* Runs a prepared statement. `params` (NULL: none) is consumed. `out` may be NULL; else
 * pg_result_free is due. */
MUST_USE enum err pg_exec(
        struct pg *pg, unsigned statement, struct pg_params *params, struct pg_result **out);
/* The same for SQL that is not prepared: migrations and tests. pg_script takes several statements.
 */
MUST_USE enum err pg_query(
        struct pg *pg, const char *sql, struct pg_params *params, struct pg_result **out);
MUST_USE enum err pg_script(struct pg *pg, const char *sql);
MUST_USE enum err pg_begin(struct pg *pg);
/* ERR_OK only when the server said COMMIT without a warning. ERR_UNKNOWN_COMMIT when the connection
 * was lost after COMMIT was sent, or the wait for a synchronous standby was cancelled. Else nothing
 * was committed. */
MUST_USE enum err pg_commit(struct pg *pg);
void pg_rollback(struct pg *pg);

/* -- results: bytes live until pg_result_free -- */
void pg_result_free(struct pg_result *r);
size_t pg_rows(const struct pg_result *r);
size_t pg_affected(const struct pg_result *r); /* rows that an INSERT or UPDATE wrote */

int pg_columns(const struct pg_result *r);
/* The raw value; false for NULL or a column that is not there. */
bool pg_value(const struct pg_result *r, int row, int column, struct bytes *out);

/* Reads the columns of one row in order. A NULL, a wrong type or length sets `failed`: one check at
 * the end. */
struct pg_row {
	const struct pg_result *r;
	int row, column;
	bool failed;
};
struct pg_row pg_row(const struct pg_result *r, size_t row);
int64_t pg_next_int(struct pg_row *row); /* int2, int4, int8, bool */
uint64_t pg_next_uint(struct pg_row *row);
struct bytes pg_next_bytes(struct pg_row *row);           /* text, bytea */
struct bytes pg_next_fixed(struct pg_row *row, size_t n); /* exactly n bytes */
/* int2[] or int4[]: number of elements; then each. */
struct pg_ints {
	struct bytes items;
	size_t count;
	unsigned width;
};
struct pg_ints pg_next_ints(struct pg_row *row);
int32_t pg_ints_get(const struct pg_ints *a, size_t i);
MUST_USE enum err pg_row_end(
        const struct pg_row *row); /* ERR_INTERNAL when a value was not as expected */
#endif
