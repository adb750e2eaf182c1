/* http_loop.c - the threads of the server: each polls its own daemon and its own eventfd, and
 * touches only its own connections; finished exchanges reach it over one locked list. */
#include "http_loop.h"

#include "hash.h"
#include "log.h"
#include "metrics.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
	TICK_MS = 100, /* how late a deadline may be seen */
	LOOK_MS = 1000,
	CUT_WAIT_MS = 1000
};

uint64_t
http_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t
http_now_ms(void)
{
	return http_now_us() / 1000;
}

unsigned
http_port(const struct http *h)
{
	return h->listener.port;
}

static void
wake(struct loop *l)
{
	uint64_t one = 1;

	/* full (EAGAIN) is as good as written: the loop will wake */
	while (write(l->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

void
exchange_done(struct exchange *x)
{
	struct live *v = (struct live *)x;
	struct loop *l = v->loop;
	bool first = false;

	pthread_mutex_lock(&l->lock);
	assert(!v->finished);
	v->finished = true;
	if (v->waiting) {
		first = l->done == NULL;
		v->next = l->done;
		l->done = v;
	}
	pthread_mutex_unlock(&l->lock);
	if (first)
		wake(l);
}

/* Cuts who is too slow; when the server stops, also who is idle. A worker's exchange is never cut.
 * The library misses the end of a stream that came together with the first bytes of a request: once
 * a second we look for it, so that such a connection does not hold its place until the deadline. */
static void
sweep(struct loop *l, uint64_t now)
{
	bool stopping = l->http->stopping, cutting = l->http->cutting;
	bool look = now - l->look_ms >= LOOK_MS;

	if (look)
		l->look_ms = now;
	for (struct conn *c = l->conns; c != NULL; c = c->next) {
		bool late = now >= c->deadline_ms;

		if (c->phase == PHASE_WORKING || c->cut)
			continue;
		if (!late && !cutting && !(stopping && c->phase == PHASE_IDLE) &&
		        !(look && c->phase != PHASE_WRITING && daemon_peer_left(c)))
			continue;
		if (late)
			metrics_add(l->http->calls.metrics, METRIC_HTTP_CUT, 1);
		daemon_cut(c);
	}
}

static void
resume_finished(struct loop *l)
{
	struct live *v = NULL;
	uint64_t count = 0;

	while (read(l->wake_fd, &count, sizeof count) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&l->lock);
	v = l->done;
	l->done = NULL;
	pthread_mutex_unlock(&l->lock);
	while (v != NULL) {
		struct live *next = v->next;

		metrics_sub(l->http->calls.metrics, METRIC_HTTP_BUSY, 1);
		daemon_resume(v->conn);
		v = next;
	}
}

static void *
loop_main(void *arg)
{
	struct loop *l = arg;
	struct http *h = l->http;

	for (;;) {
		struct pollfd fds[2] = {{.fd = l->epoll_fd, .events = POLLIN},
		        {.fd = l->wake_fd, .events = POLLIN}};
		uint64_t now = 0;

		/* our own poll, not the library's: it blocks when exactly 128 connections are ready
		 */
		poll(fds, 2, daemon_wait_ms(l, TICK_MS));
		resume_finished(l);
		daemon_turn(l);
		now = http_now_ms();
		if (now - l->tick_ms >= TICK_MS || h->stopping) {
			l->tick_ms = now;
			sweep(l, now);
		}
		if (h->stopping && !l->quiet) {
			daemon_accept_no_more(l);
			l->quiet = true;
		}
		if (l->quiet && l->conns == NULL)
			break;
	}
	pthread_mutex_lock(&h->lock);
	h->running--;
	pthread_cond_signal(&h->ended_one);
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

static enum err
loop_open(struct http *h, struct loop *l, unsigned connections)
{
	l->http = h;
	random_bytes(&l->next_id, sizeof l->next_id);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return l->wake_fd < 0 ? ERR_IO : daemon_start(l, connections);
}

static struct http *
http_alloc(size_t loops)
{
	struct http *h = calloc(1, sizeof *h + loops * sizeof h->loops[0]);
	pthread_condattr_t attr;

	if (h == NULL)
		return NULL;
	h->loops_n = loops;
	h->listener.fd = -1;
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->ended_one, &attr);
	pthread_condattr_destroy(&attr);
	for (size_t i = 0; i < loops; i++) {
		h->loops[i].wake_fd = -1;
		pthread_mutex_init(&h->loops[i].lock, NULL);
	}
	return h;
}

enum err
http_open(const struct config *c, const struct http_callbacks *calls, void *ctx, struct http **out)
{
	size_t loops = c->loops == 0 ? 1 : (size_t)c->loops;
	unsigned each = (unsigned)((c->connections_max + loops - 1) / loops);
	struct http *h = http_alloc(loops);
	enum err e = ERR_OK;

	if (h == NULL)
		return ERR_MEMORY;
	h->calls = *calls;
	h->ctx = ctx;
	h->deadline_ms = c->request_deadline_s * 1000;
	e = http_listen(c, &h->listener);
	for (size_t i = 0; i < loops && e == ERR_OK; i++)
		e = loop_open(h, &h->loops[i], each);
	if (e != ERR_OK) {
		http_free(h);
		return e;
	}
	*out = h;
	return ERR_OK;
}

enum err
http_run(struct http *h)
{
	sigset_t all, before;
	enum err e = ERR_OK;

	/* signals are main's; SIGPIPE must not end us when sendfile meets a closed socket */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	h->started = true;
	for (; h->threads_n < h->loops_n; h->threads_n++) {
		struct loop *l = &h->loops[h->threads_n];

		pthread_mutex_lock(&h->lock);
		h->running++;
		pthread_mutex_unlock(&h->lock);
		if (pthread_create(&l->thread, NULL, loop_main, l) == 0)
			continue;
		pthread_mutex_lock(&h->lock);
		h->running--;
		pthread_mutex_unlock(&h->lock);
		e = ERR_MEMORY;
		break;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return e;
}

static bool
wait_ended(struct http *h, unsigned ms)
{
	struct timespec until;
	bool ended = false;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&h->lock);
	while (h->running > 0)
		if (pthread_cond_timedwait(&h->ended_one, &h->lock, &until) != 0)
			break;
	ended = h->running == 0;
	pthread_mutex_unlock(&h->lock);
	return ended;
}

enum err
http_stop(struct http *h, unsigned wait_for_ms)
{
	bool ended = false;

	if (!h->started)
		return ERR_OK;
	h->stopping = true;
	for (size_t i = 0; i < h->loops_n; i++)
		wake(&h->loops[i]);
	ended = wait_ended(h, wait_for_ms);
	if (!ended) {
		h->cutting = true;
		ended = wait_ended(h, CUT_WAIT_MS);
	}
	if (!ended)
		return ERR_DEADLINE;
	for (size_t i = 0; i < h->threads_n; i++)
		pthread_join(h->loops[i].thread, NULL);
	h->started = false;
	return ERR_OK;
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	assert(!h->started);
	for (size_t i = 0; i < h->loops_n; i++) {
		struct loop *l = &h->loops[i];

		daemon_stop(l);
		if (l->wake_fd >= 0)
			close(l->wake_fd);
		pthread_mutex_destroy(&l->lock);
	}
	if (h->listener.unix_path[0] != '\0')
		unlink(h->listener.unix_path);
	if (h->listener.fd >= 0)
		close(h->listener.fd);
	pthread_cond_destroy(&h->ended_one);
	pthread_mutex_destroy(&h->lock);
	free(h);
}
