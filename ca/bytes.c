/* bytes.c - views, bounded writer, hex: nothing here allocates, and nothing writes past its room.
 */
#include "bytes.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct bytes
bytes_of(const void *p, size_t n)
{
	return (struct bytes){p, n};
}

struct bytes
bytes_of_text(const char *s)
{
	return (struct bytes){(const uint8_t *)s, strlen(s)};
}

bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
bytes_equal_text(struct bytes a, const char *s)
{
	return bytes_equal(a, bytes_of_text(s));
}

int
bytes_compare(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (c != 0)
		return c;
	return (a.n > b.n) - (a.n < b.n);
}

bool
bytes_start(struct bytes a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.n >= n && memcmp(a.p, prefix, n) == 0;
}

struct bytes
bytes_skip(struct bytes a, size_t n)
{
	assert(n <= a.n);
	return (struct bytes){a.p + n, a.n - n};
}

struct buf
buf_init(void *p, size_t cap)
{
	return (struct buf){p, 0, cap, false};
}

uint8_t *
buf_room(struct buf *b, size_t n)
{
	uint8_t *p = NULL;

	if (b->failed || n > b->cap - b->n) {
		b->failed = true;
		return NULL;
	}
	p = b->p + b->n;
	b->n += n;
	return p;
}

void
buf_put(struct buf *b, struct bytes v)
{
	uint8_t *p = buf_room(b, v.n);

	if (p != NULL && v.n != 0)
		memcpy(p, v.p, v.n);
}

void
buf_put_u8(struct buf *b, uint8_t v)
{
	buf_put(b, bytes_of(&v, 1));
}

void
buf_put_text(struct buf *b, const char *s)
{
	buf_put(b, bytes_of_text(s));
}

void
buf_put_decimal(struct buf *b, uint64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%llu", (unsigned long long)v);

	buf_put(b, bytes_of(text, (size_t)n));
}

static const char digits[] = "0123456789abcdef";

void
buf_put_hex(struct buf *b, struct bytes v)
{
	uint8_t *p = buf_room(b, 2 * v.n);

	if (p == NULL)
		return;
	for (size_t i = 0; i < v.n; i++) {
		p[2 * i] = (uint8_t)digits[v.p[i] >> 4];
		p[2 * i + 1] = (uint8_t)digits[v.p[i] & 15];
	}
}

struct bytes
buf_bytes(const struct buf *b)
{
	return b->failed ? (struct bytes){b->p, 0} : (struct bytes){b->p, b->n};
}

enum err
buf_end(const struct buf *b)
{
	return b->failed ? ERR_LIMIT : ERR_OK;
}

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

enum err
hex_decode(struct bytes text, uint8_t *out, size_t n)
{
	if (text.n != 2 * n)
		return ERR_ENCODING;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_value(text.p[2 * i]), lo = hex_value(text.p[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return ERR_ENCODING;
		out[i] = (uint8_t)(hi * 16 + lo);
	}
	return ERR_OK;
}

void
hex_encode(struct bytes in, char *out)
{
	for (size_t i = 0; i < in.n; i++) {
		out[2 * i] = digits[in.p[i] >> 4];
		out[2 * i + 1] = digits[in.p[i] & 15];
	}
	out[2 * in.n] = '\0';
}

void
be_put(uint8_t *p, uint64_t v, unsigned width)
{
	assert(width >= 1 && width <= 8);
	for (unsigned i = 0; i < width; i++)
		p[i] = (uint8_t)(v >> (8 * (width - 1 - i)));
}

uint64_t
be_get(const uint8_t *p, unsigned width)
{
	uint64_t v = 0;

	assert(width >= 1 && width <= 8);
	for (unsigned i = 0; i < width; i++)
		v = v << 8 | p[i];
	return v;
}

enum err
decimal_decode(struct bytes text, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (text.n == 0 || text.n > 20 || (text.n > 1 && text.p[0] == '0'))
		return ERR_ENCODING;
	for (size_t i = 0; i < text.n; i++) {
		unsigned d = (unsigned)text.p[i] - '0';

		if (d > 9)
			return ERR_ENCODING;
		if (d > max || v > (max - d) / 10)
			return ERR_LIMIT;
		v = v * 10 + d;
	}
	*out = v;
	return ERR_OK;
}
