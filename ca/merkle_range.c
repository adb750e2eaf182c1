/* merkle_range.c - the complete subtrees that one batch makes: with the frontier before it they
 * answer whatever the inclusion proofs of its entries ask for, at every tree size that the batch
 * passes through. */
#include "merkle.h"

#include <assert.h>

/* Number of complete subtrees of `level` that end at or before `size`. */
static uint64_t
complete(uint64_t size, unsigned level)
{
	return size >> level;
}

void
merkle_range_init(struct merkle_range *r, const struct merkle_frontier *before,
        const struct merkle_hash *leaves, uint64_t count, struct merkle_hash *nodes)
{
	uint64_t end = before->size + count, used = 0;

	assert(before->size <= INT64_MAX && count <= INT64_MAX - before->size);
	*r = (struct merkle_range){*before, leaves, count, nodes, {0}};
	for (unsigned level = 1; level < 64; level++) {
		r->offset[level] = used;
		for (uint64_t i = complete(before->size, level); i < complete(end, level); i++) {
			struct merkle_hash left, right;
			enum err e1 = merkle_range_get(r, level - 1, 2 * i, &left);
			enum err e2 = merkle_range_get(r, level - 1, 2 * i + 1, &right);

			assert(e1 == ERR_OK &&
			        e2 == ERR_OK); /* both are complete, so they are known by now */
			merkle_node(&left, &right, &nodes[used++]);
		}
	}
	assert(used <= 2 * count + 64);
}

enum err
merkle_range_get(void *range, unsigned level, uint64_t index, struct merkle_hash *out)
{
	const struct merkle_range *r = range;
	uint64_t first, end;

	if (level >= 64)
		return ERR_VALUE;
	first = complete(r->before.size, level);
	end = complete(r->before.size + r->count, level);
	if (index >= end)
		return ERR_VALUE;
	if (index >= first) {
		*out = level == 0 ? r->leaves[index - first]
		                  : r->nodes[r->offset[level] + index - first];
		return ERR_OK;
	}
	/* the frontier holds the last subtree of each level where it is a left one */
	if (index + 1 != first || (first & 1) == 0)
		return ERR_VALUE;
	*out = r->before.level[level];
	return ERR_OK;
}
