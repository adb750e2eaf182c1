/* bench_part.c - what the parts share: sessions made beforehand, a slice of issuing, medians. */
#include "bench_part.h"

#include "base64.h"
#include "bench_revoke.h"
#include "file.h"
#include "hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHECKPOINT_ROOM = 16384 };

double
bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, bench_double_order);
	return values[count / 2];
}

void
bench_sleep(double seconds)
{
	const struct timespec t = {
	        (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

	nanosleep(&t, NULL);
}

void
bench_row(
        struct bench_run *r, const char *name, const char *what, const char *unit, double measured)
{
	bench_goal_add(r->goals,
	        (struct bench_row){.name = name, .what = what, .unit = unit, .measured = measured});
}

static enum err
key_open(const struct bench_run *r, const char *name, struct key **out)
{
	char path[BENCH_TEXT_MAX];
	uint8_t *pem = NULL;
	size_t n = 0;
	enum err e;

	snprintf(path, sizeof path, "%s/keys/%s.pem", r->in.dir, name);
	if ((e = file_read(path, KEY_PEM_BYTES_MAX, &pem, &n)) == ERR_OK)
		e = key_read_pem(bytes_of(pem, n), out);
	free(pem);
	if (e == ERR_OK)
		return e;
	fprintf(stderr, "zz-bench: %s cannot be read (%s)\n", path, err_word(e));
	return ERR_CONFIG;
}

enum err
bench_run_open(const char *dir, int64_t now, struct bench_run *out)
{
	struct bench_run r = {.now = now, .began = bench_clock_s()};
	enum err e;

	if ((e = bench_instance_open(dir, &r.in)) == ERR_OK &&
	        (e = key_open(&r, "330106-01", &r.center)) == ERR_OK)
		e = key_open(&r, "official-li", &r.official);
	if (e != ERR_OK) {
		bench_run_close(&r);
		return e;
	}
	*out = r;
	return ERR_OK;
}

void
bench_run_close(struct bench_run *r)
{
	key_free(r->center);
	key_free(r->official);
}

/* People of the upper half by chance: those of zz-bench fill are in the lower one. */
static void
plan_make(const struct bench_run *r, const struct bench_issue *what, struct bench_plan *plan)
{
	uint8_t random[12];

	random_bytes(random, sizeof random);
	*plan = (struct bench_plan){.center = "330106-01",
	        .region = "330000",
	        .item = "030102",
	        .now = r->now + (int64_t)(bench_clock_s() - r->began),
	        .seats = what->seats,
	        .start = what->people};
	if (what->people == 0)
		plan->start = bench_people() / 2 + be_get(random, 8) % (bench_people() / 2);
	hex_encode(bytes_of(random + 8, 4), plan->run);
}

static enum err
sessions_sign(const struct bench_run *r, const struct bench_issue *what, struct bench_shots *s)
{
	size_t room = BENCH_HEAD_BYTES + (size_t)what->seats * BENCH_SEAT_BYTES;
	struct buf payload = buf_init(malloc(room), room),
	           jws = buf_init(malloc(2 * room), 2 * room);
	struct bench_plan plan;
	enum err e = payload.p == NULL || jws.p == NULL ? ERR_MEMORY : ERR_OK;

	plan_make(r, what, &plan);
	if (e == ERR_OK)
		e = bench_shots_init(s, what->sessions, 2 * room);
	for (size_t i = 0; e == ERR_OK && i < what->sessions; i++) {
		e = bench_session_sign(&plan, r->center, i * what->seats, &payload, &jws);
		if (e == ERR_OK)
			e = bench_shot_post(s, "/v1/requests", buf_bytes(&jws));
	}
	free(payload.p);
	free(jws.p);
	return e;
}

enum err
bench_checkpoint(const struct bench_run *r, uint64_t *size, uint8_t root[32])
{
	char path[BENCH_TEXT_MAX];
	uint8_t *text = NULL;
	size_t n = 0;
	const char *at;
	struct buf out = buf_init(root, 32);
	enum err e;

	snprintf(path, sizeof path, "%s/public/log/checkpoint", r->in.dir);
	if ((e = file_read(path, CHECKPOINT_ROOM, &text, &n)) != ERR_OK)
		return e;
	at = memchr(text, '\n', n);
	*size = at != NULL ? strtoull(at + 1, NULL, 10) : 0;
	at = at != NULL ? strchr(at + 1, '\n') : NULL;
	e = at == NULL ? ERR_ENCODING : base64_get(bytes_of(at + 1, strcspn(at + 1, "\n")), &out);
	free(text);
	return e;
}

enum err
bench_sample_issue(struct bench_run *r, const struct bench_issue *what, struct bench_sample *out)
{
	double before[BENCH_PROCESSES], after[BENCH_PROCESSES];
	struct bench_shots shots = {0};
	struct bench_drive d = {.port = r->in.port,
	        .connections = what->connections,
	        .rate = what->rate,
	        .seconds = what->seconds,
	        .needle = "\"outcome\":\"issued\"",
	        .shots = &shots,
	        .seen = what->seen,
	        .to = what->to};
	enum err e = sessions_sign(r, what, &shots);

	memset(out, 0, sizeof *out);
	if (e == ERR_OK && what->ready != NULL)
		e = what->ready(what->to);
	bench_instance_cpu(&r->in, before);
	if (e == ERR_OK)
		e = bench_drive(&d, &out->driven);
	bench_shots_free(&shots);
	if (e != ERR_OK)
		return e;
	bench_sleep(BENCH_SETTLE_MS / 1000.0);
	bench_instance_cpu(&r->in, after);
	if (out->driven.needles == 0 || out->driven.refused > 0) {
		fprintf(stderr, "zz-bench: %llu of %llu sessions refused, first with HTTP %u\n",
		        (unsigned long long)out->driven.refused,
		        (unsigned long long)out->driven.answered, out->driven.refusal);
		return ERR_VALUE;
	}
	out->rate = (double)out->driven.needles / out->driven.seconds;
	for (int i = 0; i < BENCH_PROCESSES; i++) {
		out->cpu_us[i] = (after[i] - before[i]) * 1e6 / (double)out->driven.needles;
		out->cpu_sum_us += out->cpu_us[i];
	}
	return ERR_OK;
}

/* What was published while it looked is a difference that the next look does not see. */
enum err
bench_audit_settled(const struct bench_run *r, int *code, double *seconds)
{
	enum err e = ERR_OK;

	for (int i = 0; i < 3; i++) {
		if ((e = bench_audit(&r->in, code, seconds)) != ERR_OK || *code == 0)
			break;
		bench_sleep(2);
	}
	return e;
}
