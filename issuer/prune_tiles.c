/* prune_tiles.c - unfinished tiles go when the full one has been there for a day: whoever still
 * reads a checkpoint of before is served by then, or takes the full one. */
#include "prune_part.h"

#include "file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void
path_make(const char *dir, int level, uint64_t n, char out[PRUNE_PATH_BYTES])
{
	uint8_t room[128];
	struct buf path = BUF_OF(room);

	tile_path_put(&path, level, n, TILE_WIDTH);
	snprintf(out, PRUNE_PATH_BYTES, "%.500s/log/%.*s", dir, (int)path.n, (const char *)room);
}

/* At most 255 files. */
static void
folder_remove(const char *folder)
{
	char path[PRUNE_PATH_BYTES + 260];
	const struct dirent *entry;
	DIR *d = opendir(folder);

	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		prune_unlink(path);
	}
	closedir(d);
	if (unlinkat(AT_FDCWD, folder, AT_REMOVEDIR) != 0)
		return; /* found again after the next start */
}

/* false: not yet, and nor are those behind it. */
static bool
tile_judge(const char *dir, int level, uint64_t n, int64_t now)
{
	char full[PRUNE_PATH_BYTES], partial[PRUNE_PATH_BYTES + 3];
	struct stat st;

	path_make(dir, level, n, full);
	snprintf(partial, sizeof partial, "%s.p", full);
	if (!file_exists(partial))
		return true;
	if (stat(full, &st) != 0)
		return false; /* never the only copy */
	if ((int64_t)st.st_mtim.tv_sec + PRUNE_GRACE_S > now)
		return false;
	folder_remove(partial);
	return true;
}

void
prune_tiles_turn(struct prune_tiles *t, const char *dir, const struct prune_public *at)
{
	unsigned steps = PRUNE_STEPS;

	for (int i = 0; i < PRUNE_TILE_LEVELS; i++) {
		int level = i - 1;
		unsigned up = 8U * (unsigned)(level < 0 ? 1 : level + 1);
		uint64_t full = up < 64 ? at->size >> up : 0;

		for (; steps > 0 && t->next[i] < full; t->next[i]++, steps--)
			if (!tile_judge(dir, level, t->next[i], at->now))
				break;
	}
}
