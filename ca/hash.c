/* hash.c - SHA-256, HMAC, randomness: the digest is fetched once a thread-safe time, and a library
 * failure ends the process, because no caller could go on with a hash that is not one. */
#include "hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static EVP_MD *digest;
static pthread_key_t context_key; /* frees a thread's context at its end */
static pthread_once_t digest_once = PTHREAD_ONCE_INIT;
static _Thread_local EVP_MD_CTX *context;

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "level=fault event=crypto what=%s\n", what);
	abort();
}

static void
context_free(void *c)
{
	EVP_MD_CTX_free(c);
}

static void
digest_fetch(void)
{
	digest = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	must(digest != NULL, "sha256_fetch");
	must(pthread_key_create(&context_key, context_free) == 0, "thread_key");
}

/* One context a thread, kept for its life: making one costs as much as a small hash. */
static EVP_MD_CTX *
context_get(void)
{
	must(pthread_once(&digest_once, digest_fetch) == 0, "once");
	if (context == NULL) {
		context = EVP_MD_CTX_new();
		must(context != NULL && EVP_DigestInit_ex2(context, digest, NULL) == 1,
		        "sha256_init");
		must(pthread_setspecific(context_key, context) == 0, "thread_key");
	}
	return context;
}

void
sha256(const struct bytes *parts, size_t count, uint8_t out[SHA256_BYTES])
{
	EVP_MD_CTX *c = context_get();
	unsigned n = 0;

	must(EVP_DigestInit_ex2(c, NULL, NULL) == 1, "sha256_init");
	for (size_t i = 0; i < count; i++)
		must(EVP_DigestUpdate(c, parts[i].p, parts[i].n) == 1, "sha256_update");
	must(EVP_DigestFinal_ex(c, out, &n) == 1 && n == SHA256_BYTES, "sha256_final");
}

void
sha256_one(struct bytes in, uint8_t out[SHA256_BYTES])
{
	sha256(&in, 1, out);
}

void
sm3_one(struct bytes in, uint8_t out[SM3_BYTES])
{
	size_t n = 0;

	must(EVP_Q_digest(NULL, "SM3", NULL, in.p, in.n, out, &n) == 1 && n == SM3_BYTES, "sm3");
}

void
hmac_sha256(struct bytes key, const struct bytes *parts, size_t count, uint8_t out[SHA256_BYTES])
{
	enum { BLOCK = 64 };
	uint8_t pad[BLOCK] = {0}, inner[SHA256_BYTES];
	struct bytes all[8];

	must(count < sizeof all / sizeof all[0], "hmac_parts");
	if (key.n > BLOCK)
		sha256_one(key, pad);
	for (size_t i = 0; key.n <= BLOCK && i < key.n; i++)
		pad[i] = key.p[i];
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36;
	all[0] = bytes_of(pad, BLOCK);
	for (size_t i = 0; i < count; i++)
		all[i + 1] = parts[i];
	sha256(all, count + 1, inner);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	all[1] = bytes_of(inner, sizeof inner);
	sha256(all, 2, out);
	OPENSSL_cleanse(pad, sizeof pad);
}

void
random_bytes(void *p, size_t n)
{
	must(RAND_bytes(p, (int)n) == 1, "random");
}

bool
secret_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void
secret_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}
