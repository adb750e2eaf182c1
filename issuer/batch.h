#ifndef ISSUER_BATCH_H
#define ISSUER_BATCH_H
/* batch.h - one transaction while it is put together: which jobs, which rows, which log entries, in
 * which order. Only the writer's thread touches it. */
#include "service.h"

enum { BUILD_JOBS_MAX = 512 };

enum build_drop {
	DROP_NO,
	DROP_SERVE, /* its row is there already: to be answered from it */
	DROP_AGAIN, /* to be sent to the signer again */
};
struct build_job {
	struct job *job;
	enum build_drop drop;
};

struct build_entry {           /* where an entry of the transaction comes from */
	struct build_job *job; /* NULL: a pending one */
	struct job_row *row;
	bool end; /* of what the row's certificate replaces */
	size_t pending;
};

struct build {
	struct build_job jobs[BUILD_JOBS_MAX];
	size_t job_count;
	/* new requests */
	struct store_key keys[BUILD_JOBS_MAX];
	size_t key_job[BUILD_JOBS_MAX], key_count;
	/* certificates to be: holder and item */
	struct store_holder_item *pairs;
	struct job_row **pair_rows;
	size_t *pair_job;
	size_t pair_count;
	struct store_pendings pending;
	bool has_pending, voided;
	bool pending_gone[64];
	/* in order of the log */
	struct signed_entry *entries;
	struct build_entry *entry_of;
	size_t entry_count, entry_room;
	/* rows for the database */
	struct store_request *requests;
	struct store_event *events;
	struct store_outcome *outcomes;
	struct store_certificate *certificates;
	struct store_change *changes;
	struct store_done *done;
};

struct writer {
	struct service *s;
	struct store *store;
	struct signer *signer;
	struct merkle_frontier frontier; /* of what is appended */
	bool frontier_known;
	uint64_t settled; /* so much of the log is on the standby too, as far as was asked */
	int64_t lapse_at; /* when waiting requests are looked through again */
};

/* writer_head.c */
/* Locks the head and appends what the signer lacks of it. On an error no transaction is open. */
MUST_USE enum err writer_head_begin(struct writer *w, uint64_t *size, int64_t *time);
/* Appends committed entries to our own frontier: the receipts of the next batch stand on it. */
void writer_frontier_add(struct writer *w, const struct signed_entry *rows, size_t count);

MUST_USE enum err build_keys(struct build *b); /* keys, pairs and room, from the jobs */
void build_refuse(struct job_row *row, enum outcome why);
/* The same holder and item again in this transaction: the later job waits for what becomes of the
 * earlier one. */
void build_refuse_twice(struct build *b);
MUST_USE enum err build_entries(
        struct build *b); /* from what is not dropped: pending first, then job by job */
/* Rows for the database with their log indexes; time: the log's newest. */
MUST_USE enum err build_batch(
        struct build *b, uint64_t size, int64_t time, struct store_batch *out);
void build_end(struct build *b); /* gives back all and starts empty */
/* Proofs for the answers; users is 1. */
MUST_USE enum err batch_make(const struct merkle_frontier *before, const struct build *b,
        const struct signer_head *head, struct batch **out);
/* Loads the roster of that version from the database and puts it in force in the front. */
/* Roster and manifest in force, where they are not those that were taken before. Of the manifest
 * issuerd only needs, for its metrics, until when keys sign. */
MUST_USE enum err trust_take(struct writer *w, const struct signer_state *t);
#endif
