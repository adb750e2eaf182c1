/* bench_publish.c - from the moment a session was due to go until the public checkpoint holds its
 * entries; a reader looks at the public file all the time. */
#include "bench_part.h"

#include "bench_revoke.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SEATS = 60, OFFERED = 5000, LOOKS_MAX = 1 << 16, SESSIONS_MAX = 1 << 14, LOOK_MS = 4 };

struct publication {
	struct bench_run *r;
	struct { /* each size of the public log, and when it was first seen */
		double at;
		uint64_t size;
	} * looks;
	size_t look_count;
	struct { /* each session: when it was due, and its last index */
		double due;
		uint64_t index;
	} * sessions;
	size_t session_count;
	atomic_bool stop;
};

static void *
watch(void *arg)
{
	struct publication *p = arg;
	uint8_t root[32];
	uint64_t size = 0, last = 0;

	while (!atomic_load(&p->stop) && p->look_count < LOOKS_MAX) {
		if (bench_checkpoint(p->r, &size, root) == ERR_OK && size != last) {
			p->looks[p->look_count].at = bench_clock_s();
			p->looks[p->look_count++].size = last = size;
		}
		bench_sleep(LOOK_MS / 1000.0);
	}
	return NULL;
}

/* The highest "index" of an answer. */
static enum err
seen(void *to, struct bytes body, double due)
{
	static const char key[] = "\"index\":";
	struct publication *p = to;
	const uint8_t *at;
	uint64_t highest = 0;

	while ((at = memmem(body.p, body.n, key, sizeof key - 1)) != NULL) {
		uint64_t index;

		body = bytes_skip(body, (size_t)(at - body.p) + sizeof key - 1);
		index = strtoull((const char *)body.p, NULL, 10);
		highest = index > highest ? index : highest;
	}
	if (highest == 0 || p->session_count == SESSIONS_MAX)
		return ERR_OK;
	p->sessions[p->session_count].due = due;
	p->sessions[p->session_count++].index = highest;
	return ERR_OK;
}

static enum err
rows_add(struct publication *p, double rate)
{
	double *ms = calloc(p->session_count + 1, sizeof *ms);
	size_t n = p->session_count, look = 0;

	if (ms == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < n; i++) {
		for (look = 0; look < p->look_count && p->looks[look].size <= p->sessions[i].index;
		        look++)
			;
		if (look == p->look_count) {
			free(ms);
			return ERR_DEADLINE;
		}
		ms[i] = (p->looks[look].at - p->sessions[i].due) * 1000;
	}
	qsort(ms, n, sizeof *ms, bench_double_order);
	bench_goal_add(p->r->goals,
	        (struct bench_row){"publish_p50_ms",
	                "request due until its entries are under the public checkpoint: p50", "ms",
	                250, ms[(n - 1) / 2]});
	bench_goal_add(p->r->goals,
	        (struct bench_row){"publish_p99_ms", "  p99", "ms", 250, ms[(n - 1) * 99 / 100]});
	bench_row(p->r, "publish_per_second", "  at, certificates", "1/s", rate);
	free(ms);
	return ERR_OK;
}

static enum err
measure(struct publication *p)
{
	const double seconds = BENCH_ROUNDS * p->r->in.seconds;
	const struct bench_issue what = {.seats = SEATS,
	        .connections = 64,
	        .rate = (double)OFFERED / SEATS,
	        .seconds = seconds,
	        .sessions = (size_t)(seconds * OFFERED / SEATS) + 1,
	        .seen = seen,
	        .to = p};
	struct bench_sample s;
	pthread_t thread;
	enum err e;

	if (pthread_create(&thread, NULL, watch, p) != 0)
		return ERR_MEMORY;
	e = bench_sample_issue(p->r, &what, &s);
	bench_sleep(3); /* the last batch comes out too */
	atomic_store(&p->stop, true);
	pthread_join(thread, NULL);
	if (e == ERR_OK && p->session_count == 0)
		e = ERR_DEADLINE;
	return e == ERR_OK ? rows_add(p, s.rate) : e;
}

enum err
bench_part_publish(struct bench_run *r)
{
	struct publication p = {.r = r};
	enum err e = ERR_MEMORY;

	p.looks = calloc(LOOKS_MAX, sizeof *p.looks);
	p.sessions = calloc(SESSIONS_MAX, sizeof *p.sessions);
	atomic_init(&p.stop, false);
	if (p.looks != NULL && p.sessions != NULL)
		e = measure(&p);
	free(p.looks);
	free(p.sessions);
	return e;
}
