/* tiles.c - tile files: full ones once, unfinished ones for every size that gets a checkpoint,
 * never hashed upward. */
#include "tiles.h"

#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 700, MODE = 0644 };

static void
path_make(const char *dir, int level, uint64_t n, unsigned width, char out[PATH_BYTES])
{
	uint8_t room[128];
	struct buf path = BUF_OF(room);

	tile_path_put(&path, level, n, width);
	snprintf(out, PATH_BYTES, "%.500s/%.*s", dir, (int)path.n, (const char *)room);
}

/* Makes the folders of the path, then the file, which must not be there with other bytes. */
static enum err
tile_write(const char *dir, int level, uint64_t n, unsigned width, struct bytes data)
{
	char path[PATH_BYTES], *slash;
	enum err e;

	path_make(dir, level, n, width, path);
	slash = strrchr(path, '/');
	*slash = '\0';
	e = file_make_folders(path, 0755);
	*slash = '/';
	return e == ERR_OK ? file_write_once(path, data, MODE) : e;
}

/* Root of 2^height hashes, in place. */
static void
subtree_root(struct merkle_hash *h, unsigned height)
{
	for (unsigned n = 1U << height; n > 1; n /= 2)
		for (unsigned i = 0; i < n / 2; i++)
			merkle_node(&h[2 * i], &h[2 * i + 1], &h[i]);
}

static enum err
tile_hold(struct tiles_reader *r, unsigned level, uint64_t n)
{
	uint64_t have = r->size >> (8 * level);
	unsigned width = n == have / TILE_WIDTH ? (unsigned)(have % TILE_WIDTH) : TILE_WIDTH;
	char dir[PATH_BYTES], path[PATH_BYTES];
	uint8_t *p = NULL;
	size_t got = 0;
	enum err e;

	if (r->count > 0 && r->level == level && r->n == n)
		return ERR_OK;
	r->count = 0;
	snprintf(dir, sizeof dir, "%s/log", r->public_dir);
	path_make(dir, (int)level, n, width, path);
	e = file_read(path, sizeof r->hashes, &p, &got);
	if (e == ERR_NOT_FOUND &&
	        width < TILE_WIDTH) { /* unfinished ones may be gone once the full one is there */
		path_make(dir, (int)level, n, TILE_WIDTH, path);
		e = file_read(path, sizeof r->hashes, &p, &got);
	}
	if (e != ERR_OK)
		return e;
	memcpy(r->hashes, p, got);
	free(p);
	r->level = level;
	r->n = n;
	r->count = got / SHA256_BYTES;
	return ERR_OK;
}

enum err
tiles_get(void *reader, unsigned level, uint64_t index, struct merkle_hash *out)
{
	struct tiles_reader *r = reader;
	unsigned height = level % 8;
	uint64_t first = index << height;
	struct merkle_hash hashes[TILE_WIDTH];
	size_t at = (size_t)(first % TILE_WIDTH), count = (size_t)1 << height;
	enum err e = tile_hold(r, level / 8, first / TILE_WIDTH);

	if (e != ERR_OK)
		return e;
	if (at + count > r->count)
		return ERR_TRUNCATED;
	memcpy(hashes, &r->hashes[at], count * sizeof hashes[0]);
	subtree_root(hashes, height);
	*out = hashes[0];
	return ERR_OK;
}

enum err
tiles_init(struct tiles *t, const char *public_dir)
{
	memset(t, 0, sizeof *t);
	snprintf(t->dir, sizeof t->dir, "%s/log", public_dir);
	t->bundle = malloc(TILES_BUNDLE_BYTES_MAX);
	return t->bundle == NULL ? ERR_MEMORY : ERR_OK;
}

void
tiles_end(struct tiles *t)
{
	free(t->bundle);
	t->bundle = NULL;
}

static struct bytes
edge_bytes(const struct tiles *t, unsigned level)
{
	return bytes_of(t->edge[level], t->width[level] * sizeof t->edge[level][0]);
}

/* Adds a hash to a level; a full tile is written, and its root goes one level up. */
static enum err
level_push(struct tiles *t, const struct merkle_hash *hash, bool write)
{
	struct merkle_hash up = *hash;

	for (unsigned level = 0; level < TILES_LEVELS; level++) {
		enum err e = ERR_OK;

		t->edge[level][t->width[level]++] = up;
		if (t->width[level] < TILE_WIDTH)
			return ERR_OK;
		if (write)
			e = tile_write(t->dir, (int)level, t->index[level], TILE_WIDTH,
			        edge_bytes(t, level));
		if (e != ERR_OK)
			return e;
		subtree_root(t->edge[level], 8);
		up = t->edge[level][0];
		t->width[level] = 0;
		t->index[level]++;
	}
	return ERR_LIMIT;
}

enum err
tiles_append(struct tiles *t, struct bytes entry, bool write)
{
	struct merkle_hash leaf;
	enum err e = ERR_OK;

	if (entry.n > UINT16_MAX || t->bundle_n + 2 + entry.n > TILES_BUNDLE_BYTES_MAX)
		return ERR_LIMIT;
	be_put(t->bundle + t->bundle_n, entry.n, 2);
	memcpy(t->bundle + t->bundle_n + 2, entry.p, entry.n);
	t->bundle_n += 2 + entry.n;
	if (t->size % TILE_WIDTH == TILE_WIDTH - 1) {
		if (write)
			e = tile_write(t->dir, -1, t->size / TILE_WIDTH, TILE_WIDTH,
			        bytes_of(t->bundle, t->bundle_n));
		t->bundle_n = 0;
	}
	if (e != ERR_OK)
		return e;
	merkle_leaf(entry, &leaf);
	merkle_append(&t->frontier, &leaf);
	t->size++;
	return level_push(t, &leaf, write);
}

enum err
tiles_flush(struct tiles *t)
{
	unsigned width = (unsigned)(t->size % TILE_WIDTH);
	enum err e = ERR_OK;

	if (width > 0)
		e = tile_write(
		        t->dir, -1, t->size / TILE_WIDTH, width, bytes_of(t->bundle, t->bundle_n));
	for (unsigned level = 0; e == ERR_OK && level < TILES_LEVELS; level++)
		if (t->width[level] > 0)
			e = tile_write(t->dir, (int)level, t->index[level], t->width[level],
			        edge_bytes(t, level));
	return e;
}
