#ifndef TESTS_SEED_KEY_H
#define TESTS_SEED_KEY_H
/* seed_key.h - an Ed25519 key from its 32-byte seed, through the PKCS #8 door that the product has
 * (RFC 8410). */
#include "base64.h"
#include "key.h"

#include <string.h>

static inline struct key *
seed_key(const uint8_t seed[32])
{
	static const uint8_t head[16] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b,
	        0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
	uint8_t der[48];
	char text[256];
	struct buf pem = BUF_OF(text);
	struct key *k = NULL;

	memcpy(der, head, sizeof head);
	memcpy(der + sizeof head, seed, 32);
	buf_put_text(&pem, "-----BEGIN PRIVATE KEY-----\n");
	base64_put(&pem, bytes_of(der, sizeof der));
	buf_put_text(&pem, "\n-----END PRIVATE KEY-----\n");
	return key_read_pem(buf_bytes(&pem), &k) == ERR_OK ? k : NULL;
}

/* Seed first, first + 1, … */
static inline struct key *
seed_key_from(uint8_t first)
{
	uint8_t seed[32];

	for (unsigned i = 0; i < sizeof seed; i++)
		seed[i] = (uint8_t)(first + i);
	return seed_key(seed);
}
#endif
