#ifndef ISSUER_HTTP_HEAD_H
#define ISSUER_HTTP_HEAD_H
/* http_head.h - the strict rules for the head of one HTTP request (RFC 9112, narrowed: reference in
 * README), apart from the library that read it. libmicrohttpd 0.9.75 takes bare LF, folded lines,
 * NUL bytes and two Content-Length as good; it leaves each name and value where the client's bytes
 * lay, and tells the size of the whole head, so the distances between the views show what stood
 * between them. */
#include "bytes.h"

enum { HTTP_FIELDS_MAX = 48, HTTP_PATH_BYTES_MAX = 512 };

struct http_field {
	struct bytes name, value;
};

/* Views into one buffer, as the library left it. */
struct http_head {
	struct bytes method, path, version;
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t fields_n;
	bool too_many;
	size_t head_bytes; /* from the method to the end of the empty line */
};

struct http_facts {
	unsigned method; /* enum http_method */
	uint64_t body_bytes;
	bool expects; /* Expect: 100-continue */
	struct bytes authorization, accept, accept_encoding, if_none_match;
};

/* ERR_HTTP: malformed or more than we take; ERR_METHOD: a method that is a token but not GET, HEAD,
 * POST. `why` gets a constant sentence that names the rule. */
MUST_USE enum err http_head_check(
        const struct http_head *h, struct http_facts *out, const char **why);
bool http_path_allowed(struct bytes path);
#endif
