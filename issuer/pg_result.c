/* pg_result.c - reads rows of PostgreSQL's binary formats; what is not as expected sets a flag that
 * is checked once. */
#include "log.h"
#include "pg.h"

#include <assert.h>
#include <string.h>

enum { ARRAY_HEAD_BYTES = 20 };

static struct bytes
next(struct pg_row *row)
{
	struct bytes v = bytes_of(NULL, 0);
	if (!pg_value(row->r, row->row, row->column++, &v))
		row->failed = true;
	return v;
}

static int64_t
signed_of(struct bytes v)
{
	uint64_t u = be_get(v.p, (unsigned)v.n);
	unsigned spare = 64 - 8 * (unsigned)v.n;
	int64_t s;
	u <<= spare;
	memcpy(&s, &u, sizeof s);
	return s / (INT64_C(1) << spare); /* exact: the low bits are zero */
}

struct pg_row
pg_row(const struct pg_result *r, size_t row)
{
	assert(row < pg_rows(r));
	return (struct pg_row){.r = r, .row = (int)row};
}

int64_t
pg_next_int(struct pg_row *row)
{
	struct bytes v = next(row);
	if (v.n == 1)
		return v.p[0];
	if (v.n == 8) {
		uint64_t u = be_get(v.p, 8);
		int64_t s;
		memcpy(&s, &u, sizeof s);
		return s;
	}
	if (v.n == 2 || v.n == 4)
		return signed_of(v);
	row->failed = true;
	return 0;
}

uint64_t
pg_next_uint(struct pg_row *row)
{
	int64_t v = pg_next_int(row);
	if (v >= 0)
		return (uint64_t)v;
	row->failed = true;
	return 0;
}

struct bytes
pg_next_bytes(struct pg_row *row)
{
	return next(row);
}

struct bytes
pg_next_fixed(struct pg_row *row, size_t n)
{
	struct bytes v = next(row);
	if (v.n != n)
		row->failed = true;
	return v;
}

struct pg_ints
pg_next_ints(struct pg_row *row)
{
	struct pg_ints a = {.count = 0};
	struct bytes v = next(row);
	if (v.n == 12 && be_get(v.p, 4) == 0)
		return a;
	if (v.n < ARRAY_HEAD_BYTES || be_get(v.p, 4) != 1 || be_get(v.p + 4, 4) != 0) {
		row->failed = true;
		return a;
	}
	a.count = (size_t)be_get(v.p + 12, 4);
	a.items = bytes_skip(v, ARRAY_HEAD_BYTES);
	a.width = a.count == 0 ? 0 : (unsigned)(a.items.n / a.count - 4);
	if (a.count == 0 || (a.width != 2 && a.width != 4) ||
	        a.items.n != a.count * (4 + a.width)) {
		row->failed = true;
		a = (struct pg_ints){.count = 0};
	}
	return a;
}

int32_t
pg_ints_get(const struct pg_ints *a, size_t i)
{
	assert(i < a->count);
	return (int32_t)signed_of(bytes_of(a->items.p + i * (4 + a->width) + 4, a->width));
}

enum err
pg_row_end(const struct pg_row *row)
{
	if (!row->failed && row->column == pg_columns(row->r))
		return ERR_OK;
	log_fault("database_result", "row=%d column=%d", row->row, row->column);
	return ERR_INTERNAL;
}
