#ifndef TESTS_MONITOR_SERVER_H
#define TESTS_MONITOR_SERVER_H
/* monitor_server.h - a small authority in memory for test_monitor.c: its log, its one list, what it
 * gives out, and one pass of the monitor over it. */
#include "cosignature.h"
#include "head.h"
#include "monitor.h"
#include "temp_folder.h"
#include "verify_state.h"
#include "verify_world.h"

enum { ENTRIES_MAX = 700, REPLY_BYTES = 300000, HEAD_AGE = 1000 };

struct server {
	struct world *w;
	char dir[FOLDER_BYTES];
	struct {
		uint8_t b[600];
		size_t n;
	} entries[ENTRIES_MAX];
	uint64_t size, shown; /* entries; as the checkpoint says */
	int64_t now;
	uint64_t sequence;
	uint8_t previous[SHA256_BYTES], cwt[TOKEN_BYTES_MAX], reply[REPLY_BYTES];
	size_t cwt_n;
	uint8_t head[HEAD_BYTES_MAX], table[4096];
	size_t head_n, table_n;
	struct table_row row;
	const char *missing; /* a path that is not there */
	struct monitor_options o;
	struct monitor_state s;
	struct monitor_report r;
};

/* --- the log --- */

static inline void
entry_add(struct server *v, const struct entry *e)
{
	struct buf b = buf_init(v->entries[v->size].b, sizeof v->entries[0].b);

	assert_true(v->size < ENTRIES_MAX);
	entry_put(e, &b);
	assert_int_equal(buf_end(&b), ERR_OK);
	v->entries[v->size++].n = b.n;
}

static inline void
issue(struct server *v, const char *center, uint8_t request, int64_t time)
{
	static uint8_t cti[16];
	struct entry e = {.type = ENTRY_ISSUE,
	        .cti = bytes_of(cti, sizeof cti),
	        .time = time,
	        .center = bytes_of_text(center),
	        .item = BYTES_LIT("030102"),
	        .policy = BYTES_LIT("SP-19")};

	be_put(cti, v->size, 8);
	memset(e.request, request, SHA256_BYTES);
	entry_add(v, &e);
}

static inline void
decide(struct server *v, uint32_t idx, enum status status, int64_t time)
{
	static const uint8_t cti[16] = {1};
	struct entry e = {.type = ENTRY_STATUS,
	        .cti = bytes_of(cti, sizeof cti),
	        .idx = idx,
	        .status = status,
	        .crl_reason = status == STATUS_INVALID ? 9 : -1,
	        .effective = time / DAY_S,
	        .until = status == STATUS_SUSPENDED ? time + DAY_S : -1,
	        .time = time};

	entry_add(v, &e);
}

/* Signs w->raw as the next version and logs it, as if it covered `covered`. */
static inline void
list_log(struct server *v, int64_t time, uint64_t covered)
{
	static uint8_t room[TOKEN_BYTES_MAX];
	struct buf token = BUF_OF(room);
	struct entry e = {.type = ENTRY_LIST,
	        .sequence = (uint64_t)time,
	        .tree_size = covered,
	        .this_update = time,
	        .next_update = time + LIST_LIFETIME_S,
	        .time = time};

	world_list(v->w, v->w->status, 0, time, &token);
	memcpy(e.previous_sha256, v->previous, SHA256_BYTES);
	sha256_one(buf_bytes(&token), e.cwt_sha256);
	sha256_one(bytes_of(v->w->raw, LIST_BYTES), e.raw_sha256);
	memcpy(v->previous, e.cwt_sha256, SHA256_BYTES);
	v->row = (struct table_row){.sequence = (uint64_t)time};
	memcpy(v->row.raw_sha256, e.raw_sha256, SHA256_BYTES);
	memcpy(v->row.cwt_sha256, e.cwt_sha256, SHA256_BYTES);
	memcpy(v->cwt, room, token.n);
	v->cwt_n = token.n;
	entry_add(v, &e);
}

static inline void
root_of(const struct server *v, uint64_t size, struct merkle_hash *out)
{
	struct merkle_frontier f = {.size = 0};
	struct merkle_hash leaf;

	for (uint64_t i = 0; i < size; i++) {
		merkle_leaf(bytes_of(v->entries[i].b, v->entries[i].n), &leaf);
		merkle_append(&f, &leaf);
	}
	merkle_root(&f, out);
}

/* Table and head over everything that is logged. */
static inline void
head_make(struct server *v, int64_t time)
{
	struct buf table = BUF_OF(v->table), head = BUF_OF(v->head);
	struct table t = {.iss = BYTES_LIT(WORLD_HOST), .iat = time, .rows = &v->row, .count = 1};
	struct head h = {.iss = BYTES_LIT(WORLD_HOST),
	        .iat = time,
	        .exp = time + HEAD_LIFETIME_S,
	        .sequence = (uint64_t)time,
	        .list_count = 1,
	        .tree_size = v->size,
	        .manifest_version = v->w->m.version};

	assert_int_equal(table_sign(&t, v->w->status, &table), ERR_OK);
	sha256_one(buf_bytes(&table), h.table_sha256);
	memcpy(h.manifest_sha256, v->w->m.sha256, SHA256_BYTES);
	root_of(v, v->size, &h.root);
	assert_int_equal(head_sign(&h, v->w->status, &head), ERR_OK);
	v->table_n = table.n;
	v->head_n = head.n;
	v->sequence = (uint64_t)time;
	v->shown = v->size;
}

static inline void
publish(struct server *v)
{
	list_log(v, v->now, v->size);
	head_make(v, v->now);
}

/* --- what it gives out --- */

static inline struct bytes
bundle(struct server *v, uint64_t n, uint64_t width)
{
	struct buf b = BUF_OF(v->reply);

	for (uint64_t i = n * TILE_WIDTH; i < n * TILE_WIDTH + width; i++) {
		uint8_t two[2];

		be_put(two, v->entries[i].n, 2);
		buf_put(&b, bytes_of(two, 2));
		buf_put(&b, bytes_of(v->entries[i].b, v->entries[i].n));
	}
	return buf_bytes(&b);
}

static inline struct bytes
tile(struct server *v, uint64_t n, uint64_t width)
{
	struct buf b = BUF_OF(v->reply);

	for (uint64_t i = n * TILE_WIDTH; i < n * TILE_WIDTH + width; i++) {
		struct merkle_hash leaf;

		merkle_leaf(bytes_of(v->entries[i].b, v->entries[i].n), &leaf);
		buf_put(&b, bytes_of(leaf.b, sizeof leaf.b));
	}
	return buf_bytes(&b);
}

static inline struct bytes
checkpoint(struct server *v)
{
	struct buf b = BUF_OF(v->reply);
	struct merkle_hash root;

	root_of(v, v->shown, &root);
	assert_int_equal(
	        checkpoint_sign(BYTES_LIT(WORLD_ORIGIN), v->shown, &root, v->w->log, &b), ERR_OK);
	return buf_bytes(&b);
}

static inline struct bytes
answer(struct server *v, const char *path)
{
	uint64_t n = 0, width = TILE_WIDTH;
	const char *dot = strstr(path, ".p/");

	if (strcmp(path, "/manifest.cose") == 0)
		return v->w->manifest_bytes;
	if (strcmp(path, "/status/head.cwt") == 0)
		return bytes_of(v->head, v->head_n);
	if (strncmp(path, "/status/table/", 14) == 0)
		return bytes_of(v->table, v->table_n);
	if (strcmp(path, "/status/0.cwt") == 0)
		return bytes_of(v->cwt, v->cwt_n);
	if (strcmp(path, "/log/checkpoint") == 0)
		return checkpoint(v);
	if (dot != NULL)
		width = strtoul(dot + 3, NULL, 10);
	if (strncmp(path, "/log/tile/entries/", 18) == 0) {
		n = strtoul(path + 18, NULL, 10);
		return bundle(v, n, width);
	}
	if (strncmp(path, "/log/tile/0/", 12) == 0) {
		n = strtoul(path + 12, NULL, 10);
		return tile(v, n, width);
	}
	return bytes_of(NULL, 0);
}

static inline enum err
get(void *ctx, const char *path, size_t bytes_max, struct client_reply *out)
{
	struct server *v = ctx;

	*out = (struct client_reply){.status = 404};
	if (v->missing != NULL && strcmp(path, v->missing) == 0)
		return ERR_OK;
	out->body = answer(v, path);
	if (out->body.p != NULL)
		out->status = 200;
	return out->body.n > bytes_max ? ERR_LIMIT : ERR_OK;
}

/* --- one pass and what it found --- */

static inline void
run(struct server *v)
{
	struct sync_source from = {v, get};

	monitor_state_free(&v->s);
	v->o.now = v->now;
	monitor_run(&from, &v->o, &v->s, &v->r);
}

static inline bool
found(const struct server *v, enum alarm a)
{
	for (size_t i = 0; i < v->r.finding_count; i++)
		if (v->r.findings[i].alarm == a)
			return true;
	return false;
}

static inline void
expect_nothing(struct server *v)
{
	run(v);
	if (v->r.end != MONITOR_DONE || v->r.finding_count != 0)
		fail_msg("%s at %s, %s", err_word(v->r.e), v->r.file,
		        v->r.finding_count == 0 ? "-" : alarm_word(v->r.findings[0].alarm));
}

static inline void
expect_only(struct server *v, enum alarm a)
{
	run(v);
	if (!found(v, a))
		fail_msg("no %s", alarm_word(a));
	for (size_t i = 0; i < v->r.finding_count; i++)
		if (v->r.findings[i].alarm != a)
			fail_msg("%s, not only %s", alarm_word(v->r.findings[i].alarm),
			        alarm_word(a));
}

static inline int
server_make(void **state)
{
	struct server *v = calloc(1, sizeof *v);
	struct entry genesis = {.type = ENTRY_GENESIS,
	        .origin = BYTES_LIT(WORLD_ORIGIN),
	        .iss = BYTES_LIT(WORLD_HOST)};
	struct entry manifest = {.type = ENTRY_MANIFEST};

	if (v == NULL)
		return -1;
	v->w = world_make();
	folder_make(v->dir);
	assert_int_equal(state_make(v->dir), ERR_OK);
	v->now = WORLD_NOW - WORLD_NOW % DAY_S + 2 * 3600; /* ten in the morning, Shanghai */
	v->o = (struct monitor_options){.dir = v->dir, .root = v->w->root, .burst = 100};
	genesis.time = manifest.time = v->now;
	entry_add(v, &genesis);
	manifest.sequence = v->w->m.version;
	memcpy(manifest.sha256, v->w->m.sha256, SHA256_BYTES);
	entry_add(v, &manifest);
	for (uint8_t i = 0; i < 10; i++)
		issue(v, "330106-01", 7, v->now);
	publish(v);
	*state = v;
	return 0;
}

static inline int
server_end(void **state)
{
	struct server *v = *state;
	char command[100];

	monitor_state_free(&v->s);
	world_free(v->w);
	snprintf(command, sizeof command, "rm -r %s", v->dir);
	assert_int_equal(system(command), 0);
	free(v);
	return 0;
}
#endif
