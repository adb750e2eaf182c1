/* bench_fill.c - an instance of many certificates, all really issued; its memory is written down as
 * it grows, since what grows with the log shows only there. */
#include "bench_part.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEATS = 60, CONNECTIONS = 8, SESSIONS = 1600, STEPS_MAX = 2000, MIB = 1 << 20 };

struct step {
	double certificates, front, signer; /* MiB */
};

static void
memory_path(const struct bench_run *r, char out[BENCH_TEXT_MAX])
{
	snprintf(out, BENCH_TEXT_MAX, "%s/bench-memory.txt", r->in.dir);
}

static void
step_write(const struct bench_run *r, double certificates)
{
	char path[BENCH_TEXT_MAX];
	FILE *to;

	memory_path(r, path);
	if ((to = fopen(path, "a")) == NULL)
		return;
	fprintf(to, "%.0f %.2f %.2f\n", certificates,
	        (double)bench_process_rss(r->in.processes[BENCH_FRONT]) / MIB,
	        (double)bench_process_rss(r->in.processes[BENCH_SIGNER]) / MIB);
	if (fclose(to) != 0)
		fprintf(stderr, "zz-bench: %s cannot be written\n", path);
}

enum err
bench_fill(struct bench_run *r, uint64_t certificates)
{
	struct bench_issue what = {.seats = SEATS, .connections = CONNECTIONS};
	struct bench_sample s;
	double there = 0, began = bench_clock_s(), before;
	enum err e = bench_sql_number(&r->in, "zz", "SELECT size FROM zz.log_head", &there);

	before = there;
	while (e == ERR_OK && there < (double)certificates) {
		double left = ((double)certificates - there) / SEATS + 1;

		what.sessions = left < SESSIONS ? (size_t)left : SESSIONS;
		/* the log is at least as long as the people are many */
		what.people = (uint64_t)there + 1;
		if ((e = bench_sample_issue(r, &what, &s)) != ERR_OK)
			break;
		if ((e = bench_sql_number(&r->in, "zz", "SELECT size FROM zz.log_head", &there)) !=
		        ERR_OK)
			break;
		step_write(r, there);
		fprintf(stderr, "\rzz-bench fill: %.0f of %" PRIu64 ", %.0f/s, %.0f/s in all  ",
		        there, certificates, s.rate, (there - before) / (bench_clock_s() - began));
	}
	fputc('\n', stderr);
	if (e == ERR_OK)
		bench_row(r, "fill_certificates", "entries of the log", "", there);
	if (e == ERR_OK && there > before)
		bench_row(r, "fill_per_second", "  issued now, a second, pauses included", "1/s",
		        (there - before) / (bench_clock_s() - began));
	return e;
}

static size_t
steps_read(const struct bench_run *r, struct step *steps)
{
	char path[BENCH_TEXT_MAX], line[100], *at;
	size_t n = 0;
	FILE *in;

	memory_path(r, path);
	if ((in = fopen(path, "r")) == NULL)
		return 0;
	while (n < STEPS_MAX && fgets(line, sizeof line, in) != NULL) {
		steps[n].certificates = strtod(line, &at);
		steps[n].front = strtod(at, &at);
		steps[n++].signer = strtod(at, &at);
	}
	fclose(in);
	return n;
}

/* Of what fill wrote down: the end, and the end beside the middle. */
enum err
bench_part_memory(struct bench_run *r)
{
	struct step *steps = calloc(STEPS_MAX, sizeof *steps);
	const struct step *end, *half;
	size_t n = steps != NULL ? steps_read(r, steps) : 0;
	const double front = (double)bench_process_rss(r->in.processes[BENCH_FRONT]) / MIB;
	const double signer = (double)bench_process_rss(r->in.processes[BENCH_SIGNER]) / MIB;

	bench_goal_add(r->goals,
	        (struct bench_row){"front_mib", "memory of issuerd, now", "MiB", 64, front});
	bench_goal_add(r->goals,
	        (struct bench_row){"signer_mib", "memory of ca-signer, now", "MiB", 64, signer});
	if (n >= 4) {
		end = &steps[n - 1];
		for (half = steps; half->certificates < end->certificates / 2; half++)
			;
		bench_row(r, "memory_certificates", "  fill wrote it down until, entries", "",
		        end->certificates);
		bench_goal_add(r->goals,
		        (struct bench_row){"front_growth", "  issuerd, end / half of the fill", "",
		                1.1, end->front / half->front});
		bench_goal_add(r->goals,
		        (struct bench_row){"signer_growth", "  ca-signer, end / half of the fill",
		                "", 1.1, end->signer / half->signer});
	}
	free(steps);
	return ERR_OK;
}
