#ifndef CA_ADD_CHECKPOINT_H
#define CA_ADD_CHECKPOINT_H
/* add_checkpoint.h - the body that a log sends to a witness: "old SIZE", the consistency proof, an
 * empty line, the checkpoint's note. Source: C2SP tlog-witness v1.0.0, add-checkpoint. */
#include "merkle.h"

#define ADD_CHECKPOINT_PATH "/add-checkpoint"
#define ADD_CHECKPOINT_SIZE_TYPE "text/x.tlog.size" /* of an answer 409: "SIZE\n" */

enum { ADD_CHECKPOINT_BYTES_MAX = CHECKPOINT_BYTES_MAX + 64 * (MERKLE_PATH_MAX + 1) };

struct add_checkpoint {
	uint64_t old;
	struct merkle_path proof; /* at most MERKLE_PATH_MAX hashes */
	struct bytes note;        /* a view; not looked into */
};
void add_checkpoint_put(const struct add_checkpoint *a, struct buf *out);
/* ERR_LIMIT above 63 hashes or a size above INT64_MAX, ERR_TRUNCATED, ERR_ENCODING, ERR_VALUE for a
 * hash of another length. What decodes has one spelling. */
MUST_USE enum err add_checkpoint_decode(struct bytes in, struct add_checkpoint *out);
#endif
