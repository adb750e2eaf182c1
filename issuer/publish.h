#ifndef ISSUER_PUBLISH_H
#define ISSUER_PUBLISH_H
/* publish.h - the public folder, made from the database and the signer's words; it can always be
 * made again. Source: DESIGN.md section 5. */
#include "config.h"
#include "store_publish.h"
#include "tiles.h"

struct publish_list {
	uint64_t written; /* newest sequence whose files are there; 0 none yet */
	int64_t at;       /* when they were written */
};

struct publish {
	const struct config *config;
	char dir[CONFIG_TEXT_MAX];
	struct store *store;
	struct signer *signer;
	struct tiles tiles;
	uint8_t checkpoint[CHECKPOINT_BYTES_MAX];
	size_t checkpoint_n; /* newest published note; 0 none */
	uint64_t published;  /* its size */
	uint64_t manifest_version;
	struct publish_list *lists;
	size_t list_room;
};

MUST_USE enum err publish_open(const struct config *c, struct publish *p);
void publish_close(struct publish *p);
/* One round: lists that changed or grew old, tiles and a checkpoint, then the list files whose
 * entry 3 the checkpoint holds. ERR_FORK is for good: another history is public. */
MUST_USE enum err publish_round(struct publish *p, int64_t now);
#endif
