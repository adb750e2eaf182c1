#ifndef ISSUER_TILES_H
#define ISSUER_TILES_H
/* tiles.h - the C2SP tlog-tiles files under public/log: written by issuer-publish, read again for
 * receipts. Source: C2SP tlog-tiles, FORMATS.md section 5. Files never change; one that differs is
 * fatal to whoever writes it. */
#include "merkle.h"
#include "signer_client.h"

enum {
	TILES_LEVELS = 8,
	TILES_BUNDLE_BYTES_MAX = TILE_WIDTH * (2 + ENTRY_BYTES_MAX + CHECKPOINT_BYTES_MAX)
};

/* Reads complete subtrees of a tree of `size` from the files. A merkle_get over struct
 * tiles_reader. It keeps the tile that it read last: most hashes of a path lie in three tiles. */
struct tiles_reader {
	const char *public_dir;
	uint64_t size;
	unsigned level;
	uint64_t n;
	size_t count; /* hashes held; 0: none */
	struct merkle_hash hashes[TILE_WIDTH];
};
enum err tiles_get(void *reader, unsigned level, uint64_t index, struct merkle_hash *out);

/* The right edge of what is written: what an append needs. */
struct tiles {
	char dir[500]; /* public/log */
	uint64_t size;
	struct merkle_frontier frontier; /* of `size`, to compare with the signer's root */
	struct merkle_hash edge[TILES_LEVELS][TILE_WIDTH];
	unsigned width[TILES_LEVELS]; /* hashes in the unfinished tile of each level */
	uint64_t index[TILES_LEVELS]; /* number of that tile */
	uint8_t *bundle;              /* bytes of the unfinished entry bundle */
	size_t bundle_n;
};
MUST_USE enum err tiles_init(struct tiles *t, const char *public_dir);
void tiles_end(struct tiles *t);
/* Takes the next entry. Writes the tiles that it completes when `write`; without, only the edge
 * moves (at start). */
MUST_USE enum err tiles_append(struct tiles *t, struct bytes entry, bool write);
/* Writes the unfinished tiles of every level, so that a checkpoint of `size` may be published. */
MUST_USE enum err tiles_flush(struct tiles *t);
#endif
