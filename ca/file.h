#ifndef CA_FILE_H
#define CA_FILE_H
/* file.h - whole files, read bounded and written so that a power cut leaves the old or the new one:
 * temporary file, fsync, rename, fsync of the folder. A failed fsync ends the process (it is never
 * retried). */
#include "bytes.h"

enum { FILE_PATH_MAX = 4096 };

/* Reads a whole file into malloc'ed memory (one extra NUL after it). ERR_NOT_FOUND, ERR_LIMIT,
 * ERR_IO. */
MUST_USE enum err file_read(const char *path, size_t bytes_max, uint8_t **out, size_t *n);
MUST_USE enum err file_write(const char *path, struct bytes data, unsigned mode);
/* As file_write, but a file that is there must be the same: ERR_FORK otherwise. */
MUST_USE enum err file_write_once(const char *path, struct bytes data, unsigned mode);
MUST_USE enum err file_make_folders(
        const char *path, unsigned mode); /* like mkdir -p, of the folder named */
bool file_exists(const char *path);
/* The name of an unfinished file_write: one that was cut off leaves it behind. */
bool file_is_temp(const char *name);
void file_sync_folder(const char *path); /* of a folder, or of the folder that holds the file */
/* Writes all, or ERR_IO. */
MUST_USE enum err file_put_all(int fd, struct bytes data);
/* fsync; ends the process on failure. */
void file_sync(int fd, const char *what);
#endif
