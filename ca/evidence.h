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
	size_t count;      /* certificates that it names; 0 before a selector's list is there */
	struct bytes list; /* the frozen list of a selector, or empty */
	uint8_t list_sha256[SHA256_BYTES];
	bool many;     /* it takes one official more, for its number */
	int needed;    /* officials in all, the sender included where the sender is one */
	int confirms;  /* suspend: as many make the hold more than one person's act */
	int signed_by; /* how many have signed */
};

/* Verifies the request: form, key, signature, times, role, rules. Approvals come after, one by one.
 */
MUST_USE enum err evidence_open(struct bytes jws, const struct roster *roster,
        const struct field *f, int64_t now, struct evidence *out);
void evidence_free(struct evidence *e);
/* The list that the selector of the request was frozen to: serials of 16 bytes, ascending. Before
 * any approval. `list` must stay. ERR_VALUE for another form, ERR_LIMIT above ORDER_LIST_MAX. */
MUST_USE enum err evidence_list(struct evidence *e, struct bytes list);
/* Does the order name this certificate? */
bool evidence_names(const struct evidence *e, const uint8_t cti[16]);
/* More certificates than one official fewer may decide: of this order, and `before` of the same
 * sender's today. */
void evidence_together(struct evidence *e, uint64_t before);
/* Verifies one approval and counts it. */
MUST_USE enum err evidence_add(
        struct evidence *e, struct bytes jws, const struct roster *roster, int64_t now);
bool evidence_complete(const struct evidence *e);
#endif
