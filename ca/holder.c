/* holder.c - one spelling of the holder's number for all who write or look for it. */
#include "holder.h"

void
holder_hmac(struct bytes pepper, struct bytes type, struct bytes number, uint8_t out[SHA256_BYTES])
{
	const struct bytes parts[] = {type, BYTES_LIT("|"), number};

	hmac_sha256(pepper, parts, sizeof parts / sizeof parts[0], out);
}
