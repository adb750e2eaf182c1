/* cbor.c - strict deterministic CBOR: whatever is read has exactly one spelling, and every length
 * is bounded by what remains before it is used. */
#include "cbor.h"

#include "limits.h"

#include <assert.h>
#include <string.h>

enum major { UINT, NINT, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

enum { SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, SIMPLE_NULL = 22, TAG_SIGN1 = 18 };

static void
head_put(struct buf *b, enum major major, uint64_t v)
{
	uint8_t head[9], m = (uint8_t)(major << 5);
	unsigned width = v < 24            ? 0
	                 : v <= UINT8_MAX  ? 1
	                 : v <= UINT16_MAX ? 2
	                 : v <= UINT32_MAX ? 4
	                                   : 8;
	static const uint8_t info[9] = {[1] = 24, [2] = 25, [4] = 26, [8] = 27};

	if (width == 0) {
		buf_put_u8(b, (uint8_t)(m | v));
		return;
	}
	head[0] = m | info[width];
	be_put(head + 1, v, width);
	buf_put(b, bytes_of(head, 1 + width));
}

void
cbor_put_uint(struct buf *b, uint64_t v)
{
	head_put(b, UINT, v);
}

void
cbor_put_int(struct buf *b, int64_t v)
{
	if (v >= 0)
		head_put(b, UINT, (uint64_t)v);
	else
		head_put(b, NINT, (uint64_t)(-(v + 1)));
}

void
cbor_put_bytes(struct buf *b, struct bytes v)
{
	head_put(b, BYTES, v.n);
	buf_put(b, v);
}

uint8_t *
cbor_put_bytes_room(struct buf *b, size_t n)
{
	head_put(b, BYTES, n);
	return buf_room(b, n);
}

void
cbor_put_text(struct buf *b, struct bytes v)
{
	head_put(b, TEXT, v.n);
	buf_put(b, v);
}

void
cbor_put_array(struct buf *b, uint64_t count)
{
	head_put(b, ARRAY, count);
}

void
cbor_put_map(struct buf *b, uint64_t pairs)
{
	head_put(b, MAP, pairs);
}

void
cbor_put_tag(struct buf *b, uint64_t tag)
{
	head_put(b, TAG, tag);
}

void
cbor_put_null(struct buf *b)
{
	head_put(b, SIMPLE, SIMPLE_NULL);
}

void
cbor_put_bool(struct buf *b, bool v)
{
	head_put(b, SIMPLE, v ? SIMPLE_TRUE : SIMPLE_FALSE);
}

struct cbor
cbor_init(struct bytes in)
{
	return (struct cbor){in, ERR_OK};
}

void
cbor_fail(struct cbor *c, enum err e)
{
	if (c->e == ERR_OK)
		c->e = e;
	c->in.n = 0;
}

/* Takes one head; refuses longer spellings than needed and indefinite lengths. */
static bool
head_get(struct cbor *c, enum major *major, uint64_t *v)
{
	static const uint64_t least[4] = {
	        24, UINT8_MAX + 1ULL, UINT16_MAX + 1ULL, UINT32_MAX + 1ULL};
	unsigned info, width;

	if (c->e != ERR_OK)
		return false;
	if (c->in.n == 0) {
		cbor_fail(c, ERR_TRUNCATED);
		return false;
	}
	*major = (enum major)(c->in.p[0] >> 5);
	info = c->in.p[0] & 31;
	if (info < 24) {
		*v = info;
		c->in = bytes_skip(c->in, 1);
		return true;
	}
	if (info > 27 || *major == SIMPLE) {
		cbor_fail(c, ERR_ENCODING);
		return false;
	}
	width = 1U << (info - 24);
	if (c->in.n < 1 + width) {
		cbor_fail(c, ERR_TRUNCATED);
		return false;
	}
	*v = be_get(c->in.p + 1, width);
	if (*v < least[info - 24]) {
		cbor_fail(c, ERR_ENCODING);
		return false;
	}
	c->in = bytes_skip(c->in, 1 + width);
	return true;
}

static uint64_t
head_expect(struct cbor *c, enum major want)
{
	enum major major;
	uint64_t v;

	if (!head_get(c, &major, &v))
		return 0;
	if (major != want) {
		cbor_fail(c, ERR_VALUE);
		return 0;
	}
	return v;
}

uint64_t
cbor_uint(struct cbor *c)
{
	return head_expect(c, UINT);
}

uint64_t
cbor_uint_max(struct cbor *c, uint64_t max)
{
	uint64_t v = cbor_uint(c);

	if (v <= max)
		return v;
	cbor_fail(c, ERR_LIMIT);
	return 0;
}

int64_t
cbor_int(struct cbor *c)
{
	enum major major;
	uint64_t v;

	if (!head_get(c, &major, &v))
		return 0;
	if (major > NINT)
		cbor_fail(c, ERR_VALUE);
	else if (v > INT64_MAX)
		cbor_fail(c, ERR_LIMIT);
	if (c->e != ERR_OK)
		return 0;
	return major == UINT ? (int64_t)v : -1 - (int64_t)v;
}

static struct bytes
string_get(struct cbor *c, enum major want)
{
	uint64_t n = head_expect(c, want);
	struct bytes v;

	if (c->e != ERR_OK)
		return (struct bytes){NULL, 0};
	if (n > c->in.n) {
		cbor_fail(c, ERR_TRUNCATED);
		return (struct bytes){NULL, 0};
	}
	v = bytes_of(c->in.p, (size_t)n);
	c->in = bytes_skip(c->in, (size_t)n);
	return v;
}

struct bytes
cbor_bytes(struct cbor *c)
{
	return string_get(c, BYTES);
}

struct bytes
cbor_bytes_exact(struct cbor *c, size_t n)
{
	static const uint8_t zero[64];
	struct bytes v = cbor_bytes(c);

	assert(n <= sizeof zero);
	if (c->e == ERR_OK && v.n == n)
		return v;
	cbor_fail(c, ERR_VALUE);
	return bytes_of(zero, n);
}

struct bytes
cbor_text(struct cbor *c)
{
	struct bytes v = string_get(c, TEXT);

	if (c->e == ERR_OK && !utf8_valid(v, NULL)) {
		cbor_fail(c, ERR_NOT_UTF8);
		return (struct bytes){NULL, 0};
	}
	return v;
}

static uint64_t
count_get(struct cbor *c, enum major want, uint64_t item_bytes)
{
	uint64_t n = head_expect(c, want);

	if (n <= c->in.n / item_bytes)
		return n;
	cbor_fail(c, ERR_TRUNCATED);
	return 0;
}

uint64_t
cbor_array(struct cbor *c)
{
	return count_get(c, ARRAY, 1);
}

void
cbor_array_exact(struct cbor *c, uint64_t count)
{
	if (cbor_array(c) != count)
		cbor_fail(c, ERR_VALUE);
}

uint64_t
cbor_map(struct cbor *c)
{
	return count_get(c, MAP, 2);
}

void
cbor_tag(struct cbor *c, uint64_t tag)
{
	if (head_expect(c, TAG) != tag)
		cbor_fail(c, ERR_VALUE);
}

bool
cbor_null_next(struct cbor *c)
{
	if (c->e != ERR_OK || c->in.n == 0 || c->in.p[0] != ((SIMPLE << 5) | SIMPLE_NULL))
		return false;
	c->in = bytes_skip(c->in, 1);
	return true;
}

bool
cbor_bool(struct cbor *c)
{
	uint64_t v = head_expect(c, SIMPLE);

	if (c->e == ERR_OK && v != SIMPLE_TRUE && v != SIMPLE_FALSE)
		cbor_fail(c, ERR_VALUE);
	return v == SIMPLE_TRUE && c->e == ERR_OK;
}

enum err
cbor_end(const struct cbor *c)
{
	if (c->e != ERR_OK)
		return c->e;
	return c->in.n == 0 ? ERR_OK : ERR_TRAILING;
}

/* Position of an integer key in the order of encodings: 0, 1, 2, … and then -1, -2, … */
static bool
key_before(int64_t a, int64_t b)
{
	if ((a < 0) != (b < 0))
		return b < 0;
	return a < 0 ? a > b : a < b;
}

int64_t
cbor_key(struct cbor *c, int64_t *last)
{
	int64_t key = cbor_int(c);

	if (c->e != ERR_OK)
		return 0;
	if (*last != INT64_MIN && !key_before(*last, key)) {
		cbor_fail(c, ERR_ENCODING);
		return 0;
	}
	*last = key;
	return key;
}

struct level {
	uint64_t left;        /* items still to come, keys and values counted apart */
	bool map;             /* the next item may be a key */
	struct bytes key;     /* the last key of a map */
	const uint8_t *start; /* where the key that is being read starts */
};

/* Takes a string's bytes, or says how many items follow an array or map head. */
static uint64_t
item_open(struct cbor *c, enum major major, uint64_t v)
{
	switch (major) {
	case BYTES:
	case TEXT:
		if (v > c->in.n) {
			cbor_fail(c, ERR_TRUNCATED);
			return 0;
		}
		if (major == TEXT && !utf8_valid(bytes_of(c->in.p, (size_t)v), NULL))
			cbor_fail(c, ERR_NOT_UTF8);
		else
			c->in = bytes_skip(c->in, (size_t)v);
		return 0;
	case ARRAY:
	case MAP:
		if (v > c->in.n / (major == MAP ? 2 : 1)) {
			cbor_fail(c, ERR_TRUNCATED);
			return 0;
		}
		return major == MAP ? 2 * v : v;
	case SIMPLE:
		if (v < SIMPLE_FALSE || v > SIMPLE_NULL)
			cbor_fail(c, ERR_VALUE);
		return 0;
	case UINT:
	case NINT:
	case TAG:
		return 0;
	}
	return 0;
}

/* A key of a map was read whole: it must be higher than the one before. */
static void
key_close(struct cbor *c, struct level *l)
{
	struct bytes key = bytes_of(l->start, (size_t)(c->in.p - l->start));

	if (l->key.p != NULL && bytes_compare(l->key, key) >= 0)
		cbor_fail(c, ERR_ENCODING);
	l->key = key;
}

/* Walks one item with a stack of its own; `tagged` allows tag 18 as the very first head. */
static void
item_walk(struct cbor *c, bool tagged)
{
	struct level stack[CBOR_DEPTH_MAX + 1] = {{.left = 1}};
	unsigned depth = 0;

	while (c->e == ERR_OK) {
		struct level *l = &stack[depth];
		const uint8_t *start = c->in.p;
		enum major major;
		uint64_t v, inside;

		if (l->map && l->left % 2 == 0)
			l->start = start;
		if (!head_get(c, &major, &v))
			return;
		if (major == TAG) {
			if (!tagged || v != TAG_SIGN1)
				cbor_fail(c, ERR_VALUE);
			tagged = false;
			continue;
		}
		tagged = false;
		inside = item_open(c, major, v);
		if (inside != 0) {
			if (depth == CBOR_DEPTH_MAX) {
				cbor_fail(c, ERR_LIMIT);
				return;
			}
			stack[++depth] = (struct level){.left = inside, .map = major == MAP};
			continue;
		}
		/* an item ended: so may the containers around it */
		while (c->e == ERR_OK) {
			l = &stack[depth];
			if (l->map && l->left % 2 == 0)
				key_close(c, l);
			if (--l->left > 0)
				break;
			if (depth-- == 0)
				return;
		}
	}
}

struct bytes
cbor_item(struct cbor *c)
{
	const uint8_t *start = c->in.p;

	if (c->e == ERR_OK && c->in.n == 0)
		cbor_fail(c, ERR_TRUNCATED);
	item_walk(c, false);
	if (c->e != ERR_OK)
		return (struct bytes){NULL, 0};
	return bytes_of(start, (size_t)(c->in.p - start));
}

enum err
cbor_check(struct bytes in)
{
	struct cbor c = cbor_init(in);

	item_walk(&c, true);
	return cbor_end(&c);
}

bool
utf8_valid(struct bytes text, size_t *points)
{
	size_t count = 0;

	for (size_t i = 0; i < text.n; count++) {
		uint8_t b = text.p[i];
		unsigned more = b < 0x80                ? 0
		                : b >= 0xc2 && b < 0xe0 ? 1
		                : b >= 0xe0 && b < 0xf0 ? 2
		                                        : 3;
		uint8_t low = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
		uint8_t high = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;

		if ((b >= 0x80 && b < 0xc2) || b > 0xf4 || more > text.n - i - 1)
			return false;
		for (unsigned k = 1; k <= more; k++) {
			uint8_t next = text.p[i + k];

			if (next < (k == 1 ? low : 0x80) || next > (k == 1 ? high : 0xbf))
				return false;
		}
		i += 1 + more;
	}
	if (points != NULL)
		*points = count;
	return true;
}
