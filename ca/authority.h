#ifndef CA_AUTHORITY_H
#define CA_AUTHORITY_H
/* authority.h - the inside of ca-signer: keys, what is in force, the log's own copy, and one
 * handler for each message of frame.h. It decides; whoever asks only brings evidence. No network,
 * no database, no clock: time comes with each call. Handlers may run in several threads; `lock`
 * guards everything below it. */
#include "authority_head.h"
#include "authority_key.h"
#include "evidence.h"
#include "field.h"
#include "fold.h"
#include "frame.h"
#include "journal.h"
#include "key_store.h"
#include "manifest.h"

#include <pthread.h>

/* A size that the log had after an EXTEND: a checkpoint may be asked for it though the log has
 * grown since. */
struct authority_head {
	uint64_t size;
	struct merkle_hash root, recount; /* counted twice */
	int64_t time;
};
enum { AUTHORITY_HEADS = 1024 };

struct authority_manifest {
	struct manifest m;
	uint8_t *bytes;
	struct authority_manifest *before;
};
struct authority_roster {
	struct roster *r;
	struct authority_roster *before;
};

struct authority_places; /* what ISSUE gave lately (authority_places.c) */

struct authority {
	char dir[400], host[HOST_BYTES_MAX + 1], origin[HOST_BYTES_MAX + 8];
	int lock_fd; /* holds the lock of the folder */
	struct key_store store;
	struct authority_keys keys;
	struct key *root; /* public */
	uint8_t tag_key[32], slot_key[32];
	struct field *field;
	pthread_mutex_t lock;
	struct fold fold;
	struct journal *journal;
	/* in force; what they replace is kept until the end, since a running ISSUE may still read
	 * it */
	struct authority_manifest *manifest;
	struct roster *roster;
	struct authority_manifest *manifests; /* all that were ever in force, the newest first */
	struct authority_roster *rosters;
	uint64_t manifest_held, roster_held;
	uint64_t slot_next, slot_limit; /* slots below the limit are reserved on disk */
	struct authority_places *places;
	uint64_t answer;
	bool checkpoint_seen; /* the publisher has told what was published: before, nothing is
	                         signed */
	uint64_t guard_size;  /* of the newest published checkpoint: below it EXTEND appends without
	                         signing */
	struct merkle_hash guard_root;
	uint64_t guard_checked; /* published size whose root was found to be ours */
	struct authority_head heads[AUTHORITY_HEADS];
	uint64_t head_count; /* the newest stands at (head_count - 1) % AUTHORITY_HEADS */
	bool clock_doubt;    /* at start far ahead of the log: the operator confirms once */
	bool stopped;        /* another root at a published size, or two counts: for good */
	bool recount_differs;
	struct merkle_frontier recount; /* a second frontier, of a second count */
	uint64_t snapshot_size;
	struct authority_publication publication;
};

/* Who asks: only the publisher can say what is public. */
enum call_from { FROM_PUBLISHER, FROM_FRONT, FROM_ADMIN };

struct call { /* one message */
	enum call_from from;
	int64_t now;    /* UTC seconds */
	enum err clock; /* ERR_CLOCK when the machine's clock leapt */
	struct bytes body;
	struct buf *out;    /* the answer's body */
	const char *detail; /* words beside an error, or NULL */
};

/* Reads the state folder (made by zz-admin init), the snapshot and the journal. Logs what is wrong.
 */
MUST_USE enum err authority_open(const char *dir, int64_t now, struct authority **out);
void authority_free(struct authority *a); /* writes a snapshot first */

/* A file of the state folder; free() it. Both say what is wrong. */
MUST_USE enum err authority_file_read(
        const struct authority *a, const char *name, size_t bytes_max, uint8_t **p, size_t *n);
MUST_USE enum err authority_key_load(struct authority *a, const char *name, struct key **out);

/* ERR_OK when new things may be signed. Call with the lock held. */
enum err authority_problem(const struct authority *a, const struct call *c);
/* Finishes entry and note with the tag: [entry, note, tag] go to the answer. */
void authority_put_entry(const struct authority *a, struct buf *out, const struct entry *e,
        const struct entry_note *n);
/* Reads [approval …] and counts each; ERR_APPROVALS or ERR_EXAM_LATE when more officials must sign.
 */
MUST_USE enum err authority_approvals(
        struct cbor *in, struct evidence *ev, const struct roster *roster, int64_t now);
/* Who caused it: the private note's part that all entries of one answer share. */
void authority_note(const struct evidence *ev, uint64_t answer, struct entry_note *out);
/* Loads roster and manifest that the fold names, where they are not the ones in force. Lock held.
 */
void authority_refresh(struct authority *a);
/* Reserves `count` slots on disk and draws them. Lock held. */
MUST_USE enum err authority_slots(struct authority *a, uint64_t count, uint64_t *first);
void authority_head_keep(struct authority *a); /* remembers the present head; lock held */
void authority_snapshot(struct authority *a);  /* lock held */

/* The log's root a second time, before it is signed (authority_recount.c). Each stops the signer
 * for good and says so in the log when the two counts differ (ERR_RECOUNT). Lock held. */
MUST_USE enum err authority_recount_start(struct authority *a); /* once, after the journal */
/* Would the batch give this root? Before it is written. */
MUST_USE enum err authority_recount_before(struct authority *a, const struct signed_entry *entries,
        size_t count, const struct merkle_hash *root);
/* Reads back what was written, and counts it. */
MUST_USE enum err authority_recount_after(struct authority *a);
MUST_USE enum err authority_recount_same(struct authority *a, struct merkle_hash *out);
/* Root at a size that the log has passed, from the journal. */
MUST_USE enum err authority_root_at(struct authority *a, uint64_t size, struct merkle_hash *out);
MUST_USE enum err authority_recount_head(struct authority *a, const struct authority_head *h);

typedef enum err (*authority_handler)(struct authority *a, struct call *c);
enum err authority_issue(struct authority *a, struct call *c);
enum err authority_order(struct authority *a, struct call *c);
enum err authority_lapse(struct authority *a, struct call *c);
enum err authority_prepare(struct authority *a, struct call *c);
enum err authority_extend(struct authority *a, struct call *c);
enum err authority_state(struct authority *a, struct call *c);
enum err authority_recover(struct authority *a, struct call *c);
enum err authority_list(struct authority *a, struct call *c);
enum err authority_crl(struct authority *a, struct call *c);
enum err authority_checkpoint(struct authority *a, struct call *c);
enum err authority_table(struct authority *a, struct call *c);
enum err authority_delta(struct authority *a, struct call *c);
enum err authority_head(struct authority *a, struct call *c);
enum err authority_init(struct authority *a, struct call *c);
enum err authority_roster(struct authority *a, struct call *c);
enum err authority_manifest(struct authority *a, struct call *c);
#endif
