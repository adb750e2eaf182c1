#ifndef TESTS_HTTP_TOY_H
#define TESTS_HTTP_TOY_H
/* http_toy.h - a real server with toy routes for test_http.c and test_http_load.c, and a client
 * that speaks raw bytes. GET and POST /now: answered at once; /later: by another thread; /held: by
 * that thread when it is let go, all held ones together; /bulk answers 32 MiB; /small takes 10
 * bytes, /big 6 MiB; /tail counts how often it was executed; /post takes only POST. */
#include "http.h"
#include "metrics.h"
#include "reply.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { TOY_BIG = 6 * 1024 * 1024, TOY_BULK = 32 * 1024 * 1024 };

struct toy {
	struct http *http;
	struct metrics metrics;
	pthread_t worker;
	pthread_mutex_t lock;
	pthread_cond_t wakes;
	struct exchange *later, *held; /* chained by user; under lock */
	size_t held_n, hold_until;     /* held ones go when there are so many; 0: none is held */
	bool ends;
	_Atomic unsigned tails, served;
};

static inline bool
path_is(const struct exchange *x, const char *path)
{
	return bytes_equal_text(x->path, path);
}

static inline enum err
toy_admit(void *ctx, struct exchange *x, size_t *body_max)
{
	(void)ctx;
	*body_max = 0;
	if (path_is(x, "/post") && x->method != HTTP_POST) {
		reply_add_header(x, "Allow", "POST");
		return ERR_METHOD;
	}
	if (path_is(x, "/small"))
		*body_max = 10;
	else if (path_is(x, "/now") || path_is(x, "/later") || path_is(x, "/tail") ||
	         path_is(x, "/post"))
		*body_max = 200 * 1024;
	else if (path_is(x, "/big"))
		*body_max = TOY_BIG;
	else if (!path_is(x, "/held") && !path_is(x, "/nothing") && !path_is(x, "/bulk"))
		return ERR_NOT_FOUND;
	return ERR_OK;
}

/* "<body bytes> <sum of them>" */
static inline void
toy_answer(struct exchange *x)
{
	char *text = arena_alloc(&x->arena, 64);
	unsigned long sum = 0;
	int n = 0;

	if (path_is(x, "/nothing")) /* answers nothing: the server must */
		return;
	if (path_is(x, "/bulk")) {
		reply_owned(x, 200, "text/plain", calloc(1, TOY_BULK), TOY_BULK);
		return;
	}
	for (size_t i = 0; i < x->body.n; i++)
		sum += x->body.p[i];
	n = snprintf(text, 64, "%zu %lu %zu", x->body.n, sum, x->authorization.n);
	reply_bytes(x, 200, "text/plain", bytes_of(text, (size_t)n));
}

static inline void
toy_serve(void *ctx, struct exchange *x)
{
	struct toy *t = ctx;

	t->served++;
	if (path_is(x, "/tail"))
		t->tails++;
	if (!path_is(x, "/later") && !path_is(x, "/held")) {
		toy_answer(x);
		exchange_done(x);
		return;
	}
	pthread_mutex_lock(&t->lock);
	if (path_is(x, "/later")) {
		x->user = t->later;
		t->later = x;
	} else {
		x->user = t->held;
		t->held = x;
		t->held_n++;
	}
	pthread_cond_signal(&t->wakes);
	pthread_mutex_unlock(&t->lock);
}

static inline void
toy_finish(struct exchange *x)
{
	while (x != NULL) {
		struct exchange *next = x->user;

		toy_answer(x);
		exchange_done(x);
		x = next;
	}
}

static inline void *
toy_worker(void *arg)
{
	struct toy *t = arg;

	pthread_mutex_lock(&t->lock);
	while (!t->ends) {
		struct exchange *later = t->later, *held = NULL;

		t->later = NULL;
		if (t->hold_until != 0 && t->held_n >= t->hold_until) {
			held = t->held;
			t->held = NULL;
			t->held_n = 0;
		}
		if (later == NULL && held == NULL) {
			pthread_cond_wait(&t->wakes, &t->lock);
			continue;
		}
		pthread_mutex_unlock(&t->lock);
		toy_finish(later);
		toy_finish(held);
		pthread_mutex_lock(&t->lock);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static inline void
toy_hold_until(struct toy *t, size_t n)
{
	pthread_mutex_lock(&t->lock);
	t->hold_until = n;
	pthread_cond_signal(&t->wakes);
	pthread_mutex_unlock(&t->lock);
}

static inline struct config
toy_config(unsigned loops, unsigned connections, unsigned deadline_s)
{
	struct config c = {
	        .loops = loops, .connections_max = connections, .request_deadline_s = deadline_s};

	snprintf(c.listen, sizeof c.listen, "127.0.0.1:0");
	snprintf(c.folder, sizeof c.folder, "/");
	return c;
}

static inline enum err
toy_start(struct toy *t, const struct config *c)
{
	const struct http_callbacks calls = {toy_admit, toy_serve, &t->metrics};
	enum err e = ERR_OK;

	memset(t, 0, sizeof *t);
	metrics_init(&t->metrics);
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->wakes, NULL);
	if ((e = http_open(c, &calls, t, &t->http)) != ERR_OK)
		return e;
	if (pthread_create(&t->worker, NULL, toy_worker, t) != 0)
		return ERR_MEMORY;
	return http_run(t->http);
}

static inline enum err
toy_stop(struct toy *t)
{
	enum err e = http_stop(t->http, 2000);

	pthread_mutex_lock(&t->lock);
	t->ends = true;
	pthread_cond_signal(&t->wakes);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->worker, NULL);
	if (e == ERR_OK)
		http_free(t->http);
	return e;
}

/* --- client --- */

static inline int
toy_connect(const struct toy *t)
{
	struct sockaddr_in a = {
	        .sin_family = AF_INET, .sin_port = htons((uint16_t)http_port(t->http))};
	struct timeval patience = {.tv_sec = 10};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return fd;
}

static inline bool
toy_send(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		at += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* Reads one answer (head, and as much body as Content-Length says unless `bodyless`); returns its
 * status, 0 when the connection ended first. The text is left in `out`. */
static inline unsigned
toy_answer_read(int fd, char *out, size_t room, bool bodyless)
{
	size_t have = 0, want = SIZE_MAX;

	while (have < want && have + 1 < room) {
		/* byte by byte up to the body: what follows belongs to the next answer */
		ssize_t n = recv(fd, out + have, want == SIZE_MAX ? 1 : want - have, 0);
		const char *end = NULL, *length = NULL;

		if (n <= 0)
			return 0;
		have += (size_t)n;
		out[have] = '\0';
		if (want != SIZE_MAX || (end = strstr(out, "\r\n\r\n")) == NULL)
			continue;
		length = strstr(out, "Content-Length: ");
		want = (size_t)(end + 4 - out);
		if (!bodyless && length != NULL)
			want += strtoul(length + strlen("Content-Length: "), NULL, 10);
	}
	return have < 12 ? 0 : (unsigned)strtoul(out + 9, NULL, 10);
}

/* Does the server end the connection (true), or does it stay open for `ms`? */
static inline bool
toy_ended(int fd, long ms)
{
	struct timeval patience = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	char byte;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	for (;;) {
		ssize_t n = recv(fd, &byte, 1, 0);

		if (n == 0)
			return true;
		if (n < 0)
			return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
	}
}

/* One request on its own connection. */
static inline unsigned
toy_ask(const struct toy *t, const void *p, size_t n, char *out, size_t room)
{
	int fd = toy_connect(t);
	unsigned status = 0;

	if (fd < 0)
		return 0;
	toy_send(fd, p, n);
	status = toy_answer_read(fd, out, room, false);
	close(fd);
	return status;
}

static inline void
toy_sleep_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}
#endif
