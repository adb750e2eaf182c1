/* subtree.c - a subtree is a small tree that stands at a multiple of its own width; so its proofs
 * are those of merkle.c, moved by its start. */
#include "subtree.h"

#include <string.h>

static unsigned
bit_length(uint64_t v)
{
	unsigned n = 0;

	for (; v > 0; v >>= 1)
		n++;
	return n;
}

bool
subtree_valid(const struct subtree *s)
{
	uint64_t n;

	if (s->start >= s->end || s->end > INT64_MAX)
		return false;
	n = s->end - s->start;
	return (s->start & ((UINT64_C(1) << bit_length(n - 1)) - 1)) == 0;
}

unsigned
subtree_cover(uint64_t start, uint64_t end, struct subtree out[2])
{
	uint64_t last = end - 1, mask, middle, left;
	unsigned split;

	if (last == start) {
		out[0] = (struct subtree){start, end};
		return 1;
	}
	split = bit_length(start ^ last) - 1;
	mask = (UINT64_C(1) << split) - 1;
	middle = last & ~mask;
	left = start & ~((UINT64_C(1) << bit_length(~start & mask)) - 1);
	out[0] = (struct subtree){left, middle};
	out[1] = (struct subtree){middle, end};
	return 2;
}

enum err
subtree_hash(const struct subtree *s, merkle_get get, void *ctx, struct merkle_hash *out)
{
	uint64_t n = s->end - s->start;
	struct merkle_hash edge, left;
	bool some = false;
	enum err e;

	if (!subtree_valid(s))
		return ERR_VALUE;
	for (unsigned level = 0; level < 63; level++) {
		if ((n >> level & 1) == 0)
			continue;
		e = get(ctx, level, (s->start >> level) + (n >> level) - 1, &left);
		if (e != ERR_OK)
			return e;
		if (some)
			merkle_node(&left, &edge, &edge);
		else
			edge = left;
		some = true;
	}
	*out = edge;
	return ERR_OK;
}

struct moved { /* the log's tree, seen from the subtree's start */
	uint64_t start;
	merkle_get get;
	void *ctx;
};

static enum err
moved_get(void *ctx, unsigned level, uint64_t index, struct merkle_hash *out)
{
	const struct moved *m = ctx;

	return m->get(m->ctx, level, (m->start >> level) + index, out);
}

enum err
subtree_inclusion(
        const struct subtree *s, uint64_t index, merkle_get get, void *ctx, struct merkle_path *out)
{
	struct moved m = {s->start, get, ctx};

	if (!subtree_valid(s) || index < s->start || index >= s->end)
		return ERR_VALUE;
	return merkle_inclusion(index - s->start, s->end - s->start, moved_get, &m, out);
}

enum err
subtree_inclusion_root(const struct subtree *s, uint64_t index, const struct merkle_hash *leaf,
        const struct merkle_path *path, struct merkle_hash *root)
{
	if (!subtree_valid(s) || index < s->start || index >= s->end)
		return ERR_VALUE;
	return merkle_inclusion_root(index - s->start, s->end - s->start, leaf, path, root);
}

/* First and last node of the subtree, and the last of the tree, on one level. */
struct place {
	uint64_t first, last, end;
	unsigned level;
};

static void
place_up(struct place *at)
{
	at->first >>= 1;
	at->last >>= 1;
	at->end >>= 1;
	at->level++;
}

/* Where the proof begins: at the largest complete subtree at the end, or at the subtree itself. */
static struct place
place_start(const struct subtree *s, uint64_t size)
{
	struct place at = {s->start, s->end - 1, size - 1, 0};
	bool edge = at.last == at.end;

	while (at.first != at.last && (edge || (at.last & 1) != 0))
		place_up(&at);
	return at;
}

enum err
subtree_consistency(
        const struct subtree *s, uint64_t size, merkle_get get, void *ctx, struct merkle_path *out)
{
	struct merkle_node_at node = {0, 0, size};
	struct place at;

	if (!subtree_valid(s) || s->end > size)
		return ERR_VALUE;
	at = place_start(s, size);
	node.level = at.level;
	node.index = at.last;
	return merkle_siblings(&node, at.first != at.last, get, ctx, out);
}

/* One more hash of the path. */
static void
climb(struct place *at, const struct merkle_hash *c, struct merkle_hash *sub,
        struct merkle_hash *root)
{
	if ((at->last & 1) != 0 || at->last == at->end) {
		if (at->first < at->last)
			merkle_node(c, sub, sub);
		merkle_node(c, root, root);
		while ((at->last & 1) == 0 && at->last != 0)
			place_up(at);
	} else {
		merkle_node(root, c, root);
	}
	place_up(at);
}

enum err
subtree_consistency_verify(const struct subtree *s, uint64_t size, const struct merkle_hash *hash,
        const struct merkle_hash *root, const struct merkle_path *path)
{
	struct merkle_hash sub, whole;
	struct place at;
	size_t i = 0;

	if (!subtree_valid(s) || s->end > size || path->n > MERKLE_PATH_MAX + 1)
		return ERR_VALUE;
	at = place_start(s, size);
	if (at.first == at.last)
		sub = *hash;
	else if (path->n == 0)
		return ERR_VALUE;
	else
		sub = path->hash[i++];
	whole = sub;
	for (; i < path->n; i++) {
		if (at.end == 0)
			return ERR_VALUE;
		climb(&at, &path->hash[i], &sub, &whole);
	}
	return at.end == 0 && memcmp(sub.b, hash->b, SHA256_BYTES) == 0 &&
	                       memcmp(whole.b, root->b, SHA256_BYTES) == 0
	               ? ERR_OK
	               : ERR_VALUE;
}
