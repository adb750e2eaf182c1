/* fuzz_base45.c - what base45_get and qr_get accept encodes to the same text, and every value comes
 * back. */
#include "base45.h"
#include "limits.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
text_try(struct bytes text)
{
	static uint8_t value_room[8192], text_room[16384];
	struct buf value = BUF_OF(value_room), again = BUF_OF(text_room);

	if (base45_get(text, &value) != ERR_OK)
		assert(value.n == 0);
	else {
		base45_put(&again, buf_bytes(&value));
		assert(bytes_equal(buf_bytes(&again), text));
	}
	value.n = again.n = 0;
	if (qr_get(text, &value) != ERR_OK)
		return;
	assert(text.n <= QR_TEXT_BYTES_MAX);
	qr_put(&again, buf_bytes(&value));
	assert(bytes_equal(buf_bytes(&again), text));
}

static void
value_try(struct bytes value)
{
	static uint8_t value_room[8192], text_room[16384];
	struct buf text = BUF_OF(text_room), again = BUF_OF(value_room);
	enum err e;

	base45_put(&text, value);
	e = base45_get(buf_bytes(&text), &again);
	assert(e == ERR_OK && bytes_equal(buf_bytes(&again), value));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 8192)
		return 0;
	text_try(bytes_of(data, size));
	value_try(bytes_of(data, size));
	return 0;
}
