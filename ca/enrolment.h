#ifndef CA_ENROLMENT_H
#define CA_ENROLMENT_H
/* enrolment.h - who enrols and removes operators: a roster after the first carries, in front of
 * what it says, two approvals (zz-approval+jwt) over the SHA-256 of what it says:
 *   {"enrolled_by":["JWS of who proposes","JWS of who approves"],"version":2, …}
 * `request` of each is the digest of the same text without that member, byte for byte, so nothing
 * is spelled anew. Source: DESIGN.md section 4, FORMATS.md section 7. */
#include "roster.h"

enum { ENROLMENT_OFFICIALS = 2 };

/* What is proposed, approved and at last signed: '{' and the rest as it stands. ERR_VALUE unless
 * the payload begins with '{'. */
MUST_USE enum err enrolment_digest(struct bytes payload, uint8_t out[SHA256_BYTES]);
MUST_USE enum err enrolment_put(
        struct bytes payload, const struct bytes approvals[ENROLMENT_OFFICIALS], struct buf *out);
/* Did two officials of `before`, two persons with two keys in force, sign for the roster that this
 * JWS holds? The root's signature is the caller's affair. ERR_APPROVALS where the member is
 * missing; the errors of rules_approval_check. */
MUST_USE enum err enrolment_check(struct bytes jws, const struct roster *before, int64_t now);
#endif
