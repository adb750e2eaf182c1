/* test_monitor.c - the monitor against a small authority in memory: honest growth raises nothing,
 * and each lie of a hostile one is called by its name. */
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

static void
entry_add(struct server *v, const struct entry *e)
{
	struct buf b = buf_init(v->entries[v->size].b, sizeof v->entries[0].b);

	assert_true(v->size < ENTRIES_MAX);
	entry_put(e, &b);
	assert_int_equal(buf_end(&b), ERR_OK);
	v->entries[v->size++].n = b.n;
}

static void
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

static void
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
static void
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

static void
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
static void
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

static void
publish(struct server *v)
{
	list_log(v, v->now, v->size);
	head_make(v, v->now);
}

/* --- what it gives out --- */

static struct bytes
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

static struct bytes
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

static struct bytes
checkpoint(struct server *v)
{
	struct buf b = BUF_OF(v->reply);
	struct merkle_hash root;

	root_of(v, v->shown, &root);
	assert_int_equal(
	        checkpoint_sign(BYTES_LIT(WORLD_ORIGIN), v->shown, &root, v->w->log, &b), ERR_OK);
	return buf_bytes(&b);
}

static struct bytes
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

static enum err
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

static void
run(struct server *v)
{
	struct sync_source from = {v, get};

	monitor_state_free(&v->s);
	v->o.now = v->now;
	monitor_run(&from, &v->o, &v->s, &v->r);
}

static bool
found(const struct server *v, enum alarm a)
{
	for (size_t i = 0; i < v->r.finding_count; i++)
		if (v->r.findings[i].alarm == a)
			return true;
	return false;
}

static void
expect_nothing(struct server *v)
{
	run(v);
	if (v->r.end != MONITOR_DONE || v->r.finding_count != 0)
		fail_msg("%s at %s, %s", err_word(v->r.e), v->r.file,
		        v->r.finding_count == 0 ? "-" : alarm_word(v->r.findings[0].alarm));
}

static void
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

static int
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

static int
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

/* Time passes, and things are decided and published as they should be. */
static void
step(struct server *v)
{
	v->now += HEAD_AGE;
	status_set(v->w->raw, 5, STATUS_INVALID);
	decide(v, 5, STATUS_INVALID, v->now);
	publish(v);
}

static void
honest_growth_raises_nothing(void **state)
{
	struct server *v = *state;

	v->o.burst = 1000;
	expect_nothing(v);
	assert_int_equal(v->r.fresh, 13);
	step(v);
	expect_nothing(v);
	assert_int_equal(v->r.fresh, 2);
	for (int i = 0; i < 300; i++) { /* over the edge of a bundle */
		v->now += 1;
		issue(v, "440305-02", (uint8_t)(30 + i / 10), v->now);
	}
	publish(v);
	expect_nothing(v);
	assert_int_equal(v->r.before, 15);
	assert_int_equal(v->r.size, 316);
	expect_nothing(v);
	assert_int_equal(v->r.fresh, 0);
	assert_int_equal(v->s.count_count, 2);
	assert_int_equal(v->s.counts[0].certificates, 10);
	assert_int_equal(v->s.counts[0].requests, 1);
	assert_int_equal(v->s.statuses[STATUS_INVALID], 1);
}

/* What was decided after the list was signed is not in it, and that is no lie. */
static void
a_list_is_judged_as_of_the_size_it_covers(void **state)
{
	struct server *v = *state;
	uint64_t covered;

	expect_nothing(v);
	v->now += HEAD_AGE;
	covered = v->size;
	decide(v, 9, STATUS_SUSPENDED, v->now);
	v->shown = v->size;
	expect_nothing(v); /* a pass ends between the two */
	list_log(v, v->now + 10, covered);
	head_make(v, v->now + 10);
	v->now += 10;
	expect_nothing(v);
	/* negative control: as if it covered the decision too */
	list_log(v, v->now + 10, v->size);
	head_make(v, v->now + 10);
	v->now += 10;
	expect_only(v, ALARM_LIST_FOLD);
}

static void
a_fork_is_named_and_not_learned(void **state)
{
	struct server *v = *state;

	expect_nothing(v);
	v->entries[4].b[20] ^= 1;
	step(v);
	expect_only(v, ALARM_FORK);
	assert_true(state_has(v->dir, "contradiction"));
	v->entries[4].b[20] ^= 1;
	expect_nothing(v);
	assert_int_equal(v->r.before, 13);
}

static void
a_rollback_is_named(void **state)
{
	struct server *v = *state;
	uint64_t size = v->size;
	uint8_t head[HEAD_BYTES_MAX];
	size_t n = v->head_n;

	memcpy(head, v->head, n);
	expect_nothing(v);
	step(v);
	expect_nothing(v);
	v->shown = size;
	expect_only(v, ALARM_ROLLBACK);
	v->shown = v->size;
	memcpy(v->head, head, n);
	v->head_n = n;
	expect_only(v, ALARM_ROLLBACK);
}

/* The log has the revocation; the list at its address does not. */
static void
a_list_that_hides_a_revocation_is_named(void **state)
{
	struct server *v = *state;
	static uint8_t old[TOKEN_BYTES_MAX];
	size_t n = v->cwt_n;

	memcpy(old, v->cwt, n);
	expect_nothing(v);
	step(v);
	memcpy(v->cwt, old, n);
	v->cwt_n = n;
	expect_nothing(v); /* a cache may have it still */
	v->now += 301;
	expect_only(v, ALARM_LIST_HIDDEN);
}

/* The authority itself signs and logs a list without the revocation. */
static void
a_logged_list_that_leaves_a_decision_out_is_named(void **state)
{
	struct server *v = *state;

	expect_nothing(v);
	v->now += HEAD_AGE;
	decide(v, 5, STATUS_INVALID, v->now);
	publish(v); /* w->raw was not changed */
	expect_only(v, ALARM_LIST_FOLD);
}

static void
a_list_that_is_not_logged_is_named(void **state)
{
	struct server *v = *state;
	struct buf token = BUF_OF(v->cwt);

	expect_nothing(v);
	v->now += HEAD_AGE;
	world_list(v->w, v->w->status, 0, v->now, &token);
	v->cwt_n = token.n;
	expect_only(v, ALARM_LIST_HIDDEN);
}

static void
a_revocation_taken_back_is_named(void **state)
{
	struct server *v = *state;

	step(v);
	expect_nothing(v);
	v->now += HEAD_AGE;
	decide(v, 5, STATUS_VALID, v->now);
	status_set(v->w->raw, 5, STATUS_VALID);
	publish(v);
	expect_only(v, ALARM_UNDONE);
}

static void
a_burst_and_the_night_are_named_once(void **state)
{
	struct server *v = *state;

	expect_nothing(v);
	v->now += 3600;
	for (int i = 0; i < 101; i++)
		issue(v, "330106-01", 8, v->now);
	publish(v);
	expect_only(v, ALARM_BURST);
	assert_int_equal(v->r.finding_count, 1);
	assert_string_equal(v->r.findings[0].center, "330106-01");
	issue(v, "330106-01", 9, v->now + 1);
	v->now += 2;
	publish(v);
	expect_nothing(v);
	v->now += 14 * 3600; /* one in the morning */
	issue(v, "440305-02", 10, v->now);
	issue(v, "440305-02", 10, v->now);
	publish(v);
	expect_only(v, ALARM_NIGHT);
	assert_int_equal(v->r.finding_count, 1);
}

static void
back_dating_and_a_session_that_is_spread_are_named(void **state)
{
	struct server *v = *state;

	expect_nothing(v);
	v->now += HEAD_AGE;
	issue(v, "440305-02", 11, v->now);
	issue(v, "440305-02", 12, v->now - ENTRY_AGE_S_MAX); /* as the signer allows */
	publish(v);
	expect_nothing(v);
	issue(v, "440305-02", 13, v->now - ENTRY_AGE_S_MAX - 1);
	v->now += 2;
	publish(v);
	expect_only(v, ALARM_TIME_BACK);
	v->now += HEAD_AGE;
	issue(v, "440305-02", 11, v->now);
	publish(v);
	expect_only(v, ALARM_SPREAD);
	issue(v, "440305-02", 0, v->now);
	v->now += 2;
	publish(v);
	expect_only(v, ALARM_NO_SESSION);
	issue(v, "440305-02", 14, v->now + 400);
	v->now += 2;
	publish(v);
	run(v);
	assert_true(found(v, ALARM_FUTURE));
}

static void
a_centre_sees_what_is_issued_in_its_name(void **state)
{
	struct server *v = *state;
	uint8_t known[1][SHA256_BYTES];
	json_t *json;

	memset(known[0], 7, SHA256_BYTES);
	v->o.center = "330106-01";
	v->o.known = (const uint8_t(*)[SHA256_BYTES])known;
	v->o.known_count = 1;
	expect_nothing(v);
	json = monitor_json(&v->o, &v->s, &v->r);
	assert_int_equal(json_array_size(json_object_get(json, "requests")), 1);
	json_decref(json);
	v->now += HEAD_AGE;
	issue(v, "440305-02", 20, v->now); /* not its affair */
	publish(v);
	expect_nothing(v);
	v->now += HEAD_AGE;
	issue(v, "330106-01", 21, v->now);
	publish(v);
	expect_only(v, ALARM_UNKNOWN_REQUEST);
	assert_true(monitor_shows(&v->o, &v->r.findings[0]));
	v->o.center = "440305-02";
	assert_false(monitor_shows(&v->o, &v->r.findings[0]));
}

static void
what_is_not_signed_or_not_logged_is_named(void **state)
{
	struct server *v = *state;
	struct key *log = v->w->log, *other = NULL;

	assert_int_equal(key_generate(KEY_ED25519, &other), ERR_OK);
	v->w->log = other;
	expect_only(v, ALARM_CHECKPOINT);
	v->w->log = log;
	key_free(other);
	v->o.root = v->w->stranger;
	expect_only(v, ALARM_MANIFEST);
	v->o.root = v->w->root;
	expect_nothing(v);
	world_manifest(v->w, 4, v->now); /* the root signed it, the log lacks it */
	expect_only(v, ALARM_MANIFEST);
}

static void
a_server_that_fails_is_no_alarm_and_nothing_is_learned(void **state)
{
	static const char *const paths[] = {"/manifest.cose", "/status/head.cwt", "/status/0.cwt",
	        "/log/checkpoint", "/log/tile/entries/000.p/13"};
	struct server *v = *state;

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		v->missing = paths[i];
		if (i == 4) /* the full bundle is asked for then, which is longer: not there */
			v->missing = "/log/checkpoint";
		run(v);
		assert_int_equal(v->r.end, MONITOR_AWAY);
		assert_int_equal(v->r.finding_count, 0);
		assert_false(state_has(v->dir, "monitor.json"));
	}
	v->missing = NULL;
	expect_nothing(v);
	v->now += 8 * DAY_S;
	run(v);
	assert_true(found(v, ALARM_STALE));
}

#define T(f) cmocka_unit_test_setup_teardown(f, server_make, server_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(honest_growth_raises_nothing),
	        T(a_list_is_judged_as_of_the_size_it_covers),
	        T(a_fork_is_named_and_not_learned),
	        T(a_rollback_is_named),
	        T(a_list_that_hides_a_revocation_is_named),
	        T(a_logged_list_that_leaves_a_decision_out_is_named),
	        T(a_list_that_is_not_logged_is_named),
	        T(a_revocation_taken_back_is_named),
	        T(a_burst_and_the_night_are_named_once),
	        T(back_dating_and_a_session_that_is_spread_are_named),
	        T(a_centre_sees_what_is_issued_in_its_name),
	        T(what_is_not_signed_or_not_logged_is_named),
	        T(a_server_that_fails_is_no_alarm_and_nothing_is_learned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
