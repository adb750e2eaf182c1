/* file.c - whole files: after a power cut a path holds the old bytes or the new ones, never a part.
 */
#include "file.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_SOFTWARE = 70 };

void
file_sync(int fd, const char *what)
{
	while (fsync(fd) != 0) {
		if (errno == EINTR)
			continue;
		/* the kernel may have dropped the pages: a second fsync would say success and lie
		 */
		log_fault("fsync_failed", "what=%s errno=%d", what, errno);
		_exit(EXIT_SOFTWARE);
	}
}

enum err
file_put_all(int fd, struct bytes data)
{
	while (data.n > 0) {
		ssize_t n = write(fd, data.p, data.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_IO;
		data = bytes_skip(data, (size_t)n);
	}
	return ERR_OK;
}

bool
file_exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Folder that holds `path`: "." where the path has no slash. */
static enum err
parent_of(const char *path, char out[FILE_PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	if (n >= FILE_PATH_MAX)
		return ERR_LIMIT;
	memcpy(out, path, n);
	out[n] = '\0';
	if (slash == NULL)
		memcpy(out, ".", 2);
	else if (n == 0)
		memcpy(out, "/", 2);
	return ERR_OK;
}

void
file_sync_folder(const char *path)
{
	char parent[FILE_PATH_MAX];
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOTDIR && parent_of(path, parent) == ERR_OK)
		fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		log_fault("fsync_failed", "what=%s errno=%d", path, errno);
		_exit(EXIT_SOFTWARE);
	}
	file_sync(fd, path);
	close(fd);
}

/* Reads until the end of the file; the room grows by doubling, so a wrong st_size costs nothing. */
static enum err
read_fd(int fd, size_t bytes_max, uint8_t **out, size_t *n)
{
	size_t used = 0, cap = 4096;
	uint8_t *p = malloc(cap), *grown = NULL;

	if (p == NULL)
		return ERR_MEMORY;
	for (;;) {
		ssize_t got = read(fd, p + used, cap - used - 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || (used += (size_t)got) > bytes_max) {
			free(p);
			return got < 0 ? ERR_IO : ERR_LIMIT;
		}
		if (got == 0)
			break;
		if (used + 1 < cap)
			continue;
		if ((grown = realloc(p, cap * 2)) == NULL) {
			free(p);
			return ERR_MEMORY;
		}
		p = grown;
		cap *= 2;
	}
	p[used] = 0;
	*out = p;
	*n = used;
	return ERR_OK;
}

enum err
file_read(const char *path, size_t bytes_max, uint8_t **out, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum err e = ERR_OK;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
	e = read_fd(fd, bytes_max, out, n);
	close(fd);
	return e;
}

static enum err
fill(int fd, struct bytes data, unsigned mode, const char *what)
{
	enum err e = ERR_OK;

	/* mkostemp made it 0600, and the signer has no fchmod */
	if (mode != 0600 && fchmod(fd, (mode_t)mode) != 0)
		return ERR_IO;
	if ((e = file_put_all(fd, data)) != ERR_OK)
		return e;
	file_sync(fd, what);
	return ERR_OK;
}

#define TEMP_MARK ".tmp-"
#define TEMP_RANDOM "XXXXXX" /* of mkostemp */

bool
file_is_temp(const char *name)
{
	size_t n = strlen(name), end = sizeof TEMP_MARK TEMP_RANDOM - 1;

	return n > end && memcmp(name + n - end, TEMP_MARK, sizeof TEMP_MARK - 1) == 0;
}

enum err
file_write(const char *path, struct bytes data, unsigned mode)
{
	char temp[FILE_PATH_MAX], parent[FILE_PATH_MAX];
	int n = snprintf(temp, sizeof temp, "%s" TEMP_MARK TEMP_RANDOM, path), fd = -1;
	enum err e = ERR_OK;

	if (n < 0 || (size_t)n >= sizeof temp)
		return ERR_LIMIT;
	if ((e = parent_of(path, parent)) != ERR_OK)
		return e;
	if ((fd = mkostemp(temp, O_CLOEXEC)) < 0)
		return ERR_IO;
	e = fill(fd, data, mode, path);
	if (close(fd) != 0 && e == ERR_OK)
		e = ERR_IO;
	if (e == ERR_OK && rename(temp, path) != 0)
		e = ERR_IO;
	if (e != ERR_OK) {
		unlinkat(AT_FDCWD, temp, 0);
		return e;
	}
	file_sync_folder(parent);
	return ERR_OK;
}

enum err
file_write_once(const char *path, struct bytes data, unsigned mode)
{
	uint8_t *old = NULL;
	size_t n = 0;
	enum err e = file_read(path, data.n, &old, &n);
	bool same = false;

	if (e == ERR_NOT_FOUND)
		return file_write(path, data, mode);
	if (e == ERR_LIMIT)
		return ERR_FORK;
	if (e != ERR_OK)
		return e;
	same = bytes_equal(bytes_of(old, n), data);
	free(old);
	return same ? ERR_OK : ERR_FORK;
}

static enum err
make_one(const char *path, unsigned mode)
{
	struct stat st;
	char parent[FILE_PATH_MAX];
	enum err e = ERR_OK;

	if (mkdir(path, (mode_t)mode) != 0) {
		if (errno != EEXIST && errno != EISDIR)
			return ERR_IO;
		return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? ERR_OK : ERR_IO;
	}
	if ((e = parent_of(path, parent)) == ERR_OK)
		file_sync_folder(parent);
	return e;
}

enum err
file_make_folders(const char *path, unsigned mode)
{
	char part[FILE_PATH_MAX];
	size_t n = strlen(path);
	enum err e = ERR_OK;

	if (n == 0 || n >= sizeof part)
		return ERR_LIMIT;
	while (n > 1 && path[n - 1] == '/')
		n--;
	memcpy(part, path, n);
	part[n] = '\0';
	for (size_t i = 1; i < n; i++) {
		if (part[i] != '/' || part[i - 1] == '/')
			continue;
		part[i] = '\0';
		if ((e = make_one(part, mode)) != ERR_OK)
			return e;
		part[i] = '/';
	}
	return make_one(part, mode);
}
