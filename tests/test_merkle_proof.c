/* test_merkle_proof.c - proofs that were changed, belong elsewhere or cannot be made are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "naive_tree.h"

enum { TREE_MAX = 130 };

static struct merkle_hash leaves[TREE_MAX];

/* Does the path give this root for this place? */
static bool
includes(uint64_t index, uint64_t size, const struct merkle_hash *leaf,
        const struct merkle_path *path, const struct merkle_hash *root)
{
	struct merkle_hash got;

	return merkle_inclusion_root(index, size, leaf, path, &got) == ERR_OK &&
	       same_hash(&got, root);
}

/* Runs `holds` on the path shortened, lengthened, and with each bit changed; none may hold. */
static void
no_change_holds(struct merkle_path *path,
        bool (*holds)(const void *ctx, const struct merkle_path *), const void *ctx)
{
	assert_true(holds(ctx, path)); /* unchanged */
	path->n++;
	path->hash[path->n - 1] = leaves[0];
	assert_false(holds(ctx, path));
	path->n--;
	if (path->n > 0) {
		path->n--;
		assert_false(holds(ctx, path));
		path->n++;
	}
	for (size_t i = 0; i < path->n * 256; i++) {
		path->hash[i / 256].b[i / 8 % 32] ^= (uint8_t)(1U << i % 8);
		assert_false(holds(ctx, path));
		path->hash[i / 256].b[i / 8 % 32] ^= (uint8_t)(1U << i % 8);
	}
}

struct claim {
	uint64_t from, to;
	struct merkle_hash one, two; /* leaf and root, or both roots */
};

static bool
inclusion_holds(const void *ctx, const struct merkle_path *path)
{
	const struct claim *c = ctx;

	return includes(c->from, c->to, &c->one, path, &c->two);
}

static bool
consistency_holds(const void *ctx, const struct merkle_path *path)
{
	const struct claim *c = ctx;

	return merkle_consistency_verify(c->from, c->to, &c->one, &c->two, path) == ERR_OK;
}

static void
a_changed_inclusion_proof_is_refused(void **state)
{
	(void)state;
	naive_byte_leaves(leaves, TREE_MAX);
	for (size_t size = 1; size <= 20; size++) {
		struct naive_tree t = {leaves, size};

		for (size_t i = 0; i < size; i++) {
			struct claim c = {i, size, leaves[i], naive_root(leaves, size)};
			struct merkle_path path;

			assert_int_equal(merkle_inclusion(i, size, naive_get, &t, &path), ERR_OK);
			no_change_holds(&path, inclusion_holds, &c);
			for (size_t other = 0; other <= 40; other++) {
				assert_true(other == i ||
				            !includes(other, size, &c.one, &path, &c.two));
				/* no tree at all, or one that lacks the entry */
				assert_true(
				        other > i || !includes(i, other, &c.one, &path, &c.two));
			}
			assert_false(includes(UINT64_MAX, size, &c.one, &path, &c.two));
			c.one = leaves[i + 1];
			assert_false(inclusion_holds(&c, &path));
		}
	}
}

static void
a_changed_consistency_proof_is_refused(void **state)
{
	(void)state;
	naive_byte_leaves(leaves, TREE_MAX);
	for (size_t size2 = 1; size2 <= 18; size2++) {
		struct naive_tree t = {leaves, size2};

		for (size_t size1 = 1; size1 <= size2; size1++) {
			struct claim c = {
			        size1, size2, naive_root(leaves, size1), naive_root(leaves, size2)};
			struct merkle_path path;

			assert_int_equal(
			        merkle_consistency(size1, size2, naive_get, &t, &path), ERR_OK);
			no_change_holds(&path, consistency_holds, &c);
			c.one.b[31] ^= 1;
			assert_false(consistency_holds(&c, &path));
			c.one.b[31] ^= 1;
			c.two.b[0] ^= 128;
			assert_false(consistency_holds(&c, &path));
			c.two.b[0] ^= 128;
			c = (struct claim){size2, size1, c.two, c.one};
			assert_true(size1 == size2 || !consistency_holds(&c, &path));
		}
	}
}

static void
the_empty_tree_is_extended_by_all_but_has_one_root(void **state)
{
	struct claim c = {0, 3, naive_root(NULL, 0), {{1}}};
	struct merkle_path path = {.n = 0};

	(void)state;
	assert_true(consistency_holds(&c, &path));
	path.n = 1;
	assert_false(consistency_holds(&c, &path));
	path.n = 0;
	c.one.b[0] ^= 1;
	assert_false(consistency_holds(&c, &path));
	c = (struct claim){0, 0, naive_root(NULL, 0), naive_root(NULL, 0)};
	assert_true(consistency_holds(&c, &path));
	c.two.b[0] ^= 1;
	assert_false(consistency_holds(&c, &path));
}

static enum err
missing_get(void *ctx, unsigned level, uint64_t index, struct merkle_hash *out)
{
	unsigned *left = ctx;

	(void)level;
	(void)index;
	if ((*left)-- == 0)
		return ERR_IO;
	memset(out, 7, sizeof *out);
	return ERR_OK;
}

static void
places_outside_and_missing_subtrees_give_no_proof(void **state)
{
	struct naive_tree t = {leaves, 8};
	struct merkle_path path = {.n = 99};
	struct merkle_hash root;
	unsigned asked = 0, left;

	(void)state;
	assert_int_equal(merkle_inclusion(0, 0, naive_get, &t, &path), ERR_VALUE);
	assert_int_equal(merkle_inclusion(8, 8, naive_get, &t, &path), ERR_VALUE);
	assert_int_equal(merkle_inclusion(0, UINT64_MAX, naive_get, &t, &path), ERR_VALUE);
	assert_int_equal(merkle_consistency(9, 8, naive_get, &t, &path), ERR_VALUE);
	for (; left = asked, merkle_inclusion(4, 7, missing_get, &left, &path) != ERR_OK; asked++)
		assert_int_equal(path.n, 99);
	assert_int_equal(asked, 3); /* entry 5, entry 6, the first four */
	path.n = 99;
	for (asked = 0; left = asked, merkle_consistency(3, 7, missing_get, &left, &path) != ERR_OK;
	        asked++)
		assert_int_equal(path.n, 99);
	assert_int_equal(
	        asked, 5); /* entries 2, 3, the first two, and the edge: entries 4 and 5, entry 6 */
	path.n = MERKLE_PATH_MAX + 2;
	assert_int_equal(merkle_inclusion_root(0, 8, &leaves[0], &path, &root), ERR_VALUE);
	assert_int_equal(merkle_consistency_verify(1, 8, &leaves[0], &leaves[0], &path), ERR_VALUE);
}

/* Also where no root is at hand to compare with. */
static void
a_path_of_another_length_gives_no_root(void **state)
{
	(void)state;
	naive_byte_leaves(leaves, TREE_MAX);
	for (size_t size = 1; size <= 70; size++) {
		struct naive_tree t = {leaves, size};

		for (size_t i = 0; i < size; i++) {
			struct merkle_path path = {.n = 0};
			struct merkle_hash root;
			size_t fits;

			assert_int_equal(merkle_inclusion(i, size, naive_get, &t, &path), ERR_OK);
			fits = path.n;
			for (path.n = 0; path.n <= MERKLE_PATH_MAX + 2; path.n++)
				assert_int_equal(
				        merkle_inclusion_root(i, size, leaves, &path, &root),
				        path.n == fits ? ERR_OK : ERR_VALUE);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_changed_inclusion_proof_is_refused),
	        cmocka_unit_test(a_path_of_another_length_gives_no_root),
	        cmocka_unit_test(a_changed_consistency_proof_is_refused),
	        cmocka_unit_test(the_empty_tree_is_extended_by_all_but_has_one_root),
	        cmocka_unit_test(places_outside_and_missing_subtrees_give_no_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
