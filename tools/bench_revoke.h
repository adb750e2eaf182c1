#ifndef TOOLS_BENCH_REVOKE_H
#define TOOLS_BENCH_REVOKE_H
/* bench_revoke.h - zz-bench revoke: from the second official's signature to the published head
 * under load, and what a revocation costs the signer when a million came before it. */
#include "bench_goal.h"
#include "bench_load.h"

enum { BENCH_REVOCATIONS_MAX = 1000, BENCH_PER_SECOND = 5, BENCH_WAIT_S = 120 };

struct bench_revocations {
	struct bench_load load; /* issues meanwhile; its plan and key make the certificates too */
	const struct key *official, *approver;
	unsigned count, revoked; /* revoked: in the second signer's fold */
};
/* Against a running service: approval sent to INVALID on a list that the public head names. Hashes
 * are checked from the head down; signatures are zz-verify's to check. */
MUST_USE enum err bench_revoke_live(const struct bench_revocations *r, struct bench_goals *out);
/* ORDER, PREPARE and EXTEND in two signers in this process, one with `revoked` rows in its fold and
 * one with none, by turns. */
MUST_USE enum err bench_revoke_ratio(
        const struct bench_revocations *r, int64_t now, struct bench_goals *out);
int bench_double_order(const void *a, const void *b); /* for qsort */
#endif
