/* fuzz_receipt.c - receipts, kept checkpoints and bundles that are read are written again as the
 * same bytes. */
#include "receipt.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t room[BUNDLE_BYTES_MAX];

static void
receipt_try(struct bytes in)
{
	struct buf again = BUF_OF(room);
	struct merkle_hash leaf, root;
	struct receipt r;

	if (receipt_decode(in, &r) != ERR_OK)
		return;
	assert(cbor_check(in) == ERR_OK);
	assert(r.size <= INT64_MAX && r.index < r.size && r.time >= 0);
	receipt_put(&again, r.protected, r.signature, r.size, r.index, &r.path);
	assert(bytes_equal(buf_bytes(&again), in));
	merkle_leaf(in, &leaf);
	err_ignore(merkle_inclusion_root(r.index, r.size, &leaf, &r.path, &root));
}

static void
head_try(struct bytes in)
{
	struct buf again = BUF_OF(room);
	struct receipt r;

	if (receipt_head_decode(in, &r) != ERR_OK)
		return;
	assert(cbor_check(in) == ERR_OK && r.path.n == 0 && r.size > 0);
	receipt_put(&again, r.protected, r.signature, r.size, 0, NULL);
	assert(bytes_equal(buf_bytes(&again), in));
}

/* The record without its receipt, then with it again. */
static void
bundle_try(struct bytes in)
{
	uint8_t bare_room[BUNDLE_BYTES_MAX];
	struct buf bare = BUF_OF(bare_room), again = BUF_OF(room);
	struct cose_sign1 m;
	struct bytes receipt;
	size_t before;

	if (in.n > BUNDLE_BYTES_MAX || cose_decode(in, true, &m) != ERR_OK ||
	        bundle_receipt(&m, &receipt) != ERR_OK)
		return;
	receipt_try(receipt);
	before = (size_t)(m.unprotected.p - in.p);
	buf_put(&bare, bytes_of(in.p, before));
	cbor_put_map(&bare, 0);
	buf_put(&bare, bytes_skip(in, before + m.unprotected.n));
	if (bundle_put(&again, buf_bytes(&bare), receipt) == ERR_OK)
		assert(bytes_equal(buf_bytes(&again), in));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	receipt_try(bytes_of(data, size));
	head_try(bytes_of(data, size));
	bundle_try(bytes_of(data, size));
	return 0;
}
