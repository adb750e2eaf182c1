/* csv.c - RFC 4180 row by row: a field is a view into the text, or into the reader's room where
 * doubled quotes had to be resolved; every row has exactly the columns of the header. */
#include "csv.h"

#include "cbor.h"

static bool
line_ends(struct bytes in)
{
	return in.n == 0 || in.p[0] == '\n' || (in.n > 1 && in.p[0] == '\r' && in.p[1] == '\n');
}

static void
line_end_take(struct csv *c)
{
	if (c->rest.n == 0)
		return;
	c->rest = bytes_skip(c->rest, c->rest.p[0] == '\r' ? 2 : 1);
	c->next_line++;
}

/* A field without quotes runs to the comma or the line's end. */
static enum err
plain_take(struct csv *c, struct bytes *out)
{
	size_t n = 0;

	for (; n < c->rest.n && c->rest.p[n] != ','; n++) {
		if (line_ends(bytes_skip(c->rest, n)))
			break;
		/* RFC 4180 section 2, rules 5 and 6: quotes and line breaks stand in quoted fields
		 * only */
		if (c->rest.p[n] == '"' || c->rest.p[n] == '\r')
			return ERR_ENCODING;
	}
	*out = bytes_of(c->rest.p, n);
	c->rest = bytes_skip(c->rest, n);
	return ERR_OK;
}

/* Length of the quoted text up to its closing quote, and how many doubled quotes it has. */
static enum err
quoted_measure(struct bytes in, size_t *length, size_t *doubled)
{
	size_t n = 0, pairs = 0;

	for (; n < in.n; n++) {
		if (in.p[n] != '"')
			continue;
		if (n + 1 >= in.n || in.p[n + 1] != '"') {
			*length = n;
			*doubled = pairs;
			return ERR_OK;
		}
		pairs++;
		n++;
	}
	return ERR_TRUNCATED;
}

/* Copies without the second of each pair of quotes. The caller has checked that it fits. */
static struct bytes
quotes_resolve(struct bytes in, uint8_t *room)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		room[n++] = in.p[i];
		if (in.p[i] == '"')
			i++;
	}
	return bytes_of(room, n);
}

static enum err
quoted_take(struct csv *c, uint8_t *room, struct bytes *out)
{
	struct bytes in = bytes_skip(c->rest, 1);
	size_t length = 0, doubled = 0;
	enum err e = quoted_measure(in, &length, &doubled);

	if (e != ERR_OK)
		return e;
	if (length - doubled > CSV_FIELD_BYTES_MAX)
		return ERR_LIMIT;
	c->rest = bytes_skip(in, length + 1);
	/* RFC 4180 section 2, rule 5: nothing between the closing quote and the comma */
	if (!line_ends(c->rest) && c->rest.p[0] != ',')
		return ERR_ENCODING;
	in.n = length;
	for (size_t i = 0; i < length; i++)
		if (in.p[i] == '\n')
			c->next_line++;
	*out = doubled == 0 ? in : quotes_resolve(in, room);
	return ERR_OK;
}

static enum err
field_take(struct csv *c, uint8_t *room, struct bytes *out)
{
	enum err e = ERR_OK;

	if (c->rest.n != 0 && c->rest.p[0] == '"')
		e = quoted_take(c, room, out);
	else
		e = plain_take(c, out);
	if (e == ERR_OK && out->n > CSV_FIELD_BYTES_MAX)
		return ERR_LIMIT;
	return e;
}

static enum err
row_take(struct csv *c, struct bytes *fields, unsigned *count)
{
	unsigned n = 0;
	enum err e = ERR_OK;

	for (;;) {
		if (n == CSV_COLUMNS_MAX)
			return ERR_LIMIT;
		e = field_take(c, c->room + (size_t)n * CSV_FIELD_BYTES_MAX, &fields[n]);
		if (e != ERR_OK)
			return e;
		n++;
		if (c->rest.n == 0 || c->rest.p[0] != ',')
			break;
		c->rest = bytes_skip(c->rest, 1);
	}
	line_end_take(c);
	*count = n;
	return ERR_OK;
}

/* Columns are found by name, so a name is there, is spelt plainly and stands once. */
static enum err
header_check(const struct csv *c, struct bytes text)
{
	for (unsigned i = 0; i < c->columns; i++) {
		struct bytes name = c->header[i];
		bool in_text = name.p >= text.p && name.p < text.p + text.n;

		if (name.n == 0 || !in_text)
			return ERR_VALUE;
		for (unsigned k = 0; k < i; k++)
			if (bytes_equal(name, c->header[k]))
				return ERR_VALUE;
	}
	return ERR_OK;
}

enum err
csv_init(struct csv *c, struct bytes text)
{
	enum err e = ERR_OK;

	c->columns = 0;
	c->line = 1;
	c->next_line = 1;
	c->rest = text;
	if (!utf8_valid(text, NULL))
		return ERR_NOT_UTF8;
	if (bytes_start(text, "\xef\xbb\xbf"))
		c->rest = bytes_skip(text, 3);
	if (c->rest.n == 0)
		return ERR_TRUNCATED;
	if ((e = row_take(c, c->header, &c->columns)) != ERR_OK)
		return e;
	return header_check(c, text);
}

/* Spreadsheets leave empty lines at the end; a row of one column may be empty by right. */
static void
empty_lines_skip(struct csv *c)
{
	while (c->columns > 1 && c->rest.n != 0 && line_ends(c->rest))
		line_end_take(c);
}

bool
csv_next(struct csv *c, enum err *e)
{
	unsigned count = 0;

	empty_lines_skip(c);
	*e = ERR_OK;
	if (c->rest.n == 0)
		return false;
	c->line = c->next_line;
	*e = row_take(c, c->field, &count);
	if (*e == ERR_OK && count != c->columns)
		*e = ERR_VALUE;
	return *e == ERR_OK;
}

int
csv_column(const struct csv *c, const char *name)
{
	for (unsigned i = 0; i < c->columns; i++)
		if (bytes_equal_text(c->header[i], name))
			return (int)i;
	return -1;
}
