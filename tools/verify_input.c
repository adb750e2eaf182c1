/* verify_input.c - certificates one after the other in a stable order: what is no certificate is
 * given out like the rest, so that it is judged and takes nothing with it. */
#include "verify_input.h"

#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORD_FIRST_BYTE = 0xd2 }; /* the tag of a record or bundle */

struct input {
	enum input_kind kind;
	struct bytes one;
	/* lines */
	int fd; /* -1: none */
	uint8_t *room;
	size_t from, to;      /* of room: not given out yet */
	bool ended;           /* nothing more to read */
	uint64_t line, empty; /* given out; empty ones after it, still to be given out */
	uint64_t read, size;  /* bytes */
	enum err e;
	/* files */
	const char *folder; /* NULL: names are paths */
	char **names;
	size_t count, next;
	bool names_owned;
};

/* Fills the room from `to` on. */
static void
room_fill(struct input *in)
{
	while (!in->ended && in->to < DATA_BYTES_MAX) {
		ssize_t n = read(in->fd, in->room + in->to, DATA_BYTES_MAX - in->to);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			in->e = ERR_IO;
		if (n <= 0) {
			in->ended = true;
			return;
		}
		in->to += (size_t)n;
		in->read += (uint64_t)n;
	}
}

/* Has it a line end with anything but line ends after it, or is it too large for one text? */
static bool
is_lines(const struct input *in)
{
	const uint8_t *end = NULL;

	if (in->to == 0 || in->room[0] == RECORD_FIRST_BYTE)
		return false;
	if (!in->ended)
		return true;
	end = memchr(in->room, '\n', in->to);
	for (size_t i = end == NULL ? in->to : (size_t)(end - in->room); i < in->to; i++)
		if (in->room[i] != '\n' && in->room[i] != '\r')
			return true;
	return false;
}

static enum err
stream_open(struct input *in, int fd)
{
	struct stat st;

	in->fd = fd;
	if ((in->room = malloc(DATA_BYTES_MAX)) == NULL)
		return ERR_MEMORY;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		in->size = (uint64_t)st.st_size;
	room_fill(in);
	if (in->e != ERR_OK)
		return in->e;
	if (is_lines(in)) {
		in->kind = INPUT_MANY;
		return ERR_OK;
	}
	/* a full room may be a file that goes on, and no certificate is so large */
	in->one = bytes_of(in->room, in->ended ? in->to : 0);
	return ERR_OK;
}

static int
name_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum err
name_add(struct input *in, const char *name, size_t *room)
{
	if (in->count == *room) {
		size_t more = *room == 0 ? 256 : 2 * *room;
		char **names = realloc(in->names, more * sizeof *names);

		if (names == NULL)
			return ERR_MEMORY;
		in->names = names;
		*room = more;
	}
	if ((in->names[in->count] = strdup(name)) == NULL)
		return ERR_MEMORY;
	in->count++;
	return ERR_OK;
}

/* All names but those that begin with a dot, in the order of their bytes. */
static enum err
folder_read(struct input *in, const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *d = NULL;
	size_t room = 0;
	enum err e = dir == NULL ? ERR_IO : ERR_OK;

	in->kind = INPUT_MANY;
	in->folder = folder;
	in->names_owned = true;
	while (e == ERR_OK && (errno = 0, d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.')
			e = name_add(in, d->d_name, &room);
	if (e == ERR_OK && errno != 0)
		e = ERR_IO;
	if (dir != NULL)
		closedir(dir);
	if (e == ERR_OK && in->count > 0)
		qsort(in->names, in->count, sizeof *in->names, name_order);
	return e;
}

static enum err
argument_open(struct input *in, const char *argument)
{
	struct stat st;
	int fd = -1;

	in->one = bytes_of_text(argument);
	if (bytes_start(in->one, "ZZ1:") || bytes_start(in->one, "http://") ||
	        bytes_start(in->one, "https://"))
		return ERR_OK;
	if (strcmp(argument, "-") == 0)
		return stream_open(in, STDIN_FILENO);
	if (stat(argument, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
	if (S_ISDIR(st.st_mode))
		return folder_read(in, argument);
	if ((fd = open(argument, O_RDONLY | O_CLOEXEC)) < 0)
		return ERR_IO;
	return stream_open(in, fd);
}

static struct input *
input_new(void)
{
	struct input *in = calloc(1, sizeof *in);

	if (in != NULL)
		in->fd = -1;
	return in;
}

enum err
input_open(const char *argument, struct input **out)
{
	struct input *in = input_new();
	enum err e = in == NULL ? ERR_MEMORY : argument_open(in, argument);

	if (e != ERR_OK) {
		input_free(in);
		return e;
	}
	*out = in;
	return ERR_OK;
}

enum err
input_open_files(char *const *names, size_t count, struct input **out)
{
	struct input *in = input_new();

	if (in == NULL)
		return ERR_MEMORY;
	in->kind = INPUT_MANY;
	in->count = count;
	if ((in->names = malloc(count * sizeof *in->names)) == NULL) {
		input_free(in);
		return ERR_MEMORY;
	}
	memcpy(in->names, names, count * sizeof *in->names);
	*out = in;
	return ERR_OK;
}

void
input_free(struct input *in)
{
	if (in == NULL)
		return;
	if (in->fd > STDIN_FILENO)
		close(in->fd);
	for (size_t i = 0; in->names_owned && i < in->count; i++)
		free(in->names[i]);
	free(in->names);
	free(in->room);
	free(in);
}

enum input_kind
input_kind(const struct input *in)
{
	return in->kind;
}

struct bytes
input_data(const struct input *in)
{
	return in->one;
}

/* Lines */

static void
room_refill(struct input *in)
{
	memmove(in->room, in->room + in->from, in->to - in->from);
	in->to -= in->from;
	in->from = 0;
	room_fill(in);
}

/* Passes over the rest of a line that has no end in a full room. */
static void
line_skip(struct input *in)
{
	const uint8_t *end = NULL;

	while ((end = memchr(in->room + in->from, '\n', in->to - in->from)) == NULL) {
		in->from = in->to;
		if (in->ended)
			return;
		room_refill(in);
	}
	in->from = (size_t)(end - in->room) + 1;
}

/* One line as it stands; false at the end. */
static bool
line_next(struct input *in, struct input_item *out)
{
	const uint8_t *end = memchr(in->room + in->from, '\n', in->to - in->from);
	size_t n = 0;

	if (end == NULL && !in->ended) {
		room_refill(in);
		end = memchr(in->room, '\n', in->to);
	}
	if (end == NULL && in->from == in->to)
		return false;
	n = (end == NULL ? in->to : (size_t)(end - in->room)) - in->from;
	out->too_long = n > LINE_BYTES_MAX;
	out->n = out->too_long ? 0 : n;
	memcpy(out->text, in->room + in->from, out->n);
	if (end == NULL)
		line_skip(in);
	else
		in->from += n + 1;
	return true;
}

/* Length of the empty line that comes next, with its line feed; 0: it is not empty, or the end. */
static size_t
empty_next(struct input *in)
{
	const uint8_t *p = NULL;

	if (in->to - in->from < 2 && !in->ended)
		room_refill(in);
	p = in->room + in->from;
	switch (in->to - in->from) {
	case 0:
		return 0;
	case 1:
		return *p == '\n' || *p == '\r' ? 1 : 0;
	default:
		if (*p == '\n')
			return 1;
		return *p == '\r' && p[1] == '\n' ? 2 : 0;
	}
}

/* An empty line between others is a certificate that is missing, and counts; after the last it does
 * not. */
static bool
lines_next(struct input *in, struct input_item *out)
{
	size_t n = 0;

	for (bool start = in->empty == 0; start && (n = empty_next(in)) > 0; in->empty++)
		in->from += n;
	if (in->from == in->to && in->ended)
		return false;
	out->name = NULL;
	out->n = 0;
	out->too_long = false;
	if (in->empty > 0)
		in->empty--;
	else if (!line_next(in, out))
		return false;
	out->line = ++in->line;
	return true;
}

bool
input_next(struct input *in, struct input_item *out)
{
	if (in->room != NULL)
		return lines_next(in, out);
	if (in->next == in->count)
		return false;
	out->line = 0;
	out->name = in->names[in->next++];
	out->n = 0;
	out->too_long = false;
	return true;
}

enum err
input_end(const struct input *in)
{
	return in->e;
}

/* Files */

static enum err
file_data(const char *path, uint8_t **owned, struct bytes *data)
{
	struct stat st;
	size_t n = 0;
	enum err e = ERR_OK;

	if (stat(path, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
	if (!S_ISREG(st.st_mode)) /* a pipe would wait for ever */
		return ERR_TYPE_UNKNOWN;
	e = file_read(path, DATA_BYTES_MAX, owned, &n);
	if (e == ERR_LIMIT)
		return ERR_OK;
	if (e == ERR_OK)
		*data = bytes_of(*owned, n);
	return e;
}

enum err
input_item_data(
        const struct input *in, const struct input_item *item, uint8_t **owned, struct bytes *data)
{
	char path[FILE_PATH_MAX];
	int n = 0;

	*owned = NULL;
	*data = bytes_of(item->text, item->n);
	if (item->name == NULL)
		return ERR_OK;
	*data = bytes_of("", 0);
	n = snprintf(path, sizeof path, "%s%s%s", in->folder == NULL ? "" : in->folder,
	        in->folder == NULL ? "" : "/", item->name);
	if (n < 0 || (size_t)n >= sizeof path)
		return ERR_LIMIT;
	return file_data(path, owned, data);
}

void
input_progress(const struct input *in, uint64_t *done, uint64_t *total)
{
	*done = in->room != NULL ? in->read - (in->to - in->from) : in->next;
	*total = in->room != NULL ? in->size : in->count;
}
