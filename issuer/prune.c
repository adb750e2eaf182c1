/* prune.c - one turn of each part; nothing that is deleted is ever needed to go on. */
#include "prune_part.h"

#include "file.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TREE_FOLDERS_OPEN = 16 };

struct prune {
	char dir[500];
	struct prune_tiles tiles;
	struct prune_checkpoints checkpoints;
	struct prune_status status;
};

static int
temp_unlink(const char *path, const struct stat *st, int what, struct FTW *at)
{
	(void)st;
	if (what == FTW_F && file_is_temp(path + at->base))
		prune_unlink(path);
	return 0;
}

enum err
prune_open(const char *public_dir, struct prune **out)
{
	struct prune *p = calloc(1, sizeof *p);
	enum err e = p == NULL ? ERR_MEMORY : prune_status_begin(&p->status);

	if (e != ERR_OK) {
		prune_free(p);
		return e;
	}
	snprintf(p->dir, sizeof p->dir, "%s", public_dir);
	/* what a publisher that was cut off left unfinished */
	if (nftw(p->dir, temp_unlink, TREE_FOLDERS_OPEN, FTW_PHYS) != 0)
		log_note("prune_failed", "folder=%s errno=%d", p->dir, errno);
	*out = p;
	return ERR_OK;
}

void
prune_free(struct prune *p)
{
	if (p == NULL)
		return;
	prune_checkpoints_end(&p->checkpoints);
	prune_status_end(&p->status);
	free(p);
}

void
prune_checkpoint(struct prune *p, uint64_t size)
{
	if (prune_checkpoints_add(&p->checkpoints, size) != ERR_OK)
		log_note("prune_later", "size=%" PRIu64 " what=no_memory", size);
}

enum err
prune_keep(const char *public_dir, uint64_t size)
{
	char path[PRUNE_PATH_BYTES];

	snprintf(path, sizeof path, "%.500s/log/checkpoints/%" PRIu64 ".head", public_dir, size);
	return file_write(path, bytes_of("", 0), 0644);
}

void
prune_unlink(const char *path)
{
	if (unlinkat(AT_FDCWD, path, 0) != 0 && errno != ENOENT)
		log_note("prune_failed", "file=%s errno=%d", path, errno);
}

void
prune_turn(struct prune *p, const struct prune_public *at)
{
	prune_tiles_turn(&p->tiles, p->dir, at);
	prune_checkpoints_turn(&p->checkpoints, p->dir, at);
	prune_status_turn(&p->status, p->dir, at);
}
