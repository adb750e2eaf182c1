/* field.c - look-ups in the field's data: sorted tables, read once at start and never changed. */
#include "field_data.h"

#include <stdlib.h>
#include <string.h>

int
field_code_order(const void *a, const void *b)
{
	struct bytes x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return bytes_compare(x, y);
}

void *
field_row(const struct table *t, size_t i)
{
	return (uint8_t *)t->rows + i * t->size;
}

static const void *
table_find(const struct table *t, struct bytes key)
{
	return t->count == 0 ? NULL : bsearch(&key, t->rows, t->count, t->size, field_code_order);
}

static struct bytes
name_find(const struct table *t, struct bytes code)
{
	const struct named *n = table_find(t, code);

	return n == NULL ? BYTES_LIT("") : n->name_zh;
}

enum err
field_open(struct field **out)
{
	struct bytes files[FIELD_FILE_COUNT];

	for (unsigned i = 0; i < FIELD_FILE_COUNT; i++)
		files[i] = field_file_bytes((enum field_file)i);
	return field_read(files, out);
}

void
field_free(struct field *f)
{
	if (f == NULL)
		return;
	free(f->items.rows);
	free(f->policies.rows);
	free(f->grounds.rows);
	free(f->documents.rows);
	free(f->regions.rows);
	free(f->categories.rows);
	free(f->text.p);
	free(f);
}

const struct field_item *
field_item(const struct field *f, struct bytes code)
{
	return table_find(&f->items, code);
}

const struct field_policy *
field_policy(const struct field *f, const struct field_item *item, int64_t day)
{
	size_t type = (size_t)(item->person_type.p[1] - '1');

	for (size_t i = 0; i < f->policies.count; i++) {
		const struct policy *p = field_row(&f->policies, i);

		if (p->applies[type] && p->shown.from <= day && day <= p->shown.to)
			return &p->shown;
	}
	return NULL;
}

const struct field_policy *
field_policy_by_id(const struct field *f, struct bytes id)
{
	const struct policy *p = table_find(&f->policies, id);

	return p == NULL ? NULL : &p->shown;
}

const struct field_ground *
field_ground(const struct field *f, struct bytes code)
{
	return table_find(&f->grounds, code);
}

bool
field_region_known(const struct field *f, struct bytes code)
{
	return table_find(&f->regions, code) != NULL;
}

struct bytes
field_region_name(const struct field *f, struct bytes code)
{
	return name_find(&f->regions, code);
}

struct bytes
field_document_name(const struct field *f, struct bytes code)
{
	return name_find(&f->documents, code);
}

void
field_sha256(const struct field *f, uint8_t out[SHA256_BYTES])
{
	memcpy(out, f->sha256, SHA256_BYTES);
}

bool
field_provisional(const struct field *f, struct buf *ids)
{
	bool any = false;

	for (size_t i = 0; i < f->policies.count; i++) {
		const struct policy *p = field_row(&f->policies, i);

		if (!p->shown.provisional)
			continue;
		if (any)
			buf_put_text(ids, " ");
		buf_put(ids, p->shown.id);
		any = true;
	}
	return any;
}
