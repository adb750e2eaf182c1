/* audit_public.c - files of a folder or an address, and the log in them: checkpoint, tiles and
 * bundles are what the database's entries make. */
#include "audit_public.h"
#include "audit_trust.h"
#include "client.h"
#include "file.h"
#include "head.h"
#include "note.h"

#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	PATH_BYTES = 600,
	BUNDLE_MAX = TILE_WIDTH * (2 + ENTRY_BYTES_MAX),
	CRL_MAX = 96 * 1024 * 1024,
	SIZES_MAX = 10 * 1000 * 1000,
	AGAIN_NS = 500 * 1000 * 1000,
};

struct audit_public {
	const char *folder; /* NULL: an address */
	struct client *client;
	struct audit_file *files;
	size_t count;
	struct checkpoint checkpoint;
	bool there;  /* there is a checkpoint */
	bool waited; /* for something that was missing */
};

void
audit_public_differ(struct audit *a, const char *path, const char *why)
{
	audit_differ(a, "public", "file", path, why);
}

void
audit_public_missing(struct audit *a, const char *path)
{
	uint8_t *bytes = NULL;
	size_t n = 0;
	enum err e = audit_public_get(a, path, CRL_MAX, &bytes, &n);

	if (e == ERR_NOT_FOUND && !a->public->waited) {
		a->public->waited = true;
		nanosleep(&(struct timespec){.tv_nsec = AGAIN_NS}, NULL);
		e = audit_public_get(a, path, CRL_MAX, &bytes, &n);
	}
	if (e == ERR_NOT_FOUND)
		audit_public_differ(a, path, "is missing");
	free(bytes);
}

bool
audit_public_is_folder(const struct audit *a)
{
	return a->public != NULL && a->public->folder != NULL;
}

const char *
audit_public_folder(const struct audit *a)
{
	return a->public->folder;
}

uint64_t
audit_public_size(const struct audit *a)
{
	return a->public != NULL && a->public->there ? a->public->checkpoint.size : 0;
}

enum err
audit_public_get(struct audit *a, const char *path, size_t bytes_max, uint8_t **out, size_t *n)
{
	char full[PATH_BYTES];
	struct client_reply reply;
	enum err e;

	if (a->public->folder != NULL) {
		snprintf(full, sizeof full, "%.400s/%s", a->public->folder, path);
		return file_read(full, bytes_max, out, n);
	}
	snprintf(full, sizeof full, "/%s", path);
	e = client_get(a->public->client, full, NULL, bytes_max, &reply);
	if (e != ERR_OK)
		return e;
	if (reply.status == 404)
		return ERR_NOT_FOUND;
	if (reply.status != 200)
		return ERR_HTTP;
	*out = audit_grow(NULL, reply.body.n + 1, 1);
	memcpy(*out, reply.body.p, reply.body.n);
	*n = reply.body.n;
	return ERR_OK;
}

const struct audit_file *
audit_public_files(const struct audit *a, size_t *count)
{
	*count = a->public->count;
	return a->public->files;
}

const struct audit_file *
audit_public_kept(const struct audit *a, const char *path)
{
	for (size_t i = 0; i < a->public->count; i++)
		if (strcmp(a->public->files[i].path, path) == 0)
			return &a->public->files[i];
	return NULL;
}

/* What is not there stays away: whether it should be is judged later. */
static MUST_USE enum err
file_keep(struct audit *a, const char *path, size_t bytes_max, bool *there)
{
	struct audit_public *p = a->public;
	uint8_t *bytes = NULL;
	size_t n = 0;
	enum err e = audit_public_get(a, path, bytes_max, &bytes, &n);
	struct audit_file *f;

	*there = e == ERR_OK;
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	p->files = audit_grow(p->files, p->count + 1, sizeof *p->files);
	f = &p->files[p->count++];
	snprintf(f->path, sizeof f->path, "%s", path);
	f->p = bytes;
	f->n = n;
	return ERR_OK;
}

static enum err
lists_keep(struct audit *a)
{
	static const struct {
		const char *format;
		size_t max;
	} names[] = {{"status/%u.cwt", TOKEN_BYTES_MAX}, {"status/%u.jwt", TOKEN_BYTES_MAX},
	        {"status/%u", TOKEN_BYTES_MAX}, {"crl/%u.crl", CRL_MAX}};
	bool more = true, there;
	enum err e = ERR_OK;
	char path[80];

	for (unsigned list = 0; e == ERR_OK && more && list < HEAD_LISTS_MAX; list++) {
		more = false;
		for (size_t i = 0; e == ERR_OK && i < sizeof names / sizeof names[0]; i++) {
			/* the name without an ending answers with one of both */
			if (i == 2 && a->public->folder == NULL)
				continue;
			snprintf(path, sizeof path, names[i].format, list);
			e = file_keep(a, path, names[i].max, &there);
			more = more || there;
		}
	}
	return e;
}

static enum err
head_keep(struct audit *a)
{
	const struct audit_file *f;
	struct cose_sign1 m;
	struct head h;
	char path[80];
	bool there;
	enum err e = file_keep(a, "status/head.cwt", HEAD_BYTES_MAX, &there);

	if (e != ERR_OK || !there ||
	        (e = file_keep(a, "status/head-sm2.cwt", HEAD_BYTES_MAX, &there)) != ERR_OK)
		return e;
	f = audit_public_kept(a, "status/head.cwt");
	if (head_decode(bytes_of(f->p, f->n), &m, &h) != ERR_OK)
		return ERR_OK;
	snprintf(path, sizeof path, "status/table/%" PRIu64 ".cwt", h.sequence);
	e = file_keep(a, path, TABLE_BYTES_MAX, &there);
	for (size_t i = 0; e == ERR_OK && i < h.delta_count; i++) {
		snprintf(path, sizeof path, "status/delta/%" PRIu64 "-%" PRIu64 ".cwt",
		        h.deltas[i].base, h.sequence);
		e = file_keep(a, path, DELTA_BYTES_MAX, &there);
		snprintf(path, sizeof path, "status/table/%" PRIu64 ".cwt", h.deltas[i].base);
		if (e == ERR_OK)
			e = file_keep(a, path, TABLE_BYTES_MAX, &there);
	}
	return e;
}

/* The head and what it names first: what follows may be newer, and is never older than it. */
static enum err
replaced_keep(struct audit *a)
{
	struct audit_public *p = a->public;
	const struct audit_file *f;
	bool there;
	enum err e = head_keep(a);

	if (e != ERR_OK ||
	        (e = file_keep(a, "manifest.cose", MANIFEST_BYTES_MAX, &there)) != ERR_OK ||
	        (e = lists_keep(a)) != ERR_OK ||
	        (e = file_keep(a, "log/checkpoint", CHECKPOINT_BYTES_MAX, &there)) != ERR_OK)
		return e;
	if (!there)
		return ERR_OK;
	f = audit_public_kept(a, "log/checkpoint");
	p->there = checkpoint_decode(bytes_of(f->p, f->n), &p->checkpoint) == ERR_OK;
	if (!p->there)
		audit_public_differ(a, f->path, "is no checkpoint");
	return ERR_OK;
}

enum err
audit_public_open(struct audit *a)
{
	struct audit_public *p = calloc(1, sizeof *p);
	enum err e;

	if (p == NULL)
		return ERR_MEMORY;
	a->public = p;
	if (strncmp(a->o->public, "http://", 7) != 0 && strncmp(a->o->public, "https://", 8) != 0)
		p->folder = a->o->public;
	else if ((e = client_open(a->o->public, &p->client)) != ERR_OK)
		return e;
	return replaced_keep(a);
}

void
audit_public_free(struct audit_public *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++)
		free(p->files[i].p);
	free(p->files);
	client_free(p->client);
	free(p);
}

static void
tile_name(char out[160], int level, uint64_t n, unsigned width)
{
	struct buf b = buf_init(out, 159);

	buf_put_text(&b, "log/");
	tile_path_put(&b, level, n, width);
	out[b.n] = '\0';
}

/* A tile of a tree of the published size: whole, or the last one. ERR_NOT_FOUND: it is not due. */
static enum err
tile_get(struct audit *a, int level, uint64_t n, char name[160], struct bytes *out)
{
	uint64_t total = audit_public_size(a);
	unsigned width;
	uint8_t *p = NULL;
	size_t size = 0;
	enum err e;

	for (int i = 0; i < level; i++)
		total /= TILE_WIDTH;
	if (n * TILE_WIDTH >= total)
		return ERR_NOT_FOUND;
	width = total - n * TILE_WIDTH < TILE_WIDTH ? (unsigned)(total - n * TILE_WIDTH)
	                                            : (unsigned)TILE_WIDTH;
	tile_name(name, level, n, width);
	e = audit_public_get(a, name,
	        level < 0 ? (size_t)BUNDLE_MAX : (size_t)TILE_WIDTH * SHA256_BYTES, &p, &size);
	if (e != ERR_OK) {
		audit_public_differ(a, name, e == ERR_NOT_FOUND ? "is missing" : err_word(e));
		return ERR_NOT_FOUND;
	}
	*out = bytes_of(p, size);
	return ERR_OK;
}

/* Cuts a bundle into entries. */
static bool
bundle_cut(struct bytes in, struct log_row *rows, size_t count)
{
	for (size_t i = 0; i < count && in.n > 0; i++) {
		size_t n = in.n < 2 ? SIZE_MAX : (size_t)be_get(in.p, 2);

		if (n > in.n - 2)
			return false;
		rows[i].published = bytes_of(in.p + 2, n);
		in = bytes_skip(in, 2 + n);
	}
	return in.n == 0;
}

void
audit_public_entries(struct audit *a, struct log_row *rows, size_t count, uint8_t **room)
{
	size_t used = 0, have = 0;
	struct {
		size_t at, n;
	} cut[AUDIT_PAGE / TILE_WIDTH] = {{0, 0}};

	*room = NULL;
	if (a->public == NULL)
		return;
	for (size_t i = 0; i < count; i += TILE_WIDTH) {
		char name[160];
		struct bytes tile;

		if (tile_get(a, -1, rows[i].index / TILE_WIDTH, name, &tile) != ERR_OK)
			continue;
		if (used + tile.n > have) {
			have = used + tile.n + BUNDLE_MAX;
			*room = audit_grow(*room, have, 1);
		}
		assert(*room != NULL);
		memcpy(*room + used, tile.p, tile.n);
		cut[i / TILE_WIDTH].at = used;
		cut[i / TILE_WIDTH].n = tile.n;
		used += tile.n;
		free((void *)(uintptr_t)tile.p);
	}
	/* the room moves no more */
	for (size_t i = 0; i < count; i += TILE_WIDTH) {
		struct bytes tile = {*room + cut[i / TILE_WIDTH].at, cut[i / TILE_WIDTH].n};

		if (tile.n > 0 && !bundle_cut(tile, rows + i,
		                          count - i < TILE_WIDTH ? count - i : TILE_WIDTH))
			audit_public_differ(a, "log/tile/entries", "a bundle is not of its form");
	}
}

void
audit_public_leaves(struct audit *a, const struct log_row *rows, size_t count)
{
	if (a->public == NULL)
		return;
	for (size_t i = 0; i < count; i += TILE_WIDTH) {
		char name[160];
		struct bytes tile;
		bool same;

		if (tile_get(a, 0, rows[i].index / TILE_WIDTH, name, &tile) != ERR_OK)
			continue;
		same = tile.n % SHA256_BYTES == 0 && tile.n / SHA256_BYTES <= count - i;
		for (size_t k = 0; same && k < tile.n / SHA256_BYTES; k++)
			same = rows[i + k].there && memcmp(tile.p + k * SHA256_BYTES,
			                                    rows[i + k].leaf.b, SHA256_BYTES) == 0;
		if (!same)
			audit_public_differ(a, name, "is not made of the database's entries");
		free((void *)(uintptr_t)tile.p);
	}
}

static void
upper_tiles(struct audit *a)
{
	for (int level = 1; level < AUDIT_LEVELS; level++) {
		const struct audit_level *v = &a->log->levels[level];

		for (uint64_t n = 0; n * TILE_WIDTH < v->count; n++) {
			char name[160];
			struct bytes tile;

			if (tile_get(a, level, n, name, &tile) != ERR_OK)
				continue;
			if (tile.n / SHA256_BYTES > v->count - n * TILE_WIDTH ||
			        memcmp(tile.p, v->hashes + n * TILE_WIDTH, tile.n) != 0)
				audit_public_differ(
				        a, name, "is not made of the database's entries");
			free((void *)(uintptr_t)tile.p);
		}
	}
}

uint64_t *
audit_public_sizes(struct audit *a, size_t *count)
{
	uint64_t *sizes = audit_grow(NULL, 2, sizeof *sizes);
	const struct audit_file *head =
	        a->public == NULL ? NULL : audit_public_kept(a, "status/head.cwt");
	char path[PATH_BYTES];
	const struct dirent *entry;
	struct cose_sign1 m;
	struct head h;
	DIR *d;

	*count = 0;
	if (a->public == NULL)
		return sizes;
	if (a->public->there)
		sizes[(*count)++] = a->public->checkpoint.size;
	/* an address lists nothing, and its head may be older than its checkpoint */
	if (head != NULL && head_decode(bytes_of(head->p, head->n), &m, &h) == ERR_OK)
		sizes[(*count)++] = h.tree_size;
	if (a->public->folder == NULL)
		return sizes;
	snprintf(path, sizeof path, "%.400s/log/checkpoints", a->public->folder);
	if ((d = opendir(path)) == NULL)
		return sizes;
	while ((entry = readdir(d)) != NULL && *count < SIZES_MAX) {
		uint64_t size;

		if (decimal_decode(bytes_of_text(entry->d_name), INT64_MAX, &size) != ERR_OK)
			continue;
		sizes = audit_grow(sizes, *count + 1, sizeof *sizes);
		sizes[(*count)++] = size;
	}
	closedir(d);
	return sizes;
}

const struct merkle_hash *
audit_root_at(const struct audit *a, uint64_t size)
{
	size_t low = 0, high = a->log->root_next;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (a->log->roots[mid].size < size)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == a->log->root_next || a->log->roots[low].size != size)
		return NULL;
	return &a->log->roots[low].root;
}

bool
audit_root_is(const struct audit *a, uint64_t size, const struct merkle_hash *root)
{
	const struct merkle_hash *have = audit_root_at(a, size);

	return have != NULL && memcmp(have->b, root->b, SHA256_BYTES) == 0;
}

bool
audit_checkpoint_good(const struct audit *a, const struct checkpoint *c)
{
	const struct manifest *m = audit_manifest_newest(a);

	return m != NULL && manifest_checkpoint(m, c) == ERR_OK &&
	       audit_root_is(a, c->size, &c->root);
}

enum err
audit_public_run(struct audit *a)
{
	enum err e;

	if (a->public == NULL)
		return ERR_OK;
	audit_phase(a, "public", 0);
	if (!a->public->there && a->size > 0)
		audit_public_missing(a, "log/checkpoint");
	if (a->public->there && !audit_checkpoint_good(a, &a->public->checkpoint))
		audit_public_differ(
		        a, "log/checkpoint", "is not of the database's tree, or not signed");
	upper_tiles(a);
	if ((e = audit_public_status(a)) != ERR_OK)
		return e;
	return audit_public_is_folder(a) ? audit_public_walk(a) : ERR_OK;
}
