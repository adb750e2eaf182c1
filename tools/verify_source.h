#ifndef TOOLS_VERIFY_SOURCE_H
#define TOOLS_VERIFY_SOURCE_H
/* verify_source.h - the public files of an authority: at an address, or in a folder that somebody
 * copied. */
#include "verify_sync.h"

struct source;

/* `where` is http://…, https://… or a folder that holds log/ and manifest.cose. ERR_VALUE for an
 * address that is none, ERR_NOT_FOUND where there is no such folder. */
MUST_USE enum err source_open(const char *where, struct source **out);
void source_free(struct source *s); /* NULL is fine */
struct sync_source source_of(struct source *s);
#endif
