#ifndef CA_JWS_H
#define CA_JWS_H
/* jws.h - JWS compact serialisation with header exactly alg, kid, typ (RFC 7515 section 7.1,
 * FORMATS.md section 3). */
#include "hash.h"
#include "key.h"
#include "limits.h"

struct jws {                        /* views into the text, but for the small copies */
	struct bytes signing_input; /* header.payload as received */
	char alg[16];
	char kid[KEY_THUMB_TEXT + 1]; /* base64url of the RFC 7638 thumbprint */
	char typ[40];
	struct bytes payload_text; /* base64url */
	uint8_t signature[KEY_SIGNATURE_BYTES];
	uint8_t hash[SHA256_BYTES]; /* SHA-256 of the signing input: the request's id */
};

/* Splits and checks the form; decodes header and signature. ERR_JWS_INVALID, ERR_LIMIT. */
MUST_USE enum err jws_decode(struct bytes text, size_t bytes_max, struct jws *out);
/* Decodes the payload into the caller's room. ERR_JWS_INVALID, ERR_LIMIT. */
MUST_USE enum err jws_payload(const struct jws *j, struct buf *out);
/* ERR_ALG_MISMATCH, ERR_KID_UNKNOWN when the kid is not this key's, ERR_SIGNATURE. */
MUST_USE enum err jws_verify(const struct jws *j, const struct key *k);
/* Writes header.payload.signature. */
MUST_USE enum err jws_sign(
        const struct key *k, const char *typ, struct bytes payload, struct buf *out);
#endif
