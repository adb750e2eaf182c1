#ifndef TESTS_RECEIPT_WORLD_H
#define TESTS_RECEIPT_WORLD_H
/* receipt_world.h - the log that the receipt and bundle tests share: entries "leaf 0", "leaf 1",
 * ..., a fixed key, and one good receipt in both forms. Included once by each test program. */
#include "naive_tree.h"
#include "receipt.h"
#include "seed_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ORIGIN "ca.example.gov/log"

enum { LEAVES = 70000, TIME = 1792224000, INDEX = 5, SIZE = 7 };

static struct merkle_hash leaves[LEAVES]; /* of the entries "leaf 0", "leaf 1", ... */
static struct key *own;                   /* seed 00..1f */
static uint8_t good_room[RECEIPT_BYTES_MAX], head_room[RECEIPT_BYTES_MAX];
static struct buf good, head; /* entry 5 in a tree of 7, and without proof */

static inline struct merkle_path
path_of(size_t index, size_t size)
{
	struct naive_tree t = {leaves, size};
	struct merkle_path path;

	assert_int_equal(merkle_inclusion(index, size, naive_get, &t, &path), ERR_OK);
	return path;
}

static inline void
receipt_make(size_t index, size_t size, struct buf *with, struct buf *without)
{
	struct merkle_hash root = naive_root(leaves, size);
	struct merkle_path path = path_of(index, size);
	uint8_t room[256], signature[KEY_SIGNATURE_BYTES];
	struct buf protected = BUF_OF(room);

	assert_int_equal(
	        receipt_sign(own, BYTES_LIT(ORIGIN), TIME, size, &root, &protected, signature),
	        ERR_OK);
	receipt_put(with, buf_bytes(&protected), bytes_of(signature, sizeof signature), size, index,
	        &path);
	receipt_put(without, buf_bytes(&protected), bytes_of(signature, sizeof signature), size,
	        index, NULL);
	assert_false(with->failed || without->failed);
}

static inline int
world_make(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEAVES; i++) {
		char entry[24];
		int n = snprintf(entry, sizeof entry, "leaf %zu", i);

		leaves[i] = naive_leaf(entry, (size_t)n);
	}
	own = seed_key_from(0);
	if (own == NULL)
		return -1;
	good = BUF_OF(good_room);
	head = BUF_OF(head_room);
	receipt_make(INDEX, SIZE, &good, &head);
	return 0;
}

static inline int
world_free(void **state)
{
	(void)state;
	key_free(own);
	return 0;
}

static inline enum err
verdict(struct bytes in)
{
	struct receipt r;
	enum err e = receipt_decode(in, &r);

	return e != ERR_OK ? e : receipt_verify(&r, own, BYTES_LIT(ORIGIN), BYTES_LIT("leaf 5"));
}
#endif
