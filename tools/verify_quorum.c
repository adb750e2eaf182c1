/* verify_quorum.c - a checkpoint that too few witnesses have seen is not kept: the authority may be
 * showing it to this verifier alone. It is no proof of an attack either, since witnesses may be
 * down: what is held stays, and grows old. Whom to ask, the manifest says, and the verifier
 * besides. */
#include "cosignature.h"
#include "verify_part.h"

bool
sync_quorum(struct sync *s, const struct checkpoint *c)
{
	const struct policy *own = s->o->policy;

	if (cosignature_quorum(&s->m, c) != ERR_OK ||
	        (own != NULL && !policy_met(own, policy_cosigned(own, c))))
		return sync_away(s, ERR_QUORUM);
	return true;
}
