/* witness_http.c - libcurl's multi interface behind slots: nothing here waits longer than its
 * caller allows. */
#include "witness_http.h"

#include "log.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

struct slot {
	CURL *curl;
	struct curl_slist *headers, *names;
	uint8_t *body;
	bool busy, too_large;
	char type[80];
	uint8_t answer[WITNESS_ANSWER_BYTES_MAX];
	size_t n;
};
struct witness_http {
	CURLM *multi;
	struct slot *slots;
	size_t count;
};

static size_t
take(char *data, size_t one, size_t count, void *at)
{
	struct slot *s = at;
	size_t n = one * count;

	if (n > sizeof s->answer - s->n) {
		s->too_large = true;
		return 0;
	}
	memcpy(s->answer + s->n, data, n);
	s->n += n;
	return n;
}

bool
witness_http_url_valid(struct bytes url)
{
	bool scheme = bytes_start(url, "http://") || bytes_start(url, "https://");

	if (!scheme || url.n < sizeof "https://" || url.n >= WITNESS_URL_BYTES_MAX)
		return false;
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] > '~' || strchr("#?@\\", url.p[i]) != NULL)
			return false;
	return true;
}

/* Witnesses beside us are never reached through a proxy. */
static bool
options_set(struct slot *s)
{
	CURL *h = s->curl;

	s->headers = curl_slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
	return s->headers != NULL && !curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https") &&
	       !curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) &&
	       !curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       !curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)WITNESS_DEADLINE_S) &&
	       !curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)WITNESS_DEADLINE_S / 2) &&
	       !curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(h, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
	       !curl_easy_setopt(h, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1") &&
	       !curl_easy_setopt(h, CURLOPT_USERAGENT, "issuer-publish/" ZZ_VERSION) &&
	       !curl_easy_setopt(h, CURLOPT_HTTPHEADER, s->headers) &&
	       !curl_easy_setopt(h, CURLOPT_POST, 1L) &&
	       !curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take) &&
	       !curl_easy_setopt(h, CURLOPT_WRITEDATA, s) &&
	       !curl_easy_setopt(h, CURLOPT_PRIVATE, s);
}

/* "HOST:PORT:ADDRESS,ADDRESS" */
static struct curl_slist *
addresses_join(const char *host, const char *port, const struct addrinfo *found)
{
	char line[1024], address[80];
	int n = snprintf(line, sizeof line, "%s:%s:", host, port);

	for (const struct addrinfo *a = found; a != NULL; a = a->ai_next) {
		bool v6 = a->ai_family == AF_INET6;

		if (getnameinfo(a->ai_addr, a->ai_addrlen, address, sizeof address, NULL, 0,
		            NI_NUMERICHOST) != 0 ||
		        n < 0 || (size_t)n + sizeof address + 3 > sizeof line)
			break;
		n += snprintf(line + n, sizeof line - (size_t)n, v6 ? "%s[%s]" : "%s%s",
		        a == found ? "" : ",", address);
	}
	return curl_slist_append(NULL, line);
}

static bool
name_resolve(struct slot *s, struct bytes url)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	char text[WITNESS_URL_BYTES_MAX], *host = NULL, *port = NULL;
	struct addrinfo *found = NULL;
	CURLU *u = curl_url();
	bool good = u != NULL;

	if (url.n == 0 || url.n >= sizeof text) {
		curl_url_cleanup(u);
		return good;
	}
	memcpy(text, url.p, url.n);
	text[url.n] = '\0';
	if (good && !curl_url_set(u, CURLUPART_URL, text, 0) &&
	        !curl_url_get(u, CURLUPART_HOST, &host, 0) &&
	        !curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) && host[0] != '[') {
		if (getaddrinfo(host, port, &hints, &found) != 0)
			log_note("witness_unknown", "host=%s what=\"no address\"", host);
		else
			s->names = addresses_join(host, port, found);
	}
	if (s->names != NULL)
		good = !curl_easy_setopt(s->curl, CURLOPT_RESOLVE, s->names);
	if (found != NULL)
		freeaddrinfo(found);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	return good;
}

enum err
witness_http_open(const struct bytes *urls, size_t slots, struct witness_http **out)
{
	struct witness_http *h = calloc(1, sizeof *h);
	bool good = h != NULL && curl_global_init(CURL_GLOBAL_DEFAULT) == 0;

	if (!good) {
		free(h);
		return ERR_MEMORY;
	}
	h->multi = curl_multi_init();
	h->slots = calloc(slots + 1, sizeof *h->slots);
	good = h->multi != NULL && h->slots != NULL;
	for (; good && h->count < slots; h->count++) {
		struct slot *s = &h->slots[h->count];

		s->curl = curl_easy_init();
		good = s->curl != NULL && options_set(s) && name_resolve(s, urls[h->count]);
	}
	if (!good) {
		witness_http_free(h);
		return ERR_MEMORY;
	}
	*out = h;
	return ERR_OK;
}

void
witness_http_free(struct witness_http *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->count; i++) {
		struct slot *s = &h->slots[i];

		if (s->busy)
			curl_multi_remove_handle(h->multi, s->curl);
		curl_easy_cleanup(s->curl);
		curl_slist_free_all(s->headers);
		curl_slist_free_all(s->names);
		free(s->body);
	}
	curl_multi_cleanup(h->multi);
	free(h->slots);
	free(h);
	curl_global_cleanup();
}

enum err
witness_http_post(
        struct witness_http *h, size_t slot, struct bytes url, const char *path, struct bytes body)
{
	char full[WITNESS_URL_BYTES_MAX + 40];
	struct slot *s = &h->slots[slot];
	uint8_t *copy;

	if (s->busy)
		return ERR_BUSY;
	if (!witness_http_url_valid(url))
		return ERR_VALUE;
	while (url.p[url.n - 1] == '/')
		url.n--;
	snprintf(full, sizeof full, "%.*s%s", (int)url.n, (const char *)url.p, path);
	if ((copy = malloc(body.n + 1)) == NULL)
		return ERR_MEMORY;
	memcpy(copy, body.p, body.n);
	free(s->body);
	s->body = copy;
	s->n = 0;
	s->too_large = false;
	if (curl_easy_setopt(s->curl, CURLOPT_URL, full) ||
	        curl_easy_setopt(s->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n) ||
	        curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, (const char *)copy) ||
	        curl_multi_add_handle(h->multi, s->curl))
		return ERR_MEMORY;
	s->busy = true;
	return ERR_OK;
}

static void
type_copy(struct slot *s)
{
	const char *type = NULL;
	size_t i = 0;

	if (!curl_easy_getinfo(s->curl, CURLINFO_CONTENT_TYPE, &type) && type != NULL)
		for (; i + 1 < sizeof s->type && type[i] > ' ' && type[i] != ';'; i++)
			s->type[i] =
			        (char)(type[i] >= 'A' && type[i] <= 'Z' ? type[i] + 32 : type[i]);
	s->type[i] = '\0';
}

static struct witness_reply
reply_of(struct slot *s, CURLcode code)
{
	struct witness_reply r = {.e = ERR_OK, .type = s->type, .body = bytes_of(s->answer, s->n)};
	long status = 0;

	type_copy(s);
	if (s->too_large)
		r.e = ERR_LIMIT;
	else if (code == CURLE_OPERATION_TIMEDOUT)
		r.e = ERR_DEADLINE;
	else if (code != CURLE_OK ||
	         curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
		r.e = ERR_IO;
	r.status = (unsigned)status;
	return r;
}

void
witness_http_turn(struct witness_http *h, unsigned wait_ms,
        void (*reply)(void *ctx, size_t slot, const struct witness_reply *r), void *ctx)
{
	int running = 0, left = 0;
	const CURLMsg *m;

	curl_multi_perform(h->multi, &running);
	m = curl_multi_info_read(h->multi, &left);
	if (m == NULL && curl_multi_poll(h->multi, NULL, 0, (int)wait_ms, NULL) == CURLM_OK) {
		curl_multi_perform(h->multi, &running);
		m = curl_multi_info_read(h->multi, &left);
	}
	for (; m != NULL; m = curl_multi_info_read(h->multi, &left)) {
		CURLcode code = m->data.result;
		CURL *curl = m->easy_handle;
		struct slot *s = NULL;
		struct witness_reply r;

		if (m->msg != CURLMSG_DONE ||
		        curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&s) != CURLE_OK)
			continue;
		curl_multi_remove_handle(h->multi, curl);
		s->busy = false;
		r = reply_of(s, code);
		reply(ctx, (size_t)(s - h->slots), &r);
	}
}
