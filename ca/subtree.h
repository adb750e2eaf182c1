#ifndef CA_SUBTREE_H
#define CA_SUBTREE_H
/* subtree.h - subtrees [start, end) of the log's tree, their proofs, and which two cover an
 * interval. Source: IETF draft-ietf-plants-merkle-tree-certs-05 (2026), sections on subtrees; read
 * in its repository at d7362d6 of 2026-08-20. It may still change. */
#include "merkle.h"

struct subtree {
	uint64_t start, end;
};
/* Is start a multiple of the least power of two that is not below end - start? */
bool subtree_valid(const struct subtree *s);
/* One or two subtrees that cover start < end, and maybe some before start. Gives how many. */
unsigned subtree_cover(uint64_t start, uint64_t end, struct subtree out[2]);
/* From complete subtrees of the tree alone. */
MUST_USE enum err subtree_hash(
        const struct subtree *s, merkle_get get, void *ctx, struct merkle_hash *out);
/* Path of an entry to the subtree's hash; ERR_VALUE where it is not in it. */
MUST_USE enum err subtree_inclusion(const struct subtree *s, uint64_t index, merkle_get get,
        void *ctx, struct merkle_path *out);
MUST_USE enum err subtree_inclusion_root(const struct subtree *s, uint64_t index,
        const struct merkle_hash *leaf, const struct merkle_path *path, struct merkle_hash *root);
/* That the subtree is part of the tree of `size`. */
MUST_USE enum err subtree_consistency(
        const struct subtree *s, uint64_t size, merkle_get get, void *ctx, struct merkle_path *out);
MUST_USE enum err subtree_consistency_verify(const struct subtree *s, uint64_t size,
        const struct merkle_hash *hash, const struct merkle_hash *root,
        const struct merkle_path *path);
#endif
