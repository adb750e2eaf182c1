/* metrics.c - counters that any thread adds to, and their text; a counter never falls. */
#include "metrics.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum type { counter, gauge };

struct row {
	enum type type;
	const char *name, *label, *unit, *help;
};

static const struct row rows[METRICS_COUNT] = {
#define X(id, type, name, label, unit, help) [id] = {type, name, label, unit, help},
        METRICS_LIST(X)
#undef X
};

void
metrics_init(struct metrics *m)
{
	for (size_t i = 0; i < METRICS_COUNT; i++)
		atomic_init(&m->at[i], 0);
}

void
metrics_add(struct metrics *m, enum metric which, uint64_t n)
{
	if (m != NULL)
		atomic_fetch_add_explicit(&m->at[which], n, memory_order_relaxed);
}

void
metrics_sub(struct metrics *m, enum metric which, uint64_t n)
{
	assert(rows[which].type == gauge);
	if (m != NULL)
		atomic_fetch_sub_explicit(&m->at[which], n, memory_order_relaxed);
}

void
metrics_set(struct metrics *m, enum metric which, uint64_t n)
{
	assert(rows[which].type == gauge);
	if (m != NULL)
		atomic_store_explicit(&m->at[which], n, memory_order_relaxed);
}

uint64_t
metrics_get(const struct metrics *m, enum metric which)
{
	return atomic_load_explicit(&m->at[which], memory_order_relaxed);
}

static void
put_head(const struct row *row, struct buf *out)
{
	buf_put_text(out, "# HELP ");
	buf_put_text(out, row->name);
	buf_put_text(out, " ");
	buf_put_text(out, row->help);
	buf_put_text(out, "\n# TYPE ");
	buf_put_text(out, row->name);
	buf_put_text(out, row->type == counter ? " counter\n" : " gauge\n");
}

/* Microseconds as seconds with six digits: no binary fraction on the way. */
static void
put_value(const struct row *row, uint64_t v, struct buf *out)
{
	char text[32];

	if (strcmp(row->unit, "1") == 0) {
		buf_put_decimal(out, v);
		return;
	}
	snprintf(text, sizeof text, "%llu.%06u", (unsigned long long)(v / 1000000),
	        (unsigned)(v % 1000000));
	buf_put_text(out, text);
}

enum err
metrics_text(const struct metrics *m, struct buf *out)
{
	const char *last = "";

	for (size_t i = 0; i < METRICS_COUNT; i++) {
		const struct row *row = &rows[i];

		if (strcmp(row->name, last) != 0)
			put_head(row, out);
		last = row->name;
		buf_put_text(out, row->name);
		if (row->label[0] != '\0') {
			buf_put_text(out, "{");
			buf_put_text(out, row->label);
			buf_put_text(out, "}");
		}
		buf_put_text(out, " ");
		put_value(row, metrics_get(m, (enum metric)i), out);
		buf_put_text(out, "\n");
	}
	return buf_end(out);
}
