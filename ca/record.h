#ifndef CA_RECORD_H
#define CA_RECORD_H
/* record.h - the certificate record: its claims and bytes, and nothing about where it is kept.
 * Source: FORMATS.md section 2 (RFC 8392, RFC 9052, draft-ietf-oauth-status-list). */
#include "cose.h"
#include "hash.h"
#include "limits.h"

#define RECORD_TYPE "application/zz-record+cwt"

struct record { /* views into the decoded input, or into the caller's memory when encoding */
	struct bytes iss;
	int64_t iat, nbf, exp; /* UTC seconds; exp is the second after the last day */
	struct bytes cti;      /* 16 */
	uint32_t list, idx;    /* from uri https://<iss>/status/<list> */
	struct bytes name, doc_type, doc_number;
	int sex; /* 0 not given */
	struct bytes item, policy;
	int64_t first_issued; /* day */
	int64_t review_due;   /* day; -1 none */
	struct bytes region, center;
	struct bytes photo;                /* 16, or empty */
	struct bytes request;              /* 32: hash of the request that caused it */
	int64_t sequence;                  /* -1 none */
	struct bytes item_name, authority; /* empty: none */
	struct bytes follows;              /* 16, or empty */
};

/* Writes the signed, tagged record. ERR_VALUE where a member breaks the format, ERR_LIMIT above
 * RECORD_BYTES_MAX. */
MUST_USE enum err record_sign(const struct record *r, const struct key *k, struct buf *out);
/* Reads claims of a decoded message: every rule of the format, no signature. */
MUST_USE enum err record_decode(struct bytes payload, struct record *out);
/* Message and claims; `bundle` allows the receipts beside it. */
MUST_USE enum err record_open(
        struct bytes in, bool bundle, struct cose_sign1 *m, struct record *out);
/* The record as it is hashed in the log: tagged, with the empty unprotected map. */
MUST_USE enum err record_bare(const struct cose_sign1 *m, struct buf *out);
#endif
