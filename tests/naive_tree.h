#ifndef TESTS_NAIVE_TREE_H
#define TESTS_NAIVE_TREE_H
/* naive_tree.h - RFC 6962 section 2.1 word by word, recursive, over leaf hashes in memory: what
 * merkle.c is compared with. It shares nothing with merkle.c but the hash function. */
#include "merkle.h"

#include <assert.h>
#include <string.h>

static inline size_t
naive_split(size_t n)
{
	size_t k = 1;

	while (2 * k < n)
		k *= 2;
	return k;
}

static inline struct merkle_hash
naive_node(const struct merkle_hash *l, const struct merkle_hash *r)
{
	static const uint8_t one = 1;
	struct bytes parts[3] = {bytes_of(&one, 1), bytes_of(l, sizeof *l), bytes_of(r, sizeof *r)};
	struct merkle_hash h;

	sha256(parts, 3, h.b);
	return h;
}

static inline struct merkle_hash
naive_leaf(const void *p, size_t n)
{
	static const uint8_t zero = 0;
	struct bytes parts[2] = {bytes_of(&zero, 1), bytes_of(p, n)};
	struct merkle_hash h;

	sha256(parts, 2, h.b);
	return h;
}

/* Leaves of the subtree vectors: entry i is the byte i. */
static inline void
naive_byte_leaves(struct merkle_hash *leaves, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t entry = (uint8_t)i;

		leaves[i] = naive_leaf(&entry, 1);
	}
}

/* MTH */
static inline struct merkle_hash
naive_root(const struct merkle_hash *leaves, size_t n)
{
	struct merkle_hash l, r;
	size_t k;

	if (n == 0) {
		sha256(NULL, 0, l.b);
		return l;
	}
	if (n == 1)
		return leaves[0];
	k = naive_split(n);
	l = naive_root(leaves, k);
	r = naive_root(leaves + k, n - k);
	return naive_node(&l, &r);
}

/* PATH(m, D[n]) */
static inline void
naive_path(size_t m, const struct merkle_hash *leaves, size_t n, struct merkle_path *out)
{
	size_t k;

	if (n == 1) {
		out->n = 0;
		return;
	}
	k = naive_split(n);
	if (m < k)
		naive_path(m, leaves, k, out);
	else
		naive_path(m - k, leaves + k, n - k, out);
	out->hash[out->n++] = m < k ? naive_root(leaves + k, n - k) : naive_root(leaves, k);
}

/* SUBPROOF(m, D[n], known) */
static inline void
naive_proof(
        size_t m, const struct merkle_hash *leaves, size_t n, bool known, struct merkle_path *out)
{
	size_t k;

	if (m == n) {
		out->n = 0;
		if (!known)
			out->hash[out->n++] = naive_root(leaves, n);
		return;
	}
	k = naive_split(n);
	if (m <= k)
		naive_proof(m, leaves, k, known, out);
	else
		naive_proof(m - k, leaves + k, n - k, false, out);
	out->hash[out->n++] = m <= k ? naive_root(leaves + k, n - k) : naive_root(leaves, k);
}

/* A merkle_get over such leaves, which asserts that only complete subtrees of the tree are asked
 * for. */
struct naive_tree {
	const struct merkle_hash *leaves;
	size_t n;
};

static inline enum err
naive_get(void *ctx, unsigned level, uint64_t index, struct merkle_hash *out)
{
	const struct naive_tree *t = ctx;

	assert(level < 32 && (index + 1) << level <= t->n);
	*out = naive_root(t->leaves + (index << level), (size_t)1 << level);
	return ERR_OK;
}

static inline bool
same_path(const struct merkle_path *a, const struct merkle_path *b)
{
	return a->n == b->n && memcmp(a->hash, b->hash, a->n * sizeof a->hash[0]) == 0;
}

static inline bool
same_hash(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}
#endif
