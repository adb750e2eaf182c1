#ifndef ISSUER_HTTP_H
#define ISSUER_HTTP_H
/* http.h - the HTTP/1.1 server of issuerd, behind nginx or on loopback (DESIGN.md section 8,
 * FORMATS.md section 4). http.c is the one file that sees libmicrohttpd; nothing of it shows here.
 *
 * What never reaches a callback, because it is answered 400 (405, 413) and the connection closed:
 * another version than HTTP/1.1, lines that do not end in CR LF, folded lines, control bytes,
 * header names that are not tokens, no or two Host, two Authorization, Transfer-Encoding, a POST
 * without exactly one Content-Length, a body with GET or HEAD, a path with bytes outside
 * [A-Za-z0-9/_.-], an empty, `.` or `..` segment or a query, other methods than the three.
 *
 * Deadline: request_deadline_s for each of these, after which the connection is cut: from accept
 * (or, on a kept connection, from its request line) to the last byte of the request; a kept
 * connection between requests; the writing of the answer. Between `serve` and `exchange_done`
 * nothing is cut: the exchange belongs to the worker, who reads `deadline_ms` and answers
 * ERR_DEADLINE when it has passed. Range is not supported and ignored. */
#include "arena.h"
#include "config.h"

struct http;
struct metrics;

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST };

enum { REPLY_HEADERS_MAX = 8, ARENA_BYTES_MAX = 64 * 1024 * 1024 };

struct reply_header {
	const char *name, *value;
};

/* Filled by the functions of reply.h; status 0 means that nothing was answered (500 is sent). */
struct reply {
	unsigned status;
	const char *type; /* Content-Type, or NULL */
	struct reply_header headers[REPLY_HEADERS_MAX];
	size_t headers_n;
	struct bytes body;       /* in the arena, static, or given back by release(owned) */
	void (*release)(void *); /* NULL: nothing to give back */
	void *owned;
	int fd; /* >= 0: the body is this file, closed by the server */
	uint64_t fd_bytes;
	bool close; /* the connection ends after this answer */
};

/* One request and its reply. All views live in the arena until exchange_done. */
struct exchange {
	enum http_method method;
	struct bytes path;       /* begins with '/', holds only [A-Za-z0-9/_.-], a NUL after it */
	struct bytes body;       /* empty for GET and HEAD */
	uint64_t body_announced; /* Content-Length, known to admit */
	struct bytes authorization, accept, accept_encoding,
	        if_none_match; /* p is NULL where the header is absent */
	uint64_t id;           /* request id: 16 hex digits in logs and problem details */
	uint64_t deadline_ms;  /* CLOCK_MONOTONIC */
	void *user;            /* the worker's */
	struct arena arena;
	struct reply reply;
};

struct http_callbacks {
	/* Called on a loop thread when the headers are there, before the body is read: finds the
	 * route and says how many bytes of body it takes. Anything but ERR_OK is answered at once
	 * as a problem (add "Allow" with reply_add_header before ERR_METHOD). Must not block. */
	enum err (*admit)(void *ctx, struct exchange *x, size_t *body_max);
	/* Called on a loop thread when the body is there. Fills the reply and calls exchange_done,
	 * or hands x to another thread that does. Must not block. */
	void (*serve)(void *ctx, struct exchange *x);
	struct metrics *metrics; /* requests are counted here; may be NULL */
};

/* CLOCK_MONOTONIC in ms, to compare with deadline_ms. */
uint64_t http_now_ms(void);

/* Binds config.listen (`127.0.0.1:PORT`, `[::1]:PORT`, `unix:PATH`; port 0 is any) and makes
 * config.loops daemons; no request is taken yet. ERR_CONFIG: address not understood, or not
 * loopback without listen_any; ERR_EXISTS: somebody listens there; ERR_IO, ERR_MEMORY. */
MUST_USE enum err http_open(
        const struct config *c, const struct http_callbacks *calls, void *ctx, struct http **out);
/* Starts the loop threads and returns. ERR_MEMORY where a thread cannot be made. */
MUST_USE enum err http_run(struct http *h);
unsigned http_port(const struct http *h); /* 0 for a Unix socket */

/* The reply is complete. From any thread, exactly once for each serve; x is gone afterwards. */
void exchange_done(struct exchange *x);

/* Takes no new connection, closes idle ones, waits up to wait_ms for exchanges under way, ends the
 * loop threads. ERR_DEADLINE: some worker still holds an exchange; nothing may be freed, end the
 * process. */
MUST_USE enum err http_stop(struct http *h, unsigned wait_ms);
/* After http_stop gave ERR_OK, or without http_run; and after the threads that call exchange_done
 * have ended. Accepts NULL. */
void http_free(struct http *h);
#endif
