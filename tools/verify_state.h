#ifndef TOOLS_VERIFY_STATE_H
#define TOOLS_VERIFY_STATE_H
/* verify_state.h - the folder in which zz-verify keeps what it verified last:
 * manifest.cose, checkpoint, head.cwt, table-<sequence>.cwt, lists/<n>-<hash>.raw, crl/<n>.crl (and
 * .late), and `newest`, the newest signed time seen, in decimal. What head.cwt names is complete:
 * it is written last, and names of tables and lists follow from it. */
#include "bytes.h"

enum { STATE_PATH_MAX = 1000, STATE_NAME_MAX = 48 };

/* Makes the folders. ERR_LIMIT for a path that is too long, ERR_IO. */
MUST_USE enum err state_make(const char *dir);
/* One sync at a time: a descriptor to close when done. ERR_BUSY while another holds it. */
MUST_USE enum err state_lock(const char *dir, int *fd);
/* malloc'ed, with one NUL after it. ERR_NOT_FOUND, ERR_LIMIT, ERR_IO. */
MUST_USE enum err state_read(
        const char *dir, const char *name, size_t bytes_max, uint8_t **out, size_t *n);
MUST_USE enum err state_write(const char *dir, const char *name, struct bytes data);
bool state_has(const char *dir, const char *name);

void state_remove(const char *dir, const char *name); /* a failure only leaves a file */
/* Removes the tables and raw lists that `keep` does not want. */
void state_sweep(const char *dir, bool (*keep)(void *ctx, const char *name), void *ctx);

void state_table_name(uint64_t sequence, char out[STATE_NAME_MAX]);
void state_raw_name(uint32_t list, const uint8_t raw_sha256[32], char out[STATE_NAME_MAX]);
void state_crl_name(uint32_t list, char out[STATE_NAME_MAX]);
/* An empty file while the CRL held is older than its list: the next sync asks for it again. */
void state_late_name(uint32_t list, char out[STATE_NAME_MAX]);

MUST_USE enum err state_newest(
        const char *dir, int64_t *newest); /* 0 where none is kept; ERR_ENCODING */
MUST_USE enum err state_newest_set(const char *dir, int64_t newest);
#endif
