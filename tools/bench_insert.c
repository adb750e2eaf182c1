/* bench_insert.c - the floor of storing: the rows that the service has just written, written again
 * by pgbench as one client, batch by batch, into the same tables of an empty database beside it. */
#include "bench_part.h"

#include "file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char script[] =
        "\\set n :n + 1\n"
        "SELECT lo, hi, time FROM src_batch WHERE n = :n \\gset\n"
        "BEGIN;\n"
        "SELECT size FROM zz.log_head WHERE id = 1 FOR UPDATE;\n"
        "INSERT INTO zz.request SELECT r.* FROM src_request r JOIN src_of o ON o.id = r.id WHERE "
        "o.n = :n;\n"
        "INSERT INTO zz.request_event SELECT e.* FROM src_event e JOIN src_of o ON o.id = "
        "e.request WHERE o.n = :n;\n"
        "INSERT INTO zz.log_entry SELECT * FROM src_entry WHERE idx >= :lo AND idx < :hi;\n"
        "INSERT INTO zz.certificate SELECT * FROM src_certificate WHERE idx >= :lo AND idx < "
        ":hi;\n"
        "UPDATE zz.log_head SET size = :hi, time = :time WHERE id = 1;\n"
        "COMMIT;\n";
static const char single_script[] =
        "INSERT INTO bench_row (serial, record) VALUES (uuid_send(gen_random_uuid()), :record);\n";

static const char *const tables[] = {"entry", "certificate", "request", "event"};
enum { TABLES = sizeof tables / sizeof tables[0], STATEMENT_BYTES = 1200 };

static void
path_of(const struct bench_run *r, const char *name, char out[BENCH_TEXT_MAX])
{
	snprintf(out, BENCH_TEXT_MAX, "%s/pg/bench-%s", r->in.dir, name);
}

static enum err
text_put(const struct bench_run *r, const char *name, const char *text)
{
	char path[BENCH_TEXT_MAX];

	path_of(r, name, path);
	return file_write(path, bytes_of_text(text), 0644);
}

/* The rows go through files, since two databases do not see each other. */
static enum err
rows_copy(struct bench_run *r, uint64_t first, uint64_t end)
{
	static const char *const from[TABLES] = {"zz.log_entry WHERE idx",
	        "zz.certificate WHERE idx",
	        "zz.request WHERE id IN (SELECT request FROM zz.certificate WHERE idx",
	        "zz.request_event WHERE request IN (SELECT request FROM zz.certificate WHERE idx"};
	char sql[STATEMENT_BYTES], path[BENCH_TEXT_MAX];
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < TABLES; i++) {
		path_of(r, tables[i], path);
		snprintf(sql, sizeof sql,
		        "COPY (SELECT * FROM %s BETWEEN %" PRIu64 " AND %" PRIu64
		        "%s) TO '%s' (FORMAT binary)",
		        from[i], first, end - 1, i < 2 ? "" : ")", path);
		if ((e = bench_sql(&r->in, "zz", sql)) != ERR_OK)
			return e;
		snprintf(sql, sizeof sql,
		        "CREATE TABLE src_%s (LIKE zz.%s); COPY src_%s FROM '%s' (FORMAT binary)",
		        tables[i],
		        (const char *const[]){
		                "log_entry", "certificate", "request", "request_event"}[i],
		        tables[i], path);
		e = bench_sql(&r->in, "zz_bench", sql);
	}
	return e;
}

/* Only batches that are nothing but certificates, as they were. */
static enum err
batches_make(struct bench_run *r)
{
	static const char sql[] =
	        "CREATE INDEX ON src_entry (idx); CREATE INDEX ON src_certificate (idx);"
	        "CREATE INDEX ON src_request (id); CREATE INDEX ON src_event (request);"
	        "CREATE TABLE src_batch AS SELECT row_number() OVER (ORDER BY batch)::int AS n, "
	        "min(idx) AS lo, max(idx) + 1 AS hi, 1000000 + max(idx) AS time FROM src_entry "
	        "GROUP "
	        "BY batch;"
	        "CREATE UNIQUE INDEX ON src_batch (n);"
	        "CREATE TABLE src_of AS SELECT b.n, c.request AS id FROM src_batch b JOIN "
	        "src_certificate c ON c.idx >= b.lo AND c.idx < b.hi GROUP BY 1, 2;"
	        "CREATE INDEX ON src_of (n);"
	        "INSERT INTO zz.log_head (id, size, time) SELECT 1, min(lo), 0 FROM src_batch;"
	        "CREATE TABLE bench_row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
	        "serial bytea NOT NULL UNIQUE, record bytea NOT NULL);"
	        "ALTER TABLE bench_row ALTER COLUMN record SET STORAGE PLAIN;";
	enum err e = bench_sql(&r->in, "zz_bench", sql);

	return e == ERR_OK ? bench_sql(&r->in, "zz_bench", "VACUUM ANALYZE") : e;
}

enum err
bench_insert_prepare(struct bench_run *r, uint64_t first, uint64_t end)
{
	char path[BENCH_TEXT_MAX];
	const char *const dump[] = {"pg_dump", "-s", "-d", "zz", "-f", path, NULL};
	const char *const load[] = {
	        "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "zz_bench", "-f", path, NULL};
	char ignored[256];
	enum err e;

	path_of(r, "schema.sql", path);
	if ((e = bench_sql(&r->in, "postgres", "DROP DATABASE IF EXISTS zz_bench")) != ERR_OK ||
	        (e = bench_sql(&r->in, "postgres", "CREATE DATABASE zz_bench")) != ERR_OK ||
	        (e = bench_database_run(&r->in, dump, NULL, 0)) != ERR_OK ||
	        (e = bench_database_run(&r->in, load, ignored, sizeof ignored)) != ERR_OK ||
	        (e = rows_copy(r, first, end)) != ERR_OK)
		return e;
	return batches_make(r);
}

void
bench_insert_end(struct bench_run *r)
{
	static const char *const files[] = {"entry", "certificate", "request", "event",
	        "schema.sql", "replay.sql", "single.sql"};
	char path[BENCH_TEXT_MAX];

	if (bench_sql(&r->in, "postgres", "DROP DATABASE IF EXISTS zz_bench") != ERR_OK)
		fputs("zz-bench: the database zz_bench is left behind\n", stderr);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		path_of(r, files[i], path);
		unlink(path);
	}
}

static double
children_cpu_s(void)
{
	struct rusage use;

	if (getrusage(RUSAGE_CHILDREN, &use) != 0)
		return 0;
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* Third `slice` of the batches; CPU of the server and of the client. */
enum err
bench_insert_slice(struct bench_run *r, unsigned slice, double *us_a_row)
{
	char path[BENCH_TEXT_MAX], count[24], start[24], answer[BENCH_ANSWER_MAX], sql[200];
	const char *const arguments[] = {"pgbench", "-n", "-M", "prepared", "-c", "1", "-D", start,
	        "-t", count, "-f", path, "zz_bench", NULL};
	double batches, rows, cpu, before[BENCH_PROCESSES], after[BENCH_PROCESSES];
	enum err e = text_put(r, "replay.sql", script);

	path_of(r, "replay.sql", path);
	if (e != ERR_OK || (e = bench_sql_number(&r->in, "zz_bench",
	                            "SELECT count(*) FROM src_batch", &batches)) != ERR_OK)
		return e;
	snprintf(count, sizeof count, "%u", (unsigned)batches / BENCH_ROUNDS);
	snprintf(start, sizeof start, "n=%u", slice * ((unsigned)batches / BENCH_ROUNDS));
	snprintf(sql, sizeof sql,
	        "SELECT sum(hi - lo) FROM src_batch WHERE n > %s AND n <= %s + %s", start + 2,
	        start + 2, count);
	if ((e = bench_sql_number(&r->in, "zz_bench", sql, &rows)) != ERR_OK)
		return e;
	bench_instance_cpu(&r->in, before);
	cpu = children_cpu_s();
	if ((e = bench_database_run(&r->in, arguments, answer, sizeof answer)) != ERR_OK)
		return e;
	bench_instance_cpu(&r->in, after);
	cpu = children_cpu_s() - cpu + after[BENCH_DATABASE] - before[BENCH_DATABASE];
	*us_a_row = cpu * 1e6 / rows;
	return ERR_OK;
}

enum err
bench_insert_single(struct bench_run *r, unsigned bytes, unsigned connections, double *a_second)
{
	char path[BENCH_TEXT_MAX], clients[24], seconds[24], answer[BENCH_ANSWER_MAX];
	char *record = malloc(2 * (size_t)bytes + 20);
	const char *const arguments[] = {"pgbench", "-n", "-M", "prepared", "-c", clients, "-j",
	        "2", "-T", seconds, "-D", record, "-f", path, "zz_bench", NULL};
	const char *at;
	enum err e = record == NULL ? ERR_MEMORY : text_put(r, "single.sql", single_script);

	path_of(r, "single.sql", path);
	snprintf(clients, sizeof clients, "%u", connections);
	snprintf(seconds, sizeof seconds, "%u", r->in.seconds);
	if (e == ERR_OK) {
		memcpy(record, "record=\\x", 9);
		memset(record + 9, 'a', 2 * (size_t)bytes);
		record[9 + 2 * (size_t)bytes] = '\0';
		e = bench_database_run(&r->in, arguments, answer, sizeof answer);
	}
	free(record);
	if (e != ERR_OK)
		return e;
	if ((at = strstr(answer, "tps = ")) == NULL)
		return ERR_DATABASE;
	*a_second = strtod(at + 6, NULL);
	return ERR_OK;
}
