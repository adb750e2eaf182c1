#ifndef CA_BYTES_H
#define CA_BYTES_H
/* bytes.h - views of bytes, a bounded writer, and hex.
 * A view does not own: it lives as long as what it points into. */
#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *p;
	size_t n;
};

#define BYTES_LIT(s) ((struct bytes){(const uint8_t *)(s), sizeof(s) - 1})

struct bytes bytes_of(const void *p, size_t n);
struct bytes bytes_of_text(const char *s); /* without the NUL */
bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_equal_text(struct bytes a, const char *s);
int bytes_compare(struct bytes a, struct bytes b); /* bytewise, the shorter first */
bool bytes_start(struct bytes a, const char *prefix);
struct bytes bytes_skip(struct bytes a, size_t n); /* n <= a.n */

/* Bounded writer over the caller's memory. A write that does not fit sets `failed` and writes
 * nothing; all later writes are no-ops, so one check at the end is enough. */
struct buf {
	uint8_t *p;
	size_t n;   /* bytes written */
	size_t cap; /* room */
	bool failed;
};

struct buf buf_init(void *p, size_t cap);
#define BUF_OF(array) buf_init((array), sizeof(array))
void buf_put(struct buf *b, struct bytes v);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_text(struct buf *b, const char *s);
void buf_put_decimal(struct buf *b, uint64_t v);
void buf_put_hex(struct buf *b, struct bytes v); /* lower case */
uint8_t *buf_room(struct buf *b, size_t n);      /* n bytes to fill in, or NULL and failed */
struct bytes buf_bytes(const struct buf *b);     /* what was written; empty when failed */
MUST_USE enum err buf_end(const struct buf *b);  /* ERR_LIMIT when a write did not fit */

/* Lower-case hex of exactly n bytes. ERR_ENCODING for another length, upper case or another
 * character. */
MUST_USE enum err hex_decode(struct bytes text, uint8_t *out, size_t n);
/* Writes 2 n digits and a NUL. */
void hex_encode(struct bytes in, char *out);

/* Big-endian numbers. */
void be_put(uint8_t *p, uint64_t v, unsigned width);
uint64_t be_get(const uint8_t *p, unsigned width);

/* Decimal without sign, blanks or leading zeros, at most `max`. */
MUST_USE enum err decimal_decode(struct bytes text, uint64_t max, uint64_t *out);
#endif
