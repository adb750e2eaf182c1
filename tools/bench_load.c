/* bench_load.c - the load generator: each thread owns its connection, rooms and counts; they meet
 * only in one counter of people, and are added up after the last has ended. */
#include "bench_load.h"
#include "hash.h"
#include "json.h"
#include "zz_cmd.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { RETRY_MS = 100 };

struct shared {
	const struct bench_load *load;
	atomic_uint_fast64_t next; /* person */
	double end;                /* monotonic seconds */
};

struct worker {
	struct shared *shared;
	struct client *client;
	uint8_t *payload_room, *jws_room;
	size_t room;
	pthread_t thread;
	bool started;
	uint64_t sessions, certificates;
	float *ms; /* of each session answered */
	size_t ms_count, ms_room;
	struct bench_code codes[BENCH_CODES_MAX];
	unsigned failures; /* in a row */
};

static double
monotonic_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
code_count(struct bench_code *codes, const char *word, uint64_t n)
{
	size_t i;

	for (i = 0; i < BENCH_CODES_MAX - 1 && codes[i].word[0] && strcmp(codes[i].word, word); i++)
		;
	if (!codes[i].word[0])
		snprintf(codes[i].word, sizeof codes[i].word, "%s",
		        i < BENCH_CODES_MAX - 1 ? word : "others");
	codes[i].count += n;
}

static void
text_count(struct bench_code *codes, const char *prefix, struct bytes text)
{
	char word[64];

	snprintf(word, sizeof word, "%s%.*s", prefix, (int)(text.n > 50 ? 50 : text.n),
	        (const char *)text.p);
	code_count(codes, word, 1);
}

static bool
time_keep(struct worker *w, double s)
{
	size_t room = w->ms_room ? 2 * w->ms_room : 1024;
	float *grown;

	if (w->ms_count == w->ms_room) {
		if (!(grown = realloc(w->ms, room * sizeof *grown)))
			return false;
		w->ms = grown;
		w->ms_room = room;
	}
	w->ms[w->ms_count++] = (float)(s * 1000);
	return true;
}

static unsigned
needle_count(struct bytes text, const char *needle)
{
	size_t n = strlen(needle);
	unsigned found = 0;
	const uint8_t *at;

	while ((at = memmem(text.p, text.n, needle, n)) != NULL) {
		found++;
		text = bytes_skip(text, (size_t)(at - text.p) + n);
	}
	return found;
}

/* Only where not every seat was issued is the answer read as JSON: the load stays cheap. */
static void
seats_count(struct worker *w, struct bytes body)
{
	unsigned seats = w->shared->load->plan.seats;
	json_t *json = NULL, *list;
	struct bytes code;
	size_t i;

	w->sessions++;
	if (needle_count(body, "\"outcome\":\"issued\"") == seats) {
		w->certificates += seats;
		return;
	}
	if (json_read(body, ZZ_REPLY_BYTES_MAX, &json) != ERR_OK)
		code_count(w->codes, "answer_malformed", 1);
	list = json_object_get(json, "seats");
	for (i = 0; i < json_array_size(list); i++) {
		code = zz_text_of(json_array_get(list, i), "outcome");
		if (bytes_equal_text(code, "issued"))
			w->certificates++;
		else
			text_count(w->codes, "seat:", code);
	}
	json_decref(json);
}

static void
problem_count(struct worker *w, const struct client_reply *r)
{
	static const char prefix[] = "urn:zz:error:";
	struct bytes type;
	json_t *json = NULL;
	char word[24];

	if (json_read(r->body, ZZ_REPLY_BYTES_MAX, &json) == ERR_OK &&
	        bytes_start(type = zz_text_of(json, "type"), prefix)) {
		text_count(w->codes, "", bytes_skip(type, sizeof prefix - 1));
	} else {
		snprintf(word, sizeof word, "http_%u", r->status);
		code_count(w->codes, word, 1);
	}
	json_decref(json);
}

/* True: answered for good. False: the same bytes may be sent again. */
static bool
send_once(struct worker *w, struct bytes jws)
{
	struct client_reply reply;
	double start = monotonic_s();
	enum err e = client_post(
	        w->client, "/v1/requests", "application/jose", jws, ZZ_REPLY_BYTES_MAX, &reply);

	if (e != ERR_OK) {
		code_count(w->codes, "no_answer", 1);
		w->failures++;
		return false;
	}
	if (reply.status == 200 || reply.status == 201) {
		w->failures = 0;
		if (!time_keep(w, monotonic_s() - start))
			code_count(w->codes, err_word(ERR_MEMORY), 1);
		seats_count(w, reply.body);
		return true;
	}
	problem_count(w, &reply);
	w->failures++;
	return reply.status != 429 && reply.status < 500;
}

static bool
time_is_left(const struct worker *w)
{
	return monotonic_s() < w->shared->end && w->failures < BENCH_FAILURES_MAX;
}

static void *
work(void *at)
{
	static const struct timespec pause = {0, RETRY_MS * 1000000L};
	struct worker *w = at;
	const struct bench_load *load = w->shared->load;
	struct buf payload, jws;
	uint64_t first;

	while (time_is_left(w)) {
		payload = buf_init(w->payload_room, w->room);
		jws = buf_init(w->jws_room, 2 * w->room);
		first = atomic_fetch_add(&w->shared->next, load->plan.seats);
		if (bench_session_sign(&load->plan, load->key, first, &payload, &jws) != ERR_OK) {
			code_count(w->codes, "not_signed", 1);
			break;
		}
		while (!send_once(w, buf_bytes(&jws)) && time_is_left(w))
			nanosleep(&pause, NULL);
	}
	return NULL;
}

static enum err
worker_open(struct worker *w, struct shared *shared)
{
	w->shared = shared;
	w->room = BENCH_HEAD_BYTES + (size_t)shared->load->plan.seats * BENCH_SEAT_BYTES;
	w->payload_room = malloc(w->room);
	w->jws_room = malloc(2 * w->room);
	if (!w->payload_room || !w->jws_room)
		return ERR_MEMORY;
	return client_open(shared->load->url, &w->client);
}

static void
worker_close(struct worker *w)
{
	client_free(w->client);
	free(w->payload_room);
	free(w->jws_room);
	free(w->ms);
}

static int
ms_compare(const void *a, const void *b)
{
	const float *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static enum err
results_add(const struct worker *workers, unsigned count, struct bench_result *out)
{
	size_t all = 0, used = 0, j;
	unsigned i;
	float *ms;

	for (i = 0; i < count; i++)
		all += workers[i].ms_count;
	if (!(ms = malloc((all + 1) * sizeof *ms)))
		return ERR_MEMORY;
	for (i = 0; i < count; i++) {
		out->sessions += workers[i].sessions;
		out->certificates += workers[i].certificates;
		for (j = 0; j < BENCH_CODES_MAX && workers[i].codes[j].word[0]; j++)
			code_count(out->codes, workers[i].codes[j].word, workers[i].codes[j].count);
		for (j = 0; j < workers[i].ms_count; j++)
			ms[used++] = workers[i].ms[j];
	}
	qsort(ms, all, sizeof *ms, ms_compare);
	if (all) {
		out->p50_ms = (double)ms[(all - 1) / 2];
		out->p99_ms = (double)ms[(all - 1) * 99 / 100];
		out->max_ms = (double)ms[all - 1];
	}
	free(ms);
	return ERR_OK;
}

static double
cpu_s(void)
{
	struct rusage use;

	if (getrusage(RUSAGE_SELF, &use))
		return 0;
	return (double)use.ru_utime.tv_sec + (double)use.ru_stime.tv_sec +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static void
workers_run(struct worker *workers, struct shared *shared, struct bench_result *out)
{
	double start = monotonic_s(), cpu = cpu_s();
	unsigned i;

	shared->end = start + shared->load->seconds;
	for (i = 0; i < shared->load->connections; i++)
		workers[i].started = !pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	for (i = 0; i < shared->load->connections; i++) {
		if (workers[i].started)
			pthread_join(workers[i].thread, NULL);
		else
			code_count(out->codes, "thread_not_started", 1);
	}
	out->seconds = monotonic_s() - start;
	out->cpu_load_s = cpu_s() - cpu;
}

enum err
bench_run(const struct bench_load *load, struct bench_result *out)
{
	struct shared shared = {.load = load};
	struct worker *workers = calloc(load->connections, sizeof *workers);
	struct bench_result result = {0};
	unsigned i;
	enum err e = ERR_OK;

	if (!workers)
		return ERR_MEMORY;
	atomic_init(&shared.next, 0);
	for (i = 0; i < load->connections && e == ERR_OK; i++)
		e = worker_open(&workers[i], &shared);
	if (e != ERR_OK)
		goto out;
	workers_run(workers, &shared, &result);
	if ((e = results_add(workers, load->connections, &result)) != ERR_OK)
		goto out;
	*out = result;
out:
	for (i = 0; i < load->connections; i++)
		worker_close(&workers[i]);
	free(workers);
	return e;
}
