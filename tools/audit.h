#ifndef TOOLS_AUDIT_H
#define TOOLS_AUDIT_H
/* audit.h - what the parts of zz-audit share: options, findings, progress, threads. Each part reads
 * what it judges by SQL of its own and derives it anew; the codecs of ca/ are shared with the
 * writers, no rule is. Findings are made by the main thread only; work handed to the pool notes
 * what it saw in its own item. Sources: DESIGN.md section 7, FORMATS.md. */
#include "audit_columns.h"
#include "field.h"
#include "hash.h"
#include "manifest.h"
#include "merkle.h"
#include "pg.h"
#include "roster.h"

enum { AUDIT_PAGE = 4096, AUDIT_FOUND_MAX = 12, AUDIT_SLACK_S = 120 };

/* What one item contradicts, each column once, in the order seen. */
struct audit_found {
	uint8_t count;
	uint8_t column[AUDIT_FOUND_MAX];
};
void audit_found_add(struct audit_found *f, enum audit_column c);
static inline void
audit_want(struct audit_found *f, bool holds, enum audit_column c)
{
	if (!holds)
		audit_found_add(f, c);
}

struct audit_tally { /* differences of one table and column */
	char table[32], column[80];
	uint64_t count;
};
enum { AUDIT_TALLIES_MAX = 256 };

struct audit_options {
	const char *database; /* conninfo of role zz_audit */
	const char *root;     /* PEM of the root's public key */
	const char *host;
	const struct config *config;
	const char *public;  /* folder or URL; NULL: not looked at */
	const char *journal; /* the signer's folder, or a copy; NULL */
	const char *pepper;  /* file; NULL */
	const char *state;   /* file of the last audit; NULL */
	bool full;           /* look at everything though the state says what was audited */
	bool progress;
	int64_t now;
};

struct audit_pool;
struct audit_trust;
struct audit_log;
struct audit_journal;
struct audit_public;

struct audit_last {    /* what an earlier audit has seen and found good */
	uint64_t size; /* of the log; 0: none */
	int64_t time;  /* the log's newest then */
	uint8_t root[SHA256_BYTES];
	uint64_t requests, approvals; /* received long enough before `time` to be final */
	/* what was there when that audit began: only an earlier audit knows of a row that nothing
	 * signed speaks of, as an approval of a request that was never executed */
	int64_t seen_at;
	uint64_t seen_requests, seen_events, seen_approvals;
	/* tags of voided entries up to that pending id, in a chain: only the signer could verify
	 * them */
	uint64_t voids_to;
	uint8_t voids[SHA256_BYTES];
};

struct audit {
	const struct audit_options *o;
	struct pg *pg;
	const struct field *field;
	struct key *root;
	bool has_pepper;
	uint8_t pepper[SHA256_BYTES];
	struct audit_pool *pool;
	struct audit_trust *trust;
	struct audit_log *log;
	struct audit_journal *journal;
	struct audit_public *public;
	struct audit_last last;
	uint64_t size; /* log_head of the snapshot */
	int64_t time;
	/* findings */
	struct audit_tally tallies[AUDIT_TALLIES_MAX];
	unsigned tally_count;
	uint64_t differences;
	/* progress */
	const char *phase;
	uint64_t done, total;
	int64_t shown_ms, began_ms;
};

/* One difference. `key` names the row, never a person; `why` may be NULL. */
void audit_differ(
        struct audit *a, const char *table, const char *column, const char *key, const char *why);
void audit_differ_at(struct audit *a, enum audit_column c, const char *key, const char *why);
/* The row of that number: "idx=5". */
void audit_differ_n(
        struct audit *a, enum audit_column c, const char *name, uint64_t n, const char *why);
void audit_found_tell(
        struct audit *a, const struct audit_found *f, const char *key, const char *why);
void audit_summary(const struct audit *a);

void audit_phase(struct audit *a, const char *name, uint64_t total);
void audit_step(struct audit *a, uint64_t done);
int64_t audit_ms(void); /* monotonic */

/* -- threads -- */
typedef void (*audit_work)(void *ctx, size_t item);
MUST_USE enum err audit_pool_open(struct audit_pool **out); /* one thread a processor */
void audit_pool_free(struct audit_pool *p);
/* Starts work on items 0..count-1; one set at a time. */
void audit_pool_start(struct audit_pool *p, audit_work work, void *ctx, size_t count);
void audit_pool_wait(struct audit_pool *p); /* helps, and returns when all is done */

/* -- database: one snapshot for the whole audit -- */
MUST_USE enum err audit_open(struct audit *a);
/* Runs SQL with up to two integers. */
MUST_USE enum err audit_read(
        struct audit *a, const char *sql, int64_t first, int64_t second, struct pg_result **out);
MUST_USE enum err audit_read_text(struct audit *a, const char *sql, struct pg_result **out);

void *audit_grow(void *p, size_t count, size_t size); /* ends the process without memory */

/* -- the parts, in the order in which they run -- */
MUST_USE enum err audit_schema(struct audit *a); /* catalogue, privileges, triggers, settings */
MUST_USE enum err audit_schema_print(struct audit *a);
MUST_USE enum err audit_trust_run(struct audit *a); /* manifests and rosters */
MUST_USE enum err audit_log_run(struct audit *a);   /* entries, records, statuses, lists */
MUST_USE enum err audit_requests_run(struct audit *a);
MUST_USE enum err audit_pending_run(struct audit *a); /* pending entries, publications */
MUST_USE enum err audit_public_run(struct audit *a);
MUST_USE enum err audit_last_read(struct audit *a);
MUST_USE enum err audit_last_write(struct audit *a);
#endif
