/* bench_serve.c - a static server for one client on loopback; its one thread ends with its socket.
 */
#include "bench_serve.h"

#include "file.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 8192, PART_BYTES = 65536, PATH_BYTES = 600 };

struct bench_serve {
	char dir[400];
	int fd;
	char url[48];
	pthread_t thread;
	bool started;
	atomic_uint_fast64_t sent;
};

enum err
bench_serve_open(const char *dir, struct bench_serve **out)
{
	struct bench_serve *s = calloc(1, sizeof *s);

	if (s == NULL)
		return ERR_MEMORY;
	s->fd = -1;
	snprintf(s->dir, sizeof s->dir, "%s", dir);
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
	free(s);
}

enum err
bench_serve_put(struct bench_serve *s, const char *path, struct bytes data)
{
	char name[PATH_BYTES], *slash;
	enum err e;

	snprintf(name, sizeof name, "%s%s", s->dir, path);
	slash = strrchr(name, '/');
	*slash = '\0';
	e = file_make_folders(name, 0755);
	*slash = '/';
	return e == ERR_OK ? file_write(name, data, 0644) : e;
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
	static const char missing[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
	char name[PATH_BYTES], part[PART_BYTES];
	struct stat st;
	size_t n;
	FILE *in;
	bool good;

	if (snprintf(name, sizeof name, "%s%s", s->dir, path) >= (int)sizeof name ||
	        strstr(path, "..") != NULL || stat(name, &st) != 0 || !S_ISREG(st.st_mode) ||
	        (in = fopen(name, "rb")) == NULL)
		return all_send(fd, missing, sizeof missing - 1);
	snprintf(part, sizeof part, "HTTP/1.1 200 OK\r\nContent-Length: %lld\r\n\r\n",
	        (long long)st.st_size);
	good = all_send(fd, part, strlen(part));
	while (good && (n = fread(part, 1, sizeof part, in)) > 0) {
		atomic_fetch_add(&s->sent, n);
		good = all_send(fd, part, n);
	}
	fclose(in);
	return good;
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
