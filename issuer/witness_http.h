#ifndef ISSUER_WITNESS_HTTP_H
#define ISSUER_WITNESS_HTTP_H
/* witness_http.h - several POSTs at once, driven by the caller's own turns: a witness that hangs
 * holds up nobody. http and https, no redirects, bounded answers, a deadline each. The one header
 * of issuer/ whose .c sees libcurl. */
#include "bytes.h"

enum {
	WITNESS_DEADLINE_S = 10, /* a whole exchange */
	WITNESS_ANSWER_BYTES_MAX = 4096,
	WITNESS_URL_BYTES_MAX = 400,
};

struct witness_http;

/* One slot for each URL, which may be empty. Their names are looked up here, once: libcurl would do
 * it in a thread, which the sandbox does not start. A new address needs a new start. */
MUST_USE enum err witness_http_open(
        const struct bytes *urls, size_t slots, struct witness_http **out);
void witness_http_free(struct witness_http *h); /* NULL is fine */
/* http:// or https:// and a host; no user, query or fragment. */
bool witness_http_url_valid(struct bytes url);
/* Starts a POST to URL and `path`; one at a time in a slot. The body is copied. */
MUST_USE enum err witness_http_post(
        struct witness_http *h, size_t slot, struct bytes url, const char *path, struct bytes body);

struct witness_reply {
	enum err e; /* ERR_OK, or ERR_IO, ERR_DEADLINE, ERR_LIMIT */
	unsigned status;
	const char *type; /* Content-Type in lower case, without parameters; never NULL */
	struct bytes body;
};
/* Works for at most wait_ms, less when a reply came; hands over each that is there. */
void witness_http_turn(struct witness_http *h, unsigned wait_ms,
        void (*reply)(void *ctx, size_t slot, const struct witness_reply *r), void *ctx);
#endif
