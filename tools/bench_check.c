/* bench_check.c - zz-verify beside this program, given a million lines, and bundles with proofs of
 * the log; its processor time after start is what counts. */
#include "bench_part.h"

#include "base45.h"
#include "base64.h"
#include "file.h"
#include "json.h"
#include "limits.h"
#include "receipt.h"
#include "record.h"
#include "zz_cmd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LINES = 1000000,
	DISTINCT = 50000, /* certificates that the lines repeat */
	TOGETHER = 10,    /* sessions of 1,000: a checkpoint each */
	APART = 2000,     /* sessions of 1, one after the other */
	COPY_HEAD = 19
};

struct verify {
	struct bench_run *r;
	char dir[BENCH_PATH_MAX];    /* of this program */
	char folder[BENCH_TEXT_MAX]; /* bundles go there */
	unsigned bundles;
};

/* CPU seconds of zz-verify on one argument; every certificate must be VALID. */
static enum err
verify_run(struct verify *v, const char *what, bool logged, struct rusage *use, double *cpu)
{
	char root[BENCH_TEXT_MAX], state[BENCH_TEXT_MAX];
	const char *const arguments[] = {"zz-verify", "check", "--root", root, "--state", state,
	        what, logged ? "--require-log" : NULL, NULL};
	int code = 0;
	enum err e;

	snprintf(root, sizeof root, "%s/trust/root.pub", v->r->in.dir);
	snprintf(state, sizeof state, "%s/state", v->dir);
	if ((e = bench_child_quiet(arguments, &code, use)) != ERR_OK)
		return e;
	*cpu = (double)(use->ru_utime.tv_sec + use->ru_stime.tv_sec) +
	       (double)(use->ru_utime.tv_usec + use->ru_stime.tv_usec) / 1e6;
	if (code == 0)
		return ERR_OK;
	fprintf(stderr, "zz-bench: zz-verify check %s ends with %d\n", what, code);
	return ERR_VALUE;
}

static enum err
state_sync(const struct verify *v)
{
	char root[BENCH_TEXT_MAX], state[BENCH_TEXT_MAX];
	const char *const arguments[] = {
	        "zz-verify", "sync", "--url", v->r->in.url, "--root", root, "--state", state, NULL};
	struct rusage use;
	int code = 0;
	enum err e;

	snprintf(root, sizeof root, "%s/trust/root.pub", v->r->in.dir);
	snprintf(state, sizeof state, "%s/state", v->dir);
	bench_sleep(3); /* what was issued last is published */
	if ((e = bench_child_quiet(arguments, &code, &use)) != ERR_OK)
		return e;
	return code == 0 ? ERR_OK : ERR_VALUE;
}

/* Lines */

static enum err
line_write(FILE *in, FILE *to)
{
	uint8_t head[6], record[RECORD_BYTES_MAX];
	char qr[QR_TEXT_BYTES_MAX];
	struct buf out = BUF_OF(qr);
	size_t n;

	if (fread(head, 1, 6, in) != 6 || be_get(head, 2) != 1)
		return ERR_NOT_FOUND;
	if ((n = be_get(head + 2, 4)) > sizeof record || fread(record, 1, n, in) != n)
		return ERR_DATABASE;
	qr_put(&out, bytes_of(record, n));
	buf_put_u8(&out, '\n');
	if (buf_end(&out) != ERR_OK || fwrite(out.p, 1, out.n, to) != out.n)
		return ERR_IO;
	return ERR_OK;
}

/* Appends up to `count` lines: the same certificates each time. */
static enum err
lines_append(const struct verify *v, FILE *to, unsigned count, unsigned *written)
{
	char sql[200];
	const char *const arguments[] = {"psql", "-X", "-q", "-d", "zz", "-c", sql, NULL};
	uint8_t head[COPY_HEAD];
	int fd = -1, status = 0;
	pid_t psql = 0;
	FILE *in;
	enum err e;

	snprintf(sql, sizeof sql,
	        "COPY (SELECT record FROM zz.certificate WHERE status = 0 ORDER BY idx LIMIT %u) "
	        "TO "
	        "STDOUT (FORMAT binary)",
	        count < DISTINCT ? count : DISTINCT);
	if ((e = bench_database_open(&v->r->in, arguments, &psql, &fd)) != ERR_OK)
		return e;
	if ((in = fdopen(fd, "r")) == NULL)
		return ERR_MEMORY;
	if (fread(head, 1, sizeof head, in) != sizeof head)
		e = ERR_DATABASE;
	while (e == ERR_OK && (e = line_write(in, to)) == ERR_OK)
		++*written;
	fclose(in);
	if (waitpid(psql, &status, 0) != psql)
		return ERR_IO;
	return e == ERR_NOT_FOUND && *written > 0 ? ERR_OK : e;
}

static enum err
lines_make(const struct verify *v, const char *path, unsigned count)
{
	FILE *to = fopen(path, "w");
	unsigned written = 0;
	enum err e = to == NULL ? ERR_IO : ERR_OK;

	while (e == ERR_OK && written < count)
		e = lines_append(v, to, count - written, &written);
	if (to != NULL && fclose(to) != 0)
		e = ERR_IO;
	return e;
}

static enum err
lines_check(struct verify *v)
{
	char two[BENCH_TEXT_MAX], all[BENCH_TEXT_MAX];
	double start_s = 0, cpu = 0, began;
	struct rusage use;
	enum err e;

	snprintf(two, sizeof two, "%s/two.txt", v->dir);
	snprintf(all, sizeof all, "%s/all.txt", v->dir);
	if ((e = lines_make(v, two, 2)) != ERR_OK || (e = lines_make(v, all, LINES)) != ERR_OK ||
	        (e = verify_run(v, two, false, &use, &start_s)) != ERR_OK)
		return e;
	began = bench_clock_s();
	if ((e = verify_run(v, all, false, &use, &cpu)) != ERR_OK)
		return e;
	began = bench_clock_s() - began;
	bench_goal_add(v->r->goals, (struct bench_row){"check_us",
	                                    "zz-verify check, 1,000,000 records of a file: CPU "
	                                    "each, after start",
	                                    "us", 130, (cpu - start_s) * 1e6 / LINES});
	bench_row(v->r, "check_s", "  time for all", "s", began);
	bench_row(v->r, "check_cores", "  cores it used", "", cpu / began);
	bench_row(v->r, "check_mib", "  memory", "MiB", (double)use.ru_maxrss / 1024);
	return unlink(all) == 0 ? ERR_OK : ERR_IO;
}

/* Bundles */

static enum err
bundle_write(struct verify *v, const json_t *seat)
{
	uint8_t record[RECORD_BYTES_MAX], receipt[RECEIPT_BYTES_MAX], bundle[BUNDLE_BYTES_MAX];
	struct buf a = BUF_OF(record), b = BUF_OF(receipt), out = BUF_OF(bundle);
	char path[BENCH_TEXT_MAX + 16];
	enum err e;

	if ((e = base64url_get(zz_text_of(seat, "record"), &a)) != ERR_OK ||
	        (e = base64url_get(zz_text_of(seat, "receipt"), &b)) != ERR_OK ||
	        (e = bundle_put(&out, buf_bytes(&a), buf_bytes(&b))) != ERR_OK ||
	        (e = buf_end(&out)) != ERR_OK)
		return e;
	snprintf(path, sizeof path, "%s/%06u", v->folder, v->bundles++);
	return file_write(path, buf_bytes(&out), 0600);
}

static enum err
seen(void *to, struct bytes body, double due)
{
	struct verify *v = to;
	json_t *json = NULL, *seats;
	enum err e = json_read(body, ZZ_REPLY_BYTES_MAX, &json);

	(void)due;
	seats = json_object_get(json, "seats");
	for (size_t i = 0; e == ERR_OK && i < json_array_size(seats); i++)
		e = bundle_write(v, json_array_get(seats, i));
	json_decref(json);
	return e;
}

/* `one` is the folder's name, and of a folder with its first bundle alone. */
static enum err
folder_make(struct verify *v, const char *name, unsigned seats, unsigned sessions)
{
	const struct bench_issue what = {
	        .seats = seats, .connections = 1, .sessions = sessions, .seen = seen, .to = v};
	struct bench_sample s;

	snprintf(v->folder, sizeof v->folder, "%s/%s", v->dir, name);
	v->bundles = 0;
	if (mkdir(v->folder, 0700) != 0)
		return ERR_IO;
	return bench_sample_issue(v->r, &what, &s);
}

static enum err
folder_check(struct verify *v, const char *name, unsigned count, struct bench_row row)
{
	char one[BENCH_TEXT_MAX + 16], all[BENCH_TEXT_MAX];
	double start_s = 0, cpu = 0;
	struct rusage use;
	enum err e;

	snprintf(all, sizeof all, "%s/%s", v->dir, name);
	snprintf(one, sizeof one, "%s/000000", all);
	if ((e = verify_run(v, one, true, &use, &start_s)) != ERR_OK ||
	        (e = verify_run(v, all, true, &use, &cpu)) != ERR_OK)
		return e;
	row.measured = (cpu - start_s) * 1e6 / count;
	bench_goal_add(v->r->goals, row);
	return ERR_OK;
}

enum err
bench_part_check(struct bench_run *r)
{
	static const struct bench_row together = {
	        "check_together_us", "  bundles in a folder, 1,000 a checkpoint", "us", 130, 0};
	static const struct bench_row apart = {
	        "check_apart_us", "  bundles in a folder, each under its own", "us", 230, 0};
	struct verify v = {.r = r};
	enum err e = bench_folder_make(v.dir);

	if (e != ERR_OK)
		return e;
	if ((e = folder_make(&v, "together", BENCH_SEATS_MAX, TOGETHER)) == ERR_OK &&
	        (e = folder_make(&v, "apart", 1, APART)) == ERR_OK &&
	        (e = state_sync(&v)) == ERR_OK && (e = lines_check(&v)) == ERR_OK &&
	        (e = folder_check(&v, "together", BENCH_SEATS_MAX * TOGETHER, together)) == ERR_OK)
		e = folder_check(&v, "apart", APART, apart);
	bench_folder_remove(v.dir);
	return e;
}
