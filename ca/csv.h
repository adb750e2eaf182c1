#ifndef CA_CSV_H
#define CA_CSV_H
/* csv.h - RFC 4180 with a header line: the field's data and the results that a centre hands in. */
#include "bytes.h"

enum { CSV_COLUMNS_MAX = 24, CSV_FIELD_BYTES_MAX = 1024 };

struct csv {
	struct bytes rest;
	unsigned line;      /* where the row read last begins, from 1 */
	unsigned next_line; /* where the next one begins */
	unsigned columns;
	struct bytes header[CSV_COLUMNS_MAX];
	struct bytes field[CSV_COLUMNS_MAX]; /* of the row read last; views into text or room */
	uint8_t room[CSV_COLUMNS_MAX * CSV_FIELD_BYTES_MAX];
};

/* Reads the header line. A UTF-8 byte order mark before it is passed over; CRLF and LF both end a
 * line. ERR_NOT_UTF8 for the text as a whole, ERR_TRUNCATED (empty, or an open quote), ERR_ENCODING
 * (misplaced quote or CR), ERR_LIMIT (columns, length of a field), ERR_VALUE (a name that is empty,
 * twice, or has doubled quotes). */
MUST_USE enum err csv_init(struct csv *c, struct bytes text);
/* true: a row stands in field[]. false: the end, *e ERR_OK, or a fault in line `line`: as csv_init,
 * and ERR_VALUE where the row has not as many fields as the header. Empty lines are passed over. */
bool csv_next(struct csv *c, enum err *e);
int csv_column(const struct csv *c, const char *name); /* -1 when there is none */
#endif
