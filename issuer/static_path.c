/* static_path.c - which public file a request path names: one spelling each, everything else is
 * STATIC_NONE. */
#include "static.h"

#include <string.h>

/* Takes `prefix` off the front. */
static bool
take(struct bytes *v, const char *prefix)
{
	if (!bytes_start(*v, prefix))
		return false;
	*v = bytes_skip(*v, strlen(prefix));
	return true;
}

static bool
take_end(struct bytes *v, const char *suffix)
{
	size_t n = strlen(suffix);

	if (v->n < n || memcmp(v->p + v->n - n, suffix, n) != 0)
		return false;
	v->n -= n;
	return true;
}

static bool
is_number(struct bytes v, uint64_t max)
{
	uint64_t out = 0;

	return decimal_decode(v, max, &out) == ERR_OK;
}

/* "<number>-<number>" */
static bool
is_pair(struct bytes v)
{
	const uint8_t *dash = v.n == 0 ? NULL : memchr(v.p, '-', v.n);
	size_t n = dash == NULL ? 0 : (size_t)(dash - v.p);

	return dash != NULL && is_number((struct bytes){v.p, n}, INT64_MAX) &&
	       is_number(bytes_skip(v, n + 1), INT64_MAX);
}

static bool
is_group(const uint8_t *p)
{
	for (size_t i = 0; i < 3; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

/* The index of a tile in groups of three digits, all but the last with an x before (tlog-tiles
 * "APIs"); at most six, and the first of several is not 000, so that each index has one name. */
static bool
take_index(struct bytes *v)
{
	size_t groups = 1;

	for (; v->n >= 5 && v->p[0] == 'x'; groups++) {
		if (!is_group(v->p + 1) || v->p[4] != '/' ||
		        (groups == 1 && memcmp(v->p + 1, "000", 3) == 0))
			return false;
		*v = bytes_skip(*v, 5);
	}
	if (groups > 6 || v->n < 3 || !is_group(v->p))
		return false;
	*v = bytes_skip(*v, 3);
	return true;
}

/* What follows /log/tile/ */
static bool
is_tile(struct bytes v)
{
	uint64_t number = 0;
	const uint8_t *slash = v.n == 0 ? NULL : memchr(v.p, '/', v.n);
	struct bytes level = {v.p, slash == NULL ? 0 : (size_t)(slash - v.p)};

	if (slash == NULL || (!bytes_equal_text(level, "entries") && !is_number(level, 63)))
		return false;
	v = bytes_skip(v, level.n + 1);
	if (!take_index(&v))
		return false;
	if (v.n == 0)
		return true;
	return take(&v, ".p/") && decimal_decode(v, 255, &number) == ERR_OK && number != 0;
}

static enum static_kind
kind_of_log(struct bytes v)
{
	if (bytes_equal_text(v, "checkpoint"))
		return STATIC_CHECKPOINT;
	if (bytes_equal_text(v, "landmarks"))
		return STATIC_LANDMARKS;
	if (bytes_equal_text(v, "policy.txt"))
		return STATIC_POLICY;
	if (take(&v, "tile/"))
		return is_tile(v) ? STATIC_TILE : STATIC_NONE;
	if (take(&v, "checkpoints/")) {
		bool cose = take_end(&v, ".cose");

		if (!is_number(v, INT64_MAX))
			return STATIC_NONE;
		return cose ? STATIC_KEPT_COSE : STATIC_KEPT;
	}
	return STATIC_NONE;
}

static enum static_kind
kind_of_status(struct bytes v)
{
	if (bytes_equal_text(v, "head.cwt") || bytes_equal_text(v, "head-sm2.cwt"))
		return STATIC_HEAD;
	if (take(&v, "version/")) {
		bool proof = take_end(&v, ".tlog-proof");

		if ((!proof && !take_end(&v, ".cwt")) || !is_pair(v))
			return STATIC_NONE;
		return proof ? STATIC_PROOF : STATIC_VERSION;
	}
	if (take(&v, "table/"))
		return take_end(&v, ".cwt") && is_number(v, INT64_MAX) ? STATIC_TABLE : STATIC_NONE;
	if (take(&v, "delta/"))
		return take_end(&v, ".cwt") && is_pair(v) ? STATIC_DELTA : STATIC_NONE;
	if (take_end(&v, ".cwt"))
		return is_number(v, UINT32_MAX) ? STATIC_STATUS_CWT : STATIC_NONE;
	if (take_end(&v, ".jwt"))
		return is_number(v, UINT32_MAX) ? STATIC_STATUS_JWT : STATIC_NONE;
	return is_number(v, UINT32_MAX) ? STATIC_STATUS : STATIC_NONE;
}

static bool
is_page(struct bytes v)
{
	if (v.n == 0)
		return true;
	if (static_page_type(v) == NULL || v.n > 64)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		bool dot = c == '.' && i != 0 && v.p[i - 1] != '.';

		if (!dot && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' &&
		        c != '-')
			return false;
	}
	return true;
}

const char *
static_page_type(struct bytes name)
{
	static const struct {
		const char *suffix, *type;
	} types[] = {
	        {".html", "text/html; charset=utf-8"},
	        {".js", "text/javascript; charset=utf-8"},
	        {".css", "text/css; charset=utf-8"},
	        {".json", "application/json"},
	        {".wasm", "application/wasm"},
	        {".svg", "image/svg+xml"},
	        {".txt", "text/plain; charset=utf-8"},
	};

	if (name.n == 0)
		return types[0].type;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		struct bytes v = name;

		if (take_end(&v, types[i].suffix) && v.n > 0)
			return types[i].type;
	}
	return NULL;
}

enum static_kind
static_kind_of(struct bytes path)
{
	if (bytes_equal_text(path, "/manifest.cose"))
		return STATIC_MANIFEST;
	if (take(&path, "/log/"))
		return kind_of_log(path);
	if (take(&path, "/status/"))
		return kind_of_status(path);
	if (take(&path, "/crl/"))
		return take_end(&path, ".crl") && is_number(path, UINT32_MAX) ? STATIC_CRL
		                                                              : STATIC_NONE;
	if (take(&path, "/verify/"))
		return is_page(path) ? STATIC_PAGE : STATIC_NONE;
	return STATIC_NONE;
}

bool
static_owns(struct bytes path)
{
	static const char *const prefixes[] = {"/log/", "/status/", "/crl/", "/verify/"};

	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
		if (bytes_start(path, prefixes[i]))
			return true;
	return bytes_equal_text(path, "/manifest.cose");
}
