/* pg_params.c - builds parameters in PostgreSQL's binary formats; the first failure sticks and
 * nothing is written after it. */
#include "pg.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25 };

static const struct {
	uint32_t oid;
	unsigned width; /* 0: variable */
} types[] = {
        [PG_INT2] = {OID_INT2, 2},
        [PG_INT4] = {OID_INT4, 4},
        [PG_INT8] = {OID_INT8, 8},
        [PG_BOOL] = {OID_BOOL, 1},
        [PG_TEXT] = {OID_TEXT, 0},
        [PG_BYTEA] = {OID_BYTEA, 0},
};

static void
fail(struct pg_params *p, enum err e)
{
	if (p->failed == ERR_OK)
		p->failed = e;
}

/* Room for n more bytes, or NULL after a failure. */
static uint8_t *
room(struct pg_params *p, size_t n)
{
	if (p->failed != ERR_OK)
		return NULL;
	if (n > PG_BYTES_MAX - p->n) {
		fail(p, ERR_LIMIT);
		return NULL;
	}
	if (n > p->cap - p->n) {
		size_t cap = (p->n + n) * 2 + 256;
		uint8_t *grown = realloc(p->p, cap);
		if (grown == NULL) {
			fail(p, ERR_MEMORY);
			return NULL;
		}
		p->p = grown;
		p->cap = cap;
	}
	p->n += n;
	return p->p + p->n - n;
}

static void
put_number(struct pg_params *p, uint64_t v, unsigned width)
{
	uint8_t *to = room(p, width);
	if (to != NULL)
		be_put(to, v, width);
}

static void
put_raw(struct pg_params *p, struct bytes v)
{
	uint8_t *to = room(p, v.n);
	if (to != NULL && v.n > 0)
		memcpy(to, v.p, v.n);
}

static void
put_value(struct pg_params *p, enum pg_type type, int64_t v)
{
	unsigned width = types[type].width;
	assert(width > 0);
	int64_t max = (int64_t)(UINT64_MAX >> (64 - 8 * width + 1));
	if (type == PG_BOOL ? (v != 0 && v != 1) : (v > max || v < -max - 1)) {
		fail(p, ERR_VALUE);
		return;
	}
	put_number(p, width == 8 ? (uint64_t)v : (uint64_t)v & ((UINT64_C(1) << (8 * width)) - 1),
	        width);
}

static void
begin(struct pg_params *p)
{
	assert(p->count < PG_PARAMS_MAX);
	p->start[p->count++] = p->n;
}

void
pg_params_init(struct pg_params *p)
{
	*p = (struct pg_params){.failed = ERR_OK};
}

void
pg_params_free(struct pg_params *p)
{
	free(p->p);
	pg_params_init(p);
}

void
pg_put_int(struct pg_params *p, enum pg_type type, int64_t v)
{
	begin(p);
	put_value(p, type, v);
}

void
pg_put_bytes(struct pg_params *p, struct bytes v)
{
	begin(p);
	put_raw(p, v);
}

void
pg_array(struct pg_params *p, enum pg_type type, size_t count)
{
	begin(p);
	if (count > INT32_MAX) {
		fail(p, ERR_LIMIT);
		return;
	}
	put_number(p, count > 0, 4); /* dimensions */
	put_number(p, 0, 4);         /* holds no NULL */
	put_number(p, types[type].oid, 4);
	if (count == 0)
		return;
	put_number(p, count, 4);
	put_number(p, 1, 4); /* first subscript */
}

void
pg_item_int(struct pg_params *p, enum pg_type type, int64_t v)
{
	put_number(p, types[type].width, 4);
	put_value(p, type, v);
}

void
pg_item_bytes(struct pg_params *p, struct bytes v)
{
	if (v.n > INT32_MAX) {
		fail(p, ERR_LIMIT);
		return;
	}
	put_number(p, v.n, 4);
	put_raw(p, v);
}

static void
column_item(struct pg_params *p, enum pg_type type, const uint8_t *from)
{
	if (type == PG_TEXT || type == PG_BYTEA) {
		struct bytes v;
		memcpy(&v, from, sizeof v);
		pg_item_bytes(p, v);
		return;
	}
	if (type == PG_INT8) {
		int64_t v; /* an unsigned member above INT64_MAX comes out negative: the CHECKs of
		              the table refuse it */
		memcpy(&v, from, sizeof v);
		pg_item_int(p, type, v);
		return;
	}
	assert(type == PG_INT2 || type == PG_INT4);
	int32_t v;
	memcpy(&v, from, sizeof v);
	pg_item_int(p, type, v);
}

void
pg_column(struct pg_params *p, enum pg_type type, const void *first, size_t stride, size_t count)
{
	pg_array(p, type, count);
	for (size_t i = 0; i < count; i++)
		column_item(p, type, (const uint8_t *)first + i * stride);
}
