/* base45.c - base45 and the QR text of a record: the alphabet of QR alphanumeric mode, one spelling
 * for each value. */
#include "base45.h"

#include "limits.h"

enum { BASE = 45 };

static const char alphabet[BASE + 1] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

static const char qr_prefix[] = "ZZ1:";

static int
value_of(uint8_t c)
{
	for (int i = 0; i < BASE; i++) {
		if (alphabet[i] == (char)c)
			return i;
	}
	return -1;
}

/* Least digit first: two bytes as three characters, one byte as two. */
static void
group_put(struct buf *out, unsigned v, unsigned count)
{
	for (unsigned i = 0; i < count; i++, v /= BASE)
		buf_put_u8(out, (uint8_t)alphabet[v % BASE]);
}

void
base45_put(struct buf *out, struct bytes in)
{
	size_t i = 0;

	for (; in.n - i >= 2; i += 2)
		group_put(out, (unsigned)be_get(in.p + i, 2), 3);
	if (i < in.n)
		group_put(out, in.p[i], 2);
}

/* One group of three characters, or a last one of two. */
static enum err
group_get(struct bytes group, struct buf *out)
{
	unsigned v = 0, width = group.n == 3 ? 2 : 1;
	uint8_t pair[2];

	for (size_t i = group.n; i-- > 0;) {
		int value = value_of(group.p[i]);

		if (value < 0)
			return ERR_ENCODING;
		v = v * BASE + (unsigned)value;
	}
	if (group.n < 2 || v >= 1U << 8 * width)
		return ERR_ENCODING; /* RFC 9285 section 6: above FFFF or FF, or a single character
		                      */
	be_put(pair, v, width);
	buf_put(out, bytes_of(pair, width));
	return buf_end(out);
}

enum err
base45_get(struct bytes text, struct buf *out)
{
	size_t start = out->n;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < text.n; i += 3)
		e = group_get(bytes_of(text.p + i, text.n - i < 3 ? text.n - i : 3), out);
	if (e != ERR_OK)
		out->n = start;
	return e;
}

void
qr_put(struct buf *out, struct bytes record)
{
	buf_put_text(out, qr_prefix);
	base45_put(out, record);
}

enum err
qr_get(struct bytes text, struct buf *record)
{
	if (text.n > QR_TEXT_BYTES_MAX)
		return ERR_LIMIT;
	if (!bytes_start(text, qr_prefix))
		return ERR_ENCODING; /* FORMATS.md section 2: another code, or another version of
		                        ours */
	if (text.n == sizeof qr_prefix - 1)
		return ERR_TRUNCATED;
	return base45_get(bytes_skip(text, sizeof qr_prefix - 1), record);
}
