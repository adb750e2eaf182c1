#ifndef CA_FOLD_ITEM_H
#define CA_FOLD_ITEM_H
/* fold_item.h - what the two halves of fold.h share: fold.c holds the state, fold_batch.c the
 * checks. */
#include "fold.h"

struct batch_item { /* one checked entry, with views into the caller's bytes */
	struct entry e;
	struct entry_note n;
	struct merkle_hash leaf;
	uint8_t key[SHA256_BYTES]; /* in the table of executed requests */
};

__attribute__((returns_nonnull)) void *fold_grow(
        void *p, size_t n, size_t size); /* reallocarray that ends the process on failure */
uint64_t fold_caps_count(const struct fold_caps *caps, struct bytes center, int64_t day);
/* Counts one more certificate of a centre; only its newest day is kept. */
void fold_caps_add(struct fold_caps *caps, struct bytes center, int64_t day);
/* Does the entry count among the certificates that its sender's orders touched that day? */
bool fold_is_order(const struct entry *e, const struct entry_note *n);
void fold_orders_add(struct fold_caps *orders, const struct entry *e, const struct entry_note *n);
/* An issue is executed once as a whole, an order once for each certificate. */
void fold_done_key(
        const uint8_t request[SHA256_BYTES], struct bytes cti, uint8_t out[SHA256_BYTES]);
/* The key of a status entry: request and certificate; the second signature of a hold is another act
 * than its start. */
void fold_done_key_of(const struct entry *e, const struct entry_note *n, uint8_t out[SHA256_BYTES]);
/* The place of a key in an open-addressing table: its own, or a free one. */
struct fold_done *fold_done_find(
        struct fold_done *table, size_t room, const uint8_t key[SHA256_BYTES]);
void fold_apply(struct fold *f, const struct batch_item *it); /* one checked entry */
#endif
