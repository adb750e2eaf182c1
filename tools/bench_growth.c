/* bench_growth.c - a large instance beside a small one of the same machine, by turns; and what a
 * certificate adds to the write-ahead log of the large one. */
#include "bench_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 10000, WAL_BYTES_GOAL = 1300, LSN_BYTES = 40 };

/* Numbers of the total of pg_waldump --stats: records, their bytes, full-page images. */
static enum err
total_read(const char *text, double out[3])
{
	const char *at = strstr(text, "\nTotal");
	char *end;

	if (at == NULL)
		return ERR_DATABASE;
	at += strlen("\nTotal");
	for (int i = 0; i < 3; i++) {
		out[i] = strtod(at, &end);
		if (end == at)
			return ERR_DATABASE;
		at = end + strspn(end, " ");
		if (*at == '[' && (at = strchr(at, ']')) != NULL)
			at++;
		if (at == NULL)
			return ERR_DATABASE;
	}
	return ERR_OK;
}

static enum err
lsn_read(const struct bench_run *r, char out[LSN_BYTES])
{
	enum err e =
	        bench_sql_text(&r->in, "zz", "SELECT pg_current_wal_insert_lsn()", out, LSN_BYTES);

	out[strcspn(out, "\n")] = '\0';
	return e;
}

struct wal {
	double records_bytes, images_bytes, request_bytes; /* of all slices */
	double certificates;
};

static enum err
wal_take(struct bench_run *r, const char *from, double first, double certificates, struct wal *w)
{
	char path[BENCH_TEXT_MAX], to[LSN_BYTES], text[BENCH_ANSWER_MAX], sql[300];
	const char *const arguments[] = {
	        "pg_waldump", "--stats", "-p", path, "-s", from, "-e", to, NULL};
	double total[3], requests;
	enum err e;

	snprintf(path, sizeof path, "%s/pg/data/pg_wal", r->in.dir);
	snprintf(sql, sizeof sql,
	        "SELECT coalesce(sum(octet_length(jws)), 0) FROM zz.request WHERE id IN (SELECT "
	        "request FROM zz.certificate WHERE idx >= %.0f)",
	        first);
	if ((e = lsn_read(r, to)) != ERR_OK ||
	        (e = bench_sql(&r->in, "zz", "SELECT pg_switch_wal()")) != ERR_OK ||
	        (e = bench_database_run(&r->in, arguments, text, sizeof text)) != ERR_OK ||
	        (e = total_read(text, total)) != ERR_OK ||
	        (e = bench_sql_number(&r->in, "zz", sql, &requests)) != ERR_OK)
		return e;
	w->records_bytes += total[1];
	w->images_bytes += total[2];
	w->request_bytes += requests;
	w->certificates += certificates;
	return ERR_OK;
}

static enum err
large_slice(struct bench_run *r, const struct bench_issue *what, double *rate, struct wal *w)
{
	struct bench_sample s;
	char from[LSN_BYTES];
	double first = 0;
	enum err e;

	if ((e = bench_sql_number(&r->in, "zz", "SELECT size FROM zz.log_head", &first)) !=
	                ERR_OK ||
	        (e = lsn_read(r, from)) != ERR_OK ||
	        (e = bench_sample_issue(r, what, &s)) != ERR_OK)
		return e;
	*rate = s.rate;
	return wal_take(r, from, first, (double)s.driven.needles, w);
}

static void
rows_add(struct bench_run *r, double *large, double *small, const struct wal *w)
{
	double a = bench_median(large, BENCH_ROUNDS), b = bench_median(small, BENCH_ROUNDS);

	bench_row(r, "growth_large", "certificates/s with the rows of this instance", "1/s", a);
	bench_row(r, "growth_small", "certificates/s of a small one, from 10,000 on", "1/s", b);
	bench_goal_add(r->goals, (struct bench_row){"growth_ratio", "  the ratio of both", "",
	                                 BENCH_AT_LEAST(0.85), a / b});
	bench_goal_add(r->goals,
	        (struct bench_row){"wal_bytes",
	                "WAL a certificate, besides request bytes and page images", "B",
	                WAL_BYTES_GOAL, (w->records_bytes - w->request_bytes) / w->certificates});
	bench_row(r, "wal_request_bytes", "  request bytes a certificate", "B",
	        w->request_bytes / w->certificates);
	bench_row(r, "wal_image_bytes", "  full-page images a certificate", "B",
	        w->images_bytes / w->certificates);
}

static enum err
measure(struct bench_run *r, struct bench_run *small)
{
	const struct bench_issue what = {.seats = 60,
	        .connections = 8,
	        .seconds = r->in.seconds,
	        .sessions = (size_t)r->in.seconds * 400};
	double rates[2][BENCH_ROUNDS], there = 0;
	struct bench_sample s;
	struct wal w = {0};
	enum err e = bench_fill(small, SMALL);

	if (e == ERR_OK)
		e = bench_sql_number(&r->in, "zz", "SELECT count(*) FROM zz.certificate", &there);
	for (unsigned i = 0; e == ERR_OK && i < BENCH_ROUNDS; i++) {
		if ((e = large_slice(r, &what, &rates[0][i], &w)) == ERR_OK &&
		        (e = bench_sample_issue(small, &what, &s)) == ERR_OK)
			rates[1][i] = s.rate;
	}
	if (e != ERR_OK)
		return e;
	bench_row(r, "growth_rows", "certificates in the table of this instance", "", there);
	rows_add(r, rates[0], rates[1], &w);
	return ERR_OK;
}

/* The small one stands beside the large one, in a folder of that name with "-small". */
enum err
bench_part_growth(struct bench_run *r)
{
	struct bench_run small = {0};
	struct bench_goals *aside = calloc(1, sizeof *aside);
	char dir[BENCH_TEXT_MAX];
	enum err e = aside == NULL ? ERR_MEMORY : ERR_OK;

	snprintf(dir, sizeof dir, "%s-small", r->in.dir);
	if (e == ERR_OK && (e = bench_run_open(dir, r->now, &small)) != ERR_OK)
		fprintf(stderr,
		        "zz-bench: growth needs a small instance beside it: tools/up --no-demo "
		        "--port N --dir %s\n",
		        dir);
	if (e == ERR_OK) {
		small.began = r->began;
		small.goals = aside;
		e = measure(r, &small);
	}
	bench_run_close(&small);
	free(aside);
	return e;
}
