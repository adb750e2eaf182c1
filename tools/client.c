/* client.c - HTTP for the tools by libcurl: an answer is never larger than its caller allows, and
 * no option of the environment can turn a request aside to another host. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

struct client {
	CURL *curl;
	char base[CLIENT_URL_BYTES_MAX];
	char why[CURL_ERROR_SIZE];
	uint8_t *body;
	size_t n, room, bytes_max;
	bool too_large;
};

/* Grows by doubling, so that the size an answer claims reserves nothing. */
static size_t
take(char *data, size_t one, size_t count, void *at)
{
	struct client *c = at;
	size_t n = one * count, room = c->room ? c->room : 16 * 1024;
	uint8_t *grown;

	if (n > c->bytes_max - c->n) {
		c->too_large = true;
		return 0;
	}
	while (room < c->n + n)
		room *= 2;
	if (room != c->room) {
		if (!(grown = realloc(c->body, room)))
			return 0;
		c->body = grown;
		c->room = room;
	}
	memcpy(c->body + c->n, data, n);
	c->n += n;
	return n;
}

static bool
clean(const char *s)
{
	for (; *s; s++) {
		if (*s <= ' ' || *s > '~' || *s == '#' || *s == '?' || *s == '@' || *s == '\\')
			return false;
	}
	return true;
}

static bool
host_is_loopback(const char *base)
{
	const char *host = strstr(base, "://") + 3;
	size_t n = strcspn(host, "/:");

	if (*host == '[')
		return !strncmp(host, "[::1]", 5);
	return !strncmp(host, "127.", 4) || (n == 9 && !strncasecmp(host, "localhost", 9));
}

static enum err
base_set(struct client *c, const char *url)
{
	size_t n = strlen(url);

	if (strncmp(url, "http://", 7) && strncmp(url, "https://", 8))
		return ERR_VALUE;
	while (n && url[n - 1] == '/')
		n--;
	if (n <= 8 || n >= sizeof c->base / 2 || !clean(url))
		return ERR_VALUE;
	memcpy(c->base, url, n);
	c->base[n] = 0;
	return ERR_OK;
}

static bool
options_set(struct client *c)
{
	CURL *h = c->curl;

	return !curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https") &&
	       !curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) &&
	       !curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       !curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)CLIENT_CONNECT_S_MAX) &&
	       !curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)CLIENT_ANSWER_S_MAX) &&
	       !curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(h, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
	       !curl_easy_setopt(h, CURLOPT_TCP_NODELAY, 1L) &&
	       !curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L) &&
	       !curl_easy_setopt(h, CURLOPT_USERAGENT, "zz/" ZZ_VERSION) &&
	       !curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c->why) &&
	       !curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take) &&
	       !curl_easy_setopt(h, CURLOPT_WRITEDATA, c) &&
	       (!host_is_loopback(c->base) || !curl_easy_setopt(h, CURLOPT_PROXY, ""));
}

static enum err
err_of(const struct client *c, CURLcode code)
{
	if (c->too_large)
		return ERR_LIMIT;
	switch ((int)code) {
	case CURLE_OK:
		return ERR_OK;
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_DEADLINE;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return ERR_HTTP;
	case CURLE_OUT_OF_MEMORY:
	case CURLE_WRITE_ERROR:
		return ERR_MEMORY;
	default:
		return ERR_IO;
	}
}

static void
type_copy(CURL *h, char out[80])
{
	const char *type = NULL;
	size_t i;

	out[0] = 0;
	if (curl_easy_getinfo(h, CURLINFO_CONTENT_TYPE, &type) || !type)
		return;
	for (i = 0; i < 79 && type[i] > ' ' && type[i] != ';'; i++)
		out[i] = (char)(type[i] >= 'A' && type[i] <= 'Z' ? type[i] + 32 : type[i]);
	out[i] = 0;
}

static bool
header_add(struct curl_slist **list, const char *name, const char *value)
{
	size_t n = strlen(name) + strlen(value) + 3;
	struct curl_slist *longer;
	char *line = malloc(n);

	if (!line)
		return false;
	snprintf(line, n, "%s:%s%s", name, *value ? " " : "", value);
	longer = curl_slist_append(*list, line);
	free(line);
	if (longer)
		*list = longer;
	return longer != NULL;
}

static enum err
exchange(struct client *c, const char *path, struct curl_slist *headers, size_t bytes_max,
        struct client_reply *out)
{
	char url[2 * CLIENT_URL_BYTES_MAX];
	CURLcode code;
	long status = 0;
	enum err e;

	if (path[0] != '/' || strlen(path) >= CLIENT_URL_BYTES_MAX || !clean(path))
		return ERR_VALUE;
	snprintf(url, sizeof url, "%s%s", c->base, path);
	c->n = 0;
	c->bytes_max = bytes_max;
	c->too_large = false;
	c->why[0] = 0;
	if (curl_easy_setopt(c->curl, CURLOPT_URL, url) ||
	        curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers))
		return ERR_MEMORY;
	code = curl_easy_perform(c->curl);
	if (code && !c->why[0])
		snprintf(c->why, sizeof c->why, "%s", curl_easy_strerror(code));
	if ((e = err_of(c, code)) != ERR_OK)
		return e;
	if (curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status) || status < 100 ||
	        status > 599)
		return ERR_HTTP;
	out->status = (unsigned)status;
	out->body = bytes_of(c->body, c->n);
	type_copy(c->curl, out->type);
	return ERR_OK;
}

enum err
client_open(const char *base_url, struct client **out)
{
	struct client *c = calloc(1, sizeof *c);
	enum err e;

	if (!c)
		return ERR_MEMORY;
	if ((e = base_set(c, base_url)) != ERR_OK) {
		free(c);
		return e;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
		free(c);
		return ERR_MEMORY;
	}
	c->curl = curl_easy_init();
	if (!c->curl || !options_set(c)) {
		client_free(c);
		return ERR_MEMORY;
	}
	*out = c;
	return ERR_OK;
}

void
client_free(struct client *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->curl);
	curl_global_cleanup();
	free(c->body);
	free(c);
}

enum err
client_get(struct client *c, const char *path, const char *authorization, size_t bytes_max,
        struct client_reply *out)
{
	struct curl_slist *headers = NULL;
	enum err e = ERR_MEMORY;

	if (authorization && strpbrk(authorization, "\r\n"))
		return ERR_VALUE;
	if (authorization && !header_add(&headers, "Authorization", authorization))
		goto out;
	if (curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L))
		goto out;
	e = exchange(c, path, headers, bytes_max, out);
out:
	curl_slist_free_all(headers);
	return e;
}

enum err
client_send(
        struct client *c, const struct client_send *s, size_t bytes_max, struct client_reply *out)
{
	struct curl_slist *headers = NULL;
	enum err e = ERR_MEMORY;

	if (strpbrk(s->type, "\r\n") || (s->authorization && strpbrk(s->authorization, "\r\n")))
		return ERR_VALUE;
	/* "Expect" without value: no waiting for 100 Continue before a large body */
	if (!header_add(&headers, "Content-Type", s->type) || !header_add(&headers, "Expect", "") ||
	        (s->authorization && !header_add(&headers, "Authorization", s->authorization)))
		goto out;
	if (curl_easy_setopt(c->curl, CURLOPT_POST, 1L) ||
	        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)s->body.n) ||
	        curl_easy_setopt(
	                c->curl, CURLOPT_POSTFIELDS, s->body.n ? (const char *)s->body.p : ""))
		goto out;
	e = exchange(c, s->path, headers, bytes_max, out);
out:
	curl_slist_free_all(headers);
	return e;
}

enum err
client_post(struct client *c, const char *path, const char *type, struct bytes body,
        size_t bytes_max, struct client_reply *out)
{
	const struct client_send s = {path, type, NULL, body};

	return client_send(c, &s, bytes_max, out);
}

const char *
client_why(const struct client *c)
{
	return c->why;
}
