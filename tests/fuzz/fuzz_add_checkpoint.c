/* fuzz_add_checkpoint.c - a request to a witness that is read is written again as the same bytes;
 * of a note, no cosignature is found that nobody signed. */
#include "add_checkpoint.h"
#include "cosignature.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t room[ADD_CHECKPOINT_BYTES_MAX];

static struct key *
witness_key(void)
{
	static const uint8_t zero[32];
	static struct key *key; /* of a point that nobody signs with */
	enum err e = ERR_OK;

	if (key == NULL)
		e = key_from_public(KEY_ED25519, bytes_of(zero, sizeof zero), &key);
	assert(e == ERR_OK);
	return key;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again = BUF_OF(room);
	struct add_checkpoint a;
	struct checkpoint c;
	struct cosignature found;

	if (add_checkpoint_decode(bytes_of(data, size), &a) != ERR_OK)
		return 0;
	assert(a.proof.n <= MERKLE_PATH_MAX && a.note.n > 0);
	add_checkpoint_put(&a, &again);
	assert(bytes_equal(buf_bytes(&again), bytes_of(data, size)));
	if (checkpoint_split(a.note, &c) == ERR_OK)
		err_ignore(cosignature_find(
		        c.text, c.signatures, BYTES_LIT("w"), witness_key(), &found));
	return 0;
}
