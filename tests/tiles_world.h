#ifndef TESTS_TILES_WORLD_H
#define TESTS_TILES_WORLD_H
/* tiles_world.h - a public folder with the log of "leaf 0", "leaf 1", … in it, whose roots and
 * files another implementation made too. */
#include "file.h"
#include "naive_tree.h"
#include "temp_folder.h"
#include "tiles.h"

enum { TILES_LEAVES_MAX = 65537 };

struct tiles_world {
	char dir[FOLDER_BYTES];
	struct tiles tiles;
	struct merkle_hash *leaves;
};

static inline void
tiles_world_make(struct tiles_world *w)
{
	folder_make(w->dir);
	w->leaves = calloc(TILES_LEAVES_MAX, sizeof *w->leaves);
	assert_non_null(w->leaves);
	assert_int_equal(tiles_init(&w->tiles, w->dir), ERR_OK);
}

static inline void
tiles_world_free(struct tiles_world *w)
{
	char command[FOLDER_BYTES + 20];

	tiles_end(&w->tiles);
	free(w->leaves);
	snprintf(command, sizeof command, "rm -r -- '%s'", w->dir);
	assert_int_equal(system(command), 0);
}

static inline void
tiles_world_grow(struct tiles_world *w, uint64_t size)
{
	char text[32];

	while (w->tiles.size < size) {
		uint64_t i = w->tiles.size;

		snprintf(text, sizeof text, "leaf %llu", (unsigned long long)i);
		w->leaves[i] = naive_leaf(text, strlen(text));
		assert_int_equal(tiles_append(&w->tiles, bytes_of_text(text), true), ERR_OK);
	}
	assert_int_equal(tiles_flush(&w->tiles), ERR_OK);
}

/* Path of an entry, made from the files alone, against the root of that size. */
static inline enum err
tiles_world_prove(const struct tiles_world *w, uint64_t index, uint64_t size)
{
	struct tiles_reader reader = {.public_dir = w->dir, .size = size};
	struct merkle_hash root, want = naive_root(w->leaves, (size_t)size);
	struct merkle_path path;
	enum err e = merkle_inclusion(index, size, tiles_get, &reader, &path);

	if (e == ERR_OK)
		e = merkle_inclusion_root(index, size, &w->leaves[index], &path, &root);
	return e != ERR_OK ? e : same_hash(&root, &want) ? ERR_OK : ERR_FORK;
}
#endif
