/* verify_quorum.c - a checkpoint that too few witnesses have seen is not kept: the authority may be
 * showing it to this verifier alone. It is no proof of an attack either, since witnesses may be
 * down: what is held stays, and grows old. */
#include "cosignature.h"
#include "verify_part.h"

bool
sync_quorum(struct sync *s, const struct checkpoint *c)
{
	return cosignature_quorum(&s->m, c) == ERR_OK || sync_away(s, ERR_QUORUM);
}
