/* test_merkle.c - tree, frontier and proofs against a naive tree and known roots. Changed proofs,
 * batches and the vectors of others are in test_merkle_proof.c, test_merkle_range.c and
 * test_merkle_vectors.c. */
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
	naive_byte_leaves(leaves, TREE_MAX);
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
	naive_byte_leaves(leaves, TREE_MAX);
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
	naive_byte_leaves(leaves, TREE_MAX);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
