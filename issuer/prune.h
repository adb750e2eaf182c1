#ifndef ISSUER_PRUNE_H
#define ISSUER_PRUNE_H
/* prune.h - what the public folder need not hold any longer. Deletes only, each time by a rule over
 * what lies there, so a stop anywhere is harmless; a little work each turn, however many files
 * there are. Source: DESIGN.md section 5; C2SP tlog-tiles "APIs".
 *
 *  - unfinished tiles and entry bundles: once the full one lies below the published size, and is a
 *    day old;
 *  - checkpoints: all for a day, then those that a head names (marked by <size>.head) and the last
 *    of each minute by the log's time. One whose receipt cannot be read stays;
 *  - tables and list versions: for 25 h after another took their place, since a head lives 24 h;
 *    and none while the public head is older than that;
 *  - deltas: ten minutes after another head came. A reader without delta takes the list. */
#include "receipt.h"

enum {
	PRUNE_GRACE_S = 24 * 3600,
	PRUNE_STATUS_S = 25 * 3600,
	PRUNE_DELTA_S = 600,
	PRUNE_SWEEP_S = 60, /* between two readings of the status folders */
	PRUNE_STEPS = 256,  /* names read, or files looked at, by each part in one turn */
};

struct prune;

MUST_USE enum err prune_open(const char *public_dir, struct prune **out);
void prune_free(struct prune *p);
/* A checkpoint was written, of a larger size than all before. */
void prune_checkpoint(struct prune *p, uint64_t size);
/* Marks the checkpoint that a head names, before the head is public. */
MUST_USE enum err prune_keep(const char *public_dir, uint64_t size);

struct prune_public { /* what is public now */
	int64_t now;
	uint64_t size;     /* of the newest checkpoint */
	uint64_t sequence; /* of the head; 0 none */
};
void prune_turn(struct prune *p, const struct prune_public *at);
#endif
