#ifndef ISSUER_REPLY_H
#define ISSUER_REPLY_H
/* reply.h - fills the reply of an exchange; each function replaces what an earlier one said. None
 * of them sends: exchange_done does. Without memory the answer is the fixed problem out_of_memory.
 */
#include "http.h"

#include <jansson.h>

/* Name and value are not copied: static or in x->arena. At most REPLY_HEADERS_MAX. */
void reply_add_header(struct exchange *x, const char *name, const char *value);

/* The body is not copied: static or in x->arena. type may be NULL where the body is empty. */
void reply_bytes(struct exchange *x, unsigned status, const char *type, struct bytes body);
/* The reply owns `owned` (malloc'ed text of n bytes) and frees it. */
void reply_owned(struct exchange *x, unsigned status, const char *type, char *owned, size_t n);
/* The reply owns fd and closes it. */
void reply_file(struct exchange *x, const char *type, int fd, uint64_t n);
/* application/json, no-store. `value` stays the caller's. */
void reply_json(struct exchange *x, unsigned status, const json_t *value);
/* RFC 9457 application/problem+json: type urn:zz:error:WORD, title, title_zh, status, detail
 * (unless NULL; plain text that may name what was wrong, never a name or number of a person),
 * request_id. Retry-After with 429 and 503, WWW-Authenticate with 401, Allow with 405 unless one
 * was added. Keeps headers that were added. */
void reply_problem(struct exchange *x, enum err e, const char *detail);
/* The same with further members, as {"request": "<64 hex>"}; `more` is an object, borrowed; it may
 * be NULL. */
void reply_problem_more(struct exchange *x, enum err e, const char *detail, json_t *more);

/* Gives back what a reply owns (file, text): the server does it, tests that call handlers directly
 * do it too. */
void reply_release(struct reply *r);
/* An exchange as a test or a tool makes one: arena and reply empty, fd -1. */
void exchange_init(struct exchange *x, enum http_method method, struct bytes path);
void exchange_end(struct exchange *x); /* reply_release and arena_free */
#endif
