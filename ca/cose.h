#ifndef CA_COSE_H
#define CA_COSE_H
/* cose.h - COSE_Sign1 as all our tokens use it: tag 18, protected {1: alg, 4: kid, 16: type}, empty
 * unprotected map. Sources: RFC 9052 sections 4.2 and 4.4, RFC 9596, FORMATS.md section 1. */
#include "cbor.h"
#include "key.h"

struct cose_sign1 { /* views into the decoded input */
	int64_t alg;
	struct bytes kid;       /* 8 bytes */
	struct bytes type;      /* text */
	struct bytes protected; /* the encoded header map, without its bstr head */
	struct bytes
	        unprotected; /* the whole encoded map: a0, or {394: …} or {-65544: …} of a bundle */
	struct bytes payload;
	struct bytes signature; /* 64 bytes */
};

/* Signs `payload` and writes the tagged message. The key's suite gives alg and kid. */
MUST_USE enum err cose_sign(
        const struct key *k, const char *type, struct bytes payload, struct buf *out);
/* Strict form only; the unprotected map must be empty unless `bundle`. Nothing is verified yet. */
MUST_USE enum err cose_decode(struct bytes in, bool bundle, struct cose_sign1 *out);
/* ERR_KID_UNKNOWN for another kid, ERR_ALG_MISMATCH, ERR_VALUE for another type, ERR_SIGNATURE. */
MUST_USE enum err cose_verify(const struct cose_sign1 *m, const struct key *k, const char *type);

/* The bytes that are signed: ["Signature1", protected, h'', payload]. */
void cose_put_tbs(struct buf *out, struct bytes protected, struct bytes payload);
enum { COSE_TBS_OVERHEAD = 64 };
#endif
