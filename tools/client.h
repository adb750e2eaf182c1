#ifndef TOOLS_CLIENT_H
#define TOOLS_CLIENT_H
/* client.h - HTTP/1.1 for the tools: http and https only, no redirects, bounded answers, time-outs,
 * one kept connection. The one header whose .c sees libcurl. Not to be shared by threads: each
 * opens its own. */
#include "bytes.h"

enum {
	CLIENT_CONNECT_S_MAX = 10,
	CLIENT_ANSWER_S_MAX = 120, /* a whole exchange */
	CLIENT_URL_BYTES_MAX = 1000,
};

struct client;

/* base_url: http:// or https://, host, optional port and path; no user, query or fragment
 * (ERR_VALUE). A proxy named by the environment is never used for a loopback host. */
MUST_USE enum err client_open(const char *base_url, struct client **out);
void client_free(struct client *c); /* NULL is fine */

struct client_reply { /* body lives until the next call */
	unsigned status;
	struct bytes body;
	char type[80]; /* Content-Type, lower case, without parameters; empty when there is none */
};

/* `path` starts with '/'. `authorization` is the value of that header, or NULL. Every HTTP status
 * is ERR_OK. ERR_IO: no connection, or it broke; ERR_DEADLINE: time-out; ERR_LIMIT: the body is
 * above bytes_max; ERR_HTTP: the answer is no HTTP; ERR_VALUE: a path or header that would break
 * the request line. */
MUST_USE enum err client_get(struct client *c, const char *path, const char *authorization,
        size_t bytes_max, struct client_reply *out);
MUST_USE enum err client_post(struct client *c, const char *path, const char *type,
        struct bytes body, size_t bytes_max, struct client_reply *out);
/* POST with an Authorization header, or without one (NULL). */
struct client_send {
	const char *path, *type, *authorization;
	struct bytes body;
};
MUST_USE enum err client_send(
        struct client *c, const struct client_send *s, size_t bytes_max, struct client_reply *out);
/* libcurl's sentence on the last failure: for people, on standard error. */
const char *client_why(const struct client *c);
#endif
