#ifndef CA_RECEIPT_H
#define CA_RECEIPT_H
/* receipt.h - COSE receipts with a signed tree size, and bundles. Sources: RFC 9942, FORMATS.md
 * section 2. */
#include "cose.h"
#include "merkle.h"

struct receipt { /* views; `path` by value */
	struct bytes kid, origin, protected, signature;
	int64_t time;
	uint64_t size; /* signed */
	uint64_t index;
	struct merkle_path path;
};

/* Signs the root of a tree of `size` under the log key: gives the protected header and the
 * signature, from which every certificate of the batch gets its receipt. ERR_VALUE for size 0, a
 * time before 1970, an origin that is empty or longer than <host>/log may be. */
MUST_USE enum err receipt_sign(const struct key *log, struct bytes origin, int64_t time,
        uint64_t size, const struct merkle_hash *root, struct buf *protected,
        uint8_t signature[KEY_SIGNATURE_BYTES]);
/* The receipt of one entry, tagged. path NULL: without proof (a kept checkpoint). `out` fails for
 * an empty path, which RFC 9942 cannot write: the genesis entry sees to it that no certificate has
 * one. */
void receipt_put(struct buf *out, struct bytes protected, struct bytes signature, uint64_t size,
        uint64_t index, const struct merkle_path *path);
MUST_USE enum err receipt_decode(
        struct bytes in, struct receipt *out); /* with proof; its size must be the signed one */
/* The form without proof: size, time, origin, protected and signature only. */
MUST_USE enum err receipt_head_decode(struct bytes in, struct receipt *out);
/* ERR_KID_UNKNOWN, ERR_VALUE (path), ERR_SIGNATURE. */
MUST_USE enum err receipt_verify(
        const struct receipt *r, const struct key *log, struct bytes origin, struct bytes entry);
/* Signatures of checkpoints that verified already, for one thread: a batch's receipts share one.
 * Each slot is the SHA-256 of key, message and signature, so that nothing else is taken for it.
 * Zero it. */
enum { RECEIPT_SEEN_MAX = 8192 };
struct receipt_seen {
	uint8_t slots[RECEIPT_SEEN_MAX][SHA256_BYTES];
};
/* receipt_verify that does not verify the same signature again; `seen` may be NULL. */
MUST_USE enum err receipt_verify_seen(const struct receipt *r, const struct key *log,
        struct bytes origin, struct bytes entry, struct receipt_seen *seen);
MUST_USE enum err receipt_head_verify(const struct receipt *r, const struct key *log,
        struct bytes origin, const struct merkle_hash *root);

/* Record with unprotected {394: [receipt]}, from the bare record. */
MUST_USE enum err bundle_put(struct buf *out, struct bytes bare_record, struct bytes receipt);
/* The receipt of a decoded record's unprotected map; ERR_FIELD_MISSING when the map is empty,
 * ERR_VALUE for another number of receipts than one. */
MUST_USE enum err bundle_receipt(const struct cose_sign1 *m, struct bytes *receipt);
#endif
