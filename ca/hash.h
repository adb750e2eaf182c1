#ifndef CA_HASH_H
#define CA_HASH_H
/* hash.h - SHA-256 and HMAC-SHA-256 with a digest fetched once (a fetch in each call costs more
 * than the hash), and random bytes. Sources: FIPS 180-4, RFC 2104. One of the two files that see
 * OpenSSL's EVP. */
#include "bytes.h"

enum { SHA256_BYTES = 32, SM3_BYTES = 32 };

/* SHA-256 over the parts in order. A failure of the library ends the process: there is no wrong
 * hash. */
void sha256(const struct bytes *parts, size_t count, uint8_t out[SHA256_BYTES]);
void sha256_one(struct bytes in, uint8_t out[SHA256_BYTES]);
/* SM3 (GB/T 32905), for names of SM2 keys: once a key, so its digest is not kept. */
void sm3_one(struct bytes in, uint8_t out[SM3_BYTES]);
void hmac_sha256(
        struct bytes key, const struct bytes *parts, size_t count, uint8_t out[SHA256_BYTES]);
/* From the operating system's generator; a failure ends the process. */
void random_bytes(void *p, size_t n);
/* Compares in constant time. */
bool secret_equal(const void *a, const void *b, size_t n);
void secret_wipe(void *p, size_t n);
#endif
