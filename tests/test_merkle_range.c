/* test_merkle_range.c - a batch proves its own entries, also behind a tree no test can hold; names
 * of tiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "naive_tree.h"

enum { TREE_MAX = 130 };

static struct merkle_hash leaves[TREE_MAX];

static void
batch_check(const struct merkle_frontier *before, size_t count)
{
	struct merkle_hash nodes[2 * TREE_MAX + 64], spare;
	struct merkle_range r;
	size_t start = (size_t)before->size;

	merkle_range_init(&r, before, leaves + start, count, nodes);
	for (size_t size = start + 1; size <= start + count; size++) {
		for (size_t i = start; i < size; i++) {
			struct merkle_path path, naive;

			naive_path(i, leaves, size, &naive);
			assert_int_equal(
			        merkle_inclusion(i, size, merkle_range_get, &r, &path), ERR_OK);
			assert_true(same_path(&path, &naive));
		}
	}
	for (unsigned level = 0; level < 70; level++) {
		uint64_t first = level < 64 ? before->size >> level : 0;
		uint64_t end = level < 64 ? (before->size + count) >> level : 0;

		for (uint64_t i = 0; i <= TREE_MAX; i++) {
			bool known = (i >= first && i < end) || (i + 1 == first && first % 2 == 1);

			assert_int_equal(
			        merkle_range_get(&r, level, i, &spare), known ? ERR_OK : ERR_VALUE);
		}
	}
}

static void
a_batch_proves_its_entries_at_each_size(void **state)
{
	static const size_t counts[] = {0, 1, 2, 3, 5, 8, 17, 32};
	struct merkle_frontier before = {.size = 0};

	(void)state;
	naive_byte_leaves(leaves, TREE_MAX);
	for (size_t start = 0; start <= 66; start++) {
		for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
			batch_check(&before, counts[i]);
		merkle_append(&before, &leaves[start]);
	}
}

/* A tree far beyond what a test can hold: the hashes of its frontier are made up, the arithmetic is
 * not. */
static void
a_batch_proves_its_entries_behind_a_large_tree(void **state)
{
	static const uint64_t sizes[] = {
	        1, 0xffffffff, 1ULL << 32, 0xabcdef123455, INT64_MAX - 300, 1ULL << 62};
	enum { COUNT = 100 };

	(void)state;
	naive_byte_leaves(leaves, TREE_MAX);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct merkle_frontier before = {.size = sizes[i]}, after;
		struct merkle_hash nodes[2 * COUNT + 64], root, got;
		struct merkle_range r;

		for (uint8_t level = 0; level < 64; level++)
			memset(&before.level[level], level + 1, sizeof before.level[level]);
		after = before;
		merkle_range_init(&r, &before, leaves, COUNT, nodes);
		for (size_t j = 0; j < COUNT; j++)
			merkle_append(&after, &leaves[j]);
		merkle_root(&after, &root);
		for (size_t j = 0; j < COUNT; j++) {
			struct merkle_path path;

			assert_int_equal(merkle_inclusion(sizes[i] + j, after.size,
			                         merkle_range_get, &r, &path),
			        ERR_OK);
			assert_int_equal(merkle_inclusion_root(
			                         sizes[i] + j, after.size, &leaves[j], &path, &got),
			        ERR_OK);
			assert_true(same_hash(&got, &root));
			assert_true(path.n <= MERKLE_PATH_MAX);
		}
	}
}

static const struct {
	int level;
	uint64_t n;
	unsigned width;
	const char *path;
} tiles[] = {
        {0, 0, 256, "tile/0/000"},
        {0, 0, 3, "tile/0/000.p/3"},
        {0, 0, 255, "tile/0/000.p/255"},
        {0, 999, 256, "tile/0/999"},
        {0, 1000, 256, "tile/0/x001/000"},
        {15, 455667, 256, "tile/15/x455/667"},
        {15, 123456789, 41, "tile/15/x123/x456/789.p/41"},
        {1, 1234067, 1, "tile/1/x001/x234/067.p/1"},
        {63, 999999999999999999, 256, "tile/63/x999/x999/x999/x999/x999/999"},
        {-1, 0, 256, "tile/entries/000"},
        {-1, 123456789, 256, "tile/entries/x123/x456/789"},
        {-1, 273, 112, "tile/entries/273.p/112"},
        {0, UINT64_MAX, 256, "tile/0/x018/x446/x744/x073/x709/x551/615"},
};

static void
tiles_have_their_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof tiles / sizeof tiles[0]; i++) {
		uint8_t room[64];
		struct buf b = BUF_OF(room);

		tile_path_put(&b, tiles[i].level, tiles[i].n, tiles[i].width);
		assert_true(bytes_equal_text(buf_bytes(&b), tiles[i].path));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_batch_proves_its_entries_at_each_size),
	        cmocka_unit_test(a_batch_proves_its_entries_behind_a_large_tree),
	        cmocka_unit_test(tiles_have_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
