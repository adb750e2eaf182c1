/* test_verdict_head.c - a verdict by head, table and raw list, as zz-verify sync holds them: the
 * head's age is the age of the status, and a list that it does not count is never VALID. */
#include "verdict_fixture.h"

struct held {
	struct fixture *f;
	struct head head;
	struct table table;
	struct table_row rows[2], *got;
	uint8_t head_room[HEAD_BYTES_MAX], table_room[1024];
	const struct key *key, *table_key;
	struct verdict_head v;
	bool known;
};

/* Signs what stands in `head` and `table` and opens it as check does. */
static enum verdict_reason
held_open(struct held *h)
{
	struct buf table = BUF_OF(h->table_room), head = BUF_OF(h->head_room);
	struct bytes parts[2];
	enum verdict_reason r;

	assert_int_equal(table_sign(&h->table, h->table_key, &table), ERR_OK);
	if (h->head.table_sha256[0] == 0)
		sha256_one(buf_bytes(&table), h->head.table_sha256);
	assert_int_equal(head_sign(&h->head, h->key, &head), ERR_OK);
	parts[0] = buf_bytes(&head);
	parts[1] = buf_bytes(&table);
	r = verdict_head_open(&h->f->w->m, parts, h->got, &h->v, &h->known);
	h->f->in.head = h->known ? &h->v : NULL;
	h->f->in.head_fault = r;
	h->f->in.raw = bytes_of(h->f->w->raw, LIST_BYTES);
	h->f->in.list_token = bytes_of(NULL, 0);
	return r;
}

static void
held_fill(struct held *h)
{
	const struct manifest *m = &h->f->w->m;

	sha256_one(bytes_of(h->f->w->raw, LIST_BYTES), h->rows[0].raw_sha256);
	h->rows[0].sequence = WORLD_NOW - 5000; /* not renewed since: the head counts */
	h->table = (struct table){
	        .iss = BYTES_LIT(WORLD_HOST), .iat = WORLD_NOW - 100, .rows = h->rows, .count = 1};
	h->head = (struct head){.iss = BYTES_LIT(WORLD_HOST),
	        .iat = WORLD_NOW - 100,
	        .exp = WORLD_NOW - 100 + HEAD_LIFETIME_S,
	        .sequence = WORLD_NOW - 100,
	        .list_count = 1,
	        .tree_size = 9,
	        .manifest_version = m->version};
	memcpy(h->head.manifest_sha256, m->sha256, SHA256_BYTES);
	h->key = h->table_key = h->f->w->status;
}

static int
held_make(void **state)
{
	struct held *h = calloc(1, sizeof *h);
	void *f = NULL;

	fixture_make(&f);
	h->f = f;
	h->got = calloc(HEAD_LISTS_MAX, sizeof *h->got);
	held_fill(h);
	*state = h;
	return 0;
}

static int
held_free(void **state)
{
	struct held *h = *state;
	void *f = h->f;

	fixture_free(&f);
	free(h->got);
	free(h);
	return 0;
}

static void
the_raw_list_decides_and_the_head_dates_it(void **state)
{
	static const struct {
		enum status s;
		enum verdict_code want;
	} rows[] = {
	        {STATUS_VALID, VERDICT_VALID},
	        {STATUS_INVALID, VERDICT_REVOKED},
	        {STATUS_SUSPENDED, VERDICT_SUSPENDED},
	        {STATUS_SUPERSEDED, VERDICT_SUPERSEDED},
	};
	struct held *h = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		status_set(h->f->w->raw, h->f->r.idx, rows[i].s);
		held_fill(h);
		assert_int_equal(held_open(h), REASON_NONE);
		expect(h->f, rows[i].want, REASON_NONE);
		assert_int_equal(h->f->v.status_time, WORLD_NOW - 100);
	}
}

/* A mirror that goes on giving the last head it has: first the verdict says its age, then nothing.
 */
static void
a_frozen_head_grows_stale_and_then_says_nothing(void **state)
{
	struct held *h = *state;

	assert_int_equal(held_open(h), REASON_NONE);
	h->f->in.age_s_max = 3600;
	h->f->in.now = WORLD_NOW - 100 + 3600;
	expect(h->f, VERDICT_VALID, REASON_NONE);
	h->f->in.now++;
	expect(h->f, VERDICT_VALID_AS_OF, REASON_NONE);
	h->f->in.age_s_max = INT32_MAX; /* whatever age was asked for */
	h->f->in.now = WORLD_NOW - 100 + HEAD_LIFETIME_S - 1;
	expect(h->f, VERDICT_VALID, REASON_NONE);
	h->f->in.now++;
	expect(h->f, VERDICT_STATUS_UNKNOWN, REASON_NONE);
	assert_true(h->f->v.status_expired);
	status_set(h->f->w->raw, h->f->r.idx, STATUS_INVALID); /* a revocation stays one */
	held_fill(h);
	assert_int_equal(held_open(h), REASON_NONE);
	expect(h->f, VERDICT_REVOKED, REASON_NONE);
}

/* A device whose clock stands still: the newest signed time is the earliest now. */
static void
without_a_clock_the_newest_signed_time_is_now(void **state)
{
	struct held *h = *state;

	assert_int_equal(held_open(h), REASON_NONE);
	h->f->in.now = 1000;
	expect(h->f, VERDICT_VALID, REASON_NONE);
	assert_int_equal(h->f->v.now, WORLD_NOW - 100);
	h->f->in.newest = WORLD_NOW - 100 + HEAD_LIFETIME_S;
	expect(h->f, VERDICT_STATUS_UNKNOWN, REASON_NONE);
}

static void
a_list_that_is_not_counted_or_not_held_is_never_valid(void **state)
{
	struct held *h = *state;

	assert_int_equal(held_open(h), REASON_NONE);
	h->f->in.raw = bytes_of(NULL, 0);
	expect(h->f, VERDICT_STATUS_UNKNOWN, REASON_NONE);
	held_fill(h);
	assert_int_equal(held_open(h), REASON_NONE);
	expect(h->f, VERDICT_VALID, REASON_NONE);
	h->f->r.list = 1;
	fixture_record(h->f, h->f->w->record);
	expect(h->f, VERDICT_STATUS_UNKNOWN, REASON_NONE);
	h->f->in.list_token = h->f->list; /* the head is there: a token says nothing more */
	expect(h->f, VERDICT_STATUS_UNKNOWN, REASON_NONE);
}

static void
raw_changed(struct held *h)
{
	h->rows[0].raw_sha256[0] ^= 1;
}

static void
table_other(struct held *h)
{
	memset(h->head.table_sha256, 1, SHA256_BYTES);
}

static void
table_longer(struct held *h)
{
	h->rows[1] = h->rows[0];
	h->table.count = 2;
}

static void
table_other_key(struct held *h)
{
	h->table_key = h->f->w->record;
}

static void
head_key_late(struct held *h)
{
	h->f->w->m.keys[3].not_after = WORLD_NOW - 100;
}

static void
head_key_cut(struct held *h)
{
	h->f->w->m.keys[3].last_size = 8;
}

static void
manifest_ahead(struct held *h)
{
	h->head.manifest_version++;
}

static void
manifest_other(struct held *h)
{
	h->head.manifest_sha256[0] ^= 1;
}

static void
issuer_other(struct held *h)
{
	h->head.iss = h->table.iss = BYTES_LIT("other.example");
}

static void
what_does_not_fit_together_is_an_attack(void **state)
{
	static const struct {
		const char *what;
		void (*spoil)(struct held *h);
		enum verdict_reason want;
	} rows[] = {
	        {"a raw list of another hash", raw_changed, REASON_MIXED},
	        {"another head's table", table_other, REASON_MIXED},
	        {"a table of more lists", table_longer, REASON_MIXED},
	        {"a table under another key", table_other_key, REASON_LIST},
	        {"a head under a key out of its time", head_key_late, REASON_HEAD},
	        {"a head above the cut of its key", head_key_cut, REASON_HEAD},
	        {"a head of a manifest that is not held", manifest_ahead, REASON_MIXED},
	        {"a head of another manifest", manifest_other, REASON_MIXED},
	        {"another authority's head", issuer_other, REASON_MIXED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		void *made = NULL;
		struct held *h;

		held_make(&made);
		h = made;
		rows[i].spoil(h);
		(void)held_open(h);
		verdict_find(&h->f->in, &h->f->v);
		if (h->f->v.code != VERDICT_ATTACK || h->f->v.reason != rows[i].want)
			fail_msg("%s: %s (%s)", rows[i].what, verdict_word(h->f->v.code),
			        reason_word(h->f->v.reason));
		held_free(&made);
	}
}

static void
a_head_under_a_key_that_the_manifest_dropped_says_nothing(void **state)
{
	struct held *h = *state;

	h->key = h->table_key = h->f->w->stranger;
	assert_int_equal(held_open(h), REASON_NONE);
	assert_false(h->known);
	expect(h->f, VERDICT_STATUS_UNKNOWN, REASON_NONE);
}

#define H(name) cmocka_unit_test_setup_teardown(name, held_make, held_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        H(the_raw_list_decides_and_the_head_dates_it),
	        H(a_frozen_head_grows_stale_and_then_says_nothing),
	        H(without_a_clock_the_newest_signed_time_is_now),
	        H(a_list_that_is_not_counted_or_not_held_is_never_valid),
	        cmocka_unit_test(what_does_not_fit_together_is_an_attack),
	        H(a_head_under_a_key_that_the_manifest_dropped_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
