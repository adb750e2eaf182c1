#ifndef CA_HISTORY_H
#define CA_HISTORY_H
/* history.h - what head, table and deltas need beside the present lists: which versions of each
 * list are in the log, and which places changed lately. It follows from the log and is a part of
 * the fold. Source: DESIGN.md section 5, FORMATS.md section 6. */
#include "entry.h"
#include "head.h"

enum {
	HISTORY_VERSIONS = 4, /* of each list: one is published, the next may be under way */
	HISTORY_CHANGES_MAX = 128 * 1024,
	HISTORY_S_MAX = 8 * 24 * 3600, /* a week's delta, and a day for who comes late */
};

struct history_version {
	uint64_t index; /* of its entry 3 */
	uint64_t sequence, covered;
	uint8_t raw_sha256[SHA256_BYTES], cwt_sha256[SHA256_BYTES];
};
struct history_list {
	struct history_version versions[HISTORY_VERSIONS]; /* the newest last */
	unsigned count;
};
struct history_change {
	uint64_t size; /* of the tree once it was appended */
	int64_t time;
	uint32_t list, idx;
	enum status status;
};
struct history {
	struct history_list *lists;
	uint32_t list_count;
	struct history_change *changes; /* from `first` on, sizes rise */
	size_t first, count, room;
	uint64_t floor; /* changes up to this size may be forgotten; 0: none is */
};

void history_free(struct history *h);
/* Takes an appended entry 3 of that index, or an entry 2 after which the tree has that size. Lack
 * of memory ends the process. */
void history_list_add(struct history *h, const struct entry *e, uint64_t index);
void history_change_add(struct history *h, const struct entry *e, uint64_t size);

/* The newest version of a list whose entry 3 lies in a tree of `size`, or NULL. */
const struct history_version *history_version(
        const struct history *h, uint32_t list, uint64_t size);
/* Every change up to the result is in the lists that a tree of `size` names: from there on a delta
 * must tell. */
uint64_t history_floor(const struct history *h, uint64_t size);
/* What changed after `floor` in the lists that a tree of `size` names, each place once with its
 * status there, in order. ERR_NOT_FOUND where too much is forgotten, ERR_LIMIT above
 * DELTA_CHANGES_MAX. free() *out. */
MUST_USE enum err history_delta(const struct history *h, uint64_t floor, uint64_t size,
        struct delta_change **out, size_t *count);

/* For the snapshot. */
size_t history_bytes(const struct history *h); /* at most, of history_put */
void history_put(const struct history *h, struct buf *b);
void history_get(struct cbor *c, struct history *h); /* into an empty one */
#endif
