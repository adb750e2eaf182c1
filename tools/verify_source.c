/* verify_source.c - one way to ask for a public file, from a server or from a folder. */
#include "verify_source.h"

#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDER_BYTES_MAX = 900 };

struct source {
	struct client *client; /* NULL: a folder */
	char folder[FOLDER_BYTES_MAX];
	uint8_t *file; /* the last one read */
};

enum err
source_open(const char *where, struct source **out)
{
	struct source *s = calloc(1, sizeof *s);
	enum err e = s == NULL ? ERR_MEMORY : ERR_OK;

	if (e != ERR_OK)
		return e;
	if (strncmp(where, "http://", 7) == 0 || strncmp(where, "https://", 8) == 0)
		e = client_open(where, &s->client);
	else if (strlen(where) >= sizeof s->folder)
		e = ERR_VALUE;
	else if (!file_exists(where))
		e = ERR_NOT_FOUND;
	else
		snprintf(s->folder, sizeof s->folder, "%s", where);
	if (e != ERR_OK) {
		source_free(s);
		return e;
	}
	*out = s;
	return ERR_OK;
}

void
source_free(struct source *s)
{
	if (s == NULL)
		return;
	client_free(s->client);
	free(s->file);
	free(s);
}

/* Our own code makes the paths: they hold no dots that lead out. */
static enum err
folder_get(struct source *s, const char *path, size_t bytes_max, struct client_reply *out)
{
	char name[FOLDER_BYTES_MAX + 200];
	size_t n = 0;
	enum err e;

	free(s->file);
	s->file = NULL;
	memset(out, 0, sizeof *out);
	snprintf(name, sizeof name, "%s%s", s->folder, path);
	e = file_read(name, bytes_max, &s->file, &n);
	out->status = e == ERR_NOT_FOUND ? 404 : 200;
	out->body = bytes_of(s->file, e == ERR_OK ? n : 0);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
source_get(void *ctx, const char *path, size_t bytes_max, struct client_reply *out)
{
	struct source *s = ctx;

	return s->client == NULL ? folder_get(s, path, bytes_max, out)
	                         : client_get(s->client, path, NULL, bytes_max, out);
}

struct sync_source
source_of(struct source *s)
{
	return (struct sync_source){s, source_get};
}
