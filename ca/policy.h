#ifndef CA_POLICY_H
#define CA_POLICY_H
/* policy.h - whose cosignatures make a checkpoint good: logs, witnesses, groups, a quorum. Source:
 * C2SP tlog-policy (untagged; as of 2026-07). */
#include "cosignature.h"

enum {
	POLICY_BYTES_MAX = 16 * 1024,
	POLICY_WITNESSES_MAX = 32,
	POLICY_GROUPS_MAX = 32,
	POLICY_LOGS_MAX = 32,
	POLICY_NONE = -1, /* quorum none */
};

struct policy_witness {
	struct bytes name, vkey, key_name, url; /* url may be empty */
	struct key *key;
};
struct policy_group {
	struct bytes name;
	unsigned need;    /* of its members */
	uint64_t members; /* bit n: witness n; bit 32 + n: group n */
};
struct policy {
	struct bytes logs[POLICY_LOGS_MAX]; /* vkeys, in form only */
	struct policy_witness witnesses[POLICY_WITNESSES_MAX];
	struct policy_group groups[POLICY_GROUPS_MAX];
	size_t log_count, witness_count, group_count;
	int quorum; /* 0..31 a witness, 32..63 a group, or POLICY_NONE */
};

/* Views point into `text`: keep it alive. ERR_VALUE for a name that is not defined before its use,
 * is defined twice, or is a member twice, for a key that stands twice, a number out of range, no or
 * two quorums; ERR_ENCODING for other lines and control bytes; ERR_LIMIT. *line is where it
 * stopped. policy_close is due on success. */
MUST_USE enum err policy_read(struct bytes text, struct policy *out, unsigned *line);
void policy_close(struct policy *p);
/* Bit n: witness n stands under the checkpoint. */
uint64_t policy_cosigned(const struct policy *p, const struct checkpoint *c);
/* Is the quorum met by these witnesses? */
bool policy_met(const struct policy *p, uint64_t witnesses);
#endif
