/* verify_tiles.c - reads subtree hashes from tiles: eight levels a tile, the last of a level
 * partial. */
#include "verify_tiles.h"

#include <assert.h>
#include <string.h>

enum { TILE_LEVELS = 8 };

void
tiles_init(struct tiles *t, const struct sync_source *from, uint64_t size)
{
	memset(t, 0, sizeof *t);
	t->from = from;
	t->size = size;
}

static enum err
tile_fetch(const struct sync_source *from, unsigned level, uint64_t n, unsigned width,
        struct client_reply *out)
{
	char path[160];
	struct buf b = buf_init(path, sizeof path - 1);
	enum err e = ERR_OK;

	buf_put_text(&b, "/log/");
	tile_path_put(&b, (int)level, n, width);
	if ((e = buf_end(&b)) != ERR_OK)
		return e;
	path[b.n] = '\0';
	if ((e = from->get(from->ctx, path, (size_t)TILE_WIDTH * SHA256_BYTES, out)) != ERR_OK)
		return e;
	if (out->status == 404)
		return ERR_NOT_FOUND;
	return out->status == 200 ? ERR_OK : ERR_IO;
}

/* A partial tile may be gone once the full one is there. */
static enum err
tile_read(struct tiles *t, struct tile *tile)
{
	struct client_reply reply;
	size_t need = (size_t)tile->width * SHA256_BYTES;
	enum err e = tile_fetch(t->from, tile->level, tile->n, tile->width, &reply);

	if (e == ERR_NOT_FOUND && tile->width < TILE_WIDTH) {
		e = tile_fetch(t->from, tile->level, tile->n, TILE_WIDTH, &reply);
		if (e == ERR_OK && reply.body.n != sizeof tile->hashes)
			return ERR_VALUE;
	} else if (e == ERR_OK && reply.body.n != need) {
		return ERR_VALUE;
	}
	if (e != ERR_OK)
		return e;
	memcpy(tile->hashes, reply.body.p, need);
	tile->held = true;
	return ERR_OK;
}

static enum err
tile_find(struct tiles *t, unsigned level, uint64_t n, const struct tile **out)
{
	uint64_t total = t->size >> (TILE_LEVELS * level), rest = total - n * TILE_WIDTH;
	struct tile *tile = NULL;
	enum err e = ERR_OK;

	for (size_t i = 0; i < TILES_KEPT; i++)
		if (t->kept[i].held && t->kept[i].level == level && t->kept[i].n == n) {
			*out = &t->kept[i];
			return ERR_OK;
		}
	tile = &t->kept[t->next++ % TILES_KEPT];
	*tile = (struct tile){
	        .level = level, .n = n, .width = rest < TILE_WIDTH ? (unsigned)rest : TILE_WIDTH};
	if ((e = tile_read(t, tile)) == ERR_OK)
		*out = tile;
	return e;
}

enum err
tiles_get(void *tiles, unsigned level, uint64_t index, struct merkle_hash *out)
{
	struct tiles *t = tiles;
	unsigned up = level % TILE_LEVELS, count = 1U << up;
	uint64_t first = index << up; /* number of the first hash at the tile's lowest level */
	struct merkle_hash row[TILE_WIDTH / 2];
	const struct tile *tile = NULL;
	enum err e = tile_find(t, level / TILE_LEVELS, first / TILE_WIDTH, &tile);

	if (e != ERR_OK)
		return e;
	assert(first % TILE_WIDTH + count <=
	        tile->width); /* merkle.h asks for complete subtrees only */
	for (unsigned i = 0; i < count; i++)
		memcpy(row[i].b, tile->hashes + (first % TILE_WIDTH + i) * SHA256_BYTES,
		        SHA256_BYTES);
	for (; count > 1; count /= 2)
		for (unsigned i = 0; i < count / 2; i++)
			merkle_node(&row[2 * i], &row[2 * i + 1], &row[i]);
	*out = row[0];
	return ERR_OK;
}
