/* zz_serials.c - a file with the serial of a certificate on each line: it is read whole, or every
 * line that is wrong is named by its number. */
#include "file.h"
#include "zz_order.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 16 * 1024 * 1024, FAULTS_SHOWN = 20 };

struct serial_line {
	uint8_t serial[16];
	unsigned line;
};
struct serials {
	const struct zz *z;
	const char *path;
	struct serial_line *rows;
	size_t count;
	size_t faults;
};

static bool
fault_shown(struct serials *s)
{
	return ++s->faults <= FAULTS_SHOWN;
}

/* Without what follows a #, and without blanks around it. */
static struct bytes
line_trim(struct bytes line)
{
	const uint8_t *mark = line.n ? memchr(line.p, '#', line.n) : NULL;

	if (mark)
		line.n = (size_t)(mark - line.p);
	while (line.n && strchr(" \t\r", line.p[line.n - 1]))
		line.n--;
	while (line.n && strchr(" \t", line.p[0]))
		line = bytes_skip(line, 1);
	return line;
}

static void
line_take(struct serials *s, struct bytes line, unsigned number)
{
	struct serial_line *row = &s->rows[s->count];

	line = line_trim(line);
	if (!line.n)
		return;
	if (hex_decode(line, row->serial, sizeof row->serial) == ERR_OK) {
		row->line = number;
		s->count++;
	} else if (fault_shown(s)) {
		fprintf(s->z->err, "zz: %s, line %u: not a serial of 32 hex digits (0-9 a-f)\n",
		        s->path, number);
	}
}

static int
row_order(const void *a, const void *b)
{
	const struct serial_line *x = a, *y = b;
	int order = memcmp(x->serial, y->serial, sizeof x->serial);

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int
line_order(const void *a, const void *b)
{
	const struct serial_line *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

static void
duplicates_name(struct serials *s)
{
	const struct serial_line *first;

	if (!s->count)
		return;
	qsort(s->rows, s->count, sizeof *s->rows, row_order);
	first = s->rows;
	for (const struct serial_line *r = s->rows + 1; r < s->rows + s->count; r++) {
		if (memcmp(r->serial, first->serial, sizeof r->serial) != 0)
			first = r;
		else if (fault_shown(s))
			fprintf(s->z->err, "zz: %s, line %u: the serial of line %u again\n",
			        s->path, r->line, first->line);
	}
	qsort(s->rows, s->count, sizeof *s->rows, line_order);
}

static enum zz_exit
array_build(const struct serials *s, json_t **out)
{
	json_t *array = json_array();
	char hex[33];

	for (size_t i = 0; i < s->count; i++) {
		hex_encode(bytes_of(s->rows[i].serial, 16), hex);
		if (json_array_append_new(array, json_string(hex))) {
			json_decref(array);
			return zz_fault(s->z, "memory", ERR_MEMORY);
		}
	}
	*out = array;
	return ZZ_DONE;
}

static enum zz_exit
text_read(struct serials *s, struct bytes text, json_t **out)
{
	struct bytes line;
	const uint8_t *end;

	for (unsigned number = 1; text.n; number++) {
		end = memchr(text.p, '\n', text.n);
		line = bytes_of(text.p, end ? (size_t)(end - text.p) : text.n);
		text = bytes_skip(text, line.n + (end != NULL));
		if (s->count == ZZ_SERIALS_MAX && line_trim(line).n)
			return zz_usage(s->z, "%s, line %u: more than %d serials: split the file",
			        s->path, number, ZZ_SERIALS_MAX);
		line_take(s, line, number);
	}
	duplicates_name(s);
	if (s->faults)
		return zz_usage(s->z,
		        "%s: %zu lines are wrong: nothing was sent. %zu 行有误，未发送。", s->path,
		        s->faults, s->faults);
	if (!s->count)
		return zz_usage(s->z, "%s holds no serial", s->path);
	return array_build(s, out);
}

enum zz_exit
zz_serials_read(const struct zz *z, const char *path, json_t **out)
{
	struct serials s = {.z = z, .path = path};
	uint8_t *text = NULL;
	enum zz_exit exit;
	size_t n = 0;
	enum err e;

	if ((e = file_read(path, FILE_BYTES_MAX, &text, &n)) != ERR_OK)
		return zz_usage(z, "cannot read %s (%s): nothing was sent", path, err_word(e));
	s.rows = calloc(ZZ_SERIALS_MAX + 1, sizeof *s.rows);
	exit = s.rows ? text_read(&s, bytes_of(text, n), out) : zz_fault(z, "memory", ERR_MEMORY);
	free(s.rows);
	free(text);
	return exit;
}
