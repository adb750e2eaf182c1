#ifndef ISSUER_PUBLISH_H
#define ISSUER_PUBLISH_H
/* publish.h - the public folder, made from the database and the signer's words; it can always be
 * made again. Source: DESIGN.md section 5. */
#include "config.h"
#include "head.h"
#include "landmark.h"
#include "manifest.h"
#include "prune.h"
#include "store_publish.h"
#include "tiles.h"
#include "witnesses.h"

struct publish_list {
	uint64_t signed_sequence;            /* of the newest version in the signer's log */
	uint8_t signed_sha256[SHA256_BYTES]; /* its CWT */
	uint64_t written;                    /* newest sequence whose files are there; 0 none yet */
	bool crl_due;                        /* the list has changed since its CRL was made */
	int64_t crl_next;                    /* not before */
	uint64_t crl_ms;                     /* how long the last one took */
	size_t cwt_n;                        /* bytes of the token */
	uint64_t counted; /* the version whose entries of each status are counted */
	uint64_t counts[4];
};

struct publish_head { /* what status/head.cwt says, and what is to be written */
	uint8_t head[HEAD_BYTES_MAX];
	size_t head_n; /* 0 none yet */
	uint64_t sequence, tree_size, manifest_version;
	int64_t iat;
	struct table_row *rows; /* of its table; room for HEAD_LISTS_MAX */
	size_t count;
	uint8_t *signed_table; /* what the signer signed last; TABLE_BYTES_MAX */
	size_t signed_table_n;
	uint8_t signed_head[HEAD_BYTES_MAX];
	size_t signed_head_n;
	uint8_t signed_sm2[HEAD_BYTES_MAX]; /* the same claims; in an SM2 authority */
	size_t signed_sm2_n;
	bool passed;        /* and could not be published: the next one is above it */
	int64_t count_next; /* when the database may be asked to count again */
	bool counted_off;   /* the last count differed from the lists */
};

struct publish_candidate { /* signed, and not public before the quorum stands under it */
	uint64_t size;     /* 0 none; its note is the witnesses' */
	uint8_t receipt[RECEIPT_BYTES_MAX];
	size_t receipt_n;
	uint64_t since_ms;
	bool late; /* said already */
};

struct publish {
	const struct config *config;
	char dir[CONFIG_TEXT_MAX];
	struct store *store;
	struct signer *signer;
	struct tiles tiles;
	struct key *root;
	struct manifest manifest; /* as published; with manifest_bytes */
	uint8_t *manifest_bytes;
	size_t manifest_n;
	struct publish_head head;
	uint8_t checkpoint[CHECKPOINT_BYTES_MAX];
	size_t checkpoint_n; /* newest published note; 0 none */
	uint64_t published;  /* its size */
	uint64_t manifest_version;
	struct publish_list *lists;
	size_t list_room;
	struct prune *prune;
	struct landmarks landmarks; /* below tiles.size */
	int64_t log_time;           /* of what tiles hold */
	uint64_t landmarks_written; /* number of the newest in the file */
	struct witnesses witnesses;
	struct publish_candidate candidate;
	uint64_t signed_size; /* of the newest checkpoint that this run was given */
	uint64_t asked_ms; /* http_now_ms() when it was asked for one, else when the round began */
	bool guarded;      /* the witnesses have seen no longer log than ours */
	const char *guard_said; /* why not, as logged last */
};

MUST_USE enum err publish_open(const struct config *c, struct publish *p);
void publish_close(struct publish *p);
/* One round: lists that changed or grew old, tiles and a checkpoint, then the list files whose
 * entry 3 the checkpoint holds. ERR_FORK is for good: another history is public. */
MUST_USE enum err publish_round(struct publish *p, int64_t now);

/* Waits, and speaks to the witnesses meanwhile; true at once where a checkpoint can be published.
 */
bool publish_wait(struct publish *p, unsigned ms, int64_t now);
/* Makes a checkpoint public: with the kept one and its receipt, then the newest. */
MUST_USE enum err publish_checkpoint_write(
        struct publish *p, uint64_t size, struct bytes note, struct bytes receipt);

/* The witnesses' part (publish_witness.c). Open reads the policy and publishes it. */
MUST_USE enum err publish_witness_open(struct publish *p);
/* log/policy.txt names the log key of the manifest. */
MUST_USE enum err publish_policy(struct publish *p);
void publish_witness_close(struct publish *p);
/* Before the signer is told what is public, and so before it signs anything: has a witness seen a
 * longer log than database and signer have? ERR_AHEAD: this is a restored copy. ERR_QUORUM: too
 * few have answered, and the quorum is required. */
MUST_USE enum err publish_guard(struct publish *p, int64_t now);
/* Does zz.conf or the manifest in force demand the quorum? */
bool publish_required(const struct publish *p);
/* Keeps a signed checkpoint back until the quorum stands under it; finish publishes it then. */
MUST_USE enum err publish_candidate_put(
        struct publish *p, uint64_t size, struct bytes note, struct bytes receipt);
MUST_USE enum err publish_candidate_finish(struct publish *p);
/* Does nothing that was signed wait for the quorum? Until then no list and no head is published:
 * they would say that nothing happened. */
bool publish_settled(const struct publish *p, uint64_t size);

/* CRLs of the lists that changed (publish_crl.c): before the head those that take half a second
 * together, after it the others, one that takes longer a round. What fails is logged and tried
 * again: no head waits for it. */
void publish_crls(struct publish *p, int64_t now, bool head_out);
bool publish_crl_now(const struct publish_list *l, int64_t now, uint64_t spent_ms, bool head_out);
void publish_crl_made(struct publish_list *l, int64_t now, uint64_t took_ms, enum err e);

/* The head's part (publish_head.c). Open reads what is public. Take copies what STATE says was
 * signed last; round publishes that first, then a new table, deltas and head when they are due. */
MUST_USE enum err publish_head_open(struct publish *p);
void publish_head_close(struct publish *p);
MUST_USE enum err publish_head_take(struct publish *p, const struct signer_state *t);
MUST_USE enum err publish_head_round(struct publish *p, int64_t now);
/* Publishes a table and its head, as the signer signed them. ERR_VERSION below what is public,
 * ERR_SIZE for fewer lists, ERR_FORK where they do not belong together, ERR_NOT_FOUND where a part
 * that they name is not in place, and the errors of publish_row_check. Nothing is written then. */
MUST_USE enum err publish_head_write(struct publish *p, struct bytes table, struct bytes head);
/* Landmarks (publish_landmark.c) follow from the log: see takes the next entry, write puts the file
 * when a day has ended below the published size. */
void publish_landmark_see(struct publish *p, struct bytes entry);
MUST_USE enum err publish_landmark_write(struct publish *p);
/* The proof that the version's entry 3 is in the log, beside its file (publish_proof.c). */
MUST_USE enum err publish_version_proof(struct publish *p, const struct store_publication *v);
/* Before a head names a version (publish_check.c): the file is what was signed, undoes nothing, and
 * agrees with the database. */
MUST_USE enum err publish_row_check(
        struct publish *p, uint32_t list, const struct table_row *row, const struct table_row *old);
MUST_USE enum err publish_counts_check(struct publish *p, int64_t now);
/* Final decisions never grow fewer: the database, read after the list was signed, has at least as
 * many. Where nothing moved since (quiet), it has exactly as many. */
bool publish_counts_agree(
        const struct publish_list *l, const struct store_list_count *db, bool quiet);
#endif
