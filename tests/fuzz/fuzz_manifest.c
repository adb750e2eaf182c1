/* fuzz_manifest.c - the input is a claims map, signed in truth by a root made for the run (Ed25519:
 * the same bytes give the same signature), so that the parser behind the signature is reached: what
 * opens is signed to the same bytes again. The input is also tried as a whole message. */
#include "manifest.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct key *
root_key(void)
{
	static struct key *root;

	if (root == NULL && key_generate(KEY_ED25519, &root) != ERR_OK)
		abort();
	return root;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t room[2 * MANIFEST_BYTES_MAX], again_room[2 * MANIFEST_BYTES_MAX];
	struct buf b = BUF_OF(room), again = BUF_OF(again_room);
	struct manifest m;

	assert(manifest_open(bytes_of(data, size), root_key(), &m) != ERR_OK);
	if (size > MANIFEST_BYTES_MAX ||
	        cose_sign(root_key(), MANIFEST_TYPE, bytes_of(data, size), &b) != ERR_OK)
		return 0;
	if (manifest_open(buf_bytes(&b), root_key(), &m) != ERR_OK)
		return 0;
	assert(manifest_sign(&m, root_key(), &again) == ERR_OK);
	assert(bytes_equal(buf_bytes(&b), buf_bytes(&again)));
	manifest_close(&m);
	return 0;
}
