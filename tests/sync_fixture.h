#ifndef TESTS_SYNC_FIXTURE_H
#define TESTS_SYNC_FIXTURE_H
/* sync_fixture.h - a server in memory that publishes a small authority, and a state folder. */
#include "file.h"
#include "verify_state.h"
#include "verify_sync.h"
#include "verify_tiles.h"
#include "verify_world.h"

#include <stdio.h>
#include <unistd.h>

enum { SERVED_MAX = 8, STEP = 1000 };

struct served {
	char path[40];
	uint8_t *bytes;
	size_t n;
};

struct fixture {
	struct world *w;
	struct served files[SERVED_MAX];
	size_t count;
	uint64_t log_size; /* of the tree that tiles are served of */
	bool no_partial;   /* partial tiles are gone */
	enum err broken;   /* what every get answers, when not ERR_OK */
	unsigned gets, tile_gets;
	uint8_t tile[TILE_WIDTH * SHA256_BYTES];
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
	if (f->broken != ERR_OK)
		return f->broken;
	memset(out, 0, sizeof *out);
	out->status = 200;
	if (s != NULL)
		out->body = bytes_of(s->bytes, s->n);
	else if (strncmp(path, "/log/tile/", 10) != 0 || !tile_serve(f, path, out))
		out->status = 404;
	return out->body.n > bytes_max ? ERR_LIMIT : ERR_OK;
}

/* One publication at time `at`, of a log of `size`. */
static inline void
publish(struct fixture *f, int64_t at, uint64_t size)
{
	uint8_t room[8192], *der = NULL;
	struct buf list = BUF_OF(room);
	size_t n = 0;

	serve(f, "/manifest.cose", f->w->manifest_bytes);
	world_list(f->w, f->w->status, 0, at, &list);
	serve(f, "/status/0.cwt", buf_bytes(&list));
	world_crl(f->w, 0, at, NULL, &der, &n);
	serve(f, "/crl/0.crl", bytes_of(der, n));
	free(der);
	world_append_any(f->w, size - f->w->size);
	f->log_size = size;
	list = BUF_OF(room);
	world_checkpoint(f->w, f->w->log, size, &list);
	serve(f, "/log/checkpoint", buf_bytes(&list));
}

static inline int
fixture_make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->w = world_make();
	snprintf(f->dir, sizeof f->dir, "/tmp/zz-test-sync-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(state_make(f->dir), ERR_OK);
	f->o = (struct sync_options){
	        .dir = f->dir, .root = f->w->root, .now = WORLD_NOW, .clock_trusted = true};
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
