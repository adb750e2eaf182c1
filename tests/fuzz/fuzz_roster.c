/* fuzz_roster.c - the input is a payload, signed in truth by a root made for the run, so that the
 * parser behind the signature is reached: what is read keeps the floors and finds each centre by
 * its code. */
#include "base64.h"
#include "roster.h"

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
	size_t room = BASE64URL_CHARS(size) + 400;
	struct buf b = buf_init(malloc(room), room);
	struct roster *r = NULL;

	assert(b.p != NULL);
	if (jws_sign(root_key(), ROSTER_TYP, bytes_of(data, size), &b) == ERR_OK &&
	        roster_read(buf_bytes(&b), root_key(), &r) == ERR_OK) {
		assert(roster_version(r) >= 1 && roster_exp(r) > 0);
		assert(roster_officials(r, REQUEST_REVOKE, false) >= 2);
		assert(roster_find(r, "") == NULL);
		roster_free(r);
	}
	free(b.p);
	return 0;
}
