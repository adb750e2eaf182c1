/* field_read.c - reads the files of the field's data into sorted tables. Whatever is wrong in one
 * stops the start: a program with half a law must not run. */
#include "field_data.h"

#include "csv.h"
#include "date.h"
#include "document.h"
#include "log.h"

#include <stdlib.h>
#include <string.h>

enum { YEARS_MAX = 50, WINDOW_DAYS_MAX = 366, AGE_MAX = 100, BAN_MONTHS_MAX = 1200 };

/* One file while it is read; the first fault stays. */
struct reader {
	struct field *f;
	struct csv csv;
	const char *fault;
};

static void
fault(struct reader *r, const char *what)
{
	if (r->fault == NULL)
		r->fault = what;
}

/* ---- values of a row ---- */

static struct bytes
value(struct reader *r, const char *column)
{
	int i = csv_column(&r->csv, column);

	if (i >= 0)
		return r->csv.field[i];
	fault(r, column);
	return BYTES_LIT("");
}

/* Joins texts in the field's own memory. */
static struct bytes
keep(struct reader *r, struct bytes a, const char *between, struct bytes b)
{
	struct buf *t = &r->f->text;
	size_t from = t->n;

	buf_put(t, a);
	buf_put_text(t, between);
	buf_put(t, b);
	if (t->failed) {
		fault(r, "room for the names");
		return BYTES_LIT("");
	}
	return bytes_of(t->p + from, t->n - from);
}

static struct bytes
text(struct reader *r, const char *column)
{
	struct bytes v = value(r, column);

	if (v.n == 0)
		fault(r, column);
	return keep(r, v, "", BYTES_LIT(""));
}

static bool
all_digits(struct bytes v, size_t n)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return v.n == n;
}

static struct bytes
code(struct reader *r, const char *column, size_t digits)
{
	if (!all_digits(value(r, column), digits))
		fault(r, column);
	return text(r, column);
}

static int
number(struct reader *r, const char *column, int max)
{
	uint64_t v = 0;

	if (decimal_decode(value(r, column), (uint64_t)max, &v) != ERR_OK)
		fault(r, column);
	return (int)v;
}

static int64_t
day(struct reader *r, const char *column)
{
	int64_t v = 0;

	if (date_decode(value(r, column), &v) != ERR_OK)
		fault(r, column);
	return v;
}

/* Position of the value in a list of words, from 1; 0 and a fault for another word. */
static int
word(struct reader *r, const char *column, const char *const *words, size_t count)
{
	struct bytes v = value(r, column);

	for (size_t i = 0; i < count; i++)
		if (bytes_equal_text(v, words[i]))
			return (int)i + 1;
	fault(r, column);
	return 0;
}
#define WORD(r, column, words) word((r), (column), (words), sizeof(words) / sizeof((words)[0]))

/* Is `a` the beginning of `b`? */
static bool
begins(struct bytes a, struct bytes b)
{
	return a.n <= b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* ---- tables ---- */

static void
table_add(struct table *t, const void *row)
{
	memcpy(field_row(t, t->count), row, t->size);
	t->count++;
}

/* Sorts, and finds a code that stands twice. */
static void
table_close(struct reader *r, struct table *t)
{
	if (t->count == 0) {
		fault(r, "no rows");
		return;
	}
	qsort(t->rows, t->count, t->size, field_code_order);
	for (size_t i = 1; i < t->count; i++)
		if (field_code_order(field_row(t, i - 1), field_row(t, i)) == 0)
			fault(r, "a code that stands twice");
}

/* ---- rows of each file ---- */

static void
document_row(struct reader *r)
{
	struct named n = {code(r, "code", 2), text(r, "name_zh")};
	struct document d;

	if (document_check(n.code, BYTES_LIT(""), &d) == ERR_TYPE_UNKNOWN)
		fault(r, "a type of document that the program cannot check");
	table_add(&r->f->documents, &n);
}

static void
region_row(struct reader *r)
{
	struct named n = {code(r, "code", 6), text(r, "name_zh")};

	table_add(&r->f->regions, &n);
}

/* "危险化学品" and "生产单位" make one name; "煤矿" and "煤矿企业" are one already. */
static struct bytes
joined(struct reader *r, const char *first, const char *between, const char *second)
{
	struct bytes a = value(r, first), b = value(r, second);

	if (a.n == 0 || b.n == 0)
		fault(r, second);
	return begins(a, b) ? keep(r, b, "", BYTES_LIT("")) : keep(r, a, between, b);
}

static void
management_row(struct reader *r)
{
	struct field_item m;

	m.code = code(r, "subtype_code", 6);
	m.person_type = code(r, "person_type_code", 2);
	m.category_zh = joined(r, "person_type_zh", "·", "industry_zh");
	m.name_zh = joined(r, "industry_zh", "", "subtype_zh");
	m.name_en = joined(r, "industry_en", ": ", "subtype_en");
	m.scope = BYTES_LIT("CN");
	if (!begins(code(r, "industry_code", 4), m.code) || !begins(m.person_type, m.code))
		fault(r, "subtype_code");
	if (!bytes_equal_text(m.person_type, "01") && !bytes_equal_text(m.person_type, "02"))
		fault(r, "person_type_code");
	table_add(&r->f->items, &m);
}

static void
scope_check(struct reader *r, struct bytes scope)
{
	if (!bytes_equal_text(scope, "CN") && !all_digits(scope, 6))
		fault(r, "scope");
}

/* A row without item code names a category, which stands before its items. */
static void
operation_row(struct reader *r)
{
	struct named category = {code(r, "category_code", 4), text(r, "name_zh")};
	const struct named *of = NULL;
	struct field_item m;

	if (value(r, "item_code").n == 0) {
		table_add(&r->f->categories, &category);
		return;
	}
	for (size_t i = 0; i < r->f->categories.count; i++) {
		const struct named *row = field_row(&r->f->categories, i);

		if (bytes_equal(row->code, category.code))
			of = row;
	}
	m.code = code(r, "item_code", 6);
	m.person_type = bytes_of(m.code.p, 2);
	m.category_zh = of == NULL ? BYTES_LIT("") : of->name_zh;
	m.name_zh = category.name_zh;
	m.name_en = text(r, "name_en");
	m.scope = text(r, "scope");
	if (of == NULL || !begins(category.code, m.code) || !bytes_start(m.code, "03"))
		fault(r, "item_code");
	scope_check(r, m.scope);
	if (r->fault == NULL)
		table_add(&r->f->items, &m);
}

static void
variant_row(struct reader *r)
{
	struct bytes item = code(r, "item_code", 6);

	if (field_item(r->f, item) == NULL)
		fault(r, "item_code");
	(void)code(r, "variant_code", 2);
	(void)text(r, "name_zh");
}

/* "01 02": each one of the known person types, one blank between. */
static void
person_types_read(struct reader *r, bool applies[PERSON_TYPES])
{
	struct bytes v = value(r, "person_types");

	memset(applies, 0, PERSON_TYPES * sizeof *applies);
	for (size_t i = 0; i + 2 <= v.n; i += 3) {
		int type = v.p[i] == '0' ? v.p[i + 1] - '0' : 0;

		if (type < 1 || type > PERSON_TYPES || (i + 2 < v.n && v.p[i + 2] != ' ')) {
			fault(r, "person_types");
			return;
		}
		applies[type - 1] = true;
	}
	if (v.n % 3 != 2)
		fault(r, "person_types");
}

/* Two policies for one person type on one day would leave the choice to chance. */
static void
overlap_check(struct reader *r, const struct policy *p)
{
	for (size_t i = 0; i < r->f->policies.count; i++) {
		const struct policy *q = field_row(&r->f->policies, i);

		for (size_t t = 0; t < PERSON_TYPES; t++)
			if (p->applies[t] && q->applies[t] && p->shown.from <= q->shown.to &&
			        q->shown.from <= p->shown.to)
				fault(r, "exam_from");
	}
}

static void
policy_row(struct reader *r)
{
	static const char *const answers[] = {"no", "yes"};
	struct policy p;

	memset(&p, 0, sizeof p);
	p.shown.id = text(r, "policy_id");
	person_types_read(r, p.applies);
	p.shown.from = day(r, "exam_from");
	p.shown.to = value(r, "exam_to").n == 0 ? INT64_MAX : day(r, "exam_to");
	p.shown.validity_years = number(r, "validity_years", YEARS_MAX);
	p.shown.review_years = number(r, "review_years", YEARS_MAX);
	p.shown.renewal_window_days = number(r, "renewal_window_days", WINDOW_DAYS_MAX);
	p.shown.age_min = number(r, "min_age", AGE_MAX);
	p.shown.pass_tenths = 10 * number(r, "pass_score", 100);
	p.shown.provisional = WORD(r, "provisional", answers) == 2;
	if (p.shown.from > p.shown.to)
		fault(r, "exam_to");
	if (p.shown.validity_years < 1 || p.shown.review_years >= p.shown.validity_years)
		fault(r, "review_years");
	overlap_check(r, &p);
	table_add(&r->f->policies, &p);
}

/* Reasons that the published lists may carry (FORMATS.md section 5). */
static int
crl_reason(struct reader *r)
{
	int v = 0;

	if (value(r, "crl_reason").n == 0)
		return -1;
	v = number(r, "crl_reason", 9);
	if (v != 4 && v != 5 && v != 6 && v != 9)
		fault(r, "crl_reason");
	return v;
}

/* DESIGN.md section 4: whatever makes a certificate INVALID takes two officials and a reason. */
static bool
ends_validity(enum ground_kind kind)
{
	return kind == GROUND_REVOKE || kind == GROUND_WITHDRAW || kind == GROUND_CANCEL ||
	       kind == GROUND_VOID;
}

static void
ground_row(struct reader *r)
{
	static const char *const kinds[] = {"revoke", "withdraw", "cancel", "lapse", "suspend",
	        "advisory", "supersede", "void", "flag"};
	static const char *const effects[] = {
	        "ex_nunc", "ex_tunc", "case_by_case", "from_time", "follows_revoke", "n/a"};
	struct field_ground g;

	g.code = text(r, "code");
	g.name_zh = text(r, "name_zh");
	g.name_en = text(r, "name_en");
	g.public_zh = text(r, "public_text_zh");
	g.kind = (enum ground_kind)WORD(r, "kind", kinds);
	g.effect = (enum ground_effect)WORD(r, "effect", effects);
	g.ban_months = number(r, "reapply_ban_months", BAN_MONTHS_MAX);
	g.officials = number(r, "officials_needed", 8);
	g.crl_reason = crl_reason(r);
	if (ends_validity(g.kind) && (g.officials < 2 || g.crl_reason < 0))
		fault(r, "officials_needed");
	table_add(&r->f->grounds, &g);
}

/* ---- whole files ---- */

struct file_kind {
	enum field_file file;
	void (*row)(struct reader *r);
};

/* Items before the variants that name them. */
static const struct file_kind kinds[] = {
        {FILE_DOCUMENTS, document_row},
        {FILE_REGIONS, region_row},
        {FILE_MANAGEMENT, management_row},
        {FILE_OPERATIONS, operation_row},
        {FILE_VARIANTS, variant_row},
        {FILE_POLICIES, policy_row},
        {FILE_GROUNDS, ground_row},
};

static void
tables_close(struct reader *r, enum field_file file)
{
	struct field *f = r->f;

	if (file == FILE_DOCUMENTS)
		table_close(r, &f->documents);
	if (file == FILE_REGIONS)
		table_close(r, &f->regions);
	if (file == FILE_OPERATIONS) {
		table_close(r, &f->items);
		table_close(r, &f->categories);
	}
	if (file == FILE_POLICIES)
		table_close(r, &f->policies);
	if (file == FILE_GROUNDS)
		table_close(r, &f->grounds);
}

static enum err
file_read(struct field *f, const struct file_kind *kind, struct bytes in)
{
	struct reader r = {.f = f, .fault = NULL};
	enum err e = csv_init(&r.csv, in);

	while (e == ERR_OK && r.fault == NULL && csv_next(&r.csv, &e))
		kind->row(&r);
	if (e != ERR_OK)
		fault(&r, err_word(e));
	if (r.fault == NULL)
		tables_close(&r, kind->file);
	if (r.fault == NULL)
		return ERR_OK;
	log_fault("field_data", "file=%s line=%u what=\"%s\"", field_file_name(kind->file),
	        r.csv.line, r.fault);
	return ERR_CONFIG;
}

/* What only all files together can show. */
static enum err
field_check(const struct field *f)
{
	for (size_t i = 0; i < f->items.count; i++) {
		const struct field_item *m = field_row(&f->items, i);

		if (!bytes_equal_text(m->scope, "CN") && !field_region_known(f, m->scope)) {
			log_fault("field_data", "file=operations.csv what=scope");
			return ERR_CONFIG;
		}
	}
	/* each person type is served by some policy that is still open */
	for (size_t t = 0; t < PERSON_TYPES; t++) {
		bool open = false;

		for (size_t i = 0; i < f->policies.count; i++) {
			const struct policy *p = field_row(&f->policies, i);

			open = open || (p->applies[t] && p->shown.to == INT64_MAX);
		}
		if (!open) {
			log_fault("field_data", "file=policies.csv what=person_types");
			return ERR_CONFIG;
		}
	}
	return ERR_OK;
}

static size_t
lines(struct bytes in)
{
	size_t n = 1;

	for (size_t i = 0; i < in.n; i++)
		n += in.p[i] == '\n' ? 1 : 0;
	return n;
}

static bool
table_make(struct table *t, size_t size, size_t rows_max)
{
	*t = (struct table){calloc(rows_max, size), 0, size};
	return t->rows != NULL;
}

static enum err
tables_make(struct field *f, const struct bytes files[FIELD_FILE_COUNT])
{
	size_t operations = lines(files[FILE_OPERATIONS]), bytes = 0;

	for (size_t i = 0; i < FIELD_FILE_COUNT; i++)
		bytes += files[i].n;
	/* a management row's industry goes into two names */
	f->text = buf_init(malloc(2 * bytes), 2 * bytes);
	if (f->text.p == NULL ||
	        !table_make(&f->items, sizeof(struct field_item),
	                operations + lines(files[FILE_MANAGEMENT])) ||
	        !table_make(&f->categories, sizeof(struct named), operations) ||
	        !table_make(&f->policies, sizeof(struct policy), lines(files[FILE_POLICIES])) ||
	        !table_make(&f->grounds, sizeof(struct field_ground), lines(files[FILE_GROUNDS])) ||
	        !table_make(&f->documents, sizeof(struct named), lines(files[FILE_DOCUMENTS])) ||
	        !table_make(&f->regions, sizeof(struct named), lines(files[FILE_REGIONS])))
		return ERR_MEMORY;
	return ERR_OK;
}

enum err
field_read(const struct bytes files[FIELD_FILE_COUNT], struct field **out)
{
	struct field *f = calloc(1, sizeof *f);
	enum err e = ERR_OK;

	if (f == NULL)
		return ERR_MEMORY;
	e = tables_make(f, files);
	for (size_t i = 0; e == ERR_OK && i < sizeof kinds / sizeof kinds[0]; i++)
		e = file_read(f, &kinds[i], files[kinds[i].file]);
	if (e == ERR_OK)
		e = field_check(f);
	if (e != ERR_OK) {
		field_free(f);
		return e;
	}
	sha256(files, FIELD_FILE_COUNT, f->sha256);
	*out = f;
	return ERR_OK;
}
