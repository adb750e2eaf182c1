/* bench_serve.c - a static server of a few hundred files; its one thread ends with its socket. */
#include "bench_serve.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_BYTES = 8192 };

struct file {
	char path[BENCH_FILE_NAME];
	uint8_t *bytes;
	size_t n;
};

struct bench_serve {
	struct file files[BENCH_FILES_MAX];
	size_t count;
	int fd;
	char url[48];
	pthread_t thread;
	bool started;
	atomic_uint_fast64_t sent;
};

enum err
bench_serve_open(struct bench_serve **out)
{
	struct bench_serve *s = calloc(1, sizeof *s);

	if (s == NULL)
		return ERR_MEMORY;
	s->fd = -1;
	atomic_init(&s->sent, 0);
	*out = s;
	return ERR_OK;
}

void
bench_serve_close(struct bench_serve *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		shutdown(s->fd, SHUT_RDWR);
	if (s->started)
		pthread_join(s->thread, NULL);
	if (s->fd >= 0)
		close(s->fd);
	for (size_t i = 0; i < s->count; i++)
		free(s->files[i].bytes);
	free(s);
}

enum err
bench_serve_put(struct bench_serve *s, const char *path, struct bytes data)
{
	struct file *f = &s->files[s->count];

	if (s->count == BENCH_FILES_MAX || strlen(path) >= sizeof f->path)
		return ERR_LIMIT;
	if ((f->bytes = malloc(data.n + 1)) == NULL)
		return ERR_MEMORY;
	memcpy(f->bytes, data.p, data.n);
	f->n = data.n;
	snprintf(f->path, sizeof f->path, "%s", path);
	s->count++;
	return ERR_OK;
}

static bool
all_send(int fd, const void *data, size_t n)
{
	const uint8_t *p = data;
	ssize_t sent;

	for (; n > 0; p += sent, n -= (size_t)sent)
		if ((sent = send(fd, p, n, MSG_NOSIGNAL)) <= 0)
			return false;
	return true;
}

/* One request without a body; false when the client has gone. */
static bool
request_read(int fd, char text[HEAD_BYTES])
{
	size_t n = 0;

	do {
		ssize_t got = n < HEAD_BYTES - 1 ? recv(fd, text + n, HEAD_BYTES - 1 - n, 0) : 0;

		if (got <= 0)
			return false;
		n += (size_t)got;
		text[n] = '\0';
	} while (strstr(text, "\r\n\r\n") == NULL);
	return strncmp(text, "GET /", 5) == 0;
}

static bool
answer(struct bench_serve *s, int fd, const char *path)
{
	const struct file *f = NULL;
	char head[160];

	for (size_t i = 0; i < s->count && f == NULL; i++)
		if (strcmp(s->files[i].path, path) == 0)
			f = &s->files[i];
	snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n",
	        f == NULL ? "404 Not Found" : "200 OK", f == NULL ? 0 : f->n);
	if (!all_send(fd, head, strlen(head)))
		return false;
	if (f == NULL)
		return true;
	atomic_fetch_add(&s->sent, f->n);
	return all_send(fd, f->bytes, f->n);
}

static void *
serve(void *arg)
{
	struct bench_serve *s = arg;
	char text[HEAD_BYTES];
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		while (request_read(fd, text)) {
			text[4 + strcspn(text + 4, " ")] = '\0';
			if (!answer(s, fd, text + 4))
				break;
		}
		close(fd);
	}
	return NULL;
}

enum err
bench_serve_start(struct bench_serve *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&a, n) != 0 || listen(s->fd, 4) != 0 ||
	        getsockname(s->fd, (struct sockaddr *)&a, &n) != 0)
		return ERR_IO;
	snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", (unsigned)ntohs(a.sin_port));
	if (pthread_create(&s->thread, NULL, serve, s) != 0)
		return ERR_IO;
	s->started = true;
	return ERR_OK;
}

const char *
bench_serve_url(const struct bench_serve *s)
{
	return s->url;
}

uint64_t
bench_serve_sent(struct bench_serve *s)
{
	return atomic_exchange(&s->sent, 0);
}
