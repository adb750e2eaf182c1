#ifndef CA_SNAPSHOT_H
#define CA_SNAPSHOT_H
/* snapshot.h - a fold as one file, so that a start reads the journal only from there. Derived: it
 * may always be deleted. */
#include "fold.h"

/* Writes atomically. */
MUST_USE enum err snapshot_write(const char *path, const struct fold *f);
/* Fills an initialised, empty fold. ERR_NOT_FOUND when there is no file; ERR_ENCODING when it is
 * damaged. */
MUST_USE enum err snapshot_read(const char *path, struct fold *f);
#endif
