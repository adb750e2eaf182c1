#ifndef TOOLS_AUDIT_MAP_H
#define TOOLS_AUDIT_MAP_H
/* audit_map.h - numbers found by numbers. A key that was never set gives 0. */
#include <stddef.h>
#include <stdint.h>

struct audit_map_cell {
	uint64_t key, value;
};
struct audit_map { /* all zero: empty */
	struct audit_map_cell *cells;
	size_t count, room;
};
/* The value of a key, to be read or set, until the next call. */
uint64_t *audit_map_at(struct audit_map *m, uint64_t key);
void audit_map_free(struct audit_map *m);
#endif
