/* audit_map.c - open addressing, never more than half full. */
#include "audit_map.h"
#include "audit.h"

#include <stdlib.h>
#include <string.h>

/* 0 marks a free cell: keys are kept plus one. */
static struct audit_map_cell *
cell_of(struct audit_map_cell *cells, size_t room, uint64_t key)
{
	size_t at = (size_t)((key * 0x9e3779b97f4a7c15u) >> 20) & (room - 1);

	while (cells[at].key != 0 && cells[at].key != key + 1)
		at = (at + 1) & (room - 1);
	return &cells[at];
}

uint64_t *
audit_map_at(struct audit_map *m, uint64_t key)
{
	struct audit_map_cell *c;

	if (2 * (m->count + 1) > m->room) {
		size_t room = m->room == 0 ? 256 : 2 * m->room;
		struct audit_map_cell *cells = audit_grow(NULL, room, sizeof *cells);

		memset(cells, 0, room * sizeof *cells);
		for (size_t i = 0; i < m->room; i++)
			if (m->cells[i].key != 0)
				*cell_of(cells, room, m->cells[i].key - 1) = m->cells[i];
		free(m->cells);
		m->cells = cells;
		m->room = room;
	}
	c = cell_of(m->cells, m->room, key);
	if (c->key == 0) {
		c->key = key + 1;
		m->count++;
	}
	return &c->value;
}

void
audit_map_free(struct audit_map *m)
{
	free(m->cells);
	memset(m, 0, sizeof *m);
}
