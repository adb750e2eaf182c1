/* http_head.c - refuses every head that two parsers could read in two ways; it reads no byte
 * outside the views. */
#include "http_head.h"

#include "http.h"

#include <string.h>
#include <strings.h>

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* token of RFC 9110 section 5.6.2 */
static bool
is_token(struct bytes v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!is_alnum(v.p[i]) &&
		        (v.p[i] == '\0' || strchr("!#$%&'*+-.^_`|~", v.p[i]) == NULL))
			return false;
	return v.n > 0;
}

/* field-value of RFC 9110 section 5.5, without obs-text in what we read, which is all ASCII */
static bool
is_value(struct bytes v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] == 0x7f || (v.p[i] < 0x20 && v.p[i] != '\t'))
			return false;
	return true;
}

/* Addresses, because the views are of one buffer: what lies between two of them is what the client
 * sent there. */
static uintptr_t
end_of(struct bytes v)
{
	return (uintptr_t)v.p + v.n;
}

/* One blank between the parts of the request line, CR LF after every line, nothing folded, no byte
 * left out. */
static bool
lines_exact(const struct http_head *h)
{
	uintptr_t line_end = end_of(h->version) + 2;

	if (end_of(h->method) + 1 != (uintptr_t)h->path.p ||
	        end_of(h->path) + 1 != (uintptr_t)h->version.p)
		return false;
	for (size_t i = 0; i < h->fields_n; i++) {
		const struct http_field *f = &h->fields[i];

		if ((uintptr_t)f->name.p != line_end || (uintptr_t)f->value.p < end_of(f->name) + 1)
			return false;
		line_end = end_of(f->value) + 2;
	}
	return line_end + 2 == (uintptr_t)h->method.p + h->head_bytes;
}

bool
http_path_allowed(struct bytes path)
{
	size_t segment = 0; /* where the present one begins */

	if (path.n == 0 || path.n > HTTP_PATH_BYTES_MAX || path.p[0] != '/')
		return false;
	for (size_t i = 1; i <= path.n; i++) {
		uint8_t c = i == path.n ? '/' : path.p[i];
		struct bytes s = {path.p + segment + 1, i - segment - 1};

		if (c != '/' && !is_alnum(c) && c != '_' && c != '.' && c != '-')
			return false;
		if (c != '/')
			continue;
		if ((s.n == 0 && i != path.n) || bytes_equal_text(s, ".") ||
		        bytes_equal_text(s, ".."))
			return false;
		segment = i;
	}
	return true;
}

static bool
is_host(struct bytes v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!is_alnum(v.p[i]) && (v.p[i] == '\0' || strchr(".-_:[]", v.p[i]) == NULL))
			return false;
	return v.n > 0 && v.n <= 255;
}

static bool
name_is(const struct http_field *f, const char *name)
{
	return f->name.n == strlen(name) &&
	       strncasecmp((const char *)f->name.p, name, f->name.n) == 0;
}

/* How often the header is there; its value goes to *out. */
static size_t
find(const struct http_head *h, const char *name, struct bytes *out)
{
	size_t count = 0;

	for (size_t i = 0; i < h->fields_n; i++) {
		if (!name_is(&h->fields[i], name))
			continue;
		*out = h->fields[i].value;
		count++;
	}
	return count;
}

static enum err
refuse(const char **why, const char *rule)
{
	*why = rule;
	return ERR_HTTP;
}

static enum err
check_method(const struct http_head *h, struct http_facts *f, const char **why)
{
	static const char *const methods[] = {"GET", "HEAD", "POST"};

	if (!is_token(h->method))
		return refuse(why, "The method is not a token.");
	for (unsigned i = 0; i < 3; i++) {
		if (!bytes_equal_text(h->method, methods[i]))
			continue;
		f->method = i;
		return ERR_OK;
	}
	*why = "Methods are GET, HEAD and POST.";
	return ERR_METHOD;
}

static enum err
check_body(const struct http_head *h, struct http_facts *f, const char **why)
{
	struct bytes length = {NULL, 0}, coding = {NULL, 0}, expect = {NULL, 0};
	size_t lengths = find(h, "Content-Length", &length), expects = find(h, "Expect", &expect);

	if (find(h, "Transfer-Encoding", &coding) != 0)
		return refuse(why, "Transfer-Encoding is not accepted: send Content-Length.");
	if (f->method != HTTP_POST && lengths != 0)
		return refuse(why, "GET and HEAD carry no body.");
	if (f->method == HTTP_POST && lengths != 1)
		return refuse(why, "POST needs exactly one Content-Length.");
	if (lengths == 1 && decimal_decode(length, INT64_MAX, &f->body_bytes) != ERR_OK)
		return refuse(why, "Content-Length is not a decimal number.");
	if (expects > 1 || (expects == 1 && (expect.n != 12 || strncasecmp((const char *)expect.p,
	                                                               "100-continue", 12) != 0)))
		return refuse(why, "Expect may only be 100-continue.");
	f->expects = expects == 1;
	return ERR_OK;
}

static enum err
check_fields(const struct http_head *h, struct http_facts *f, const char **why)
{
	struct bytes host = {NULL, 0};

	for (size_t i = 0; i < h->fields_n; i++) {
		if (!is_token(h->fields[i].name))
			return refuse(why, "A header name is not a token.");
		if (!is_value(h->fields[i].value))
			return refuse(why, "A header value holds a control byte.");
	}
	if (find(h, "Host", &host) != 1 || !is_host(host))
		return refuse(why, "Exactly one Host is required.");
	if (find(h, "Authorization", &f->authorization) > 1)
		return refuse(why, "Authorization is there twice.");
	if (find(h, "Accept", &f->accept) > 1 || find(h, "If-None-Match", &f->if_none_match) > 1)
		return refuse(why, "Accept or If-None-Match is there twice.");
	if (find(h, "Accept-Encoding", &f->accept_encoding) > 1)
		f->accept_encoding =
		        bytes_of(NULL, 0); /* one that is not ours to judge: as it is */
	return ERR_OK;
}

enum err
http_head_check(const struct http_head *h, struct http_facts *out, const char **why)
{
	struct http_facts f = {0};
	enum err e = ERR_OK;

	if (h->too_many)
		return refuse(why, "There are too many headers.");
	if (!bytes_equal_text(h->version, "HTTP/1.1"))
		return refuse(why, "The version must be HTTP/1.1.");
	if (!lines_exact(h))
		return refuse(
		        why, "Lines end in CR LF, are not folded, and the address has no query.");
	if (!http_path_allowed(h->path))
		return refuse(
		        why, "The path may hold A-Z a-z 0-9 / _ . - and no empty or dot segment.");
	if ((e = check_fields(h, &f, why)) != ERR_OK || (e = check_method(h, &f, why)) != ERR_OK ||
	        (e = check_body(h, &f, why)) != ERR_OK)
		return e;
	*out = f;
	return ERR_OK;
}
