#ifndef ISSUER_ARENA_H
#define ISSUER_ARENA_H
/* arena.h - memory of one request: taken piece by piece, given back all at once when its exchange
 * ends. Not for several threads at a time: an arena belongs to whoever works on the exchange. */
#include "bytes.h"

struct arena {
	struct arena_block *blocks; /* newest first */
	uint8_t *p;                 /* next free byte of the newest block */
	size_t left;                /* bytes free there */
	size_t total, bytes_max;    /* taken so far, and the most that may be */
};

/* Takes no memory yet. An arena that was never used needs no arena_free. */
void arena_init(struct arena *a, size_t bytes_max);
/* n bytes, aligned for any type, not cleared. NULL: no memory, or more than bytes_max in all. n may
 * be 0. */
void *arena_alloc(struct arena *a, size_t n);
/* A copy, with one NUL after it that the length does not count. p is NULL where there is no memory.
 */
struct bytes arena_copy(struct arena *a, struct bytes v);
/* The same as a C string; NULL where there is no memory or v holds a NUL. */
char *arena_text(struct arena *a, struct bytes v);
/* Gives all back; the arena is then as after arena_init. */
void arena_free(struct arena *a);
#endif
