#ifndef TESTS_TEMP_FOLDER_H
#define TESTS_TEMP_FOLDER_H
/* temp_folder.h - a folder of its own for each test, and its files as bytes. */
#include "bytes.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FOLDER_BYTES = 64, FOLDER_PATH_BYTES = 400 };

static inline void
folder_make(char folder[FOLDER_BYTES])
{
	snprintf(folder, FOLDER_BYTES, "/tmp/zz-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
}

static inline void
folder_path(const char *folder, const char *name, char out[FOLDER_PATH_BYTES])
{
	snprintf(out, FOLDER_PATH_BYTES, "%s/%s", folder, name);
}

/* Calls `see` for each file; the folder has no folders in it. */
static inline void
folder_each(
        const char *folder, void (*see)(void *ctx, const char *folder, const char *name), void *ctx)
{
	DIR *d = opendir(folder);
	struct dirent *entry;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			see(ctx, folder, entry->d_name);
	closedir(d);
}

static inline void
folder_unlink(void *ctx, const char *folder, const char *name)
{
	char path[FOLDER_PATH_BYTES];

	(void)ctx;
	folder_path(folder, name, path);
	unlink(path);
}

static inline void
folder_remove(const char *folder)
{
	folder_each(folder, folder_unlink, NULL);
	rmdir(folder);
}

/* The file's bytes, malloc'ed; NULL and 0 where there is none. */
static inline uint8_t *
folder_get(const char *folder, const char *name, size_t *n)
{
	char path[FOLDER_PATH_BYTES];
	struct stat st;
	uint8_t *p = NULL;
	int fd;

	*n = 0;
	folder_path(folder, name, path);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return NULL;
	assert_int_equal(fstat(fd, &st), 0);
	p = malloc((size_t)st.st_size + 1);
	assert_non_null(p);
	assert_int_equal(read(fd, p, (size_t)st.st_size), st.st_size);
	close(fd);
	*n = (size_t)st.st_size;
	return p;
}

static inline void
folder_put(const char *folder, const char *name, struct bytes data)
{
	char path[FOLDER_PATH_BYTES];
	int fd;

	folder_path(folder, name, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	if (data.n > 0)
		assert_int_equal(write(fd, data.p, data.n), data.n);
	close(fd);
}

static inline void
folder_copy_one(void *to, const char *folder, const char *name)
{
	size_t n;
	uint8_t *p = folder_get(folder, name, &n);

	folder_put(to, name, bytes_of(p, n));
	free(p);
}

/* An old copy of it, as a back-up has. */
static inline void
folder_copy(const char *from, char *to)
{
	folder_each(from, folder_copy_one, to);
}
#endif
