/* merkle.c - hashes, frontier and proofs of the RFC 6962 tree: generators ask only for complete
 * subtrees and fold the right edge from them, so that nothing that may still change is ever stored.
 */
#include "merkle.h"

#include <assert.h>
#include <string.h>

enum { LEAF = 0, NODE = 1 };

void
merkle_leaf(struct bytes entry, struct merkle_hash *out)
{
	uint8_t prefix = LEAF;
	struct bytes parts[2] = {bytes_of(&prefix, 1), entry};

	sha256(parts, 2, out->b);
}

void
merkle_node(const struct merkle_hash *l, const struct merkle_hash *r, struct merkle_hash *out)
{
	uint8_t both[1 + 2 * SHA256_BYTES] = {NODE};

	memcpy(both + 1, l->b, SHA256_BYTES);
	memcpy(both + 1 + SHA256_BYTES, r->b, SHA256_BYTES);
	sha256_one(bytes_of(both, sizeof both), out->b);
}

static bool
hash_equal(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->b, b->b, SHA256_BYTES) == 0;
}

static bool
odd(uint64_t v)
{
	return (v & 1) != 0;
}

void
merkle_append(struct merkle_frontier *f, const struct merkle_hash *leaf)
{
	struct merkle_hash carry = *leaf;
	unsigned level = 0;

	assert(f->size < INT64_MAX);
	for (; odd(f->size >> level); level++)
		merkle_node(&f->level[level], &carry, &carry);
	f->level[level] = carry;
	f->size++;
}

void
merkle_root(const struct merkle_frontier *f, struct merkle_hash *out)
{
	struct merkle_hash root;
	bool some = false;

	if (f->size == 0) {
		sha256_one(bytes_of("", 0), out->b);
		return;
	}
	for (unsigned level = 0; level < 64; level++) {
		if (!odd(f->size >> level))
			continue;
		if (some)
			merkle_node(&f->level[level], &root, &root);
		else
			root = f->level[level];
		some = true;
	}
	*out = root;
}

/* A tree as the generators see it. */
struct tree {
	uint64_t size;
	merkle_get get;
	void *ctx;
};

/* Hash of what lies right of the last complete subtree of `level`: one complete subtree for each
 * bit of size below it, folded from the smallest up. At least one of those bits is set. */
static enum err
edge_hash(const struct tree *t, unsigned level, struct merkle_hash *out)
{
	struct merkle_hash edge, left;
	bool some = false;
	enum err e;

	for (unsigned l = 0; l < level; l++) {
		if (!odd(t->size >> l))
			continue;
		if ((e = t->get(t->ctx, l, (t->size >> l) - 1, &left)) != ERR_OK)
			return e;
		if (some)
			merkle_node(&left, &edge, &edge);
		else
			edge = left;
		some = true;
	}
	assert(some);
	*out = edge;
	return ERR_OK;
}

static enum err
path_add(struct merkle_path *path, const struct tree *t, unsigned level, uint64_t index)
{
	struct merkle_hash *hash = &path->hash[path->n];
	enum err e;

	assert(path->n <= MERKLE_PATH_MAX);
	if (index < t->size >> level)
		e = t->get(t->ctx, level, index, hash);
	else
		e = edge_hash(t, level, hash);
	if (e == ERR_OK)
		path->n++;
	return e;
}

/* Adds the siblings on the way from a complete subtree to the root. A node at the right edge
 * without a sibling moves up as it is. */
static enum err
path_up(struct merkle_path *path, const struct tree *t, unsigned level, uint64_t index)
{
	uint64_t last = (t->size - 1) >> level;
	enum err e = ERR_OK;

	for (; e == ERR_OK && last > 0; level++, index >>= 1, last >>= 1) {
		if (odd(index))
			e = path_add(path, t, level, index - 1);
		else if (index < last)
			e = path_add(path, t, level, index + 1);
	}
	return e;
}

enum err
merkle_inclusion(uint64_t index, uint64_t size, merkle_get get, void *ctx, struct merkle_path *out)
{
	struct tree t = {size, get, ctx};
	struct merkle_path path;
	enum err e;

	path.n = 0;
	if (index >= size || size > INT64_MAX)
		return ERR_VALUE;
	if ((e = path_up(&path, &t, 0, index)) != ERR_OK)
		return e;
	out->n = path.n;
	memcpy(out->hash, path.hash, path.n * sizeof path.hash[0]);
	return ERR_OK;
}

enum err
merkle_consistency(
        uint64_t size1, uint64_t size2, merkle_get get, void *ctx, struct merkle_path *out)
{
	struct tree t = {size2, get, ctx};
	struct merkle_path path;
	unsigned level = 0;
	enum err e;

	path.n = 0;
	if (size1 > size2 || size2 > INT64_MAX)
		return ERR_VALUE;
	if (size1 == 0 || size1 == size2) {
		out->n = 0;
		return ERR_OK;
	}
	while (odd((size1 - 1) >> level))
		level++;
	/* the last complete subtree of the old tree; where it is the whole old tree, the reader has
	 * its root */
	if ((size1 - 1) >> level != 0 &&
	        (e = path_add(&path, &t, level, (size1 - 1) >> level)) != ERR_OK)
		return e;
	if ((e = path_up(&path, &t, level, (size1 - 1) >> level)) != ERR_OK)
		return e;
	out->n = path.n;
	memcpy(out->hash, path.hash, path.n * sizeof path.hash[0]);
	return ERR_OK;
}

enum err
merkle_siblings(const struct merkle_node_at *at, bool self, merkle_get get, void *ctx,
        struct merkle_path *out)
{
	struct tree t = {at->size, get, ctx};
	struct merkle_path path;
	enum err e = ERR_OK;

	path.n = 0;
	if (at->size == 0 || at->size > INT64_MAX || at->level > 62 ||
	        at->index > (at->size - 1) >> at->level)
		return ERR_VALUE;
	if (self)
		e = path_add(&path, &t, at->level, at->index);
	if (e != ERR_OK || (e = path_up(&path, &t, at->level, at->index)) != ERR_OK)
		return e;
	out->n = path.n;
	memcpy(out->hash, path.hash, path.n * sizeof path.hash[0]);
	return ERR_OK;
}

/* Where a verifier stands: the index of its node and of the last node of that level. */
struct place {
	uint64_t index, last;
};

/* Is the next hash of the path the left sibling? Then the place has moved up to where there is one.
 */
static bool
place_is_right(struct place *at)
{
	if (!odd(at->index) && at->index != at->last)
		return false;
	while (!odd(at->index) && at->index != 0) {
		at->index >>= 1;
		at->last >>= 1;
	}
	return true;
}

enum err
merkle_inclusion_root(uint64_t index, uint64_t size, const struct merkle_hash *leaf,
        const struct merkle_path *path, struct merkle_hash *root)
{
	struct place at = {index, size - 1};
	struct merkle_hash r = *leaf;

	if (index >= size || path->n > MERKLE_PATH_MAX + 1)
		return ERR_VALUE;
	for (size_t i = 0; i < path->n; i++) {
		if (at.last == 0)
			return ERR_VALUE; /* longer than the way to the root */
		if (place_is_right(&at))
			merkle_node(&path->hash[i], &r, &r);
		else
			merkle_node(&r, &path->hash[i], &r);
		at.index >>= 1;
		at.last >>= 1;
	}
	if (at.last != 0)
		return ERR_VALUE; /* shorter */
	*root = r;
	return ERR_OK;
}

/* 0 < size1 < size2. `path` starts with the subtree from which both roots are built. */
static enum err
consistency_roots(struct place at, const struct merkle_hash *start, struct bytes rest,
        struct merkle_hash *root1, struct merkle_hash *root2)
{
	struct merkle_hash r1 = *start, r2 = *start, c;

	for (; rest.n > 0; rest = bytes_skip(rest, sizeof c)) {
		memcpy(c.b, rest.p, sizeof c.b);
		if (at.last == 0)
			return ERR_VALUE;
		if (place_is_right(&at)) {
			merkle_node(&c, &r1, &r1);
			merkle_node(&c, &r2, &r2);
		} else {
			merkle_node(&r2, &c, &r2);
		}
		at.index >>= 1;
		at.last >>= 1;
	}
	if (at.last != 0)
		return ERR_VALUE;
	*root1 = r1;
	*root2 = r2;
	return ERR_OK;
}

enum err
merkle_consistency_verify(uint64_t size1, uint64_t size2, const struct merkle_hash *root1,
        const struct merkle_hash *root2, const struct merkle_path *path)
{
	struct place at = {size1 - 1, size2 - 1};
	struct merkle_frontier empty = {.size = 0};
	struct merkle_hash r1, r2;
	bool whole = (size1 & (size1 - 1)) == 0; /* the old tree is itself a subtree of the new */
	enum err e;

	if (size1 > size2 || path->n > MERKLE_PATH_MAX + 1)
		return ERR_VALUE;
	if (size1 == 0)
		merkle_root(&empty, &r1);
	if (size1 == 0 && (path->n != 0 || !hash_equal(&r1, root1)))
		return ERR_VALUE; /* there is one empty tree */
	if (size1 == size2)
		return path->n == 0 && hash_equal(root1, root2) ? ERR_OK : ERR_VALUE;
	if (size1 == 0)
		return ERR_OK;
	if (path->n == 0)
		return ERR_VALUE;
	while (odd(at.index)) {
		at.index >>= 1;
		at.last >>= 1;
	}
	e = consistency_roots(at, whole ? root1 : &path->hash[0],
	        bytes_of(path->hash[whole ? 0 : 1].b, (path->n - (whole ? 0 : 1)) * sizeof r1), &r1,
	        &r2);
	if (e != ERR_OK)
		return e;
	return hash_equal(&r1, root1) && hash_equal(&r2, root2) ? ERR_OK : ERR_VALUE;
}
