#ifndef TOOLS_VERIFY_TILES_H
#define TOOLS_VERIFY_TILES_H
/* verify_tiles.h - subtree hashes of a log read from its published tiles. Source: C2SP tlog-tiles.
 */
#include "merkle.h"
#include "verify_sync.h"

enum { TILES_KEPT = 8 };

struct tile {
	bool held;
	unsigned level, width; /* hashes in it */
	uint64_t n;
	uint8_t hashes[TILE_WIDTH * SHA256_BYTES];
};
struct tiles {
	const struct sync_source *from;
	uint64_t size; /* of the tree: says how wide the last tile of each level is */
	struct tile kept[TILES_KEPT];
	unsigned next;
};

void tiles_init(struct tiles *t, const struct sync_source *from, uint64_t size);
/* A merkle_get. Nothing of a tile is believed before the proof made from it verifies. Errors of the
 * source; ERR_NOT_FOUND where a tile is missing, ERR_VALUE for one of a wrong length. */
enum err tiles_get(void *tiles, unsigned level, uint64_t index, struct merkle_hash *out);
#endif
