/* secret.c - OpenSSL's allocators for a process that holds keys: nothing of a key is left in memory
 * that was freed, and what lives is locked and in no dump. */
#include "secret.h"

#include "log.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* Keys and the generators of 67 threads take less than half of it. */
enum { BLOCK_BYTES = 1024 * 1024, SMALLEST_BYTES = 64, LOCKED = 1 };

static void *
take(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(n);
}

static void
give(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	if (p == NULL)
		return;
	explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *
take_again(void *p, size_t n, const char *file, int line)
{
	size_t old = p == NULL ? 0 : malloc_usable_size(p);
	void *q;

	if (p != NULL && n > 0 && n <= old)
		return p;
	q = n == 0 ? NULL : malloc(n);
	if (n > 0 && q == NULL)
		return NULL;
	if (q != NULL && p != NULL)
		memcpy(q, p, old < n ? old : n);
	give(p, file, line);
	return q;
}

enum err
secret_memory_open(void)
{
	if (CRYPTO_set_mem_functions(take, take_again, give) == 1 &&
	        CRYPTO_secure_malloc_init(BLOCK_BYTES, SMALLEST_BYTES) == LOCKED)
		return ERR_OK;
	log_fault("memory_not_locked", "do=\"raise LimitMEMLOCK to 2 MiB or more\"");
	return ERR_MEMORY;
}
