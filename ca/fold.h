#ifndef CA_FOLD_H
#define CA_FOLD_H
/* fold.h - what follows from the log, entry by entry: tree, newest time, status lists, CRL rows,
 * caps, executed requests, versions in force. A batch is checked against a fold without changing
 * it, and then applied whole; so what passed a check at a size passes it again at that size
 * (DESIGN.md section 4, steps 3 and 4). */
#include "crl.h"
#include "entry.h"
#include "history.h"
#include "holds.h"
#include "merkle.h"
#include "roster.h"

struct fold_list {
	uint8_t *raw;         /* LIST_BYTES */
	struct crl_row *rows; /* what is INVALID or SUSPENDED */
	size_t row_count, row_room;
	uint32_t *places; /* where a serial's row is: its position + 1, 0 free; a power of two */
	size_t place_room;
	uint64_t sequence; /* of the newest version in the log; 0 none */
	int64_t this_update;
	uint8_t previous[SHA256_BYTES]; /* its CWT */
	uint64_t covered;               /* tree size it covers */
	uint64_t changed;               /* tree size after the newest change of this list */
};

struct fold_cap {
	char center[KEY_THUMB_TEXT + 1]; /* or the kid of a sender of orders */
	int64_t day;
	uint64_t count;
};
struct fold_caps {
	struct fold_cap *rows;
	size_t count, room;
};

struct fold_done {
	uint8_t key[SHA256_BYTES];
	int64_t exp;
}; /* exp 0: free place */

struct fold_cutoff { /* a key that was cut off (entry 6) */
	uint8_t kid[KEY_KID_BYTES];
	uint64_t last_size; /* what it signed counts below this index */
};

struct fold {
	struct merkle_frontier frontier;
	int64_t time;
	struct fold_list *lists;
	uint32_t list_count;
	struct fold_caps caps;
	struct fold_caps orders; /* certificates that the orders of a key touched, a day */
	uint64_t slots;          /* above every slot that an entry stands on */
	struct fold_done *done;  /* open addressing, room is a power of two */
	size_t done_count, done_room;
	struct holds holds;
	struct history history;
	uint64_t manifest_version, roster_version; /* 0 none */
	uint8_t manifest_sha256[SHA256_BYTES], roster_sha256[SHA256_BYTES];
	struct fold_cutoff cutoffs[MANIFEST_KEYS_MAX];
	size_t cutoff_count;
	int64_t cutoff_time; /* of the newest: certificates and lists not made after it are made
	                        anew */
};

void fold_init(struct fold *f);
void fold_free(struct fold *f);
/* Status now; ERR_SERIAL_UNKNOWN for a list that no appended certificate stands on. */
MUST_USE enum err fold_status(const struct fold *f, uint32_t list, uint32_t idx, enum status *out);
const struct crl_row *fold_row(
        const struct fold *f, uint32_t list, const uint8_t serial[16]); /* NULL when none */
uint64_t fold_issued(const struct fold *f, struct bytes center, int64_t day);
/* Certificates that orders signed by that key (kid) touched on that day, lapses aside. */
uint64_t fold_ordered(const struct fold *f, struct bytes kid, int64_t day);
/* Was the request executed (issue: cti empty; order: for this certificate)? */
bool fold_executed(const struct fold *f, const uint8_t request[SHA256_BYTES], struct bytes cti);

const struct fold_cutoff *fold_cutoff(const struct fold *f, struct bytes kid); /* NULL when none */
/* Once a key, or again at a lower size; UINT64_MAX: the entry's own index. ERR_MOVE, ERR_LIMIT. */
MUST_USE enum err fold_cutoff_allowed(const struct fold *f, struct bytes kid, uint64_t last_size);

/* A batch on top of a fold. */
struct fold_batch;
/* roster: the one in force, for caps; NULL when the signer lacks it. prepare: also check the age of
 * entries. */
MUST_USE enum err fold_batch_open(
        const struct fold *f, const struct roster *roster, bool prepare, struct fold_batch **out);
void fold_batch_free(struct fold_batch *b);
/* Checks one entry against the log before it and remembers it. Tag and record are the caller's to
 * check. ERR_SIZE, ERR_EXECUTED, ERR_MOVE, ERR_CAP, ERR_STALE, ERR_REQUEST_EXPIRED, ERR_VERSION,
 * ERR_TYPE_UNKNOWN, … */
MUST_USE enum err fold_batch_add(struct fold_batch *b, const struct entry *e,
        const struct entry_note *n, struct bytes bytes);
/* ERR_MOVE while the newest entry replaces a certificate and the entry that ends that one is
 * missing: nobody has both. */
MUST_USE enum err fold_batch_end(const struct fold_batch *b);
/* Applies what was added. Memory is the only thing that can fail, and ends the process. */
void fold_batch_apply(struct fold_batch *b, struct fold *f);
#endif
