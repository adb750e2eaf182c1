/* reply.c - what an exchange answers: JSON and problems carry no byte of a peer but what the caller
 * put in `detail`, and every error has the one form of RFC 9457. */
#include "reply.h"

#include "json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define TYPE_JSON "application/json"
#define TYPE_PROBLEM "application/problem+json"
#define RETRY_AFTER "5" /* seconds: longer than a restart of the database */

static const char no_memory[] =
        "{\"type\":\"urn:zz:error:out_of_memory\",\"title\":\"Not enough memory.\","
        "\"status\":503}";

void
exchange_init(struct exchange *x, enum http_method method, struct bytes path)
{
	*x = (struct exchange){.method = method, .path = path, .reply.fd = -1};
	arena_init(&x->arena, ARENA_BYTES_MAX);
}

void
exchange_end(struct exchange *x)
{
	reply_release(&x->reply);
	arena_free(&x->arena);
}

void
reply_release(struct reply *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	if (r->release != NULL)
		r->release(r->owned);
	r->release = NULL;
	r->owned = NULL;
	r->body = (struct bytes){NULL, 0};
}

void
reply_add_header(struct exchange *x, const char *name, const char *value)
{
	struct reply *r = &x->reply;

	assert(r->headers_n < REPLY_HEADERS_MAX);
	r->headers[r->headers_n++] = (struct reply_header){name, value};
}

static bool
has_header(const struct reply *r, const char *name)
{
	for (size_t i = 0; i < r->headers_n; i++)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return true;
	return false;
}

/* A header that the caller has set already stays as it is. */
static void
default_header(struct exchange *x, const char *name, const char *value)
{
	if (!has_header(&x->reply, name) && x->reply.headers_n < REPLY_HEADERS_MAX)
		reply_add_header(x, name, value);
}

void
reply_bytes(struct exchange *x, unsigned status, const char *type, struct bytes body)
{
	reply_release(&x->reply);
	x->reply.status = status;
	x->reply.type = type;
	x->reply.body = body;
}

void
reply_owned(struct exchange *x, unsigned status, const char *type, char *owned, size_t n)
{
	reply_bytes(x, status, type, bytes_of(owned, n));
	x->reply.owned = owned;
	x->reply.release = free;
}

void
reply_file(struct exchange *x, const char *type, int fd, uint64_t n)
{
	reply_bytes(x, 200, type, (struct bytes){NULL, 0});
	x->reply.fd = fd;
	x->reply.fd_bytes = n;
}

static void
reply_value(struct exchange *x, unsigned status, const char *type, const json_t *value)
{
	size_t n = 0;
	char *text = value == NULL ? NULL : json_write(value, &n);

	if (text == NULL) {
		reply_bytes(x, 503, TYPE_PROBLEM, BYTES_LIT(no_memory));
		default_header(x, "Retry-After", RETRY_AFTER);
	} else {
		reply_owned(x, status, type, text, n);
	}
	default_header(x, "Cache-Control", "no-store");
	default_header(x, "X-Content-Type-Options", "nosniff");
}

void
reply_json(struct exchange *x, unsigned status, const json_t *value)
{
	reply_value(x, status, TYPE_JSON, value);
}

static json_t *
problem_value(const struct exchange *x, enum err e, const char *detail)
{
	char type[80] = "urn:zz:error:", id[17];
	uint8_t raw[8];
	json_t *value = NULL;

	strncat(type, err_word(e), sizeof type - strlen(type) - 1);
	be_put(raw, x->id, sizeof raw);
	hex_encode(bytes_of(raw, sizeof raw), id);
	value = json_pack("{s:s, s:s, s:s, s:i}", "type", type, "title", err_en(e), "title_zh",
	        err_zh(e), "status", (int)err_http_status(e));
	if (value == NULL)
		return NULL;
	if (detail != NULL)
		json_object_set_new(value, "detail", json_string(detail));
	json_object_set_new(value, "request_id", json_string(id));
	return value;
}

void
reply_problem_more(struct exchange *x, enum err e, const char *detail, json_t *more)
{
	unsigned status = err_http_status(e);
	json_t *value = NULL;

	assert(e != ERR_OK);
	value = problem_value(x, e, detail);
	if (value != NULL && more != NULL)
		json_object_update(value, more);
	if (status == 429 || status == 503)
		default_header(x, "Retry-After", RETRY_AFTER);
	if (status == 401)
		default_header(x, "WWW-Authenticate", "Bearer");
	if (status == 405)
		default_header(x, "Allow", "GET, HEAD, POST");
	reply_value(x, status, TYPE_PROBLEM, value);
	json_decref(value);
}

void
reply_problem(struct exchange *x, enum err e, const char *detail)
{
	reply_problem_more(x, e, detail, NULL);
}
