#ifndef TESTS_SYNC_FIXTURE_H
#define TESTS_SYNC_FIXTURE_H
/* sync_fixture.h - a server in memory that publishes a small authority, and a state folder. */
#include "entry.h"
#include "file.h"
#include "head.h"
#include "proof.h"
#include "verify_state.h"
#include "verify_sync.h"
#include "verify_tiles.h"
#include "verify_world.h"

#include <stdio.h>
#include <unistd.h>

enum { SERVED_MAX = 160, STEP = 1000, LISTS = 2, CHANGES_MAX = 8 };

struct served {
	char path[64];
	uint8_t *bytes;
	size_t n;
};

/* One publication before it is signed: an attack changes what it likes. */
struct publication {
	int64_t at;
	const struct key *key; /* of head, table and delta */
	struct table_row rows[LISTS + 1];
	struct delta_change changes[CHANGES_MAX];
	struct table table;
	struct delta delta;
	struct head head;
	bool no_delta;
};

struct fixture {
	struct world *w;
	struct served files[SERVED_MAX];
	size_t count;
	int64_t list_age;  /* of the next lists, when their head is signed */
	uint64_t log_size; /* of the tree that tiles are served of */
	bool no_partial;   /* partial tiles are gone */
	enum err broken;   /* what every get answers, when not ERR_OK */
	unsigned gets, tile_gets, list_gets;
	uint8_t tile[TILE_WIDTH * SHA256_BYTES];
	struct publication p;
	uint8_t published[LIST_BYTES]; /* list 0 in the publication before */
	uint64_t sequence;             /* of that */
	uint8_t head_sha256[SHA256_BYTES];
	uint8_t stale_head[HEAD_BYTES_MAX]; /* what a cache gives for the first gets */
	size_t stale_n;
	unsigned stale_gets;
	char dir[40];
	struct sync_options o;
	struct sync_report r;
};

/* server */

static inline struct served *
served_find(struct fixture *f, const char *path)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->files[i].path, path) == 0)
			return &f->files[i];
	return NULL;
}

static inline void
serve(struct fixture *f, const char *path, struct bytes data)
{
	struct served *s = served_find(f, path);

	if (s == NULL)
		s = &f->files[f->count++];
	assert_true(f->count <= SERVED_MAX);
	snprintf(s->path, sizeof s->path, "%s", path);
	free(s->bytes);
	s->bytes = malloc(data.n + 1);
	memcpy(s->bytes, data.p, data.n);
	s->n = data.n;
}

static inline void
serve_not(struct fixture *f, const char *path)
{
	struct served *s = served_find(f, path);

	assert_non_null(s);
	s->path[0] = '\0';
}

static inline bool
tile_serve(struct fixture *f, const char *path, struct client_reply *out)
{
	unsigned level = 0, n = 0, width = TILE_WIDTH;
	int parts = sscanf(path, "/log/tile/%u/%u.p/%u", &level, &n, &width);
	uint64_t total = f->log_size >> (8 * level);

	f->tile_gets++;
	if (parts < 2 || (uint64_t)n * TILE_WIDTH + width > total || (parts == 3 && f->no_partial))
		return false;
	for (unsigned i = 0; i < width; i++) {
		struct merkle_hash h;

		assert_int_equal(
		        world_get(f->w, 8 * level, (uint64_t)n * TILE_WIDTH + i, &h), ERR_OK);
		memcpy(f->tile + i * SHA256_BYTES, h.b, SHA256_BYTES);
	}
	out->body = bytes_of(f->tile, (size_t)width * SHA256_BYTES);
	return true;
}

static inline enum err
server_get(void *ctx, const char *path, size_t bytes_max, struct client_reply *out)
{
	struct fixture *f = ctx;
	const struct served *s = served_find(f, path);

	f->gets++;
	f->list_gets += strncmp(path, "/status/version/", 16) == 0 && strstr(path, ".cwt") != NULL;
	if (f->broken != ERR_OK)
		return f->broken;
	memset(out, 0, sizeof *out);
	out->status = 200;
	if (f->stale_gets > 0 && strcmp(path, "/status/head.cwt") == 0) {
		f->stale_gets--;
		out->body = bytes_of(f->stale_head, f->stale_n);
	} else if (s != NULL)
		out->body = bytes_of(s->bytes, s->n);
	else if (strncmp(path, "/log/tile/", 10) != 0 || !tile_serve(f, path, out))
		out->status = 404;
	return out->body.n > bytes_max ? ERR_LIMIT : ERR_OK;
}

/* A name that the server has of one file. */
#define PATH(name, ...)                                                                            \
	char name[64];                                                                             \
	snprintf(name, sizeof name, __VA_ARGS__)

/* Signs w->raw as list `list` and serves it as version `sequence`; gives the row. */
static inline void
list_serve(struct fixture *f, uint32_t list, int64_t sequence, struct table_row *row)
{
	uint8_t room[8192], *der = NULL;
	struct buf token = BUF_OF(room);
	size_t n = 0;
	PATH(path, "/status/version/%u-%lld.cwt", list, (long long)sequence);
	PATH(crl, "/crl/%u.crl", list);

	world_list(f->w, f->w->status, list, sequence, &token);
	serve(f, path, buf_bytes(&token));
	row->sequence = (uint64_t)sequence;
	sha256_one(buf_bytes(&token), row->cwt_sha256);
	sha256_one(bytes_of(f->w->raw, LIST_BYTES), row->raw_sha256);
	world_crl(f->w, list, sequence, NULL, &der, &n);
	serve(f, crl, bytes_of(der, n));
	free(der);
}

static inline void
checkpoint_serve(struct fixture *f, const struct key *k, uint64_t size, uint64_t as)
{
	uint8_t room[2048];
	struct buf note = BUF_OF(room);
	PATH(path, "/log/checkpoints/%llu", (unsigned long long)as);

	world_checkpoint(f->w, k, size, &note);
	serve(f, path, buf_bytes(&note));
}

/* Entry 3 of a list as its row says it now, at its place in the log of that size; the proof names
 * the place. What is published of the log follows. */
static inline void
list_log(struct fixture *f, uint32_t list)
{
	const struct table_row *row = &f->p.rows[list];
	uint64_t size = f->log_size, index = size - LISTS + list;
	struct entry e = {.type = ENTRY_LIST,
	        .list = list,
	        .sequence = row->sequence,
	        .tree_size = index,
	        .this_update = f->p.at - f->list_age,
	        .next_update = f->p.at + LIST_LIFETIME_S,
	        .time = f->p.at};
	struct proof p = {.index = index, .note = BYTES_LIT("any\n")};
	uint8_t room[2048];
	struct buf entry = buf_init(p.extra, sizeof p.extra), text = BUF_OF(room);
	PATH(path, "/status/version/%u-%llu.tlog-proof", list, (unsigned long long)row->sequence);

	memcpy(e.raw_sha256, row->raw_sha256, SHA256_BYTES);
	memcpy(e.cwt_sha256, row->cwt_sha256, SHA256_BYTES);
	entry_put(&e, &entry);
	p.extra_n = entry.n;
	merkle_leaf(buf_bytes(&entry), &f->w->leaves[index]);
	proof_put(&text, &p);
	serve(f, path, buf_bytes(&text));
	checkpoint_serve(f, f->w->log, size, size);
	f->p.head.root = world_root(f->w, size);
}

static inline void
changes_fill(struct fixture *f, struct delta *d)
{
	for (uint32_t i = 0; i < LIST_ENTRIES; i++) {
		enum status now = status_get(f->w->raw, i);

		if (now == status_get(f->published, i))
			continue;
		assert_true(d->count < CHANGES_MAX);
		d->changes[d->count++] = (struct delta_change){0, i, now};
	}
}

/* `size` is above that of the publication before by LISTS or more: the entries of its lists are the
 * last of its log. Lists 0 (w->raw) and 1 (all valid), their CRLs, log and checkpoint; table, delta
 * and head are filled in. */
static inline void
publish_begin(struct fixture *f, int64_t at, uint64_t size)
{
	struct publication *p = &f->p;
	uint8_t raw[LIST_BYTES];

	*p = (struct publication){.at = at, .key = f->w->status};
	serve(f, "/manifest.cose", f->w->manifest_bytes);
	list_serve(f, 0, at, &p->rows[0]);
	memcpy(raw, f->w->raw, sizeof raw);
	memset(f->w->raw, 0, sizeof raw);
	list_serve(f, 1, at, &p->rows[1]);
	memcpy(f->w->raw, raw, sizeof raw);
	if (size > f->w->size)
		world_append_any(f->w, size - f->w->size);
	f->log_size = size;
	p->table = (struct table){
	        .iss = BYTES_LIT(WORLD_HOST), .iat = at, .rows = p->rows, .count = LISTS};
	p->delta = (struct delta){.iss = BYTES_LIT(WORLD_HOST),
	        .iat = at,
	        .base = f->sequence,
	        .sequence = (uint64_t)at,
	        .changes = p->changes};
	changes_fill(f, &p->delta);
	p->no_delta = f->sequence == 0 || f->sequence >= (uint64_t)at;
	p->head = (struct head){.iss = BYTES_LIT(WORLD_HOST),
	        .iat = at,
	        .exp = at + HEAD_LIFETIME_S,
	        .sequence = (uint64_t)at,
	        .list_count = LISTS,
	        .tree_size = size,
	        .root = world_root(f->w, size),
	        .manifest_version = f->w->m.version};
	memcpy(p->head.manifest_sha256, f->w->m.sha256, SHA256_BYTES);
	memcpy(p->head.previous, f->head_sha256, SHA256_BYTES);
	for (uint32_t i = 0; i < LISTS; i++)
		list_log(f, i);
}

static inline void
publish_end(struct fixture *f)
{
	struct publication *p = &f->p;
	uint8_t room[4096], delta_room[4096], head_room[HEAD_BYTES_MAX];
	struct buf table = BUF_OF(room), delta = BUF_OF(delta_room), head = BUF_OF(head_room);
	PATH(table_path, "/status/table/%llu.cwt", (unsigned long long)p->head.sequence);
	PATH(delta_path, "/status/delta/%llu-%llu.cwt", (unsigned long long)p->delta.base,
	        (unsigned long long)p->head.sequence);

	assert_int_equal(table_sign(&p->table, p->key, &table), ERR_OK);
	serve(f, table_path, buf_bytes(&table));
	sha256_one(buf_bytes(&table), p->head.table_sha256);
	if (!p->no_delta) {
		assert_int_equal(delta_sign(&p->delta, p->key, &delta), ERR_OK);
		serve(f, delta_path, buf_bytes(&delta));
		p->head.deltas[0].base = p->delta.base;
		sha256_one(buf_bytes(&delta), p->head.deltas[0].sha256);
		p->head.delta_count = 1;
	}
	assert_int_equal(head_sign(&p->head, p->key, &head), ERR_OK);
	serve(f, "/status/head.cwt", buf_bytes(&head));
	sha256_one(buf_bytes(&head), f->head_sha256);
	memcpy(f->published, f->w->raw, LIST_BYTES);
	f->sequence = p->head.sequence;
}

static inline void
publish(struct fixture *f, int64_t at, uint64_t size)
{
	publish_begin(f, at, size);
	publish_end(f);
}

static inline int
fixture_make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->w = world_make();
	snprintf(f->dir, sizeof f->dir, "/tmp/zz-test-sync-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(state_make(f->dir), ERR_OK);
	f->o = (struct sync_options){.dir = f->dir,
	        .root = f->w->root,
	        .now = WORLD_NOW,
	        .clock_trusted = true,
	        .crls = true};
	status_set(f->w->raw, 77, STATUS_INVALID);
	status_set(f->w->raw, 78, STATUS_SUPERSEDED);
	status_set(f->w->raw, 79, STATUS_SUSPENDED);
	publish(f, WORLD_NOW, 3);
	*state = f;
	return 0;
}

static inline int
fixture_free(void **state)
{
	struct fixture *f = *state;
	char command[80];

	snprintf(command, sizeof command, "rm -r %s", f->dir);
	assert_int_equal(system(command), 0);
	for (size_t i = 0; i < f->count; i++)
		free(f->files[i].bytes);
	world_free(f->w);
	free(f);
	return 0;
}

static inline void
run(struct fixture *f)
{
	struct sync_source from = {f, server_get};

	sync_run(&from, &f->o, &f->r);
}

static inline void
expect(struct fixture *f, enum sync_end end, enum verdict_reason reason)
{
	run(f);
	if (f->r.end != end || f->r.reason != reason)
		fail_msg("end %d, reason %s, error %s, at %s", (int)f->r.end,
		        reason_word(f->r.reason), err_word(f->r.e), f->r.file);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_free)
#endif
