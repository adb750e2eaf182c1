/* bench_drive.c - one epoll loop; a connection has at most one request under way, and the latency
 * of an open loop counts from when its request was due, so that waiting is not left out. */
#include "bench_drive.h"

#include "bench_child.h"
#include "bench_revoke.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES = 400, ANSWER_BYTES = 16384, EVENTS = 64, SILENCE_S = 30 };

struct connection {
	int fd;
	bool busy, full;   /* full: its socket took no more */
	struct bytes rest; /* of the request, still to be sent */
	double due;
	uint8_t *answer;
	size_t n, room, whole; /* whole: 0 until the head is there */
};
struct loop {
	const struct bench_drive *d;
	struct connection *connections;
	int epoll;
	double start, last;
	uint64_t sent, open;
	double *ms;
	size_t ms_count, ms_room;
	struct bench_driven out;
};

/* Shots */

enum err
bench_shots_init(struct bench_shots *s, size_t max, size_t bytes)
{
	*s = (struct bench_shots){.max = max, .size = max * (bytes + HEAD_BYTES)};
	s->requests = calloc(max, sizeof *s->requests);
	s->room = malloc(s->size);
	return s->requests != NULL && s->room != NULL ? ERR_OK : ERR_MEMORY;
}

void
bench_shots_free(struct bench_shots *s)
{
	free(s->requests);
	free(s->room);
	*s = (struct bench_shots){0};
}

static enum err
shot_end(struct bench_shots *s, const struct buf *b)
{
	enum err e = s->count < s->max ? buf_end(b) : ERR_LIMIT;

	if (e == ERR_OK) {
		s->requests[s->count++] = buf_bytes(b);
		s->used += b->n;
	}
	return e;
}

enum err
bench_shot_post(struct bench_shots *s, const char *path, struct bytes jws)
{
	struct buf b = buf_init(s->room + s->used, s->size - s->used);

	buf_put_text(&b, "POST ");
	buf_put_text(&b, path);
	buf_put_text(&b, " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/jose\r\n"
	                 "Content-Length: ");
	buf_put_decimal(&b, jws.n);
	buf_put_text(&b, "\r\n\r\n");
	buf_put(&b, jws);
	return shot_end(s, &b);
}

enum err
bench_shot_get(struct bench_shots *s, const char *path, const char *authorization)
{
	struct buf b = buf_init(s->room + s->used, s->size - s->used);

	buf_put_text(&b, "GET ");
	buf_put_text(&b, path);
	buf_put_text(&b, " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ");
	buf_put_text(&b, authorization);
	buf_put_text(&b, "\r\n\r\n");
	return shot_end(s, &b);
}

/* Connections */

static enum err
connection_open(struct loop *l, struct connection *c)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
	        .sin_port = htons((uint16_t)l->d->port),
	        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event ask = {.events = EPOLLIN, .data.ptr = c};
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	c->room = ANSWER_BYTES;
	if (c->fd < 0 || (c->answer = malloc(c->room)) == NULL)
		return ERR_MEMORY;
	if (connect(c->fd, (const struct sockaddr *)&to, sizeof to) != 0 ||
	        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
	        epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ask) != 0)
		return ERR_IO;
	return ERR_OK;
}

static enum err
rest_send(struct loop *l, struct connection *c)
{
	struct epoll_event ask = {.data.ptr = c};
	ssize_t n = 0;

	while (c->rest.n > 0 &&
	        (n = send(c->fd, c->rest.p, c->rest.n, MSG_NOSIGNAL | MSG_DONTWAIT)) > 0)
		c->rest = bytes_skip(c->rest, (size_t)n);
	if (n < 0 && errno != EAGAIN)
		return ERR_IO;
	if (c->full == (c->rest.n > 0))
		return ERR_OK;
	c->full = c->rest.n > 0;
	ask.events = c->full ? EPOLLIN | EPOLLOUT : EPOLLIN;
	return epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &ask) == 0 ? ERR_OK : ERR_IO;
}

/* Answers */

static const char *
head_find(const struct connection *c, const char *name)
{
	const char *at = (const char *)c->answer, *end;
	size_t n = strlen(name);

	for (; (end = memmem(at, c->n - (size_t)(at - (const char *)c->answer), "\r\n", 2)) != NULL;
	        at = end + 2)
		if ((size_t)(end - at) > n && strncasecmp(at, name, n) == 0)
			return at + n;
	return NULL;
}

/* Sets c->whole once the head is there. */
static enum err
head_read(struct connection *c)
{
	const uint8_t *end = memmem(c->answer, c->n, "\r\n\r\n", 4);
	const char *length;
	uint8_t *grown;

	if (end == NULL)
		return c->n < c->room ? ERR_OK : ERR_HTTP;
	if ((length = head_find(c, "content-length:")) == NULL)
		return ERR_HTTP;
	c->whole = (size_t)(end - c->answer) + 4 + strtoul(length, NULL, 10);
	if (c->whole <= c->room)
		return ERR_OK;
	if (c->whole > ((size_t)1 << 24) || (grown = realloc(c->answer, c->whole)) == NULL)
		return ERR_MEMORY;
	c->answer = grown;
	c->room = c->whole;
	return ERR_OK;
}

static enum err
time_keep(struct loop *l, double s)
{
	size_t room = l->ms_room != 0 ? 2 * l->ms_room : 4096;
	double *grown;

	if (l->ms_count == l->ms_room) {
		if ((grown = realloc(l->ms, room * sizeof *grown)) == NULL)
			return ERR_MEMORY;
		l->ms = grown;
		l->ms_room = room;
	}
	l->ms[l->ms_count++] = s * 1000;
	return ERR_OK;
}

static void
answer_count(struct loop *l, const struct connection *c)
{
	unsigned status = c->n > 12 ? (unsigned)strtoul((const char *)c->answer + 9, NULL, 10) : 0;
	struct bytes text = bytes_of(c->answer, c->n);
	const uint8_t *at;
	size_t n = l->d->needle != NULL ? strlen(l->d->needle) : 0;

	l->out.answered++;
	if (status < 200 || status > 202) {
		l->out.refusal = l->out.refused++ == 0 ? status : l->out.refusal;
		return;
	}
	while (n > 0 && (at = memmem(text.p, text.n, l->d->needle, n)) != NULL) {
		l->out.needles++;
		text = bytes_skip(text, (size_t)(at - text.p) + n);
	}
}

static struct bytes
body_of(const struct connection *c)
{
	const uint8_t *end = memmem(c->answer, c->n, "\r\n\r\n", 4);

	return bytes_of(end + 4, (size_t)(c->answer + c->n - end) - 4);
}

static enum err
answer_take(struct loop *l, struct connection *c)
{
	ssize_t n = recv(c->fd, c->answer + c->n, c->room - c->n, MSG_DONTWAIT);
	enum err e;

	if (n < 0 && errno == EAGAIN)
		return ERR_OK;
	if (n <= 0 || !c->busy)
		return ERR_IO;
	c->n += (size_t)n;
	if (c->whole == 0 && (e = head_read(c)) != ERR_OK)
		return e;
	if (c->whole == 0 || c->n < c->whole)
		return ERR_OK;
	answer_count(l, c);
	if (l->d->seen != NULL && (e = l->d->seen(l->d->to, body_of(c), c->due)) != ERR_OK)
		return e;
	l->last = bench_clock_s();
	c->busy = false;
	c->n = c->whole = 0;
	l->open--;
	return time_keep(l, l->last - c->due);
}

/* The loop */

/* How many may have been sent by now. */
static uint64_t
due_count(const struct loop *l, double now)
{
	const struct bench_drive *d = l->d;
	uint64_t all = d->again ? UINT64_MAX : d->shots->count, due;

	if (d->seconds > 0 && now - l->start >= d->seconds)
		return l->sent;
	due = d->rate > 0 ? (uint64_t)((now - l->start) * d->rate) + 1 : UINT64_MAX;
	return due < all ? due : all;
}

static enum err
idle_send(struct loop *l)
{
	for (unsigned i = 0; i < l->d->connections; i++) {
		struct connection *c = &l->connections[i];
		double now = c->busy ? 0 : bench_clock_s();
		enum err e;

		if (c->busy)
			continue;
		if (l->sent >= due_count(l, now))
			break;
		c->rest = l->d->shots->requests[l->sent % l->d->shots->count];
		c->due = l->d->rate > 0 ? l->start + (double)l->sent / l->d->rate : now;
		c->busy = true;
		l->sent++;
		l->open++;
		if ((e = rest_send(l, c)) != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* Until something comes or the next request is due. */
static int
events_wait(const struct loop *l, struct epoll_event *events)
{
	double left = SILENCE_S;
	struct timespec t;

	if (l->d->rate > 0 && l->open < l->d->connections)
		left = l->start + (double)l->sent / l->d->rate - bench_clock_s();
	if (left < 0 || l->d->connections == 0)
		left = 0;
	t.tv_sec = (time_t)left;
	t.tv_nsec = (long)((left - (double)t.tv_sec) * 1e9);
	return epoll_pwait2(l->epoll, events, EVENTS, &t, NULL);
}

static enum err
events_serve(struct loop *l)
{
	struct epoll_event events[EVENTS];
	int n = events_wait(l, events);
	enum err e = ERR_OK;

	if (n < 0 && errno != EINTR)
		return ERR_IO;
	if (n == 0 && l->open > 0 && bench_clock_s() - l->last > SILENCE_S)
		return ERR_DEADLINE;
	for (int i = 0; e == ERR_OK && i < n; i++) {
		struct connection *c = events[i].data.ptr;

		if ((events[i].events & EPOLLOUT) != 0)
			e = rest_send(l, c);
		if (e == ERR_OK && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
			e = answer_take(l, c);
	}
	return e;
}

static bool
all_sent(const struct loop *l)
{
	const struct bench_drive *d = l->d;

	return (d->seconds > 0 && bench_clock_s() - l->start >= d->seconds) ||
	       (!d->again && l->sent >= d->shots->count);
}

static enum err
loop_run(struct loop *l)
{
	double cpu = bench_cpu_s();
	enum err e = ERR_OK;

	l->start = l->last = bench_clock_s();
	while (e == ERR_OK && (e = idle_send(l)) == ERR_OK && (l->open > 0 || !all_sent(l)))
		e = events_serve(l);
	l->out.seconds = l->last - l->start;
	l->out.cpu_s = bench_cpu_s() - cpu;
	return e;
}

static void
times_sum(struct loop *l)
{
	size_t n = l->ms_count;

	if (n == 0)
		return;
	qsort(l->ms, n, sizeof *l->ms, bench_double_order);
	l->out.p50_ms = l->ms[(n - 1) / 2];
	l->out.p99_ms = l->ms[(n - 1) * 99 / 100];
	l->out.max_ms = l->ms[n - 1];
}

enum err
bench_drive(const struct bench_drive *d, struct bench_driven *out)
{
	struct loop l = {.d = d, .epoll = epoll_create1(EPOLL_CLOEXEC)};
	enum err e = ERR_OK;

	l.connections = calloc(d->connections, sizeof *l.connections);
	if (l.epoll < 0 || l.connections == NULL)
		e = ERR_MEMORY;
	for (unsigned i = 0; l.connections != NULL && i < d->connections; i++)
		l.connections[i].fd = -1;
	for (unsigned i = 0; e == ERR_OK && i < d->connections; i++)
		e = connection_open(&l, &l.connections[i]);
	if (e == ERR_OK && d->shots->count > 0)
		e = loop_run(&l);
	times_sum(&l);
	if (e == ERR_OK)
		*out = l.out;
	for (unsigned i = 0; l.connections != NULL && i < d->connections; i++) {
		if (l.connections[i].fd >= 0)
			close(l.connections[i].fd);
		free(l.connections[i].answer);
	}
	if (l.epoll >= 0)
		close(l.epoll);
	free(l.connections);
	free(l.ms);
	return e;
}
