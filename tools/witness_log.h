#ifndef TOOLS_WITNESS_LOG_H
#define TOOLS_WITNESS_LOG_H
/* witness_log.h - what a witness knows: the largest tree of each log that it has cosigned, and
 * whether the next one extends it. Source: C2SP tlog-witness v1.0.0, tlog-cosignature v1.0.1.
 * State: for each log one file <hex SHA-256 of its origin>, the note it cosigned last. */
#include "cosignature.h"

enum { WITNESS_LOGS_MAX = 32, WITNESS_ORIGIN_HEX = 64 };

struct witness;

/* `dir` is made where it is missing, and locked: one process a folder. `vkeys`: of the logs to
 * witness. What stands in the folder must bear the log's signature and our own, else ERR_SIGNATURE:
 * nothing is signed on a state that someone changed. ERR_EXISTS while another process has it,
 * ERR_VALUE or ERR_ENCODING for a vkey, ERR_LIMIT. The key stays the caller's. */
MUST_USE enum err witness_open(const char *dir, const char *name, const struct key *key,
        const char *const *vkeys, struct witness **out);
void witness_free(struct witness *w); /* NULL is fine */

struct witness_answer {
	unsigned status; /* 200, 400, 403, 404, 409, 422, 500 */
	size_t n;        /* bytes of the body */
	char body[COSIGNATURE_LINE_BYTES_MAX];
};
/* add-checkpoint. From any thread. The new size is on disk before 200 is given. */
void witness_add(struct witness *w, struct bytes body, int64_t now, struct witness_answer *out);
/* The note cosigned last, of the log whose origin has this hash in hex. ERR_NOT_FOUND. */
MUST_USE enum err witness_last(struct witness *w, struct bytes hex, struct buf *out);
#endif
