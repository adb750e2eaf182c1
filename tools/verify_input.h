#ifndef TOOLS_VERIFY_INPUT_H
#define TOOLS_VERIFY_INPUT_H
/* verify_input.h - where certificates to check come from: one text or file, the lines of a file,
 * the files of a folder, or files named one by one. Lines are streamed, never held as a whole. */
#include "bytes.h"
#include "limits.h"

enum {
	DATA_BYTES_MAX = 64 * 1024, /* of a file; no certificate is so large */
	LINE_BYTES_MAX = 2048,      /* without line feed; the longest QR text has 1541 */
};

struct input;
enum input_kind { INPUT_ONE, INPUT_MANY };

/* A QR text or web address as it stands, "-" for standard input, a folder, or a file. A file or
 * standard input with more than one line, and not a record, is INPUT_MANY. ERR_NOT_FOUND, ERR_IO,
 * ERR_MEMORY. `argument` must stay; input_free the result. */
MUST_USE enum err input_open(const char *argument, struct input **out);
/* Files named one by one, in this order. */
MUST_USE enum err input_open_files(char *const *names, size_t count, struct input **out);
void input_free(struct input *in); /* NULL is fine */
enum input_kind input_kind(const struct input *in);
/* Of INPUT_ONE: all of it; empty for what is larger than DATA_BYTES_MAX. Lives as long as `in`. */
struct bytes input_data(const struct input *in);

/* One of INPUT_MANY. */
struct input_item {
	uint64_t line;    /* from 1; 0: a file */
	const char *name; /* of the file, without its folder; lives as long as the input */
	uint8_t text[LINE_BYTES_MAX];
	size_t n;      /* of a line, without line feed */
	bool too_long; /* a line that was passed over: nothing so long is a certificate */
};
/* False at the end. Line ends after the last line that holds anything are passed over. */
bool input_next(struct input *in, struct input_item *out);
/* After the end: ERR_OK, or ERR_IO where reading failed before it. */
MUST_USE enum err input_end(const struct input *in);
/* The item's data; *owned is to be freed. By several threads at once. ERR_NOT_FOUND, ERR_IO,
 * ERR_TYPE_UNKNOWN for what is no regular file. */
MUST_USE enum err input_item_data(
        const struct input *in, const struct input_item *item, uint8_t **owned, struct bytes *data);
/* How much was given out, in bytes or files; *total 0 where nobody knows. */
void input_progress(const struct input *in, uint64_t *done, uint64_t *total);
#endif
