/* audit_found.c - findings and progress: the first difference is told when it is met, all are
 * counted by table and column. */
#include "audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TOLD_EACH = 3, BAR = 30 };

static const struct {
	const char *table, *column, *kind;
} columns[] = {
#define X(id, table, column, kind) {table, column, #kind},
        AUDIT_COLUMNS(X)
#undef X
};

const char *
audit_table(enum audit_column c)
{
	return columns[c].table;
}

const char *
audit_column(enum audit_column c)
{
	return columns[c].column;
}

const char *
audit_kind(enum audit_column c)
{
	return columns[c].kind;
}

void
audit_found_add(struct audit_found *f, enum audit_column c)
{
	for (unsigned i = 0; i < f->count; i++)
		if (f->column[i] == c)
			return;
	if (f->count < AUDIT_FOUND_MAX)
		f->column[f->count++] = (uint8_t)c;
}

static struct audit_tally *
tally_of(struct audit *a, const char *table, const char *column)
{
	struct audit_tally *t;

	for (unsigned i = 0; i < a->tally_count; i++)
		if (strcmp(a->tallies[i].table, table) == 0 &&
		        strcmp(a->tallies[i].column, column) == 0)
			return &a->tallies[i];
	/* the last one takes what does not fit */
	if (a->tally_count == AUDIT_TALLIES_MAX)
		return &a->tallies[AUDIT_TALLIES_MAX - 1];
	t = &a->tallies[a->tally_count++];
	snprintf(t->table, sizeof t->table, "%s", table);
	snprintf(t->column, sizeof t->column, "%s", column);
	return t;
}

static void
bar_wipe(const struct audit *a)
{
	if (a->o->progress && a->shown_ms != 0)
		fputs("\r\033[K", stderr);
}

void
audit_differ(
        struct audit *a, const char *table, const char *column, const char *key, const char *why)
{
	struct audit_tally *t = tally_of(a, table, column);

	a->differences++;
	if (t->count++ >= TOLD_EACH)
		return;
	bar_wipe(a);
	printf("%s %s %s %s%s%s\n", a->differences == 1 ? "first" : "differs", table, column, key,
	        why == NULL ? "" : ": ", why == NULL ? "" : why);
}

void
audit_differ_at(struct audit *a, enum audit_column c, const char *key, const char *why)
{
	audit_differ(a, columns[c].table, columns[c].column, key, why);
}

void
audit_differ_n(struct audit *a, enum audit_column c, const char *name, uint64_t n, const char *why)
{
	char key[80];

	snprintf(key, sizeof key, "%s=%" PRIu64, name, n);
	audit_differ_at(a, c, key, why);
}

void
audit_found_tell(struct audit *a, const struct audit_found *f, const char *key, const char *why)
{
	for (unsigned i = 0; i < f->count; i++)
		audit_differ_at(a, (enum audit_column)f->column[i], key, why);
}

void
audit_summary(const struct audit *a)
{
	bar_wipe(a);
	for (unsigned i = 0; i < a->tally_count; i++)
		printf("count %s %s %" PRIu64 "\n", a->tallies[i].table, a->tallies[i].column,
		        a->tallies[i].count);
}

int64_t
audit_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
bar_show(struct audit *a)
{
	char bar[BAR + 1];
	uint64_t total = a->total == 0 ? 1 : a->total;
	uint64_t filled = a->done >= total ? BAR : a->done * BAR / total;

	memset(bar, '.', BAR);
	memset(bar, '#', (size_t)filled);
	bar[BAR] = '\0';
	fprintf(stderr, "\r%-12s [%s] %" PRIu64 " of %" PRIu64 ", %" PRId64 " s \033[K", a->phase,
	        bar, a->done, a->total, (a->shown_ms - a->began_ms) / 1000);
	fflush(stderr);
}

void
audit_step(struct audit *a, uint64_t done)
{
	int64_t now = audit_ms();

	a->done = done;
	if (!a->o->progress || now < a->shown_ms + 200)
		return;
	a->shown_ms = now;
	bar_show(a);
}

void
audit_phase(struct audit *a, const char *name, uint64_t total)
{
	a->phase = name;
	a->total = total;
	audit_step(a, 0);
}

void *
audit_grow(void *p, size_t count, size_t size)
{
	void *grown = reallocarray(p, count == 0 ? 1 : count, size);

	if (grown == NULL) {
		fputs("zz-audit: out of memory\n", stderr);
		exit(3);
	}
	return grown;
}
