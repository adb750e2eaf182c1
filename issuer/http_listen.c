/* http_listen.c - binds loopback or a Unix socket; another address only where the configuration
 * says so aloud. */
#include "http_listen.h"

#include "log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

/* "127.0.0.1:8080" or "[::1]:8080" */
static enum err
parse_ip(const char *text, union address *a, socklen_t *n)
{
	const char *colon = strrchr(text, ':');
	char host[64] = "";
	size_t host_n = colon == NULL ? 0 : (size_t)(colon - text);
	uint64_t port = 0;

	if (host_n == 0 || host_n >= sizeof host ||
	        decimal_decode(bytes_of_text(colon + 1), 65535, &port) != ERR_OK)
		return ERR_CONFIG;
	memset(a, 0, sizeof *a);
	if (text[0] == '[' && text[host_n - 1] == ']') {
		memcpy(host, text + 1, host_n - 2);
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons((uint16_t)port);
		*n = sizeof a->v6;
		return inet_pton(AF_INET6, host, &a->v6.sin6_addr) == 1 ? ERR_OK : ERR_CONFIG;
	}
	memcpy(host, text, host_n);
	a->v4.sin_family = AF_INET;
	a->v4.sin_port = htons((uint16_t)port);
	*n = sizeof a->v4;
	return inet_pton(AF_INET, host, &a->v4.sin_addr) == 1 ? ERR_OK : ERR_CONFIG;
}

static bool
is_loopback(const union address *a)
{
	if (a->any.sa_family == AF_INET)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
	return memcmp(&a->v6.sin6_addr, &in6addr_loopback, sizeof in6addr_loopback) == 0;
}

/* A socket file stays behind when a process is killed: it is removed when nobody answers on it. */
static enum err
clear_stale(const union address *a, socklen_t n)
{
	struct stat st;
	int fd = -1, code = 0;

	if (lstat(a->local.sun_path, &st) != 0)
		return errno == ENOENT ? ERR_OK : ERR_IO;
	if (!S_ISSOCK(st.st_mode))
		return ERR_EXISTS;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_IO;
	code = connect(fd, &a->any, n) == 0 ? 0 : errno;
	close(fd);
	if (code != ECONNREFUSED)
		return ERR_EXISTS;
	return unlink(a->local.sun_path) == 0 ? ERR_OK : ERR_IO;
}

static enum err
parse_unix(const struct config *c, union address *a, socklen_t *n, struct http_listener *out)
{
	memset(a, 0, sizeof *a);
	config_path(c, c->listen + strlen("unix:"), out->unix_path, sizeof out->unix_path);
	if (out->unix_path[0] == '\0' || strlen(out->unix_path) >= sizeof a->local.sun_path)
		return ERR_CONFIG;
	a->local.sun_family = AF_UNIX;
	memcpy(a->local.sun_path, out->unix_path, strlen(out->unix_path) + 1);
	*n = sizeof a->local;
	return clear_stale(a, *n);
}

static enum err
port_of(int fd, unsigned *port)
{
	union address a;
	socklen_t n = sizeof a;

	if (getsockname(fd, &a.any, &n) != 0)
		return ERR_IO;
	*port = 0;
	if (a.any.sa_family == AF_INET)
		*port = ntohs(a.v4.sin_port);
	if (a.any.sa_family == AF_INET6)
		*port = ntohs(a.v6.sin6_port);
	return ERR_OK;
}

static enum err
bind_and_listen(int fd, const union address *a, socklen_t n)
{
	int one = 1;

	if (a->any.sa_family != AF_UNIX &&
	        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0)
		return ERR_IO;
	if (bind(fd, &a->any, n) != 0)
		return errno == EADDRINUSE ? ERR_EXISTS : ERR_IO;
	/* before listen, so that nobody connects through wider rights */
	if (a->any.sa_family == AF_UNIX && chmod(a->local.sun_path, 0660) != 0)
		return ERR_IO;
	return listen(fd, BACKLOG) == 0 ? ERR_OK : ERR_IO;
}

enum err
http_listen(const struct config *c, struct http_listener *out)
{
	struct http_listener l = {.fd = -1};
	union address a;
	socklen_t n = 0;
	bool local = strncmp(c->listen, "unix:", 5) == 0;
	enum err e = local ? parse_unix(c, &a, &n, &l) : parse_ip(c->listen, &a, &n);

	if (e == ERR_OK && !local && !c->listen_any && !is_loopback(&a))
		e = ERR_CONFIG;
	if (e == ERR_OK &&
	        (l.fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
		e = ERR_IO;
	if (e != ERR_OK || (e = bind_and_listen(l.fd, &a, n)) != ERR_OK ||
	        (e = port_of(l.fd, &l.port)) != ERR_OK)
		goto out;
	*out = l;
	l.fd = -1;
out:
	if (e != ERR_OK)
		log_fault("listen", "address=%s error=%s errno=%d", c->listen, err_word(e), errno);
	if (l.fd >= 0)
		close(l.fd);
	return e;
}
