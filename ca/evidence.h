#ifndef CA_EVIDENCE_H
#define CA_EVIDENCE_H
/* evidence.h - what a decision rests on: the signed request and the signed approvals, verified
 * against the roster. The signer decides by it; issuerd uses the same code to know what still
 * waits. */
#include "rules.h"

struct evidence {
	struct jws jws;
	struct request request; /* evidence_free is due after success */
	const struct operator* sender;
	const struct operator*
	        officials[REQUEST_APPROVALS_MAX]; /* who approved, besides the sender */
	size_t official_count;
	/* issue */
	struct rules_session session;
	/* orders */
	const struct field_ground *ground;
	int needed;    /* officials in all, the sender included where the sender is one */
	int signed_by; /* how many have signed */
};

/* Verifies the request: form, key, signature, times, role, rules. Approvals come after, one by one.
 */
MUST_USE enum err evidence_open(struct bytes jws, const struct roster *roster,
        const struct field *f, int64_t now, struct evidence *out);
void evidence_free(struct evidence *e);
/* Verifies one approval and counts it. */
MUST_USE enum err evidence_add(
        struct evidence *e, struct bytes jws, const struct roster *roster, int64_t now);
bool evidence_complete(const struct evidence *e);
#endif
