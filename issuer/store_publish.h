#ifndef ISSUER_STORE_PUBLISH_H
#define ISSUER_STORE_PUBLISH_H
/* store_publish.h - what issuer-publish reads and writes. Source: DESIGN.md section 5. */
#include "store.h"

struct store_list_count {
	uint32_t list;
	uint64_t certificates;
	uint64_t status[4]; /* how many with each status */
};
struct store_list_counts {
	const struct store_list_count *rows;
	size_t count;
	struct store_result *owner;
};
/* Reads the whole table: for checks and metrics, not for each publication. */
MUST_USE enum err store_list_counts(struct store *s, struct store_list_counts *out);

enum store_pending_state { PENDING_OPEN = 1, PENDING_DONE, PENDING_VOID };
struct store_publication {
	uint32_t list;
	uint64_t sequence;
	struct bytes cwt, jwt;
	uint64_t pending; /* its entry 3 */
	enum store_pending_state state;
	uint64_t index; /* of its entry 3, when done */
	struct store_result *owner;
};
/* INSERTs the pending entry 3 and the token in one transaction. ERR_EXISTS for a (list, sequence)
 * or tag that is there. */
MUST_USE enum err store_publication_put(struct store *s, uint32_t list,
        const struct signer_token *token, int64_t now, uint64_t *pending);
/* The newest version of a list, or the newest whose entry 3 is appended. ERR_NOT_FOUND. */
MUST_USE enum err store_publication_latest(
        struct store *s, uint32_t list, bool appended, struct store_publication *out);
/* *index only when done. ERR_NOT_FOUND. */
MUST_USE enum err store_pending_state(
        struct store *s, uint64_t pending, enum store_pending_state *state, uint64_t *index);
#endif
