/* fuzz_csv.c - rows that were read, written again with every field quoted, are read as the same
 * rows. */
#include "csv.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct csv first, again; /* too large for the stack of a fuzzer */

static void
put_row(struct buf *out, const struct bytes *fields, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		buf_put_text(out, i == 0 ? "\"" : ",\"");
		for (size_t j = 0; j < fields[i].n; j++) {
			if (fields[i].p[j] == '"')
				buf_put_u8(out, '"');
			buf_put_u8(out, fields[i].p[j]);
		}
		buf_put_u8(out, '"');
	}
	buf_put_text(out, "\r\n");
}

/* The text as it was understood, up to the first fault. */
static unsigned
rewrite(struct bytes text, struct buf *out)
{
	unsigned rows = 0;
	enum err e;

	put_row(out, first.header, first.columns);
	while (csv_next(&first, &e)) {
		put_row(out, first.field, first.columns);
		rows++;
	}
	if (bytes_of(first.rest.p, 0).p != NULL && first.rest.n > text.n)
		abort();
	return rows;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* at worst each byte is an empty field (4 bytes for 1) or a quote (2 for 1) */
	size_t cap = 8 * size + 64;
	uint8_t *room = malloc(cap);
	struct buf out = buf_init(room, cap);
	struct bytes text = bytes_of(data, size);
	unsigned rows;
	enum err e;

	if (csv_init(&first, text) != ERR_OK)
		goto out;
	rows = rewrite(text, &out);
	if (buf_end(&out) != ERR_OK || csv_init(&again, buf_bytes(&out)) != ERR_OK)
		abort();
	if (csv_init(&first, text) != ERR_OK || again.columns != first.columns)
		abort();
	for (; rows > 0; rows--) {
		if (!csv_next(&first, &e) || !csv_next(&again, &e))
			abort();
		for (unsigned i = 0; i < first.columns; i++)
			if (!bytes_equal(first.field[i], again.field[i]))
				abort();
	}
	if (csv_next(&again, &e) || e != ERR_OK)
		abort();
out:
	free(room);
	return 0;
}
