/* test_publish_head.c - what issuer-publish refuses before a head becomes public: each refusal
 * leaves the public head as it was. */
#include "file.h"
#include "publish.h"
#include "verify_world.h"

#include <stdio.h>

enum { FIRST = WORLD_NOW, SECOND = WORLD_NOW + 10, LISTS = 2 };

struct fixture {
	struct world *w;
	struct config config;
	struct publish p;
	char dir[40];
	struct table_row rows[LISTS + 1];
	struct table table;
	struct head head;
	const struct key *key, *list_key;
};

static void
put(const struct fixture *f, const char *name, struct bytes data)
{
	char path[100];

	snprintf(path, sizeof path, "%s/%s", f->dir, name);
	assert_int_equal(file_write(path, data, 0644), ERR_OK);
}

static void
list_put(struct fixture *f, uint32_t list, int64_t sequence)
{
	uint8_t room[8192];
	struct buf token = BUF_OF(room);
	char name[64];

	snprintf(name, sizeof name, "status/version/%u-%lld.cwt", list, (long long)sequence);
	world_list(f->w, f->list_key, list, sequence, &token);
	put(f, name, buf_bytes(&token));
	f->rows[list].sequence = (uint64_t)sequence;
	sha256_one(buf_bytes(&token), f->rows[list].cwt_sha256);
	sha256_one(bytes_of(f->w->raw, LIST_BYTES), f->rows[list].raw_sha256);
}

/* The next publication, all good: each test spoils what it is about. */
static void
next(struct fixture *f, int64_t at)
{
	f->key = f->list_key = f->w->status;
	for (uint32_t i = 0; i < LISTS; i++)
		list_put(f, i, at);
	f->table = (struct table){
	        .iss = BYTES_LIT(WORLD_HOST), .iat = at, .rows = f->rows, .count = LISTS};
	f->head = (struct head){.iss = BYTES_LIT(WORLD_HOST),
	        .iat = at,
	        .exp = at + HEAD_LIFETIME_S,
	        .sequence = (uint64_t)at,
	        .list_count = LISTS,
	        .tree_size = 9,
	        .manifest_version = 3};
}

static enum err
write_now(struct fixture *f)
{
	uint8_t table_room[2048], head_room[HEAD_BYTES_MAX];
	struct buf table = BUF_OF(table_room), head = BUF_OF(head_room);

	assert_int_equal(table_sign(&f->table, f->key, &table), ERR_OK);
	sha256_one(buf_bytes(&table), f->head.table_sha256);
	assert_int_equal(head_sign(&f->head, f->key, &head), ERR_OK);
	return publish_head_write(&f->p, buf_bytes(&table), buf_bytes(&head));
}

static int
fixture_make(void **state)
{
	static const char *const folders[] = {
	        "log/checkpoints", "status/version", "status/table", "status/delta"};
	struct fixture *f = calloc(1, sizeof *f);
	char path[100];

	f->w = world_make();
	snprintf(f->dir, sizeof f->dir, "/tmp/zz-test-publish-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", f->dir, folders[i]);
		assert_int_equal(file_make_folders(path, 0755), ERR_OK);
	}
	f->config.list_refresh_s = 1800;
	f->p.config = &f->config;
	snprintf(f->p.dir, sizeof f->p.dir, "%s", f->dir);
	f->p.manifest = f->w->m;
	f->p.manifest_version = 3;
	f->p.published = 9;
	f->p.lists = calloc(LISTS + 1, sizeof *f->p.lists);
	f->p.list_room = LISTS + 1;
	f->p.head.count_next = INT64_MAX; /* no database here */
	f->p.head.rows = calloc(HEAD_LISTS_MAX, sizeof *f->p.head.rows);
	put(f, "log/checkpoints/9", BYTES_LIT("note"));
	put(f, "log/checkpoints/8", BYTES_LIT("note"));
	status_set(f->w->raw, 77, STATUS_INVALID);
	status_set(f->w->raw, 78, STATUS_SUPERSEDED);
	status_set(f->w->raw, 79, STATUS_SUSPENDED);
	next(f, FIRST);
	assert_int_equal(write_now(f), ERR_OK);
	next(f, SECOND);
	*state = f;
	return 0;
}

static int
fixture_free(void **state)
{
	struct fixture *f = *state;
	char command[80];

	snprintf(command, sizeof command, "rm -r %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f->p.lists);
	free(f->p.head.rows);
	world_free(f->w);
	free(f);
	return 0;
}

static void
nothing(struct fixture *f)
{
	(void)f;
}

static void
sequence_same(struct fixture *f)
{
	f->head.sequence = FIRST;
}

static void
sequence_lower(struct fixture *f)
{
	f->head.sequence = FIRST - 1;
}

static void
clock_back(struct fixture *f)
{
	f->head.iat = FIRST - 1;
}

static void
tree_smaller(struct fixture *f)
{
	f->head.tree_size = 8;
}

static void
no_checkpoint(struct fixture *f)
{
	f->head.tree_size = 10;
}

static void
list_vanished(struct fixture *f)
{
	f->head.list_count = f->table.count = LISTS - 1;
}

static void
list_older(struct fixture *f)
{
	f->rows[1].sequence = FIRST - 1;
}

static void
list_missing(struct fixture *f)
{
	f->rows[1].sequence = SECOND + 1;
}

static void
list_changed_on_disk(struct fixture *f)
{
	put(f, "status/version/1-1792224010.cwt", BYTES_LIT("junk"));
}

static void
list_under_another_key(struct fixture *f)
{
	f->list_key = f->w->record;
	list_put(f, 1, SECOND);
}

static void
raw_other(struct fixture *f)
{
	f->rows[0].raw_sha256[0] ^= 1;
}

static void
valid_again(struct fixture *f)
{
	status_set(f->w->raw, 77, STATUS_VALID);
	list_put(f, 0, SECOND);
}

static void
suspended_after_the_end(struct fixture *f)
{
	status_set(f->w->raw, 78, STATUS_SUSPENDED);
	list_put(f, 0, SECOND);
}

static void
emptied(struct fixture *f)
{
	memset(f->w->raw, 0, LIST_BYTES);
	list_put(f, 0, SECOND);
}

static void
suspension_ends(struct fixture *f)
{
	status_set(f->w->raw, 79, STATUS_VALID);
	status_set(f->w->raw, 78, STATUS_INVALID);
	list_put(f, 0, SECOND);
}

static void
another_key(struct fixture *f)
{
	f->key = f->w->record;
}

static void
manifest_other(struct fixture *f)
{
	f->head.manifest_version = 4;
}

static void
what_takes_something_back_is_refused(void **state)
{
	static const struct {
		const char *what;
		void (*spoil)(struct fixture *f);
		enum err want;
	} rows[] = {
	        {"control", nothing, ERR_OK},
	        {"control: a suspension may end", suspension_ends, ERR_OK},
	        {"a sequence that does not rise", sequence_same, ERR_VERSION},
	        {"a sequence that falls", sequence_lower, ERR_VERSION},
	        {"a clock that went back", clock_back, ERR_VERSION},
	        {"a smaller tree", tree_smaller, ERR_VERSION},
	        {"a checkpoint that is not public", no_checkpoint, ERR_NOT_FOUND},
	        {"a list that vanished", list_vanished, ERR_SIZE},
	        {"an older list", list_older, ERR_VERSION},
	        {"a list that is not in place", list_missing, ERR_NOT_FOUND},
	        {"a list that was changed on disk", list_changed_on_disk, ERR_FORK},
	        {"a list under another key", list_under_another_key, ERR_KID_UNKNOWN},
	        {"a list of another hash", raw_other, ERR_FORK},
	        {"INVALID to VALID", valid_again, ERR_MOVE},
	        {"SUPERSEDED to SUSPENDED", suspended_after_the_end, ERR_MOVE},
	        {"a list that was emptied", emptied, ERR_MOVE},
	        {"a head under another key", another_key, ERR_KID_UNKNOWN},
	        {"a head of a manifest that is not public", manifest_other, ERR_NOT_FOUND},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		void *made = NULL;
		struct fixture *f;
		uint8_t *before = NULL, *after = NULL;
		size_t before_n = 0, after_n = 0;
		char path[100];
		enum err e;

		fixture_make(&made);
		f = made;
		snprintf(path, sizeof path, "%s/status/head.cwt", f->dir);
		assert_int_equal(file_read(path, HEAD_BYTES_MAX, &before, &before_n), ERR_OK);
		rows[i].spoil(f);
		e = write_now(f);
		if (e != rows[i].want)
			fail_msg("%s: %s, not %s", rows[i].what, err_word(e),
			        err_word(rows[i].want));
		assert_int_equal(file_read(path, HEAD_BYTES_MAX, &after, &after_n), ERR_OK);
		assert_true(bytes_equal(bytes_of(before, before_n), bytes_of(after, after_n)) ==
		            (e != ERR_OK));
		free(before);
		free(after);
		fixture_free(&made);
	}
}

static void
a_table_of_another_head_is_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t table_room[2048], head_room[HEAD_BYTES_MAX];
	struct buf table = BUF_OF(table_room), head = BUF_OF(head_room);

	assert_int_equal(table_sign(&f->table, f->key, &table), ERR_OK);
	assert_int_equal(head_sign(&f->head, f->key, &head), ERR_OK);
	assert_int_equal(publish_head_write(&f->p, buf_bytes(&table), buf_bytes(&head)), ERR_FORK);
}

static void
a_clock_behind_the_public_head_asks_for_nothing(void **state)
{
	struct fixture *f = *state;

	f->p.lists[0].written = SECOND; /* a new head is due */
	assert_int_equal(publish_head_round(&f->p, FIRST - 1), ERR_CLOCK);
	f->p.lists[0].written = f->p.lists[1].written = FIRST;
	assert_int_equal(publish_head_round(&f->p, FIRST + 1), ERR_OK); /* none is due */
}

static void
counts_are_those_of_the_database(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *what;
		uint64_t invalid, suspended, superseded;
		bool quiet, want;
	} rows[] = {
	        {"the same", 1, 1, 1, true, true},
	        {"a decision since", 2, 1, 1, false, true},
	        {"one more, though nothing moved", 2, 1, 1, true, false},
	        {"a revocation taken out of the table", 0, 1, 1, false, false},
	        {"a replacement taken out of the table", 1, 1, 0, false, false},
	        {"a suspension since", 1, 2, 1, false, true},
	        {"a suspension taken out of the table", 1, 0, 1, true, false},
	        {"an empty table", 0, 0, 0, false, false},
	};

	assert_int_equal(write_now(f), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct store_list_count db = {
		        0, 1000, {900, rows[i].invalid, rows[i].suspended, rows[i].superseded}};

		if (publish_counts_agree(&f->p.lists[0], &db, rows[i].quiet) != rows[i].want)
			fail_msg("%s", rows[i].what);
	}
}

/* The policy of publish_crl.c: what takes long waits for the head, and no longer than for it. */
static void
a_crl_that_takes_long_comes_after_the_head(void **state)
{
	struct publish_list l = {.crl_due = true};

	(void)state;
	assert_true(publish_crl_now(&l, FIRST, 0, false)); /* how long it takes is not known */
	publish_crl_made(&l, FIRST, 20, ERR_OK);
	assert_false(publish_crl_now(&l, FIRST + 1, 0, true)); /* nothing changed */
	l.crl_due = true;
	assert_false(publish_crl_now(&l, FIRST, 0, true)); /* its number is its second */
	assert_true(publish_crl_now(&l, FIRST + 1, 0, false));
	assert_false(publish_crl_now(&l, FIRST + 1, 490, false)); /* others took the time */
	assert_false(publish_crl_now(&l, FIRST + 1, 490, true));
	assert_true(publish_crl_now(&l, FIRST + 1, 0, true));
	publish_crl_made(&l, FIRST, 6000, ERR_OK);
	l.crl_due = true;
	assert_false(publish_crl_now(&l, FIRST + 60, 0, true)); /* a tenth of the time */
	assert_false(publish_crl_now(&l, FIRST + 61, 0, false));
	assert_true(publish_crl_now(&l, FIRST + 61, 0, true));
	publish_crl_made(&l, FIRST, 1, ERR_LIMIT);
	assert_false(publish_crl_now(&l, FIRST + 29, 0, true));
	assert_true(publish_crl_now(&l, FIRST + 30, 0, true)); /* a failure is tried again */
}

/* No signer answers here: the head goes out, and the CRL stays due. */
static void
a_crl_that_cannot_be_made_holds_no_head_up(void **state)
{
	struct fixture *f = *state;
	char path[120];

	snprintf(path, sizeof path, "%s/nobody.sock", f->dir);
	assert_int_equal(signer_open(path, &f->p.signer), ERR_OK);
	f->p.lists[0].crl_due = true;
	publish_crls(&f->p, SECOND, false);
	assert_true(f->p.lists[0].crl_due && f->p.lists[0].crl_next > SECOND);
	assert_int_equal(write_now(f), ERR_OK);
	signer_free(f->p.signer);
}

#define P(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_takes_something_back_is_refused),
	        P(a_table_of_another_head_is_refused),
	        P(a_clock_behind_the_public_head_asks_for_nothing),
	        P(counts_are_those_of_the_database),
	        P(a_crl_that_cannot_be_made_holds_no_head_up),
	        cmocka_unit_test(a_crl_that_takes_long_comes_after_the_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
