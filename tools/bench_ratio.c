/* bench_ratio.c - two signers side by side in one run, by turns, so that whatever else the machine
 * does falls on both. */
#include "bench_child.h"
#include "bench_revoke.h"
#include "bench_signer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FEW, MANY, SIDES };

struct side {
	char dir[BENCH_PATH_MAX + 16];
	struct bench_signer signer;
	double *clock_s, *cpu_s;
};

int
bench_double_order(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
median(double *values, unsigned count)
{
	qsort(values, count, sizeof *values, bench_double_order);
	return values[count / 2];
}

static enum err
side_open(struct side *s, const char *dir, unsigned which, unsigned count, int64_t now)
{
	enum err e;

	snprintf(s->dir, sizeof s->dir, "%s/%u", dir, which);
	s->clock_s = calloc(count, sizeof *s->clock_s);
	s->cpu_s = calloc(count, sizeof *s->cpu_s);
	if (s->clock_s == NULL || s->cpu_s == NULL)
		return ERR_MEMORY;
	if (mkdir(s->dir, 0700) != 0)
		return ERR_IO;
	if ((e = bench_authority(s->dir)) != ERR_OK ||
	        (e = bench_signer_open(s->dir, now, &s->signer)) != ERR_OK)
		return e;
	return bench_signer_issue(&s->signer, count);
}

static void
side_close(struct side *s)
{
	bench_signer_close(&s->signer);
	free(s->clock_s);
	free(s->cpu_s);
}

static void
rows_add(struct side *sides, unsigned count, struct bench_goals *g)
{
	double few = median(sides[FEW].clock_s, count), many = median(sides[MANY].clock_s, count);
	double few_cpu = median(sides[FEW].cpu_s, count);
	double many_cpu = median(sides[MANY].cpu_s, count);

	bench_goal_add(g, (struct bench_row){"none_ms",
	                          "signer alone, none revoked: ORDER, PREPARE, EXTEND (median)",
	                          "ms", 0, few * 1000});
	bench_goal_add(g, (struct bench_row){"many_ms",
	                          "  after a million (--revoked) others in the same list", "ms", 0,
	                          many * 1000});
	bench_goal_add(g, (struct bench_row){"ratio", "  the ratio of both", "", 1.2, many / few});
	bench_goal_add(g, (struct bench_row){"cpu_ratio", "  the ratio of their processor times",
	                          "", 1.2, many_cpu / few_cpu});
}

static enum err
measure(const struct bench_revocations *r, struct side *sides, const char *dir, int64_t now)
{
	enum err e;

	if ((e = side_open(&sides[FEW], dir, FEW, r->count, now)) != ERR_OK ||
	        (e = side_open(&sides[MANY], dir, MANY, r->count, now)) != ERR_OK ||
	        (e = bench_signer_fill(&sides[MANY].signer, r->revoked)) != ERR_OK)
		return e;
	for (unsigned i = 0; i < r->count; i++)
		for (unsigned k = 0; k < SIDES; k++) {
			struct side *s = &sides[(i + k) % SIDES];

			e = bench_signer_revoke(&s->signer, i, &s->clock_s[i], &s->cpu_s[i]);
			if (e != ERR_OK)
				return e;
		}
	return ERR_OK;
}

enum err
bench_revoke_ratio(const struct bench_revocations *r, int64_t now, struct bench_goals *out)
{
	struct side *sides = calloc(SIDES, sizeof *sides);
	char dir[BENCH_PATH_MAX];
	enum err e = sides == NULL ? ERR_MEMORY : bench_folder_make(dir);

	if (e == ERR_OK) {
		e = measure(r, sides, dir, now);
		if (e == ERR_OK)
			rows_add(sides, r->count, out);
		for (unsigned i = 0; i < SIDES; i++)
			side_close(&sides[i]);
		bench_folder_remove(dir);
	}
	free(sides);
	return e;
}
