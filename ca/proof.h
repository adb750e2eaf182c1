#ifndef CA_PROOF_H
#define CA_PROOF_H
/* proof.h - C2SP tlog-proof: text that proves an entry offline: index, audit path, and a checkpoint
 * as it was signed. Source: C2SP tlog-proof (untagged; text of C2SP commit 5ba5ee8, 2026-07-22). */
#include "note.h"

enum {
	PROOF_EXTRA_BYTES_MAX = ENTRY_BYTES_MAX,
	PROOF_TEXT_BYTES_MAX = 64 + 2 * PROOF_EXTRA_BYTES_MAX + 64 * 48 + CHECKPOINT_BYTES_MAX,
};

struct proof {
	uint8_t extra[PROOF_EXTRA_BYTES_MAX]; /* not authenticated by the format */
	size_t extra_n;                       /* 0: no such line */
	uint64_t index;
	struct merkle_path path;
	struct bytes note; /* a view */
};
/* `out` fails for a path that is too long. */
void proof_put(struct buf *out, const struct proof *p);
/* Strictly; `note` is a view and neither read nor verified. ERR_ENCODING, ERR_TRUNCATED, ERR_LIMIT.
 */
MUST_USE enum err proof_decode(struct bytes text, struct proof *out);
/* Is the leaf in the tree of that checkpoint? ERR_VALUE, ERR_SIGNATURE where the root differs. The
 * checkpoint's own signature is the caller's to verify. */
MUST_USE enum err proof_verify(
        const struct proof *p, const struct checkpoint *c, const struct merkle_hash *leaf);
#endif
