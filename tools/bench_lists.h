#ifndef TOOLS_BENCH_LISTS_H
#define TOOLS_BENCH_LISTS_H
/* bench_lists.h - a made-up fold of many certificates with what is revoked of them, and an
 * authority's keys to publish it with. */
#include "fold.h"
#include "manifest.h"

struct bench_keys { /* of a folder that zz-admin init made */
	struct key *root, *status, *log, *crl;
	uint8_t *crl_ca, *manifest_bytes;
	size_t crl_ca_n, manifest_n;
	struct manifest manifest; /* opened */
};
MUST_USE enum err bench_keys_open(const char *dir, struct bench_keys *out);
void bench_keys_close(struct bench_keys *k); /* of zeroes too */

/* The share of each status, in ten thousandths of the certificates. */
struct bench_shares {
	unsigned invalid, suspended, superseded;
};
/* A 64-bit generator: the same seed gives the same lists, so runs can be compared. */
uint64_t bench_draw(uint64_t *seed);
void bench_serial(uint64_t *seed, int64_t now, uint8_t out[16]); /* UUIDv7 */
/* Lists for so many certificates in an initialised, empty fold; places by chance. */
MUST_USE enum err bench_lists_fill(
        struct fold *f, uint64_t certificates, struct bench_shares shares, int64_t now);

struct bench_token { /* what the tokens of all lists share, and room for one */
	const struct key *key;
	struct bytes prefix; /* of the URI */
	int64_t now;
	int level; /* of zlib; 0: as the signer chooses */
	struct buf zlib, cwt;
};
MUST_USE enum err bench_token_room(struct bench_token *t);
void bench_token_free(struct bench_token *t); /* of zeroes too */
/* As the signer's LIST, into cwt: compress, sign. */
MUST_USE enum err bench_token_make(struct bench_token *t, uint32_t list, const uint8_t *raw);
#endif
