#ifndef ISSUER_SERVICE_H
#define ISSUER_SERVICE_H
/* service.h - what the parts of issuerd share. A request's path: loop thread (http.h) -> work queue
 * -> worker (reads the request, asks the signer) -> writer queue -> writer (one transaction for all
 * that wait, then EXTEND) -> work queue -> worker (answers) -> loop thread. Source: DESIGN.md
 * section 4. */
#include "config.h"
#include "evidence.h"
#include "http.h"
#include "merkle.h"
#include "metrics.h"
#include "store_writer.h"

#include <pthread.h>
#include <stdatomic.h>

struct service;
struct worker;

/* One transaction's part of the log, shared by the jobs in it until the last one is answered. */
struct batch {
	_Atomic unsigned users;
	struct merkle_range range; /* from the size before the transaction on */
	struct merkle_hash *leaves, *nodes;
	uint64_t size; /* tree size of the receipts */
	uint8_t protected[256];
	size_t protected_n;
	uint8_t signature[KEY_SIGNATURE_BYTES];
	bool receipts; /* the signer signed */
};
void batch_release(struct batch *b); /* NULL is fine */

enum job_stage {
	JOB_SERVE,  /* a worker is to handle it */
	JOB_WRITE,  /* the writer is to commit it */
	JOB_ANSWER, /* a worker is to answer: it is in the log, or `result` says why not */
};

enum { JOB_LARGE_BYTES = 256 * 1024 };

struct job_row {          /* a seat or a certificate of an order */
	uint32_t seat;    /* issue */
	struct bytes cti; /* order */
	enum outcome outcome;
	bool has_entry;
	struct signed_entry e;
	struct store_certificate certificate; /* issue, with an entry; index set by the writer */
	struct store_change change;           /* order, with an entry; serial empty: stop, resume */
	bool has_end; /* issue: it replaces a certificate; ended by `end`, `change` */
	struct signed_entry end;
	int64_t first_date; /* "already": when it was decided first; -1 unknown */
	int64_t entry_time;
	uint64_t index;
};

struct job {
	struct job *next;
	struct exchange *x; /* NULL: asked by no client now */
	struct queue *home; /* where it goes when the writer is done; NULL: the writer's own */
	enum job_stage stage;
	bool large; /* takes long: JOB_LARGE_BYTES and more of request */
	const struct route *route;
	unsigned tries; /* transactions that did not take it */
	bool looked;    /* the database was asked whether it is known, or will have been */
	unsigned waits; /* pauses for an answer that is about to be appended */
	enum err result;
	/* what the writer commits; everything in the exchange's arena */
	bool fresh;        /* the request row is new, not one that waited */
	bool order;        /* changes statuses; else it issues */
	struct bytes list; /* order: what its selector was frozen to, or empty */
	int32_t ban_until; /* order: first day on which who is revoked may apply again; 0 no ban */
	bool unbanned; /* issue: a ban does not keep it away (a replacement is no application) */
	bool second;   /* asked by an approval: what the second signature did */
	bool targets;  /* stop, resume: no certificate is touched */
	struct arena *arena; /* of the exchange; of the writer for what the signer builds alone */
	struct store_request request;
	struct job_row *rows;
	size_t row_count;
	struct batch *batch;
};

struct queue_line {
	struct job *first, *last;
	size_t count;
};
struct queue {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	struct queue_line small, large;
	size_t wanted; /* with fewer than wanted, nobody is woken */
	bool closed;
};
void queue_init(struct queue *q);
void queue_put(struct queue *q, struct job *j);
void queue_put_list(struct queue *q, struct job *list); /* linked by next */

struct queue_taker {
	size_t takers;    /* how many there are: each takes its share */
	bool takes_large; /* one of them: the others are always there for small ones */
	bool large_turn;
};
/* Waits; takes its share of the small jobs, at most max, or one large one. 0 once closed and
 * empty. */
size_t queue_get(struct queue *q, struct queue_taker *by, struct job **out, size_t max);
/* A list, or NULL after wait_ms. Where half of what is `coming` is not there yet, it waits for that
 * a little longer, gather_ms at most: a transaction costs the same for one as for many. */
struct job *queue_take_all(
        struct queue *q, unsigned wait_ms, const _Atomic size_t *coming, unsigned gather_ms);
void queue_close(struct queue *q);
bool queue_ended(struct queue *q); /* closed and empty */

struct service {
	const struct config *config;
	struct field *field;
	struct key *root;
	uint8_t pepper[32];
	char public_dir[CONFIG_TEXT_MAX], front_sock[CONFIG_TEXT_MAX];
	struct metrics metrics;
	struct queue work, write;
	_Atomic unsigned workers_begun;        /* the first takes large jobs too */
	_Atomic size_t held;                   /* exchanges taken and not yet answered */
	_Atomic uint64_t log_size;             /* appended by the signer, as last seen */
	_Atomic int problem;                   /* enum err of signer or database, for /readyz */
	_Atomic(const struct roster *) roster; /* in force; those before stay until the end */
	uint64_t roster_version, manifest_version;
};

/* Seconds of the wall clock; the one place below main that asks for it, since each job needs its
 * own now. */
int64_t service_now(void);

struct worker { /* one thread of the pool */
	struct service *s;
	struct queue_taker taker;
	struct store *store;
	struct signer *signer;
};

struct route {
	const char *method, *pattern; /* `*` stands for one segment */
	size_t body_max;
	bool queued; /* a worker serves it: it may wait for database or signer */
	/* Fills the reply and says ERR_OK, or says what is wrong; ROUTE_DEFERRED: the job went on
	 * to the writer. */
	enum err (*handler)(struct worker *w, struct job *j);
};
enum { ROUTE_DEFERRED = -1 };

/* routes.c */
enum err service_admit(void *ctx, struct exchange *x, size_t *body_max);
void service_serve(void *ctx, struct exchange *x);
struct bytes route_segment(const struct exchange *x, unsigned index); /* of the path, from 0 */
/* The signer of the query token; ERR_AUTH_MISSING, ERR_KID_UNKNOWN, … */
MUST_USE enum err query_authorize(
        struct worker *w, const struct exchange *x, const struct operator** by, struct query *q);

/* intake.c, query.c */
enum err intake_request(struct worker *w, struct job *j);
enum err intake_approval(struct worker *w, struct job *j);
enum err query_request(struct worker *w, struct job *j);
enum err query_waiting(struct worker *w, struct job *j);
enum err query_certificate(struct worker *w, struct job *j);
enum err query_holder(struct worker *w, struct job *j);
enum err query_selection(struct worker *w, struct job *j);
/* rows.c: an answer of the signer into the job, copied to its arena. */
MUST_USE enum err rows_take(struct service *s, struct job *j, const struct signer_answer *a);
bool request_issues(struct bytes type); /* issue, replace: by the word of its type */
/* Lapses of holds, which no request asks for. */
MUST_USE enum err rows_lapse(struct job *j, const struct signed_entry *entries, size_t count);
/* answer.c */
/* Answer to a request whose row the database has lost, from its certificates: marked evidence_lost.
 * ERR_UNKNOWN_COMMIT where there are none. */
MUST_USE enum err answer_lost(struct worker *w, struct job *j);
void answer_job(struct worker *w, struct job *j); /* of a job that the writer finished */
/* Answer to a request that is in the database; status 200 or 201 as the caller says. */
MUST_USE enum err answer_stored(
        struct worker *w, struct job *j, const struct store_request *r, unsigned status);
/* Size and time of the newest published checkpoint. */
MUST_USE enum err published_read(const struct service *s, uint64_t *size, int64_t *at);
/* Receipt of an appended entry from tiles and a kept checkpoint; ERR_NOT_FOUND while it is not
 * published. */
MUST_USE enum err receipt_from_public(const struct service *s, uint64_t index, struct buf *out);
/* What an order names, 16 bytes each: its own serials, or its list where it has a selector. */
struct bytes order_serials(const struct request *r, struct bytes list);
/* bulk.c: the thread that runs approved orders of more than one chunk, until stop is set. */
struct bulk {
	struct service *s;
	_Atomic bool stop;
};
void *bulk_run(void *bulk);
/* writer.c: the thread. */
void *writer_run(void *service);
void *worker_run(void *service);
#endif
