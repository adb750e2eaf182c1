/* base64.c - base64url without and base64 with padding: each value has one spelling, all others are
 * refused. */
#include "base64.h"

#include <string.h>

/* clang-format off */
#define LETTERS \
	['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8, \
	['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, \
	['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24, \
	['Y'] = 25, ['Z'] = 26, \
	['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, \
	['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, \
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49, ['x'] = 50, \
	['y'] = 51, ['z'] = 52, \
	['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, \
	['8'] = 61, ['9'] = 62

/* Value of a character plus one; 0: no character of the alphabet. */
static const uint8_t url_values[256] = { LETTERS, ['-'] = 63, ['_'] = 64 };
static const uint8_t plain_values[256] = { LETTERS, ['+'] = 63, ['/'] = 64 };
/* clang-format on */

#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* Three bytes as four characters; of a shorter tail only the first n + 1 count. */
static void
quad_encode(const char *alphabet, const uint8_t *in, size_t n, uint8_t out[4])
{
	uint32_t v = (uint32_t)in[0] << 16;

	if (n > 1)
		v |= (uint32_t)in[1] << 8;
	if (n > 2)
		v |= in[2];
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)alphabet[v >> (18 - 6 * i) & 63];
}

static void
encode(const char *alphabet, struct bytes in, uint8_t *out)
{
	uint8_t last[4];
	size_t i = 0;

	for (; in.n - i >= 3; i += 3, out += 4)
		quad_encode(alphabet, in.p + i, 3, out);
	if (i == in.n)
		return;
	quad_encode(alphabet, in.p + i, in.n - i, last);
	memcpy(out, last, in.n - i + 1);
}

/* Decodes `text` without padding. */
static enum err
decode(const uint8_t values[256], struct bytes text, struct buf *out)
{
	size_t n = text.n / 4 * 3 + (text.n % 4 > 1 ? text.n % 4 - 1 : 0), start = out->n;
	uint32_t v = 0;
	uint8_t *p;

	if (text.n % 4 == 1)
		return ERR_ENCODING; /* six bits are no byte */
	p = buf_room(out, n);
	if (p == NULL)
		return ERR_LIMIT;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t value = values[text.p[i]];

		if (value == 0)
			goto refuse;
		v = v << 6 | (value - 1U);
		if (i % 4 != 0)
			*p++ = (uint8_t)(v >> (6 - i % 4 * 2));
	}
	/* RFC 4648 section 3.5: bits that no byte takes are zero, or there would be several
	 * spellings */
	if ((text.n % 4 == 2 && (v & 15) != 0) || (text.n % 4 == 3 && (v & 3) != 0))
		goto refuse;
	return ERR_OK;
refuse:
	out->n = start;
	return ERR_ENCODING;
}

void
base64url_put(struct buf *out, struct bytes in)
{
	uint8_t *p = buf_room(out, BASE64URL_CHARS(in.n));

	if (p != NULL)
		encode(ALPHABET "-_", in, p);
}

enum err
base64url_get(struct bytes text, struct buf *out)
{
	return decode(url_values, text, out);
}

void
base64_put(struct buf *out, struct bytes in)
{
	size_t bare = BASE64URL_CHARS(in.n), all = BASE64_CHARS(in.n);
	uint8_t *p = buf_room(out, all);

	if (p == NULL)
		return;
	encode(ALPHABET "+/", in, p);
	memset(p + bare, '=', all - bare);
}

enum err
base64_get(struct bytes text, struct buf *out)
{
	if (text.n % 4 != 0)
		return ERR_ENCODING; /* padding is not optional here */
	for (int pad = 0; pad < 2 && text.n > 0 && text.p[text.n - 1] == '='; pad++)
		text.n--;
	return decode(plain_values, text, out);
}
