/* verify_state.c - the state folder of zz-verify: a file is replaced whole or not at all, and only
 * by its owner here. */
#include "verify_state.h"

#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static enum err
path_of(const char *dir, const char *name, char out[STATE_PATH_MAX])
{
	int n = snprintf(out, STATE_PATH_MAX, "%s/%s", dir, name);

	return n < 0 || n >= STATE_PATH_MAX ? ERR_LIMIT : ERR_OK;
}

enum err
state_make(const char *dir)
{
	static const char *const folders[] = {"lists", "crl"};
	char path[STATE_PATH_MAX];
	enum err e = ERR_OK;

	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		if ((e = path_of(dir, folders[i], path)) != ERR_OK ||
		        (e = file_make_folders(path, 0755)) != ERR_OK)
			return e;
	return ERR_OK;
}

enum err
state_lock(const char *dir, int *fd)
{
	char path[STATE_PATH_MAX];
	enum err e = path_of(dir, "lock", path);
	int lock = -1;

	if (e != ERR_OK)
		return e;
	if ((lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644)) < 0)
		return ERR_IO;
	if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		e = errno == EWOULDBLOCK ? ERR_BUSY : ERR_IO;
		close(lock);
		return e;
	}
	*fd = lock;
	return ERR_OK;
}

enum err
state_read(const char *dir, const char *name, size_t bytes_max, uint8_t **out, size_t *n)
{
	char path[STATE_PATH_MAX];
	enum err e = path_of(dir, name, path);

	return e != ERR_OK ? e : file_read(path, bytes_max, out, n);
}

enum err
state_write(const char *dir, const char *name, struct bytes data)
{
	char path[STATE_PATH_MAX];
	enum err e = path_of(dir, name, path);

	return e != ERR_OK ? e : file_write(path, data, 0644);
}

bool
state_has(const char *dir, const char *name)
{
	char path[STATE_PATH_MAX];

	return path_of(dir, name, path) == ERR_OK && file_exists(path);
}

void
state_remove(const char *dir, const char *name)
{
	char path[STATE_PATH_MAX];

	if (path_of(dir, name, path) == ERR_OK && unlink(path) != 0)
		return;
}

static void
folder_sweep(
        const char *dir, const char *folder, bool (*keep)(void *ctx, const char *name), void *ctx)
{
	char path[STATE_PATH_MAX], name[STATE_NAME_MAX];
	const struct dirent *d;
	DIR *open_dir;

	if (path_of(dir, folder, path) != ERR_OK || (open_dir = opendir(path)) == NULL)
		return;
	while ((d = readdir(open_dir)) != NULL) {
		int n = snprintf(name, sizeof name, "%s%s", folder, d->d_name);

		if (d->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof name)
			continue;
		if ((*folder == '\0' && strncmp(name, "table-", 6) != 0) || keep(ctx, name))
			continue;
		state_remove(dir, name);
	}
	closedir(open_dir);
}

void
state_sweep(const char *dir, bool (*keep)(void *ctx, const char *name), void *ctx)
{
	folder_sweep(dir, "", keep, ctx);
	folder_sweep(dir, "lists/", keep, ctx);
}

void
state_table_name(uint64_t sequence, char out[STATE_NAME_MAX])
{
	snprintf(out, STATE_NAME_MAX, "table-%llu.cwt", (unsigned long long)sequence);
}

void
state_raw_name(uint32_t list, const uint8_t raw_sha256[32], char out[STATE_NAME_MAX])
{
	char hex[17];

	hex_encode(bytes_of(raw_sha256, 8), hex);
	snprintf(out, STATE_NAME_MAX, "lists/%lu-%s.raw", (unsigned long)list, hex);
}

void
state_crl_name(uint32_t list, char out[STATE_NAME_MAX])
{
	snprintf(out, STATE_NAME_MAX, "crl/%lu.crl", (unsigned long)list);
}

void
state_late_name(uint32_t list, char out[STATE_NAME_MAX])
{
	snprintf(out, STATE_NAME_MAX, "crl/%lu.late", (unsigned long)list);
}

enum err
state_newest(const char *dir, int64_t *newest)
{
	uint8_t *text = NULL;
	uint64_t v = 0;
	size_t n = 0;
	enum err e = state_read(dir, "newest", 32, &text, &n);

	if (e == ERR_NOT_FOUND) {
		*newest = 0;
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	if (n > 0 && text[n - 1] == '\n')
		n--;
	e = decimal_decode(bytes_of(text, n), INT64_MAX / 4, &v);
	free(text);
	if (e == ERR_OK)
		*newest = (int64_t)v;
	return e;
}

enum err
state_newest_set(const char *dir, int64_t newest)
{
	char text[32];
	int n = snprintf(text, sizeof text, "%lld\n", (long long)newest);

	return state_write(dir, "newest", bytes_of(text, (size_t)n));
}
