/* test_merkle.c - tree, frontier, proofs, batches and tile names against a naive tree and known
 * roots; the vector files of others are in test_merkle_vectors.c. */
#include "base64.h"
#include "naive_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TREE_MAX = 130, WHOLE_LOG = 70000 };

static struct merkle_hash leaves[WHOLE_LOG]; /* of the test at hand */

static struct merkle_hash
hash_of(const char *text)
{
	struct merkle_hash h;

	if (strlen(text) == 64)
		assert_int_equal(hex_decode(bytes_of_text(text), h.b, sizeof h.b), ERR_OK);
	else {
		struct buf b = BUF_OF(h.b);

		assert_int_equal(base64_get(bytes_of_text(text), &b), ERR_OK);
		assert_int_equal(b.n, sizeof h.b);
	}
	return h;
}

/* Leaves of the subtree vectors: entry i is the byte i. */
static void
byte_leaves(void)
{
	for (size_t i = 0; i < TREE_MAX; i++) {
		uint8_t entry = (uint8_t)i;

		merkle_leaf(bytes_of(&entry, 1), &leaves[i]);
	}
}

static void
text_leaves(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char entry[24];
		int length = snprintf(entry, sizeof entry, "leaf %zu", i);

		merkle_leaf(bytes_of(entry, (size_t)length), &leaves[i]);
	}
}

/* The eight leaves that certificate transparency has used since 2012. */
static const char *const ct_leaves[8] = {"", "00", "10", "2021", "3031", "40414243",
        "5051525354555657", "606162636465666768696a6b6c6d6e6f"};

static const char *const ct_roots[9] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void
the_eight_leaf_tree_has_its_known_roots(void **state)
{
	struct merkle_frontier f = {.size = 0};
	struct merkle_hash root, want;

	(void)state;
	for (size_t i = 0;; i++) {
		uint8_t entry[16];
		size_t n;

		merkle_root(&f, &root);
		want = hash_of(ct_roots[i]);
		assert_true(same_hash(&root, &want));
		if (i == 8)
			break;
		n = strlen(ct_leaves[i]) / 2;
		assert_int_equal(hex_decode(bytes_of_text(ct_leaves[i]), entry, n), ERR_OK);
		merkle_leaf(bytes_of(entry, n), &leaves[i]);
		merkle_append(&f, &leaves[i]);
	}
}

/* from, to: index and size, or two sizes */
static const struct {
	bool inclusion;
	uint64_t from, to;
	size_t n;
	const char *start[3]; /* of each hash, four bytes */
} ct_proofs[] = {
        {true, 0, 8, 3, {"96a296d2", "5f083f0a", "6b47aaf2"}},
        {true, 5, 8, 3, {"bc1a0643", "ca854ea1", "d37ee418"}},
        {true, 4, 5, 1, {"d37ee418", "", ""}},
        {true, 0, 1, 0, {"", "", ""}},
        {false, 1, 8, 3, {"96a296d2", "5f083f0a", "6b47aaf2"}},
        {false, 6, 8, 3, {"0ebc5d34", "ca854ea1", "d37ee418"}},
        {false, 2, 5, 2, {"5f083f0a", "bc1a0643", ""}},
        {false, 6, 7, 3, {"0ebc5d34", "b08693ec", "d37ee418"}},
        {false, 4, 7, 1, {"837dbb15", "", ""}},
        {false, 4, 4, 0, {"", "", ""}},
        {false, 0, 8, 0, {"", "", ""}},
};

static void
the_eight_leaf_tree_has_its_known_proofs(void **state)
{
	struct naive_tree t = {leaves, 8};

	the_eight_leaf_tree_has_its_known_roots(state);
	for (size_t i = 0; i < sizeof ct_proofs / sizeof ct_proofs[0]; i++) {
		struct merkle_path path;
		uint64_t from = ct_proofs[i].from, to = ct_proofs[i].to;
		enum err e = ct_proofs[i].inclusion
		                     ? merkle_inclusion(from, to, naive_get, &t, &path)
		                     : merkle_consistency(from, to, naive_get, &t, &path);

		assert_int_equal(e, ERR_OK);
		assert_int_equal(path.n, ct_proofs[i].n);
		for (size_t j = 0; j < path.n; j++) {
			char hex[9];

			hex_encode(bytes_of(path.hash[j].b, 4), hex);
			assert_string_equal(hex, ct_proofs[i].start[j]);
		}
	}
}

static void
hello_world_has_its_known_leaf_hash(void **state)
{
	struct merkle_hash leaf, want = hash_of("TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=");

	(void)state;
	merkle_leaf(BYTES_LIT("hello world"), &leaf);
	assert_true(same_hash(&leaf, &want));
}

static const struct {
	size_t size;
	const char *root;
} log_roots[] = {
        {1, "G7l9zCFjXUfiZj79/QoXRobZjdcBNS3SzQbotD/T0wU="},
        {2, "/F9riP+FVPdbsvnm85wxsZNtRLaSdu33sSBalVuXYeM="},
        {3, "1Pksj7uJcg6ztVZ3x9fvrd/rENEaGoSguo8aIzN/qpU="},
        {255, "1xWSohnUBnZj7t4kf5tUw/ngKQaC1V3gm0lbB/HeQck="},
        {256, "z17/2xHQknou31Ow5zx4N/ZZQU4AU32l2Q61xMSf8nQ="},
        {257, "hVuTaqAMuYtRFEhCSa0514pr6TYj4mwB6OSH3AIYSlo="},
        {1000, "L/M/udjxT4nKMGKJYzM2oWj/P0Uy6PdBoAGdy0wdYKE="},
        {65536, "4QC6VNaakQEvwTt4kP6seNaZaglyaLb3NdFzEcdAKmA="},
        {70000, "2gUy/3su5W9AZxEPyWTp8ntZWflSe//z+lAap1hN6vM="},
};

static void
a_log_of_seventy_thousand_has_its_known_roots(void **state)
{
	struct merkle_frontier f = {.size = 0};
	size_t next = 0;

	(void)state;
	text_leaves(WHOLE_LOG);
	for (size_t i = 0; i < WHOLE_LOG; i++) {
		struct merkle_hash root, want;

		merkle_append(&f, &leaves[i]);
		if (f.size != log_roots[next].size)
			continue;
		merkle_root(&f, &root);
		want = hash_of(log_roots[next++].root);
		assert_true(same_hash(&root, &want));
	}
	assert_int_equal(next, sizeof log_roots / sizeof log_roots[0]);
}

static void
frontier_and_proofs_equal_the_naive_tree(void **state)
{
	struct merkle_frontier f = {.size = 0};

	(void)state;
	byte_leaves();
	for (size_t size = 1; size <= TREE_MAX; size++) {
		struct naive_tree t = {leaves, size};
		struct merkle_hash want = naive_root(leaves, size), root;

		merkle_append(&f, &leaves[size - 1]);
		merkle_root(&f, &root);
		assert_true(same_hash(&root, &want));
		for (size_t i = 0; i < size; i++) {
			struct merkle_path path, naive;

			naive_path(i, leaves, size, &naive);
			assert_int_equal(merkle_inclusion(i, size, naive_get, &t, &path), ERR_OK);
			assert_true(same_path(&path, &naive));
			assert_int_equal(
			        merkle_inclusion_root(i, size, &leaves[i], &path, &root), ERR_OK);
			assert_true(same_hash(&root, &want));
		}
	}
}

static void
consistency_proofs_equal_the_naive_tree_and_verify(void **state)
{
	(void)state;
	byte_leaves();
	for (size_t size2 = 1; size2 <= TREE_MAX; size2++) {
		struct naive_tree t = {leaves, size2};
		struct merkle_hash root2 = naive_root(leaves, size2);

		for (size_t size1 = 1; size1 <= size2; size1++) {
			struct merkle_hash root1 = naive_root(leaves, size1);
			struct merkle_path path, naive;

			naive_proof(size1, leaves, size2, true, &naive);
			assert_int_equal(
			        merkle_consistency(size1, size2, naive_get, &t, &path), ERR_OK);
			assert_true(same_path(&path, &naive));
			assert_int_equal(
			        merkle_consistency_verify(size1, size2, &root1, &root2, &path),
			        ERR_OK);
		}
	}
}

struct shifted {
	struct naive_tree t;
	size_t start;
};

static enum err
shifted_get(void *ctx, unsigned level, uint64_t index, struct merkle_hash *out)
{
	struct shifted *s = ctx;

	return naive_get(&s->t, level, index + (s->start >> level), out);
}

static void
line_put(struct buf *out, const struct merkle_hash *hash, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_put_u8(out, ' ');
		buf_put_hex(out, bytes_of(hash[i].b, sizeof hash[i].b));
	}
	buf_put_u8(out, '\n');
}

/* "[start, end) hash" and "index [start, end) hash hash…" of one subtree, by the product's own
 * functions. */
static void
subtree_lines(size_t start, size_t end, struct buf *hashes, struct buf *paths)
{
	struct shifted s = {{leaves, end}, start};
	struct merkle_frontier f = {.size = 0};
	struct merkle_hash root;
	char span[32];

	snprintf(span, sizeof span, "[%zu, %zu)", start, end);
	for (size_t i = start; i < end; i++) {
		struct merkle_path path;

		merkle_append(&f, &leaves[i]);
		assert_int_equal(
		        merkle_inclusion(i - start, end - start, shifted_get, &s, &path), ERR_OK);
		buf_put_decimal(paths, i);
		buf_put_u8(paths, ' ');
		buf_put_text(paths, span);
		line_put(paths, path.hash, path.n);
	}
	merkle_root(&f, &root);
	buf_put_text(hashes, span);
	line_put(hashes, &root, 1);
}

static size_t
power_at_least(size_t n)
{
	size_t k = 1;

	while (k < n)
		k *= 2;
	return k;
}

/* One hash over every subtree hash, and one over every inclusion path, up to 130 leaves. */
static void
accumulated_subtree_vectors_hold(void **state)
{
	enum { ROOM = 6 << 20 };
	void *room[2] = {malloc(ROOM), malloc(ROOM)};
	struct buf hashes = buf_init(room[0], ROOM), paths = buf_init(room[1], ROOM);
	struct merkle_hash got, want;

	(void)state;
	byte_leaves();
	for (size_t end = 0; end <= TREE_MAX; end++) {
		for (size_t start = 0; start <= end; start++) {
			if (start % power_at_least(end - start) == 0)
				subtree_lines(start, end, &hashes, &paths);
		}
	}
	assert_false(hashes.failed || paths.failed);
	sha256_one(buf_bytes(&hashes), got.b);
	want = hash_of("b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81");
	assert_true(same_hash(&got, &want));
	sha256_one(buf_bytes(&paths), got.b);
	want = hash_of("ac2a8f989e44d99e399db448050ff5f19757df53cfb716aa81015d3955d8163f");
	assert_true(same_hash(&got, &want));
	free(room[0]);
	free(room[1]);
}

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
	byte_leaves();
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
	byte_leaves();
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
	struct claim c = {0, 3, hash_of(ct_roots[0]), {{1}}};
	struct merkle_path path = {.n = 0};

	(void)state;
	assert_true(consistency_holds(&c, &path));
	path.n = 1;
	assert_false(consistency_holds(&c, &path));
	path.n = 0;
	c.one.b[0] ^= 1;
	assert_false(consistency_holds(&c, &path));
	c = (struct claim){0, 0, hash_of(ct_roots[0]), hash_of(ct_roots[0])};
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
	byte_leaves();
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
	byte_leaves();
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
	        cmocka_unit_test(the_eight_leaf_tree_has_its_known_roots),
	        cmocka_unit_test(the_eight_leaf_tree_has_its_known_proofs),
	        cmocka_unit_test(hello_world_has_its_known_leaf_hash),
	        cmocka_unit_test(a_log_of_seventy_thousand_has_its_known_roots),
	        cmocka_unit_test(frontier_and_proofs_equal_the_naive_tree),
	        cmocka_unit_test(consistency_proofs_equal_the_naive_tree_and_verify),
	        cmocka_unit_test(accumulated_subtree_vectors_hold),
	        cmocka_unit_test(a_changed_inclusion_proof_is_refused),
	        cmocka_unit_test(a_changed_consistency_proof_is_refused),
	        cmocka_unit_test(the_empty_tree_is_extended_by_all_but_has_one_root),
	        cmocka_unit_test(places_outside_and_missing_subtrees_give_no_proof),
	        cmocka_unit_test(a_batch_proves_its_entries_at_each_size),
	        cmocka_unit_test(a_batch_proves_its_entries_behind_a_large_tree),
	        cmocka_unit_test(tiles_have_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
