/* zz_session.c - session.json and results.csv to JSON: a line that cannot be read whole stops
 * everything, and no value is changed on the way. */
#include "zz_session.h"
#include "limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum column {
	COLUMN_SEAT,
	COLUMN_NAME,
	COLUMN_SEX,
	COLUMN_DOC_TYPE,
	COLUMN_DOC_NUMBER,
	COLUMN_THEORY,
	COLUMN_PRACTICAL,
	COLUMN_PHOTO,
	COLUMN_EVIDENCE,
	COLUMN_FOLLOWS,
	COLUMN_COUNT
};
static const char *const columns[COLUMN_COUNT] = {"seat", "name", "sex", "doc_type", "doc_number",
        "theory", "practical", "photo_sha256", "evidence_sha256", "follows"};

struct reader {
	struct csv csv;
	int at[COLUMN_COUNT]; /* -1: not there (follows only) */
	bool used[REQUEST_SEATS_MAX + 1];
	bool follows; /* each seat names the certificate that it follows */
	struct session_fault *fault;
};

static enum err
fault_at(struct session_fault *fault, unsigned line, const char *reason, const char *name)
{
	fault->line = line;
	snprintf(fault->reason, sizeof fault->reason, reason, name);
	return ERR_FIELD_INVALID;
}
#define FAULT(r, reason, name) fault_at((r)->fault, (r)->csv.line, (reason), (name))

enum err
zz_score_decode(struct bytes text, double *out)
{
	bool minus = text.n && text.p[0] == '-';
	unsigned whole = 0, part = 0;
	int value = 0;
	bool point = false;
	size_t i;

	for (i = minus; i < text.n; i++) {
		if (text.p[i] == '.' && !point && whole) {
			point = true;
			continue;
		}
		if (text.p[i] < '0' || text.p[i] > '9' || whole + part == 4)
			return ERR_VALUE;
		value = value * 10 + (text.p[i] - '0');
		*(point ? &part : &whole) += 1;
	}
	if (whole < 1 || whole > 3 || part > 2 || (point && !part))
		return ERR_VALUE;
	/* one division of exact numbers gives the double nearest to what was written */
	*out = (minus ? -value : value) / (part == 2 ? 100.0 : part == 1 ? 10.0 : 1.0);
	return ERR_OK;
}

/* Every column of the header is known, the required ones are there, none twice. */
static enum err
header_read(struct reader *r)
{
	unsigned i, j, known = 0;

	for (i = 0; i < COLUMN_COUNT; i++) {
		r->at[i] = csv_column(&r->csv, columns[i]);
		if (r->at[i] < 0 && (i != COLUMN_FOLLOWS || r->follows))
			return FAULT(r, "the column %s is missing from the first line", columns[i]);
		for (j = 0; j < r->csv.columns; j++)
			known += bytes_equal_text(r->csv.header[j], columns[i]);
	}
	if (known != r->csv.columns || known != COLUMN_COUNT - (r->at[COLUMN_FOLLOWS] < 0))
		return FAULT(r, "the first line names a column that is not known%s", "");
	return ERR_OK;
}

static enum err
text_set(struct reader *r, json_t *row, enum column column)
{
	struct bytes v = r->csv.field[r->at[column]];
	json_t *text = v.n ? json_stringn((const char *)v.p, v.n) : json_string("");

	if (!text)
		return FAULT(r, "%s is not UTF-8 text: save the file as UTF-8", columns[column]);
	return json_object_set_new_nocheck(row, columns[column], text) ? ERR_MEMORY : ERR_OK;
}

static enum err
score_set(struct reader *r, json_t *row, enum column column)
{
	double score = 0;

	if (!r->csv.field[r->at[column]].n)
		return FAULT(r, "%s is empty: leave out who did not sit the examination",
		        columns[column]);
	if (zz_score_decode(r->csv.field[r->at[column]], &score) != ERR_OK)
		return FAULT(r, "%s is not a score such as 81.9", columns[column]);
	return json_object_set_new_nocheck(row, columns[column], json_real(score)) ? ERR_MEMORY
	                                                                           : ERR_OK;
}

static enum err
seat_set(struct reader *r, json_t *row)
{
	uint64_t seat = 0;

	if (decimal_decode(r->csv.field[r->at[COLUMN_SEAT]], REQUEST_SEATS_MAX, &seat) != ERR_OK ||
	        !seat)
		return FAULT(r, "%s is not a whole number from 1 to 5000", "seat");
	if (r->used[seat])
		return FAULT(r, "this %s number was used on an earlier line", "seat");
	r->used[seat] = true;
	return json_object_set_new_nocheck(row, "seat", json_integer((json_int_t)seat)) ? ERR_MEMORY
	                                                                                : ERR_OK;
}

static enum err
follows_set(struct reader *r, json_t *row)
{
	struct bytes v =
	        r->at[COLUMN_FOLLOWS] < 0 ? bytes_of(NULL, 0) : r->csv.field[r->at[COLUMN_FOLLOWS]];
	uint8_t serial[16];

	if (!v.n && r->follows)
		return FAULT(r, "%s is empty: a renewal or review names the certificate before it",
		        "follows");
	if (!v.n)
		return ERR_OK;
	if (!r->follows)
		return FAULT(r, "%s goes with the basis renewal or review only", "follows");
	if (hex_decode(v, serial, sizeof serial) != ERR_OK)
		return FAULT(r, "%s is not a serial of 32 hex digits (0-9 a-f)", "follows");
	return text_set(r, row, COLUMN_FOLLOWS);
}

static enum err
row_read(struct reader *r, json_t *row)
{
	enum column i;
	enum err e = seat_set(r, row);

	for (i = COLUMN_NAME; e == ERR_OK && i < COLUMN_FOLLOWS; i++)
		e = i == COLUMN_THEORY || i == COLUMN_PRACTICAL ? score_set(r, row, i)
		                                                : text_set(r, row, i);
	return e == ERR_OK ? follows_set(r, row) : e;
}

static enum err
rows_read(struct reader *r, json_t *array)
{
	enum err e = ERR_OK;
	json_t *row;

	while (csv_next(&r->csv, &e)) {
		if (json_array_size(array) == REQUEST_SEATS_MAX)
			return FAULT(r, "a session has at most 5000 seats%s", "");
		if (!(row = json_object()) || json_array_append_new(array, row))
			return ERR_MEMORY;
		if ((e = row_read(r, row)) != ERR_OK)
			return e;
	}
	if (e != ERR_OK)
		return FAULT(r, "the line is not CSV of as many columns as the first line (%s)",
		        err_word(e));
	if (!json_array_size(array))
		return FAULT(r, "there is no seat below the first line%s", "");
	return ERR_OK;
}

/* Line of the first byte that is no UTF-8: the whole text is checked before its lines are. */
static unsigned
line_not_utf8(struct bytes text)
{
	const uint8_t *end;
	unsigned line = 1;
	json_t *checked;
	size_t n;

	for (; (end = memchr(text.p, '\n', text.n)) != NULL; line++) {
		n = (size_t)(end - text.p);
		if (!(checked = json_stringn((const char *)text.p, n)))
			break;
		json_decref(checked);
		text = bytes_skip(text, n + 1);
	}
	return line;
}

static void
init_fault(struct session_fault *fault, struct bytes text, enum err e)
{
	if (e == ERR_NOT_UTF8)
		fault_at(fault, line_not_utf8(text), "%s: save the file as UTF-8",
		        "the text is not UTF-8");
	else
		fault_at(fault, 1, "the first line is no CSV header of different columns (%s)",
		        err_word(e));
}

enum err
zz_results_read(struct bytes text, bool follows, json_t **out, struct session_fault *fault)
{
	struct reader *r = calloc(1, sizeof *r);
	json_t *array = json_array();
	enum err e = ERR_MEMORY;

	fault_at(fault, 0, "%s", err_en(ERR_MEMORY));
	if (!r || !array)
		goto out;
	r->fault = fault;
	r->follows = follows;
	if ((e = csv_init(&r->csv, text)) != ERR_OK) {
		init_fault(fault, text, e);
		goto out;
	}
	if ((e = header_read(r)) != ERR_OK || (e = rows_read(r, array)) != ERR_OK)
		goto out;
	*out = json_incref(array);
out:
	json_decref(array);
	free(r);
	return e;
}

static bool
basis_is_known(struct bytes basis)
{
	return !basis.p || bytes_equal_text(basis, "initial") ||
	       bytes_equal_text(basis, "renewal") || bytes_equal_text(basis, "review");
}

bool
zz_session_follows(const json_t *session)
{
	const char *basis = json_string_value(json_object_get(session, "basis"));

	return basis && (!strcmp(basis, "renewal") || !strcmp(basis, "review"));
}

enum err
zz_session_read(struct bytes text, json_t **out, struct session_fault *fault)
{
	struct bytes id, center, region, item, basis = {0}, theory, practical, paper, recording;
	json_t *examiners, *json = NULL;
	const struct json_member members[] = {{"id", 's', &id}, {"center", 's', &center},
	        {"region", 's', &region}, {"item", 's', &item}, {"basis", 'S', &basis},
	        {"theory_at", 's', &theory}, {"practical_at", 's', &practical},
	        {"paper_sha256", 's', &paper}, {"recording_sha256", 's', &recording},
	        {"examiners", 'a', &examiners}};
	enum err e;

	if ((e = json_read(text, SESSION_BYTES_MAX, &json)) != ERR_OK ||
	        (e = JSON_MEMBERS(json, members)) != ERR_OK) {
		fault_at(fault, 0, "%s", err_en(e));
		json_decref(json);
		return e;
	}
	if (!basis_is_known(basis)) {
		json_decref(json);
		return fault_at(fault, 0, "%s is initial, renewal or review.", "basis");
	}
	*out = json;
	return ERR_OK;
}
