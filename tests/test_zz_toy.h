#ifndef TESTS_TEST_ZZ_TOY_H
#define TESTS_TEST_ZZ_TOY_H
/* test_zz_toy.h - a toy of the service for tests of the tools: a thread on loopback that keeps
 * connections, counts requests, and answers what its test's handler says. */
#include "bytes.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TOY_BYTES_MAX = 8 * 1024 * 1024, TOY_CONNECTIONS_MAX = 64 };

struct toy_request {
	char method[8], path[256];
	const char *head; /* request line and headers */
	struct bytes body;
};
struct toy_reply {
	unsigned status;
	const char *type;
	const char *headers; /* more of them, each with its CRLF */
	const char *raw;     /* instead of all: sent as it is, then the connection closes */
	char *body;          /* malloc'ed */
	size_t n;
};
typedef void (*toy_handler)(void *ctx, const struct toy_request *in, struct toy_reply *out);

struct toy {
	toy_handler handler;
	void *ctx;
	int fd;
	char url[40];
	pthread_t thread, each[TOY_CONNECTIONS_MAX];
	atomic_uint connections, requests;
	pthread_mutex_t lock; /* one handler at a time */
};
struct toy_connection {
	struct toy *toy;
	int fd;
};

static inline void
toy_send(int fd, const char *p, size_t n)
{
	ssize_t sent;

	for (; n > 0; p += sent, n -= (size_t)sent) {
		if ((sent = send(fd, p, n, MSG_NOSIGNAL)) <= 0)
			return;
	}
}

/* Reads one request into text (NUL after it). false: the peer closed. */
static inline bool
toy_read(int fd, char *text, struct toy_request *in)
{
	size_t n = 0, want = 0;
	const char *end, *length;
	ssize_t got;

	while (!want || n < want) {
		if (n == TOY_BYTES_MAX || (got = recv(fd, text + n, TOY_BYTES_MAX - n, 0)) <= 0)
			return false;
		n += (size_t)got;
		text[n] = 0;
		if (want || !(end = strstr(text, "\r\n\r\n")))
			continue;
		length = strcasestr(text, "\r\ncontent-length:");
		want = (size_t)(end + 4 - text);
		in->body.p = (const uint8_t *)end + 4;
		in->body.n = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
		want += in->body.n;
	}
	in->head = text;
	end = strchr(text, ' ');
	snprintf(in->method, sizeof in->method, "%.*s", (int)(end - text), text);
	snprintf(in->path, sizeof in->path, "%.*s", (int)strcspn(end + 1, " "), end + 1);
	return true;
}

static inline void *
toy_serve(void *at)
{
	struct toy_connection *c = at;
	char *text = malloc(TOY_BYTES_MAX + 1), head[1024];
	struct toy_request in;
	struct toy_reply out;

	while (text && toy_read(c->fd, text, &in)) {
		memset(&out, 0, sizeof out);
		atomic_fetch_add(&c->toy->requests, 1);
		pthread_mutex_lock(&c->toy->lock);
		c->toy->handler(c->toy->ctx, &in, &out);
		pthread_mutex_unlock(&c->toy->lock);
		if (out.raw) {
			toy_send(c->fd, out.raw, strlen(out.raw));
			break;
		}
		snprintf(head, sizeof head,
		        "HTTP/1.1 %u Word\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
		        out.status, out.type ? out.type : "application/json", out.n,
		        out.headers ? out.headers : "");
		toy_send(c->fd, head, strlen(head));
		toy_send(c->fd, out.body, out.n);
		free(out.body);
	}
	close(c->fd);
	free(text);
	free(c);
	return NULL;
}

static inline void *
toy_accept(void *at)
{
	struct toy *t = at;
	struct toy_connection *c;
	unsigned i;
	int fd, on = 1;

	while ((fd = accept(t->fd, NULL, NULL)) >= 0) {
		/* head and body are two packets: the second must not wait for the first */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		i = atomic_load(&t->connections);
		assert(i < TOY_CONNECTIONS_MAX && (c = malloc(sizeof *c)) != NULL);
		*c = (struct toy_connection){t, fd};
		assert(!pthread_create(&t->each[i], NULL, toy_serve, c));
		atomic_fetch_add(&t->connections, 1);
	}
	return NULL;
}

static inline void
toy_start(struct toy *t, toy_handler handler, void *ctx)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;

	memset(t, 0, sizeof *t);
	t->handler = handler;
	t->ctx = ctx;
	pthread_mutex_init(&t->lock, NULL);
	t->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert(t->fd >= 0 && !bind(t->fd, (struct sockaddr *)&a, n) && !listen(t->fd, 16));
	assert(!getsockname(t->fd, (struct sockaddr *)&a, &n));
	snprintf(t->url, sizeof t->url, "http://127.0.0.1:%u", ntohs(a.sin_port));
	assert(!pthread_create(&t->thread, NULL, toy_accept, t));
}

/* After the clients have closed. */
static inline void
toy_stop(struct toy *t)
{
	unsigned i;

	shutdown(t->fd, SHUT_RDWR);
	pthread_join(t->thread, NULL);
	close(t->fd);
	for (i = 0; i < atomic_load(&t->connections); i++)
		pthread_join(t->each[i], NULL);
	pthread_mutex_destroy(&t->lock);
}

static inline void
toy_say(struct toy_reply *out, unsigned status, const char *text)
{
	out->status = status;
	out->n = strlen(text);
	out->body = malloc(out->n + 1);
	assert(out->body);
	memcpy(out->body, text, out->n + 1);
}
#endif
