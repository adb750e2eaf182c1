/* arena.c - pieces cut from a chain of blocks; a piece never moves and is never given back alone.
 */
#include "arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 4096, ALIGN = _Alignof(max_align_t) };

struct arena_block {
	struct arena_block *next;
	max_align_t data[];
};

_Static_assert(sizeof(struct arena_block) % ALIGN == 0, "the data of a block is aligned");

void
arena_init(struct arena *a, size_t bytes_max)
{
	*a = (struct arena){.bytes_max = bytes_max};
}

static struct arena_block *
block_make(struct arena *a, size_t n)
{
	struct arena_block *b = malloc(sizeof *b + n);

	if (b == NULL)
		return NULL;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

/* A piece larger than a block gets its own and leaves the rest of the present one in use. */
static void *
alloc_large(struct arena *a, size_t n)
{
	struct arena_block *b = block_make(a, n);

	if (b == NULL)
		return NULL;
	a->total += n;
	return b->data;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	uint8_t *p = NULL;

	if (n > a->bytes_max || a->bytes_max - n < ALIGN)
		return NULL;
	n = n == 0 ? ALIGN : (n + ALIGN - 1) / ALIGN * ALIGN;
	if (n > a->bytes_max - a->total)
		return NULL;
	if (n > BLOCK_BYTES / 2 && n > a->left)
		return alloc_large(a, n);
	if (n > a->left) {
		struct arena_block *b = block_make(a, BLOCK_BYTES);

		if (b == NULL)
			return NULL;
		a->p = (uint8_t *)b->data;
		a->left = BLOCK_BYTES;
	}
	p = a->p;
	a->p += n;
	a->left -= n;
	a->total += n;
	return p;
}

struct bytes
arena_copy(struct arena *a, struct bytes v)
{
	uint8_t *p = v.n == SIZE_MAX ? NULL : arena_alloc(a, v.n + 1);

	if (p == NULL)
		return (struct bytes){NULL, 0};
	if (v.n != 0)
		memcpy(p, v.p, v.n);
	p[v.n] = '\0';
	return (struct bytes){p, v.n};
}

char *
arena_text(struct arena *a, struct bytes v)
{
	uint8_t *p = NULL;

	if (v.n == SIZE_MAX || (v.n != 0 && memchr(v.p, '\0', v.n) != NULL))
		return NULL;
	p = arena_alloc(a, v.n + 1);
	if (p == NULL)
		return NULL;
	if (v.n != 0)
		memcpy(p, v.p, v.n);
	p[v.n] = '\0';
	return (char *)p;
}

void
arena_free(struct arena *a)
{
	struct arena_block *b = a->blocks;

	while (b != NULL) {
		struct arena_block *next = b->next;

		free(b);
		b = next;
	}
	arena_init(a, a->bytes_max);
}
