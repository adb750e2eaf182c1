/* test_csv.c - what a spreadsheet writes is read; what RFC 4180 does not say is refused with its
 * line. */
#include "csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Reads all rows and writes them back as a|b;c|d; so that a test sees them at once. */
static enum err
read_all(struct bytes text, char *out, size_t room, unsigned *line)
{
	struct csv c;
	struct buf b = buf_init(out, room - 1);
	enum err e = csv_init(&c, text);

	while (e == ERR_OK && csv_next(&c, &e)) {
		for (unsigned i = 0; i < c.columns; i++) {
			if (i > 0)
				buf_put_u8(&b, '|');
			buf_put(&b, c.field[i]);
		}
		buf_put_u8(&b, ';');
	}
	*line = c.line;
	out[b.n] = '\0';
	return e;
}

static void
rows_are_read_as_RFC_4180_says(void **state)
{
	static const struct {
		const char *what, *input, *want;
	} rows[] = {
	        {"plain", "a,b\n1,2\n3,4\n", "1|2;3|4;"},
	        {"no line end after the last row", "a,b\n1,2", "1|2;"},
	        {"CRLF", "a,b\r\n1,2\r\n", "1|2;"},
	        {"byte order mark",
	                "\xef\xbb\xbf"
	                "a,b\n1,2\n",
	                "1|2;"},
	        {"quotes around a comma", "a,b\n\"1,5\",2\n", "1,5|2;"},
	        {"doubled quotes", "a,b\n\"say \"\"yes\"\"\",\"\"\"\"\n", "say \"yes\"|\";"},
	        {"line break in quotes", "a,b\n\"1\n2\",3\r\n", "1\n2|3;"},
	        {"empty fields", "a,b\n,\n\"\",\n", "|;|;"},
	        {"empty lines", "a,b\n\n1,2\n\r\n\n", "1|2;"},
	        {"one column may be empty", "a\n\n1\n", ";1;"},
	        {"blanks stay", "a,b\n 1 ,2 \n", " 1 |2 ;"},
	        {"header only", "a,b\n", ""},
	        {"header only, no line end", "a,b", ""},
	        {"Chinese", "姓名,b\n买买提·艾力,2\n", "买买提·艾力|2;"},
	        {"quoted header", "\"a\",\"b,c\"\n1,2\n", "1|2;"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char got[200];
		unsigned line;
		enum err e = read_all(bytes_of_text(rows[i].input), got, sizeof got, &line);

		if (e != ERR_OK || strcmp(got, rows[i].want) != 0)
			fail_msg("%s: %s, %s", rows[i].what, err_word(e), got);
	}
}

static void
faults_are_refused_with_their_line(void **state)
{
	static const struct {
		const char *what, *input;
		enum err want;
		unsigned line;
	} rows[] = {
	        {"nothing", "", ERR_TRUNCATED, 1},
	        {"only a byte order mark", "\xef\xbb\xbf", ERR_TRUNCATED, 1},
	        {"too few fields", "a,b\n1,2\n3\n", ERR_VALUE, 3},
	        {"too many fields", "a,b\n1,2,3\n", ERR_VALUE, 2},
	        {"line counted after a line break in quotes", "a,b\n\"1\n1\",2\n3\n", ERR_VALUE, 4},
	        {"open quote", "a,b\n1,\"2\n", ERR_TRUNCATED, 2},
	        {"quote inside a plain field", "a,b\n1,2\"3\n", ERR_ENCODING, 2},
	        {"text after the closing quote", "a,b\n\"1\"x,2\n", ERR_ENCODING, 2},
	        {"CR alone", "a,b\n1\r2,3\n", ERR_ENCODING, 2},
	        {"column twice", "a,a\n1,2\n", ERR_VALUE, 1},
	        {"column without a name", "a,\n1,2\n", ERR_VALUE, 1},
	        {"column name with quotes in it", "a,\"b\"\"\"\n1,2\n", ERR_VALUE, 1},
	        {"not UTF-8", "a,b\n1,\xd5\xc5\n", ERR_NOT_UTF8, 1},
	        {"empty header line", "\n1,2\n", ERR_VALUE, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char got[200];
		unsigned line;
		enum err e = read_all(bytes_of_text(rows[i].input), got, sizeof got, &line);

		if (e != rows[i].want || line != rows[i].line)
			fail_msg("%s: %s in line %u", rows[i].what, err_word(e), line);
	}
}

static enum err
read_columns(unsigned columns)
{
	char text[200] = "";
	char got[200];
	struct buf b = BUF_OF(text);
	unsigned line;

	for (unsigned i = 0; i < columns; i++) {
		if (i > 0)
			buf_put_u8(&b, ',');
		buf_put_u8(&b, 'c');
		buf_put_decimal(&b, i);
	}
	return read_all(buf_bytes(&b), got, sizeof got, &line);
}

static enum err
read_length(size_t n, bool quoted)
{
	char text[2 * CSV_FIELD_BYTES_MAX], got[2 * CSV_FIELD_BYTES_MAX];
	struct buf b = BUF_OF(text);
	unsigned line;

	buf_put_text(&b, quoted ? "a\n\"\"\"" : "a\nx");
	for (size_t i = 1; i < n; i++)
		buf_put_u8(&b, 'x');
	if (quoted)
		buf_put_u8(&b, '"');
	return read_all(buf_bytes(&b), got, sizeof got, &line);
}

static void
limits_hold_at_their_edges(void **state)
{
	(void)state;
	assert_int_equal(read_columns(CSV_COLUMNS_MAX), ERR_OK);
	assert_int_equal(read_columns(CSV_COLUMNS_MAX + 1), ERR_LIMIT);
	for (int quoted = 0; quoted < 2; quoted++) {
		assert_int_equal(read_length(CSV_FIELD_BYTES_MAX, quoted != 0), ERR_OK);
		assert_int_equal(read_length(CSV_FIELD_BYTES_MAX + 1, quoted != 0), ERR_LIMIT);
	}
}

static void
columns_are_found_by_name(void **state)
{
	struct csv c;

	(void)state;
	assert_int_equal(csv_init(&c, BYTES_LIT("\xef\xbb\xbfseat,\"name\",sex\n")), ERR_OK);
	assert_int_equal(csv_column(&c, "seat"), 0);
	assert_int_equal(csv_column(&c, "name"), 1);
	assert_int_equal(csv_column(&c, "sex"), 2);
	assert_int_equal(csv_column(&c, "nam"), -1);
	assert_int_equal(csv_column(&c, "Seat"), -1);
}

/* The copies are of exact length, so that reading one byte too far is seen. */
static void
every_prefix_and_changed_byte_is_read_within_bounds(void **state)
{
	static const char text[] = "a,\"b\"\n\"x\"\"y\",\xe5\xa7\x93\r\n1,\"2\n3\"\n";
	char got[200];
	unsigned line;

	(void)state;
	for (size_t n = 0; n < sizeof text; n++) {
		char *copy = malloc(n == 0 ? 1 : n);

		assert_non_null(copy);
		memcpy(copy, text, n);
		err_ignore(read_all(bytes_of(copy, n), got, sizeof got, &line));
		free(copy);
	}
	for (size_t i = 0; i + 1 < sizeof text; i++)
		for (int c = 0; c < 256; c++) {
			char changed[sizeof text];

			memcpy(changed, text, sizeof text);
			changed[i] = (char)c;
			err_ignore(read_all(
			        bytes_of(changed, sizeof text - 1), got, sizeof got, &line));
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(rows_are_read_as_RFC_4180_says),
	        cmocka_unit_test(faults_are_refused_with_their_line),
	        cmocka_unit_test(limits_hold_at_their_edges),
	        cmocka_unit_test(columns_are_found_by_name),
	        cmocka_unit_test(every_prefix_and_changed_byte_is_read_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
