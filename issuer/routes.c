/* routes.c - every address of the API on one screen, who may use it, and how a request gets to its
 * handler. */
#include "intake.h"
#include "reply.h"
#include "service.h"
#include "static.h"

#include "log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 5, WAITS_MAX = 100 };

static enum err health(struct worker *w, struct job *j);
static enum err ready(struct worker *w, struct job *j);
static enum err metrics(struct worker *w, struct job *j);

/* Who: intake checks the signature of the body, queries the token of the Authorization header; the
 * rest is loopback. */
static const struct route routes[] = {
        {"POST", "/v1/requests", JWS_BYTES_MAX, true, intake_request},
        {"POST", "/v1/requests/*/approvals", APPROVAL_BYTES_MAX, true, intake_approval},
        {"GET", "/v1/requests/*", 0, true, query_request},
        {"GET", "/v1/requests", 0, true, query_waiting},
        {"GET", "/v1/certificates/*", 0, true, query_certificate},
        {"GET", "/v1/holder", 0, true, query_holder},
        {"POST", "/v1/selections", REQUEST_BYTES_MAX, true, query_selection},
        {"GET", "/healthz", 0, false, health},
        {"GET", "/readyz", 0, false, ready},
        {"GET", "/metrics", 0, false, metrics},
};

static bool
pattern_fits(const char *pattern, struct bytes path)
{
	size_t at = 0;

	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '*') {
			if (at >= path.n || path.p[at++] != (uint8_t)*pattern)
				return false;
			continue;
		}
		if (at >= path.n || path.p[at] == '/')
			return false;
		while (at < path.n && path.p[at] != '/')
			at++;
	}
	return at == path.n;
}

/* HEAD is answered like GET; the server leaves the body out. */
static const char *
method_word(enum http_method m)
{
	return m == HTTP_POST ? "POST" : "GET";
}

static const struct route *
route_find(const struct exchange *x, const char **allow)
{
	*allow = NULL;
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		if (!pattern_fits(routes[i].pattern, x->path))
			continue;
		if (strcmp(routes[i].method, method_word(x->method)) == 0)
			return &routes[i];
		*allow = *allow == NULL ? routes[i].method : "GET, POST";
	}
	return NULL;
}

struct bytes
route_segment(const struct exchange *x, unsigned index)
{
	struct bytes rest = bytes_skip(x->path, 1);

	for (;; index--) {
		const uint8_t *slash = rest.n == 0 ? NULL : memchr(rest.p, '/', rest.n);
		size_t n = slash == NULL ? rest.n : (size_t)(slash - rest.p);

		if (index == 0)
			return bytes_of(rest.p, n);
		if (slash == NULL)
			return bytes_of(rest.p, 0);
		rest = bytes_skip(rest, n + 1);
	}
}

enum err
service_admit(void *ctx, struct exchange *x, size_t *body_max)
{
	const struct route *r;
	const char *allow;

	(void)ctx;
	*body_max = 0;
	if (static_owns(x->path)) {
		if (x->method != HTTP_POST)
			return ERR_OK;
		reply_add_header(x, "Allow", "GET, HEAD");
		return ERR_METHOD;
	}
	if ((r = route_find(x, &allow)) == NULL) {
		if (allow == NULL)
			return ERR_NOT_FOUND;
		reply_add_header(x, "Allow", strcmp(allow, "GET") == 0 ? "GET, HEAD" : allow);
		return ERR_METHOD;
	}
	*body_max = r->body_max;
	return ERR_OK;
}

void
service_serve(void *ctx, struct exchange *x)
{
	struct service *s = ctx;
	struct worker inline_worker = {.s = s};
	const char *allow;
	const struct route *r;
	struct job *j;

	if (static_owns(x->path)) {
		static_serve(x, s->public_dir);
		exchange_done(x);
		return;
	}
	r = route_find(x, &allow);
	j = arena_alloc(&x->arena, sizeof *j);
	if (j == NULL || r == NULL) {
		reply_problem(x, j == NULL ? ERR_MEMORY : ERR_NOT_FOUND, NULL);
		exchange_done(x);
		return;
	}
	*j = (struct job){.x = x,
	        .home = &s->work,
	        .route = r,
	        .stage = JOB_SERVE,
	        .large = x->body.n >= JOB_LARGE_BYTES,
	        .arena = &x->arena};
	if (!r->queued) {
		enum err e = r->handler(&inline_worker, j);

		if (e != ERR_OK)
			reply_problem(x, e, NULL);
		exchange_done(x);
		return;
	}
	/* refused before anything was promised */
	if (atomic_fetch_add(&s->held, 1) >= s->config->queue_max) {
		atomic_fetch_sub(&s->held, 1);
		metrics_add(&s->metrics, METRIC_QUEUE_FULL, 1);
		reply_problem(x, ERR_BUSY, NULL);
		exchange_done(x);
		return;
	}
	queue_put(&s->work, j);
}

enum err
query_authorize(
        struct worker *w, const struct exchange *x, const struct operator** by, struct query *q)
{
	const struct roster *roster = atomic_load(&w->s->roster);
	int64_t now = service_now();
	struct jws j;
	enum err e;

	if (roster == NULL)
		return ERR_NOT_READY;
	if (!bytes_start(x->authorization, "Bearer "))
		return ERR_AUTH_MISSING;
	if ((e = jws_decode(bytes_skip(x->authorization, 7), APPROVAL_BYTES_MAX, &j)) != ERR_OK)
		return e;
	if (strcmp(j.typ, QUERY_TYP) != 0)
		return ERR_JWS_INVALID;
	if ((e = roster_verify(roster, &j, now, by)) != ERR_OK ||
	        (e = query_decode(&j, q)) != ERR_OK)
		return e;
	if ((e = request_times_check(q->iat, q->exp, QUERY_LIFETIME_S_MAX, now)) != ERR_OK)
		return e;
	return bytes_equal_text(x->path, q->aud) ? ERR_OK : ERR_ROLE;
}

static enum err
health(struct worker *w, struct job *j)
{
	(void)w;
	reply_bytes(j->x, 200, "text/plain; charset=utf-8", BYTES_LIT("ok\n"));
	return ERR_OK;
}

static enum err
ready(struct worker *w, struct job *j)
{
	enum err problem = (enum err)atomic_load(&w->s->problem);

	if (problem != ERR_OK)
		return problem;
	reply_bytes(j->x, 200, "text/plain; charset=utf-8", BYTES_LIT("ready\n"));
	return ERR_OK;
}

static enum err
metrics(struct worker *w, struct job *j)
{
	uint8_t *room = arena_alloc(&j->x->arena, METRICS_TEXT_MAX);
	uint64_t published = 0;
	int64_t at = 0;
	struct buf out;
	enum err e;

	if (room == NULL)
		return ERR_MEMORY;
	out = buf_init(room, METRICS_TEXT_MAX);
	metrics_set(&w->s->metrics, METRIC_QUEUE, atomic_load(&w->s->held));
	metrics_set(&w->s->metrics, METRIC_LOG_SIZE, atomic_load(&w->s->log_size));
	if (published_read(w->s, &published, &at) == ERR_OK) {
		metrics_set(&w->s->metrics, METRIC_PUBLISHED_SIZE, published);
		metrics_set(&w->s->metrics, METRIC_PUBLISHED_AT, (uint64_t)at);
	}
	if ((e = metrics_text(&w->s->metrics, &out)) != ERR_OK)
		return e;
	reply_bytes(j->x, 200, "text/plain; version=0.0.4", buf_bytes(&out));
	return ERR_OK;
}

/* The job's answer is complete. */
static void
job_end(struct service *s, struct job *j)
{
	struct exchange *x = j->x;

	batch_release(j->batch);
	atomic_fetch_sub(&s->held, 1);
	exchange_done(x);
}

/* The answer is committed and the signer about to append it, as where one request comes twice at
 * once: that takes milliseconds, a refusal would cost the sender seconds. */
static bool
job_waits(struct worker *w, struct job *j, int e)
{
	static const struct timespec pause = {0, WAIT_MS * 1000000L};

	if (e != (int)ERR_UNKNOWN_COMMIT || j->waits == WAITS_MAX || queue_ended(&w->s->write))
		return false;
	j->waits++;
	nanosleep(&pause, NULL);
	queue_put(&w->s->work, j);
	return true;
}

/* Where a route's handler, with this result, left the job. */
static void
job_leave(struct worker *w, struct job *j, int e)
{
	if (e == ROUTE_DEFERRED || job_waits(w, j, e))
		return;
	if (e != (int)ERR_OK)
		reply_problem(j->x, (enum err)e, NULL);
	job_end(w->s, j);
}

static void
job_serve(struct worker *w, struct job *j)
{
	if (w->store == NULL) {
		metrics_add(&w->s->metrics, METRIC_DATABASE_FAILED, 1);
		reply_problem(j->x, ERR_DATABASE, NULL);
		job_end(w->s, j);
	} else if (j->stage == JOB_ANSWER) {
		answer_job(w, j);
		job_end(w->s, j);
	} else if (http_now_ms() >= j->x->deadline_ms) {
		/* a request that waited too long is answered, not begun */
		job_leave(w, j, (int)ERR_DEADLINE);
	} else {
		job_leave(w, j, (int)j->route->handler(w, j));
	}
}

/* Small new sessions are asked of the signer together, the rest one by one. */
static void
jobs_serve(struct worker *w, struct job *const *jobs, size_t count)
{
	struct job *joined[INTAKE_TOGETHER_MAX];
	enum err results[INTAKE_TOGETHER_MAX];
	uint64_t now = http_now_ms();
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (w->store != NULL && now < jobs[i]->x->deadline_ms && intake_joins(jobs[i]))
			joined[n++] = jobs[i];
		else
			job_serve(w, jobs[i]);
	if (n > 0)
		intake_together(w, joined, n, results);
	for (size_t i = 0; i < n; i++)
		job_leave(w, joined[i], (int)results[i]);
}

void *
worker_run(void *service)
{
	struct worker w = {.s = service};
	struct job *jobs[INTAKE_TOGETHER_MAX];
	size_t count;

	/* both connect at their first call and again after a fault */
	if (signer_open(w.s->front_sock, &w.signer) != ERR_OK)
		return NULL;
	w.taker = (struct queue_taker){.takers = w.s->config->workers,
	        .takes_large = atomic_fetch_add(&w.s->workers_begun, 1) == 0};
	while ((count = queue_get(&w.s->work, &w.taker, jobs, INTAKE_TOGETHER_MAX)) > 0) {
		if (w.store == NULL)
			err_ignore(
			        store_open(w.s->config->issuer_database, STORE_ISSUER, &w.store));
		jobs_serve(&w, jobs, count);
	}
	store_free(w.store);
	signer_free(w.signer);
	return NULL;
}
