#ifndef ISSUER_PRUNE_PART_H
#define ISSUER_PRUNE_PART_H
/* prune_part.h - the parts of prune.h, for prune*.c alone: each has its own place to go on from. */
#include "prune.h"

#include <dirent.h>

enum { PRUNE_TILE_LEVELS = 9, PRUNE_PATH_BYTES = 700 };

struct prune_tiles {
	uint64_t next[PRUNE_TILE_LEVELS]; /* entries, then level 0 on: first tile not judged yet */
};
void prune_tiles_turn(struct prune_tiles *t, const char *dir, const struct prune_public *at);

struct prune_checkpoints {
	DIR *listing; /* of this start; NULL before and after */
	bool listed;
	uint64_t *sizes; /* rising once listed */
	size_t first, count, room;
	bool time_known; /* of sizes[first] */
	int64_t time;
};
enum err prune_checkpoints_add(struct prune_checkpoints *c, uint64_t size);
void prune_checkpoints_turn(
        struct prune_checkpoints *c, const char *dir, const struct prune_public *at);
void prune_checkpoints_end(struct prune_checkpoints *c);

struct prune_status {
	unsigned folder; /* being read */
	DIR *listing;
	int64_t next;             /* time of the next reading */
	uint64_t *old, *old_next; /* by list: newest version that another one replaced long ago */
};
MUST_USE enum err prune_status_begin(struct prune_status *s);
void prune_status_turn(struct prune_status *s, const char *dir, const struct prune_public *at);
void prune_status_end(struct prune_status *s);

/* Says so where a file stays that should have gone. */
void prune_unlink(const char *path);
#endif
