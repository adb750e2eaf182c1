/* fuzz_proof.c - a tlog-proof, landmarks and a verifier's landmarks that are read are written again
 * to the same bytes; the first byte says which of them it is. */
#include "landmark.h"
#include "proof.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t room[LANDMARKS_STATE_BYTES_MAX + PROOF_TEXT_BYTES_MAX];

static void
proof_try(struct bytes in)
{
	struct buf again = BUF_OF(room);
	struct proof p;

	if (proof_decode(in, &p) != ERR_OK)
		return;
	proof_put(&again, &p);
	assert(bytes_equal(buf_bytes(&again), in));
}

static void
landmarks_try(struct bytes in)
{
	static struct landmarks l;
	struct buf again = BUF_OF(room);
	struct subtree s[2];

	if (landmarks_decode(in, &l) != ERR_OK)
		return;
	landmarks_put(&again, &l);
	assert(bytes_equal(buf_bytes(&again), in));
	for (uint64_t k = l.last - l.count + 1; k <= l.last; k++) {
		unsigned n = landmark_subtrees(&l, k, s);

		assert(n >= 1 && s[n - 1].end == l.sizes[k - (l.last - l.count)]);
		assert(subtree_valid(&s[0]) && (n == 1 || subtree_valid(&s[1])));
	}
}

static void
held_try(struct bytes in)
{
	static struct landmarks_held h;
	static uint8_t whole[8192 + SHA256_BYTES];
	struct buf again = BUF_OF(room);

	if (in.n > 8192 || in.n == 0)
		return;
	memcpy(whole, in.p, in.n);
	sha256_one(in, whole + in.n); /* or nothing would get past it */
	in = bytes_of(whole, in.n + SHA256_BYTES);
	if (landmarks_held_decode(in, &h) != ERR_OK)
		return;
	landmarks_held_put(&again, &h);
	assert(bytes_equal(buf_bytes(&again), in));
}

static void
bundle_try(struct bytes in)
{
	struct landmark_proof p;
	struct cose_sign1 m;

	if (cose_decode(in, true, &m) == ERR_OK && landmark_bundle_read(&m, &p) == ERR_OK)
		assert(p.path.n <= LANDMARK_PATH_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct bytes) = {
	        proof_try, landmarks_try, held_try, bundle_try};

	if (size > 0)
		tries[data[0] % 4](bytes_of(data + 1, size - 1));
	return 0;
}
