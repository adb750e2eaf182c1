#ifndef TOOLS_VERIFY_STATE_H
#define TOOLS_VERIFY_STATE_H
/* verify_state.h - the folder in which zz-verify keeps what it verified last:
 * manifest.cose, checkpoint, lists/<n>.cwt, crl/<n>.crl, and `newest`, the newest signed time seen,
 * in decimal. */
#include "bytes.h"

enum { STATE_PATH_MAX = 1000, STATE_NAME_MAX = 40 };

/* Makes the folders. ERR_LIMIT for a path that is too long, ERR_IO. */
MUST_USE enum err state_make(const char *dir);
/* One sync at a time: a descriptor to close when done. ERR_BUSY while another holds it. */
MUST_USE enum err state_lock(const char *dir, int *fd);
/* malloc'ed, with one NUL after it. ERR_NOT_FOUND, ERR_LIMIT, ERR_IO. */
MUST_USE enum err state_read(
        const char *dir, const char *name, size_t bytes_max, uint8_t **out, size_t *n);
MUST_USE enum err state_write(const char *dir, const char *name, struct bytes data);
bool state_has(const char *dir, const char *name);

void state_list_name(uint32_t list, char out[STATE_NAME_MAX]);
void state_crl_name(uint32_t list, char out[STATE_NAME_MAX]);

MUST_USE enum err state_newest(
        const char *dir, int64_t *newest); /* 0 where none is kept; ERR_ENCODING */
MUST_USE enum err state_newest_set(const char *dir, int64_t newest);
#endif
