/* fuzz_policy.c - a policy that is read has a quorum that all its witnesses meet and that more
 * witnesses never undo. */
#include "policy.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy p;
	unsigned line;
	bool met = false;

	if (policy_read(bytes_of(data, size), &p, &line) != ERR_OK)
		return 0;
	assert(policy_met(&p, UINT32_MAX));
	assert(p.quorum != POLICY_NONE || policy_met(&p, 0));
	for (uint64_t mask = 0, i = 0; i <= p.witness_count; i++, mask = mask * 2 + 1) {
		assert(!met || policy_met(&p, mask));
		met = policy_met(&p, mask);
	}
	policy_close(&p);
	return 0;
}
