#ifndef CA_STATUS_H
#define CA_STATUS_H
/* status.h - status lists: the bits, and the tokens that carry them. Sources:
 * draft-ietf-oauth-status-list-20 (2 bits, LIST_ENTRIES entries, zlib), FORMATS.md section 6. */
#include "cose.h"
#include "entry.h"
#include "hash.h"
#include "limits.h"

#define STATUS_CWT_TYPE "application/statuslist+cwt"
#define STATUS_JWT_TYP "statuslist+jwt"

enum status status_get(const uint8_t raw[LIST_BYTES], uint32_t idx); /* idx < LIST_ENTRIES */
void status_set(uint8_t raw[LIST_BYTES], uint32_t idx, enum status s);
/* Does `now` take back what is for ever: a revocation, or the end of a certificate that was
 * replaced? */
bool status_undoes(const uint8_t before[LIST_BYTES], const uint8_t now[LIST_BYTES]);
/* How many entries have each status. */
void status_count(const uint8_t raw[LIST_BYTES], uint64_t out[4]);

/* A zlib stream (RFC 1950) of raw bytes; how hard it tries depends on how many are not zero. */
MUST_USE enum err status_deflate(struct bytes raw, struct buf *out);
/* Inflates into exactly raw_n bytes: ERR_LIMIT for more, ERR_TRUNCATED for fewer, ERR_ENCODING for
 * a bad stream, ERR_TRAILING for bytes after it. */
MUST_USE enum err status_inflate(struct bytes zlib, uint8_t *raw, size_t raw_n);

struct status_token {
	uint32_t list;
	struct bytes uri; /* https://<host>/status/<list> */
	int64_t iat, exp, ttl;
	uint64_t sequence;
	uint8_t previous[SHA256_BYTES]; /* SHA-256 of the CWT before; zero for the first */
	struct bytes lst;               /* zlib stream */
};
MUST_USE enum err status_cwt_sign(
        const struct status_token *t, const struct key *k, struct buf *out);
MUST_USE enum err status_jwt_sign(
        const struct status_token *t, const struct key *k, struct buf *out);
/* Form only, strict; cose_verify with STATUS_CWT_TYPE is the caller's. `m` and views point into
 * `in`. */
MUST_USE enum err status_cwt_decode(
        struct bytes in, struct cose_sign1 *m, struct status_token *out);

/* Is `uri` exactly the manifest's prefix and this list's number? */
bool status_uri_is(struct bytes uri, struct bytes prefix, uint32_t list);

/* Slot number -> place on the lists: list = slot / LIST_ENTRIES, idx = keyed permutation of the
 * rest (Feistel over 20 bits, HMAC-SHA-256 rounds), so that an index tells nothing of the order of
 * issue. */
void status_place(struct bytes key, uint64_t slot, uint32_t *list, uint32_t *idx);
#endif
