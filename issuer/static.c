/* static.c - gives out public files: only names that static_path.c knows, opened folder by folder
 * without following a link, so no request reaches a file that the publisher did not put there. */
#include "static.h"

#include "hash.h"
#include "reply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define FOREVER "public, max-age=31536000, immutable"
#define MINUTES "public, max-age=300"
#define TYPE_JWT "application/statuslist+jwt"
#define TYPE_CWT "application/statuslist+cwt"

enum { FILE_NAME_MAX = 96, ETAG_HEX_BYTES = 16 };

struct kind {
	const char *type, *cache;
	bool vary;
	bool gzip; /* sent so to whoever takes it */
};

static const struct kind kinds[STATIC_KINDS] = {
        [STATIC_CHECKPOINT] = {"text/plain; charset=utf-8", "no-cache", false, false},
        [STATIC_LANDMARKS] = {"text/plain; charset=utf-8", MINUTES, false, false},
        [STATIC_TILE] = {"application/octet-stream", FOREVER, false, false},
        [STATIC_KEPT] = {"text/plain; charset=utf-8", "no-cache", false, false},
        [STATIC_POLICY] = {"text/plain; charset=utf-8", "no-cache", false, false},
        [STATIC_KEPT_COSE] = {"application/cose", FOREVER, false, false},
        [STATIC_STATUS] = {TYPE_JWT, MINUTES, true, false},
        [STATIC_STATUS_CWT] = {TYPE_CWT, MINUTES, true, false},
        [STATIC_STATUS_JWT] = {TYPE_JWT, MINUTES, true, false},
        [STATIC_VERSION] = {TYPE_CWT, FOREVER, false, false},
        [STATIC_PROOF] = {"text/plain; charset=utf-8", MINUTES, false, false},
        [STATIC_HEAD] = {"application/zz-head+cwt", "no-cache", false, false},
        [STATIC_TABLE] = {"application/zz-table+cwt", FOREVER, false, false},
        [STATIC_DELTA] = {"application/zz-delta+cwt", FOREVER, false, false},
        [STATIC_CRL] = {"application/pkix-crl", MINUTES, false, false},
        [STATIC_MANIFEST] = {"application/cose", "no-cache", false, false},
        [STATIC_PAGE] = {NULL, "no-cache", false, false},
};

/* --- Accept and If-None-Match (RFC 9110 sections 12.5.1 and 13.1.2) --- */

static struct bytes
trim(struct bytes v)
{
	while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t'))
		v = bytes_skip(v, 1);
	while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
		v.n--;
	return v;
}

/* The next item before `separator`; *rest loses it. */
static struct bytes
next_item(struct bytes *rest, uint8_t separator)
{
	const uint8_t *at = rest->n == 0 ? NULL : memchr(rest->p, separator, rest->n);
	struct bytes item = {rest->p, at == NULL ? rest->n : (size_t)(at - rest->p)};

	*rest = bytes_skip(*rest, at == NULL ? rest->n : item.n + 1);
	return trim(item);
}

/* q in thousandths; 1000 where none is named, 0 where it is not a number. */
static unsigned
quality_of(struct bytes parameters)
{
	while (parameters.n > 0) {
		struct bytes item = next_item(&parameters, ';');
		unsigned q = 0, scale = 1000;

		if (!bytes_start(item, "q=") && !bytes_start(item, "Q="))
			continue;
		for (size_t i = 2; i < item.n && scale > 0; i++) {
			if (i == 3 && item.p[i] == '.')
				continue;
			if (item.p[i] < '0' || item.p[i] > '9')
				return 0;
			q += (unsigned)(item.p[i] - '0') * scale;
			scale /= 10;
		}
		return q > 1000 ? 1000 : q;
	}
	return 1000;
}

static unsigned
accepts(struct bytes accept, const char *type)
{
	unsigned best = 0, best_rank = 0;

	while (accept.n > 0) {
		struct bytes item = next_item(&accept, ',');
		struct bytes name = next_item(&item, ';');
		unsigned rank = bytes_equal_text(name, type)              ? 3
		                : bytes_equal_text(name, "application/*") ? 2
		                : bytes_equal_text(name, "*/*")           ? 1
		                                                          : 0;

		if (rank <= best_rank)
			continue;
		best_rank = rank;
		best = quality_of(item);
	}
	return best;
}

/* The bare name answers the JWT unless the client likes the CWT better. */
static bool
wants_cwt(struct bytes accept)
{
	return accepts(accept, TYPE_CWT) > accepts(accept, TYPE_JWT);
}

static bool
etag_matches(struct bytes list, const char *etag)
{
	while (list.n > 0) {
		struct bytes item = next_item(&list, ',');

		if (bytes_start(item, "W/"))
			item = bytes_skip(item, 2);
		if (bytes_equal_text(item, etag) || bytes_equal_text(item, "*"))
			return true;
	}
	return false;
}

/* --- files --- */

/* Opens "a/b/c" below public_dir; no part may be a symbolic link, the last must be a regular file.
 */
static enum err
open_public(const char *public_dir, const char *name, int *out, struct stat *st)
{
	int at = open(public_dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;

	for (const char *slash; at >= 0 && (slash = strchr(name, '/')) != NULL; name = slash + 1) {
		char part[FILE_NAME_MAX];
		int next = -1;

		snprintf(part, sizeof part, "%.*s", (int)(slash - name), name);
		next = openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(at);
		at = next;
	}
	if (at < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? ERR_NOT_FOUND
		                                                             : ERR_IO;
	fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	close(at);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENXIO ? ERR_NOT_FOUND : ERR_IO;
	if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
		close(fd);
		return ERR_NOT_FOUND;
	}
	*out = fd;
	return ERR_OK;
}

/* Files are replaced by rename, never written in place: an open one keeps its size. */
static enum err
read_all(struct arena *a, int fd, size_t n, struct bytes *out)
{
	uint8_t *p = arena_alloc(a, n);
	size_t have = 0;

	if (p == NULL)
		return ERR_MEMORY;
	while (have < n) {
		ssize_t got = read(fd, p + have, n - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_IO;
		have += (size_t)got;
	}
	*out = bytes_of(p, n);
	return ERR_OK;
}

static char *
etag_make(struct arena *a, struct bytes covered)
{
	char *etag = arena_alloc(a, 2 * ETAG_HEX_BYTES + 3);
	uint8_t digest[SHA256_BYTES];

	if (etag == NULL)
		return NULL;
	sha256_one(covered, digest);
	etag[0] = '"';
	hex_encode(bytes_of(digest, ETAG_HEX_BYTES), etag + 1);
	memcpy(etag + 1 + 2 * ETAG_HEX_BYTES, "\"", 2);
	return etag;
}

static char *
etag_of_stat(struct arena *a, const struct stat *st)
{
	uint64_t facts[4] = {(uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec,
	        (uint64_t)st->st_mtim.tv_nsec, (uint64_t)st->st_ino};

	return etag_make(a, bytes_of(facts, sizeof facts));
}

/* Headers that 200 and 304 share. */
static void
add_headers(struct exchange *x, const struct kind *k, const char *etag)
{
	reply_add_header(x, "Cache-Control", k->cache);
	reply_add_header(x, "ETag", etag);
	reply_add_header(x, "X-Content-Type-Options", "nosniff");
	if (k->vary || k->gzip)
		reply_add_header(x, "Vary", k->gzip ? "Accept-Encoding" : "Accept");
}

/* Of a body below STATIC_HASH_BYTES_MAX; as it is where that saves nothing. */
static struct bytes
gzip_body(struct exchange *x, struct bytes body)
{
	enum { GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8 };
	z_stream z = {.next_in = (Bytef *)(uintptr_t)body.p, .avail_in = (uInt)body.n};
	uint8_t *p = arena_alloc(&x->arena, body.n + 1);
	int done = Z_STREAM_ERROR;

	if (p == NULL || deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW,
	                         MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return body;
	z.next_out = p;
	z.avail_out = (uInt)body.n;
	done = deflate(&z, Z_FINISH);
	deflateEnd(&z);
	if (done != Z_STREAM_END)
		return body;
	reply_add_header(x, "Content-Encoding", "gzip");
	return bytes_of(p, body.n - z.avail_out);
}

static enum err
send_small(struct exchange *x, const struct kind *k, int fd, size_t n)
{
	struct bytes body = {NULL, 0};
	const char *etag = NULL;
	enum err e = read_all(&x->arena, fd, n, &body);

	close(fd);
	if (e != ERR_OK)
		return e;
	if (k->gzip && accepts(x->accept_encoding, "gzip") > 0)
		body = gzip_body(x, body);
	etag = etag_make(&x->arena, body);
	if (etag == NULL)
		return ERR_MEMORY;
	add_headers(x, k, etag);
	if (etag_matches(x->if_none_match, etag))
		reply_bytes(x, 304, NULL, (struct bytes){NULL, 0});
	else
		reply_bytes(x, 200, k->type, body);
	return ERR_OK;
}

static enum err
send_large(struct exchange *x, const struct kind *k, int fd, const struct stat *st)
{
	const char *etag = etag_of_stat(&x->arena, st);

	if (etag == NULL) {
		close(fd);
		return ERR_MEMORY;
	}
	add_headers(x, k, etag);
	if (etag_matches(x->if_none_match, etag)) {
		close(fd);
		reply_bytes(x, 304, NULL, (struct bytes){NULL, 0});
		return ERR_OK;
	}
	reply_file(x, k->type, fd, (uint64_t)st->st_size);
	return ERR_OK;
}

static enum err
send_file(struct exchange *x, const struct kind *k, const char *public_dir, const char *name)
{
	struct stat st;
	int fd = -1;
	enum err e = open_public(public_dir, name, &fd, &st);

	if (e != ERR_OK)
		return e;
	if (st.st_size < STATIC_HASH_BYTES_MAX)
		return send_small(x, k, fd, (size_t)st.st_size);
	return send_large(x, k, fd, &st);
}

void
static_serve(struct exchange *x, const char *public_dir)
{
	enum static_kind kind = static_kind_of(x->path);
	struct kind k = kinds[kind];
	char name[FILE_NAME_MAX];
	const char *suffix = "";
	enum err e = ERR_NOT_FOUND;

	reply_add_header(x, "Access-Control-Allow-Origin", "*");
	if (x->method == HTTP_POST) {
		reply_add_header(x, "Allow", "GET, HEAD");
		reply_problem(x, ERR_METHOD, NULL);
		return;
	}
	if (kind == STATIC_STATUS && wants_cwt(x->accept)) {
		k.type = TYPE_CWT;
		suffix = ".cwt";
	}
	k.gzip = bytes_start(x->path, "/log/tile/entries/"); /* tlog-tiles: SHOULD be */
	if (kind == STATIC_PAGE) {
		struct bytes page = bytes_skip(x->path, strlen("/verify/"));

		k.type = static_page_type(page);
		suffix = page.n == 0 ? "index.html" : "";
	}
	if (kind != STATIC_NONE && x->path.n + strlen(suffix) <= sizeof name) {
		/* without the first slash */
		snprintf(name, sizeof name, "%.*s%s", (int)x->path.n - 1,
		        (const char *)x->path.p + 1, suffix);
		e = send_file(x, &k, public_dir, name);
	}
	if (e != ERR_OK)
		reply_problem(x, e, NULL);
}
