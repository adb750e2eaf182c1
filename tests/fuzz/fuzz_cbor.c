/* fuzz_cbor.c - what cbor_check accepts, read item by item and written again, gives the same bytes.
 */
#include "cbor.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

enum major { UINT, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Copies one head and what it holds itself, without the items inside; says how many of those
 * follow. */
static uint64_t
copy_one(struct cbor *c, struct buf *out)
{
	uint64_t count;

	switch ((enum major)(c->in.p[0] >> 5)) {
	case UINT:
		cbor_put_uint(out, cbor_uint(c));
		return 0;
	case NEGATIVE:
		/* -2^64 .. -2^63 - 1 are CBOR and no int64_t */
		if (c->in.p[0] == 0x3b && c->in.n > 1 && c->in.p[1] >= 0x80)
			buf_put(out, cbor_item(c));
		else
			cbor_put_int(out, cbor_int(c));
		return 0;
	case BYTES:
		cbor_put_bytes(out, cbor_bytes(c));
		return 0;
	case TEXT:
		cbor_put_text(out, cbor_text(c));
		return 0;
	case ARRAY:
		count = cbor_array(c);
		cbor_put_array(out, count);
		return count;
	case MAP:
		count = cbor_map(c);
		cbor_put_map(out, count);
		return 2 * count;
	case TAG:
		cbor_tag(c, 18);
		cbor_put_tag(out, 18);
		return 1;
	case SIMPLE:
		if (cbor_null_next(c))
			cbor_put_null(out);
		else
			cbor_put_bool(out, cbor_bool(c));
		return 0;
	}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size), item;
	enum err whole = cbor_check(in);
	uint8_t *room = malloc(size + 1);
	struct buf out = buf_init(room, size);
	struct cbor c = cbor_init(in);
	uint64_t left = 1;

	/* cbor_item takes what cbor_check takes, tag 18 aside */
	item = cbor_item(&c);
	if (whole == ERR_OK && data[0] >> 5 != TAG && (c.e != ERR_OK || item.n != size))
		abort();
	if (whole == ERR_OK) {
		for (c = cbor_init(in); left > 0; left--) {
			if (c.in.n == 0)
				abort();
			left += copy_one(&c, &out);
			if (c.e != ERR_OK)
				abort();
		}
		if (cbor_end(&c) != ERR_OK || !bytes_equal(in, buf_bytes(&out)))
			abort();
	}
	free(room);
	return 0;
}
