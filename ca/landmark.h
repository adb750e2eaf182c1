#ifndef CA_LANDMARK_H
#define CA_LANDMARK_H
/* landmark.h - tree sizes that mark the log once a day (Shanghai), so that a verifier who holds two
 * hashes for each day checks a certificate by a path of at most 20 hashes, and no signature of the
 * log. A landmark is the number of entries before the first one of another day, so anyone finds
 * them again in the log. Sources: draft-ietf-plants-merkle-tree-certs-05 (repository at d7362d6 of
 * 2026-08-20), "Landmarks"; FORMATS.md section 5. */
#include "cose.h"
#include "subtree.h"

enum {
	LANDMARKS_MAX = 2192, /* days of six years: the longest validity */
	LANDMARK_PATH_MAX = 20,
	LANDMARKS_TEXT_BYTES_MAX = 48 + 20 * (LANDMARKS_MAX + 1),
	LANDMARKS_STATE_BYTES_MAX = 24 + 68 * LANDMARKS_MAX + SHA256_BYTES,
	LANDMARK_BUNDLE_BYTES_MAX = RECORD_BYTES_MAX + 32 + 34 * LANDMARK_PATH_MAX,
};

struct landmarks {
	uint64_t last; /* number of the newest; the first is 1, and size 0 goes before it */
	size_t count;  /* that are held */
	uint64_t sizes[LANDMARKS_MAX + 1]; /* rising; landmark last - count + i ends at sizes[i] */
};
void landmarks_init(struct landmarks *l);
/* A size above the newest; where there are too many, the oldest goes. */
void landmarks_add(struct landmarks *l, uint64_t size);
/* "<last> <count>", then count + 1 sizes, the newest first, a line each. */
void landmarks_put(struct buf *out, const struct landmarks *l);
MUST_USE enum err landmarks_decode(struct bytes text, struct landmarks *out);
/* The one or two subtrees of landmark `number`; 0 where it is not held. */
unsigned landmark_subtrees(const struct landmarks *l, uint64_t number, struct subtree out[2]);
/* Number of the landmark that holds the entry; 0 where none does yet, or no longer. */
uint64_t landmark_of(const struct landmarks *l, uint64_t index);

uint64_t landmark_size(const struct landmarks *l, uint64_t number); /* where it ends; it is held */

/* What stands beside a record: {-65544: [number, index, [* hash]]}. */
struct landmark_proof {
	uint64_t number, index;
	struct merkle_path path;
};
MUST_USE enum err landmark_bundle_put(
        struct buf *out, struct bytes bare_record, const struct landmark_proof *p);
/* ERR_FIELD_MISSING where the unprotected map holds something else. */
MUST_USE enum err landmark_bundle_read(const struct cose_sign1 *m, struct landmark_proof *out);

struct landmarks_held { /* what a verifier keeps: large, so on the heap */
	struct landmarks l;
	struct merkle_hash hash[LANDMARKS_MAX][2]; /* of the subtrees of landmark i + 1 of these */
};
/* At most LANDMARKS_STATE_BYTES_MAX, with a SHA-256 at the end against damage. */
void landmarks_held_put(struct buf *out, const struct landmarks_held *h);
MUST_USE enum err landmarks_held_decode(struct bytes in, struct landmarks_held *out);
/* ERR_NOT_FOUND for a landmark that is not held; ERR_VALUE, ERR_SIGNATURE where the path leads to
 * another hash. */
MUST_USE enum err landmark_verify(const struct landmarks_held *h, const struct landmark_proof *p,
        const struct merkle_hash *leaf);
#endif
