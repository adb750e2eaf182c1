/* tile.c - names of tiles: the number in groups of three digits, all but the last marked by an x.
 */
#include "merkle.h"

#include <assert.h>

enum { GROUP = 1000, GROUPS_MAX = 7 };

static void
group_put(struct buf *out, uint64_t v)
{
	buf_put_u8(out, (uint8_t)('0' + v / 100));
	buf_put_u8(out, (uint8_t)('0' + v / 10 % 10));
	buf_put_u8(out, (uint8_t)('0' + v % 10));
}

void
tile_path_put(struct buf *out, int level, uint64_t n, unsigned width)
{
	uint64_t group[GROUPS_MAX];
	unsigned count = 0;

	assert(level >= -1 && level < 64 && width >= 1 && width <= TILE_WIDTH);
	do {
		group[count++] = n % GROUP;
		n /= GROUP;
	} while (n > 0);
	buf_put_text(out, "tile/");
	if (level < 0)
		buf_put_text(out, "entries");
	else
		buf_put_decimal(out, (uint64_t)level);
	while (count-- > 0) {
		buf_put_text(out, count > 0 ? "/x" : "/");
		group_put(out, group[count]);
	}
	if (width < TILE_WIDTH) {
		buf_put_text(out, ".p/");
		buf_put_decimal(out, width);
	}
}
