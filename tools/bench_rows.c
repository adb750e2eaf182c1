/* bench_rows.c - issuing beside its floors: what sign, verify and insert cost by themselves in the
 * same run, and single-row inserts at the same concurrency. */
#include "bench_part.h"

#include <stdio.h>

enum { SPARE_CONNECTIONS = 40 };

static enum err
head_size(const struct bench_run *r, uint64_t *out)
{
	double size = 0;
	enum err e = bench_sql_number(&r->in, "zz", "SELECT size FROM zz.log_head", &size);

	*out = (uint64_t)size;
	return e;
}

static void
floors_take(struct bench_floors *f, unsigned i, const struct bench_sample *s)
{
	f->rate[i] = s->rate;
	f->cpu[i] = s->cpu_sum_us;
	f->p50[i] = s->driven.p50_ms;
	f->p99[i] = s->driven.p99_ms;
	for (int k = 0; k < BENCH_PROCESSES; k++)
		f->part[k][i] = s->cpu_us[k];
}

static void
processes_say(struct bench_run *r, struct bench_floors *f, const char *const names[BENCH_PROCESSES])
{
	static const char *const what[BENCH_PROCESSES] = {
	        "  of that issuerd", "  ca-signer", "  issuer-publish", "  PostgreSQL, all of it"};

	for (int k = 0; k < BENCH_PROCESSES; k++)
		bench_row(r, names[k], what[k], "us", bench_median(f->part[k], BENCH_ROUNDS));
}

static void
issue_say(struct bench_run *r, struct bench_floors *f)
{
	static const char *const names[BENCH_PROCESSES] = {
	        "issue_us_issuerd", "issue_us_signer", "issue_us_publish", "issue_us_database"};
	double cpu = bench_median(f->cpu, BENCH_ROUNDS), sign = bench_median(f->sign, BENCH_ROUNDS);
	double verify = bench_median(f->verify, BENCH_ROUNDS);
	double insert = bench_median(f->insert, BENCH_ROUNDS);

	bench_goal_add(r->goals,
	        (struct bench_row){"issue_per_second", "issue, sessions of 60 over 8 connections",
	                "1/s", BENCH_AT_LEAST(9000), bench_median(f->rate, BENCH_ROUNDS)});
	bench_row(r, "issue_p99_ms", "  a session, p99", "ms", bench_median(f->p99, BENCH_ROUNDS));
	bench_row(r, "issue_us", "  CPU a certificate, all processes, load aside", "us", cpu);
	processes_say(r, f, names);
	bench_row(r, "sign_us", "  sign, by itself", "us", sign);
	bench_row(r, "verify_us", "  verify, by itself", "us", verify);
	bench_row(r, "insert_us", "  insert: the same rows, one client, by itself", "us", insert);
	bench_goal_add(r->goals, (struct bench_row){"issue_cpu_ratio",
	                                 "  CPU a certificate / (sign + verify + insert)", "", 1.35,
	                                 cpu / (sign + verify + insert)});
}

enum err
bench_issue_floors(struct bench_run *r, enum key_suite suite, struct bench_floors *f)
{
	const struct bench_issue what = {.seats = 60,
	        .connections = 8,
	        .seconds = r->in.seconds,
	        .sessions = (size_t)r->in.seconds * 400};
	struct bench_sample s;
	struct bench_key_cost cost;
	uint64_t first, end;
	enum err e = head_size(r, &first);

	for (unsigned i = 0; e == ERR_OK && i < BENCH_ROUNDS; i++) {
		if ((e = bench_sample_issue(r, &what, &s)) != ERR_OK)
			break;
		floors_take(f, i, &s);
		/* the rows of the first slice, in three thirds */
		if (i == 0 && ((e = head_size(r, &end)) != ERR_OK ||
		                      (e = bench_insert_prepare(r, first, end)) != ERR_OK))
			break;
		if ((e = bench_key_cost(suite, bench_cores(), &cost)) != ERR_OK)
			break;
		f->sign[i] = cost.sign_us;
		f->verify[i] = cost.verify_us;
		e = bench_insert_slice(r, i, &f->insert[i]);
	}
	bench_insert_end(r);
	return e;
}

enum err
bench_part_issue(struct bench_run *r)
{
	struct bench_floors f;
	enum err e = bench_issue_floors(r, KEY_ES256, &f);

	if (e == ERR_OK)
		issue_say(r, &f);
	return e;
}

/* Bytes that a certificate of a session of one adds to the tables. */
static enum err
row_bytes(const struct bench_run *r, uint64_t first, double *out)
{
	char sql[400];

	snprintf(sql, sizeof sql,
	        "SELECT avg(octet_length(q.jws) + octet_length(c.record) + octet_length(e.entry) + "
	        "octet_length(e.note))::int FROM zz.certificate c JOIN zz.log_entry e USING (idx) "
	        "JOIN zz.request q ON q.id = c.request WHERE c.idx >= %llu AND c.idx < %llu",
	        (unsigned long long)first, (unsigned long long)first + 1000);
	return bench_sql_number(&r->in, "zz", sql, out);
}

static void
single_say(struct bench_run *r, struct bench_floors *f, double bytes)
{
	static const char *const names[BENCH_PROCESSES] = {
	        "single_us_issuerd", "single_us_signer", "single_us_publish", "single_us_database"};
	double rate = bench_median(f->rate, BENCH_ROUNDS);
	double insert = bench_median(f->insert, BENCH_ROUNDS);

	bench_goal_add(r->goals,
	        (struct bench_row){"single_per_second", "issue, sessions of 1 over 64 connections",
	                "1/s", BENCH_AT_LEAST(4500), rate});
	bench_row(r, "single_us", "  CPU a certificate, all processes, load aside", "us",
	        bench_median(f->cpu, BENCH_ROUNDS));
	processes_say(r, f, names);
	bench_row(r, "single_bytes", "  bytes of request, record, entry and note", "B", bytes);
	bench_row(r, "pgbench_per_second", "  pgbench: single-row inserts of as many, 64 clients",
	        "1/s", insert);
	bench_goal_add(r->goals, (struct bench_row){"single_ratio", "  certificates / inserts", "",
	                                 BENCH_AT_LEAST(0.3), rate / insert});
}

enum err
bench_part_single(struct bench_run *r)
{
	const struct bench_issue what = {.seats = 1,
	        .connections = 64,
	        .seconds = r->in.seconds,
	        .sessions = (size_t)r->in.seconds * 9000};
	struct bench_sample s;
	struct bench_floors f;
	double bytes = 0, most = 0;
	uint64_t first;
	enum err e = head_size(r, &first);

	if (e == ERR_OK)
		e = bench_sql_number(&r->in, "zz", "SHOW max_connections", &most);
	if (e == ERR_OK && most < what.connections + SPARE_CONNECTIONS) {
		fprintf(stderr, "zz-bench: max_connections of this instance is %g: set %u\n", most,
		        what.connections + SPARE_CONNECTIONS);
		return ERR_CONFIG;
	}

	for (unsigned i = 0; e == ERR_OK && i < BENCH_ROUNDS; i++) {
		if ((e = bench_sample_issue(r, &what, &s)) != ERR_OK)
			break;
		floors_take(&f, i, &s);
		if (i == 0 && ((e = row_bytes(r, first, &bytes)) != ERR_OK ||
		                      (e = bench_insert_prepare(r, first, first + 1)) != ERR_OK))
			break;
		e = bench_insert_single(r, (unsigned)bytes, what.connections, &f.insert[i]);
	}
	bench_insert_end(r);
	if (e == ERR_OK)
		single_say(r, &f, bytes);
	return e;
}

enum err
bench_part_latency(struct bench_run *r)
{
	struct bench_issue what = {.seats = 1,
	        .connections = 64,
	        .rate = 500,
	        .seconds = r->in.seconds,
	        .sessions = (size_t)r->in.seconds * 500};
	struct bench_sample s;
	struct bench_floors f;
	enum err e = ERR_OK;

	for (unsigned i = 0; e == ERR_OK && i < BENCH_ROUNDS; i++)
		if ((e = bench_sample_issue(r, &what, &s)) == ERR_OK)
			floors_take(&f, i, &s);
	if (e != ERR_OK)
		return e;
	bench_goal_add(r->goals, (struct bench_row){"latency_p50_ms",
	                                 "latency, sessions of 1 at 500/s offered, receipt "
	                                 "included: p50",
	                                 "ms", 8, bench_median(f.p50, BENCH_ROUNDS)});
	bench_goal_add(r->goals, (struct bench_row){"latency_p99_ms", "  p99", "ms", 40,
	                                 bench_median(f.p99, BENCH_ROUNDS)});
	return ERR_OK;
}
