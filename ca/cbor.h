#ifndef CA_CBOR_H
#define CA_CBOR_H
/* cbor.h - the strict, deterministic CBOR of FORMATS.md: shortest integers, definite lengths, map
 * keys in bytewise order of their encodings, no floats, no duplicate keys, no tag but the
 * outermost 18. Source: RFC 8949 section 4.2.1. Nothing here allocates or recurses on input. */
#include "bytes.h"

/* Writer. Map keys are written in order by the caller; cbor_check proves it in tests and asserts.
 */
void cbor_put_uint(struct buf *b, uint64_t v);
void cbor_put_int(struct buf *b, int64_t v);
void cbor_put_bytes(struct buf *b, struct bytes v);
void cbor_put_text(struct buf *b, struct bytes v); /* v is UTF-8 */
void cbor_put_array(struct buf *b, uint64_t count);
void cbor_put_map(struct buf *b, uint64_t pairs);
void cbor_put_tag(struct buf *b, uint64_t tag);
void cbor_put_null(struct buf *b);
void cbor_put_bool(struct buf *b, bool v);
/* Head of a byte string of n bytes; the caller fills in what this returns (NULL when it does not
 * fit). */
uint8_t *cbor_put_bytes_room(struct buf *b, size_t n);

/* Reader with a sticky error: after the first fault every read gives zeros, one cbor_end tells. */
struct cbor {
	struct bytes in; /* what is left */
	enum err e;
};

struct cbor cbor_init(struct bytes in);
uint64_t cbor_uint(struct cbor *c);
uint64_t cbor_uint_max(struct cbor *c, uint64_t max); /* ERR_LIMIT above max */
int64_t cbor_int(struct cbor *c);
struct bytes cbor_bytes(struct cbor *c);
struct bytes cbor_bytes_exact(
        struct cbor *c, size_t n);      /* ERR_VALUE for another length; p is never NULL */
struct bytes cbor_text(struct cbor *c); /* valid UTF-8, RFC 3629 */
uint64_t cbor_array(struct cbor *c);    /* count, at most the bytes that remain */
void cbor_array_exact(struct cbor *c, uint64_t count);
uint64_t cbor_map(struct cbor *c); /* pairs, at most half the bytes that remain */
void cbor_tag(struct cbor *c, uint64_t tag);
bool cbor_null_next(struct cbor *c); /* takes a null and says true, or takes nothing */
bool cbor_bool(struct cbor *c);
/* Takes one whole item of any kind, checked, and returns its bytes. */
struct bytes cbor_item(struct cbor *c);
void cbor_fail(struct cbor *c, enum err e);       /* keeps the first error */
MUST_USE enum err cbor_end(const struct cbor *c); /* ERR_TRAILING when bytes are left */

/* A map's keys must rise strictly. Reads the next key, which must be an integer, and fails unless
 * it is higher in encoding order than `*last` (INT64_MIN before the first; order: 0, 1, 2, … then
 * -1, -2, …). */
int64_t cbor_key(struct cbor *c, int64_t *last);

/* One whole item, nothing after it, in the one accepted spelling, at most CBOR_DEPTH_MAX deep; tag
 * 18 only outermost. */
MUST_USE enum err cbor_check(struct bytes in);

/* Is the text valid UTF-8 (RFC 3629: no surrogates, no overlong forms)? `points` may be NULL. */
bool utf8_valid(struct bytes text, size_t *points);
#endif
