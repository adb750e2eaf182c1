#ifndef TOOLS_ADMIN_TRUST_H
#define TOOLS_ADMIN_TRUST_H
/* admin_trust.h - the first manifest and the demonstration roster, made once by zz-admin init. */
#include "key.h"
#include "manifest.h"
#include "policy.h"

enum trust_key {
	TRUST_ROOT,
	TRUST_RECORD,
	TRUST_STATUS, /* ES256 in every authority: Token Status Lists know no SM2 */
	TRUST_LOG,    /* Ed25519 in every authority: C2SP notes */
	TRUST_CRL,
	TRUST_STATUS_SM2, /* the head once more; of an SM2 authority */
	TRUST_LOG_SM2,    /* a line beside the other; of an SM2 authority */
	TRUST_KEYS
};
enum { DEMO_OPERATORS = 5 };

struct demo_operator {
	const char *file; /* under keys/ */
	const char *person;
	/* centres only */
	const char *code, *name, *uscc, *region;
	const char *items[3];
};
extern const struct demo_operator demo_operators[DEMO_OPERATORS];

struct trust {
	enum key_suite suite;
	const char *host, *name_zh, *name_en;
	int64_t now;
	struct key *keys[TRUST_KEYS]; /* NULL: not of this suite */
	struct key *operators[DEMO_OPERATORS];
	struct bytes crl_ca;            /* DER */
	const struct policy *witnesses; /* NULL: none */
	uint64_t quorum;
	struct bytes transcript; /* SHA-256, or empty */
};

/* Which keys an authority of that suite has: the first ones of enum trust_key; and of which suite
 * each is. */
size_t trust_key_count(const struct trust *t);
enum key_suite trust_key_suite(const struct trust *t, enum trust_key k);
/* The root key and those of the demonstration's operators. */
MUST_USE enum err trust_make_keys(struct trust *t);
void trust_free_keys(struct trust *t);
MUST_USE enum err trust_crl_ca(const struct trust *t, struct buf *der);
MUST_USE enum err trust_manifest(const struct trust *t, struct buf *out);
MUST_USE enum err trust_roster(const struct trust *t, struct buf *out);
#endif
