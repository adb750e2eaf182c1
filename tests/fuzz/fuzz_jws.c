/* fuzz_jws.c - what decodes is spelled from its parts again, byte by byte. */
#include "base64.h"
#include "jws.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jws j;
	uint8_t *room = NULL, *payload_room = NULL;
	struct buf again, payload;

	if (jws_decode(bytes_of(data, size), APPROVAL_BYTES_MAX, &j) != ERR_OK)
		return 0;
	room = malloc(size);
	payload_room = malloc(size);
	assert(room != NULL && payload_room != NULL);
	again = buf_init(room, size);
	payload = buf_init(payload_room, size);
	buf_put(&again, j.signing_input);
	buf_put_u8(&again, '.');
	base64url_put(&again, bytes_of(j.signature, sizeof j.signature));
	assert(bytes_equal(buf_bytes(&again), bytes_of(data, size)));
	if (jws_payload(&j, &payload) == ERR_OK) {
		again.n = 0;
		base64url_put(&again, buf_bytes(&payload));
		assert(bytes_equal(buf_bytes(&again), j.payload_text));
	}
	free(room);
	free(payload_room);
	return 0;
}
