#ifndef TOOLS_ADMIN_WITNESS_H
#define TOOLS_ADMIN_WITNESS_H
/* admin_witness.h - the witnesses that an authority begins with: for its manifest and its zz.conf.
 */
#include "admin.h"
#include "policy.h"

struct admin_witnesses {
	uint8_t *text; /* a policy: the views of `policy` point into it */
	struct policy policy;
	uint64_t quorum;
	char settings[CONFIG_LINES_MAX]; /* lines of zz.conf */
	size_t settings_n;
};

/* --witnesses and --quorum; without them nothing. Says what is wrong. */
MUST_USE enum err admin_witnesses_read(const struct admin_options *o, struct admin_witnesses *out);
void admin_witnesses_close(struct admin_witnesses *w);
#endif
