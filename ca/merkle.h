#ifndef CA_MERKLE_H
#define CA_MERKLE_H
/* merkle.h - the tree of RFC 6962 section 2.1 (SHA-256): hashes, frontier, proofs. No memory, no
 * recursion on input. Tests: vectors V6, V8, V9 of the log evidence and tests/vectors/merkle. */
#include "hash.h"
#include "limits.h"

struct merkle_hash {
	uint8_t b[SHA256_BYTES];
};

void merkle_leaf(struct bytes entry, struct merkle_hash *out); /* SHA-256(00 ‖ entry) */
void merkle_node(const struct merkle_hash *l, const struct merkle_hash *r, struct merkle_hash *out);

/* What an append needs: for each bit set in `size`, lowest first at level[bit], the complete
 * subtree there. */
struct merkle_frontier {
	uint64_t size;
	struct merkle_hash level[64];
};
void merkle_append(struct merkle_frontier *f, const struct merkle_hash *leaf);
void merkle_root(
        const struct merkle_frontier *f, struct merkle_hash *out); /* of size 0: SHA-256("") */

/* Gives the hash of the complete subtree [index 2^level, (index + 1) 2^level). */
typedef enum err (*merkle_get)(void *ctx, unsigned level, uint64_t index, struct merkle_hash *out);

struct merkle_node_at {
	unsigned level;
	uint64_t index, size; /* of the tree */
};

struct merkle_path {
	size_t n;
	struct merkle_hash hash[MERKLE_PATH_MAX + 1]; /* leaf to root */
};
/* ERR_VALUE when index >= size. Asks only for complete subtrees of a tree of that size. */
MUST_USE enum err merkle_inclusion(
        uint64_t index, uint64_t size, merkle_get get, void *ctx, struct merkle_path *out);
MUST_USE enum err merkle_consistency(
        uint64_t size1, uint64_t size2, merkle_get get, void *ctx, struct merkle_path *out);
/* Siblings on the way from node `index` of `level` to the root, that node first where `self`. */
MUST_USE enum err merkle_siblings(const struct merkle_node_at *at, bool self, merkle_get get,
        void *ctx, struct merkle_path *out);
/* Root that the path gives; ERR_VALUE when its length does not fit. RFC 9162 section 2.1.3.2. */
MUST_USE enum err merkle_inclusion_root(uint64_t index, uint64_t size,
        const struct merkle_hash *leaf, const struct merkle_path *path, struct merkle_hash *root);
/* ERR_VALUE unless the proof shows that the tree of size2 extends that of size1 (1 <= size1; an
 * empty proof for equal sizes and roots; size1 = 0 needs an empty proof and the root of the empty
 * tree). RFC 9162 section 2.1.4.2. */
MUST_USE enum err merkle_consistency_verify(uint64_t size1, uint64_t size2,
        const struct merkle_hash *root1, const struct merkle_hash *root2,
        const struct merkle_path *path);

/* Proofs for the entries of one batch: the frontier before it and the leaves after it (the caller's
 * memory). */
struct merkle_range {
	struct merkle_frontier before;
	const struct merkle_hash *leaves; /* of entries before.size .. before.size + count - 1 */
	uint64_t count;
	struct merkle_hash *nodes; /* room for 2 count + 64 hashes */
	uint64_t offset[64];       /* where the nodes of each level start */
};
void merkle_range_init(struct merkle_range *r, const struct merkle_frontier *before,
        const struct merkle_hash *leaves, uint64_t count, struct merkle_hash *nodes);
enum err merkle_range_get(
        void *range, unsigned level, uint64_t index, struct merkle_hash *out); /* a merkle_get */

/* C2SP tlog-tiles paths. Writes "tile/<L>/<N>[.p/<W>]", or "tile/entries/<N>[.p/<W>]" for level -1.
 * width 256: full. */
enum { TILE_WIDTH = 256 };
void tile_path_put(struct buf *out, int level, uint64_t n, unsigned width);
#endif
