/* authority_places.c - a request that is asked again before it is in the log gets the same places
 * on the lists: a record that a hostile front kept back falls with the one that was logged. */
#include "authority_issue.h"

#include <stdlib.h>
#include <string.h>

/* Enough for what is under way at once; a request in the log makes room for the next one. */
enum { SETS = 4096, WAYS = 4 };

struct place {
	uint8_t request[SHA256_BYTES];
	int64_t exp, iat; /* of the request, of the answer; zero in a free row */
	uint64_t first, count;
};

struct authority_places {
	struct place rows[SETS][WAYS];
};

struct authority_places *
authority_places_new(void)
{
	return calloc(1, sizeof(struct authority_places));
}

static bool
is_over(const struct authority *a, const struct place *p, int64_t now)
{
	return p->exp <= now || fold_executed(&a->fold, p->request, bytes_of(NULL, 0));
}

/* The row of this request, else the one to be overwritten: one that is over, or the oldest. */
static struct place *
row_find(struct authority *a, const uint8_t request[SHA256_BYTES], int64_t now)
{
	struct place *set = a->places->rows[be_get(request, 4) % SETS], *oldest = set;

	for (size_t i = 0; i < WAYS; i++)
		if (memcmp(set[i].request, request, SHA256_BYTES) == 0)
			return &set[i];
	for (size_t i = 0; i < WAYS; i++) {
		if (is_over(a, &set[i], now))
			return &set[i];
		if (set[i].iat < oldest->iat)
			oldest = &set[i];
	}
	return oldest;
}

enum err
issue_places(struct authority *a, const struct issue *is, uint64_t count, uint64_t *first)
{
	const uint8_t *request = is->ev->jws.hash;
	struct place *p;
	enum err e;

	if (count == 0)
		return ERR_OK;
	/* a restored state caught up with a log that has given these places to others */
	if (a->slot_next < a->fold.slots)
		memset(a->places, 0, sizeof *a->places);
	p = row_find(a, request, is->iat);
	if (memcmp(p->request, request, SHA256_BYTES) == 0 && p->count == count) {
		*first = p->first;
		return ERR_OK;
	}
	if ((e = authority_slots(a, count, first)) != ERR_OK)
		return e;
	*p = (struct place){
	        .exp = is->ev->request.exp, .iat = is->iat, .first = *first, .count = count};
	memcpy(p->request, request, SHA256_BYTES);
	return ERR_OK;
}
