/* fold_rows.c - the CRL rows of a list: dense, as CRL and snapshot read them, with an index by
 * serial beside them that always knows each row once. */
#include "fold_item.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES_MIN = 64, ROWS_MIN = 16 };

/* Where the search for a serial begins; its last half is random, its first half is the time. */
static size_t
place_first(const struct fold_list *l, const uint8_t *serial)
{
	uint64_t mixed = (be_get(serial, 8) ^ be_get(serial + 8, 8)) * 0x9e3779b97f4a7c15U;

	return (size_t)(mixed >> 32) & (l->place_room - 1);
}

/* The place that leads to the serial, or the free one where it would stand. */
static size_t
place_find(const struct fold_list *l, const uint8_t *serial)
{
	size_t at = place_first(l, serial);

	while (l->places[at] != 0 && memcmp(l->rows[l->places[at] - 1].serial, serial, 16) != 0)
		at = (at + 1) & (l->place_room - 1);
	return at;
}

void
fold_rows_index(struct fold_list *l)
{
	size_t room = PLACES_MIN;

	while (room < 4 * l->row_count)
		room *= 2;
	free(l->places);
	l->places = fold_grow(NULL, room, sizeof *l->places);
	memset(l->places, 0, room * sizeof *l->places);
	l->place_room = room;
	for (size_t i = 0; i < l->row_count; i++)
		l->places[place_find(l, l->rows[i].serial)] = (uint32_t)i + 1;
}

struct crl_row *
fold_rows_find(const struct fold_list *l, const uint8_t serial[16])
{
	uint32_t row = l->place_room == 0 ? 0 : l->places[place_find(l, serial)];

	return row == 0 ? NULL : &l->rows[row - 1];
}

struct crl_row *
fold_rows_add(struct fold_list *l, const uint8_t serial[16])
{
	struct crl_row *row;

	if (2 * (l->row_count + 1) > l->place_room)
		fold_rows_index(l);
	if (l->row_count == l->row_room) {
		l->row_room = l->row_room == 0 ? ROWS_MIN : 2 * l->row_room;
		l->rows = fold_grow(l->rows, l->row_room, sizeof *l->rows);
	}
	l->places[place_find(l, serial)] = (uint32_t)l->row_count + 1;
	row = &l->rows[l->row_count++];
	memset(row, 0, sizeof *row);
	memcpy(row->serial, serial, sizeof row->serial);
	return row;
}

/* Frees a place and moves back those behind it that would no longer be found over the gap. */
static void
place_free(struct fold_list *l, size_t gap)
{
	size_t mask = l->place_room - 1;

	for (size_t at = (gap + 1) & mask; l->places[at] != 0; at = (at + 1) & mask) {
		size_t first = place_first(l, l->rows[l->places[at] - 1].serial);

		if (((at - first) & mask) < ((at - gap) & mask))
			continue;
		l->places[gap] = l->places[at];
		gap = at;
	}
	l->places[gap] = 0;
}

/* The last row takes the place of the one that goes. */
void
fold_rows_remove(struct fold_list *l, struct crl_row *row)
{
	const struct crl_row *last = &l->rows[l->row_count - 1];
	size_t at = place_find(l, row->serial), at_last = place_find(l, last->serial);

	assert(l->places[at] == (uint32_t)(row - l->rows) + 1);
	l->places[at_last] = l->places[at];
	*row = *last; /* before the places are searched: they read the serials of the rows */
	place_free(l, at);
	l->row_count--;
}
