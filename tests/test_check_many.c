/* test_check_many.c - many certificates at once: the same verdicts as one by one, in the order of
 * the input, and no bad one takes a good one with it. */
#include "base45.h"
#include "check_world.h"
#include "verify_many.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { FILES_MAX = 40 };

struct many {
	struct asked *a;
	char dir[40]; /* of the input */
	char *names[FILES_MAX];
	size_t count;
	struct many_options o;
	struct many_report r;
	char *text; /* what was written to out, to err */
	char *said;
	size_t text_n, said_n;
};

static int
many_make(void **state)
{
	struct many *m = calloc(1, sizeof *m);
	void *a = NULL;

	asked_make(&a);
	m->a = a;
	snprintf(m->dir, sizeof m->dir, "/tmp/zz-test-many-XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	m->o = (struct many_options){.check = m->a->o, .threads = 2, .field = m->a->field};
	*state = m;
	return 0;
}

static int
many_free(void **state)
{
	struct many *m = *state;
	void *a = m->a;
	char command[80];

	snprintf(command, sizeof command, "rm -r %s", m->dir);
	assert_int_equal(system(command), 0);
	for (size_t i = 0; i < m->count; i++)
		free(m->names[i]);
	free(m->text);
	free(m->said);
	asked_free(&a);
	free(m);
	return 0;
}

/* A file of the input folder; names of one test in the order of their bytes. */
static void
put(struct many *m, const char *name, struct bytes data)
{
	char path[FILE_PATH_MAX];
	FILE *to = NULL;

	snprintf(path, sizeof path, "%s/%s", m->dir, name);
	to = fopen(path, "w");
	assert_non_null(to);
	assert_int_equal(fwrite(data.p, 1, data.n, to), data.n);
	fclose(to);
	assert_true(m->count < FILES_MAX);
	m->names[m->count++] = strdup(path);
}

/* Checks what `path` names, or the folder. */
static void
check_all(struct many *m, const char *path)
{
	struct input *in = NULL;
	struct held *held = NULL;

	free(m->text);
	free(m->said);
	m->o.out = open_memstream(&m->text, &m->text_n);
	m->o.err = open_memstream(&m->said, &m->said_n);
	assert_int_equal(input_open(path == NULL ? m->dir : path, &in), ERR_OK);
	assert_int_equal(input_kind(in), INPUT_MANY);
	assert_int_equal(held_open(m->a->f->dir, m->a->f->w->root, HELD_ALL, &held), ERR_OK);
	assert_int_equal(many_run(&m->o, held, in, &m->r), ERR_OK);
	fclose(m->o.out);
	fclose(m->o.err);
	held_free(held);
	input_free(in);
}

/* The room is the test's. */
static struct bytes
record_of(const struct record *r, const struct key *k, uint8_t *room)
{
	struct buf out = buf_init(room, RECORD_BYTES_MAX);

	assert_int_equal(record_sign(r, k, &out), ERR_OK);
	return buf_bytes(&out);
}

static struct bytes
qr_of(struct bytes record, uint8_t *room)
{
	struct buf out = buf_init(room, QR_TEXT_BYTES_MAX);

	qr_put(&out, record);
	assert_int_equal(buf_end(&out), ERR_OK);
	return buf_bytes(&out);
}

/* Every way to be right or wrong, as files of the folder. */

static void
records_put(struct many *m)
{
	struct asked *a = m->a;
	uint8_t room[RECORD_BYTES_MAX], text[QR_TEXT_BYTES_MAX];
	struct record r = a->r;
	const struct {
		const char *name;
		uint32_t list, idx;
		int64_t exp, nbf, review;
		const struct key *key;
	} rows[] = {
	        {"10-valid", 0, 1001, r.exp, r.nbf, r.review_due, a->f->w->record},
	        {"11-revoked", 0, 77, r.exp, r.nbf, r.review_due, a->f->w->record},
	        {"12-superseded", 0, 78, r.exp, r.nbf, r.review_due, a->f->w->record},
	        {"13-suspended", 0, 79, r.exp, r.nbf, r.review_due, a->f->w->record},
	        {"14-other-list", 1, 77, r.exp, r.nbf, r.review_due, a->f->w->record},
	        {"15-no-such-list", LISTS, 77, r.exp, r.nbf, r.review_due, a->f->w->record},
	        {"16-list-beyond-all", 5000, 77, r.exp, r.nbf, r.review_due, a->f->w->record},
	        {"17-expired", 0, 1001, r.nbf + DAY_S, r.nbf, -1, a->f->w->record},
	        {"18-not-yet", 0, 1001, r.exp, r.nbf + 90 * DAY_S, -1, a->f->w->record},
	        {"19-review", 0, 1001, r.exp, r.nbf, r.first_issued + 1, a->f->w->record},
	        {"20-stranger", 0, 1001, r.exp, r.nbf, r.review_due, a->f->w->stranger},
	        {"21-late-key", 0, 1001, r.exp, r.nbf, r.review_due, a->f->w->late},
	        {"22-cut-key", 0, 1001, r.exp, r.nbf, r.review_due, a->f->w->cut},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bytes bare;
		char name[40];

		r.list = rows[i].list;
		r.idx = rows[i].idx;
		r.exp = rows[i].exp;
		r.nbf = rows[i].nbf;
		r.iat = r.nbf + 3600;
		r.review_due = rows[i].review;
		bare = record_of(&r, rows[i].key, room);
		snprintf(name, sizeof name, "%s.cose", rows[i].name);
		put(m, name, bare);
		snprintf(name, sizeof name, "%s.qr", rows[i].name);
		put(m, name, qr_of(bare, text));
	}
}

static void
bundles_put(struct many *m)
{
	struct world *w = m->a->f->w;
	uint8_t room[BUNDLE_BYTES_MAX], other_room[BUNDLE_BYTES_MAX];
	struct buf out = BUF_OF(room), other = BUF_OF(other_room);
	uint64_t at = world_append(w, m->a->bare);

	world_append_any(w, 4);
	world_bundle(w, w->log, m->a->bare, at, w->size, &out);
	put(m, "30-bundle", buf_bytes(&out));
	put(m, "31-bundle-again", buf_bytes(&out));
	room[out.n - 1] ^= 1; /* of the record's own signature */
	put(m, "32-bundle-changed", buf_bytes(&out));
	room[out.n - 1] ^= 1;
	/* signature of the log that was seen to be good, but the proof is of another entry */
	world_bundle(w, w->log, m->a->bare, at + 1, w->size, &other);
	put(m, "33-borrowed-proof", buf_bytes(&other));
	out = BUF_OF(room);
	world_bundle(w, w->log, m->a->bare, at, w->size - 1, &out);
	put(m, "34-smaller-tree", buf_bytes(&out));
}

static void
everything_put(struct many *m)
{
	static uint8_t large[DATA_BYTES_MAX + 1];

	records_put(m);
	bundles_put(m);
	put(m, "40-empty", BYTES_LIT(""));
	put(m, "41-address", BYTES_LIT("https://example.org/c/1"));
	put(m, "42-half", bytes_of(m->a->bare.p, m->a->bare.n / 2));
	put(m, "43-large", bytes_of(large, sizeof large));
}

/* One by one, as the single check sees the same file. */
static json_t *
alone(struct many *m, const char *path)
{
	struct check_options o = m->o.check;
	struct check *c = calloc(1, sizeof *c);
	struct input *in = NULL;
	json_t *json = NULL;

	assert_int_equal(input_open(path, &in), ERR_OK);
	o.data = input_data(in);
	assert_int_equal(check_run(&o, c), ERR_OK);
	json = check_json(c, m->o.field);
	check_close(c);
	free(c);
	input_free(in);
	return json;
}

static void
compare_all(struct many *m, const char *what)
{
	const char *at = NULL;

	m->o.json = true;
	check_all(m, NULL);
	at = m->text;
	for (size_t i = 0; i < m->count; i++) {
		json_t *want = alone(m, m->names[i]),
		       *got = json_loads(at, JSON_DISABLE_EOF_CHECK, NULL);

		assert_non_null(got);
		assert_string_equal(json_string_value(json_object_get(got, "input")),
		        strrchr(m->names[i], '/') + 1);
		json_object_del(got, "input");
		if (!json_equal(got, want))
			fail_msg("%s: %s: %s", what, m->names[i], json_dumps(got, 0));
		json_decref(want);
		json_decref(got);
		at = strchr(at, '\n') + 1;
	}
	assert_string_equal(at, "");
	assert_int_equal(m->r.count, m->count);
}

static void
every_verdict_is_the_one_of_the_single_check(void **state)
{
	static const enum verdict_code seen[] = {VERDICT_VALID, VERDICT_REVOKED, VERDICT_SUPERSEDED,
	        VERDICT_SUSPENDED, VERDICT_STATUS_UNKNOWN, VERDICT_EXPIRED, VERDICT_NOT_YET_VALID,
	        VERDICT_REVIEW_OVERDUE, VERDICT_NOT_ISSUED, VERDICT_NOT_LOGGED, VERDICT_MALFORMED};
	struct many *m = *state;
	const struct check_options plain = m->o.check;

	everything_put(m);
	compare_all(m, "plain");
	for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
		if (m->r.by[seen[i]] == 0)
			fail_msg("no %s", verdict_word(seen[i]));
	m->o.check.item = BYTES_LIT("030101");
	compare_all(m, "--item");
	m->o.check = plain;
	m->o.check.document = BYTES_LIT("330000199608213897");
	compare_all(m, "--document");
	m->o.check = plain;
	m->o.check.require_log = true;
	compare_all(m, "--require-log");
	m->o.check = plain;
	m->o.check.at = plain.now + 4000LL * DAY_S;
	compare_all(m, "--at");
	m->o.check = plain;
	m->o.check.age_s_max = 0;
	compare_all(m, "--max-age");
	m->o.check = plain;
	m->o.check.now += 30LL * DAY_S;
	compare_all(m, "a month later");
}

static void
dates_of_a_crl_and_a_spoilt_list_count_for_many_too(void **state)
{
	struct many *m = *state;
	struct fixture *f = m->a->f;
	struct crl_row row = {.reason = 9, .revoked_at = WORLD_NOW - 3600, .invalid_from = 20000};
	uint8_t *der = NULL, raw[LIST_BYTES] = {0};
	char name[STATE_NAME_MAX];
	size_t n = 0;

	everything_put(m);
	memcpy(row.serial, m->a->cti, sizeof row.serial);
	world_crl(f->w, 0, WORLD_NOW + 10, &row, &der, &n);
	assert_int_equal(state_write(f->dir, "crl/0.crl", bytes_of(der, n)), ERR_OK);
	compare_all(m, "with a CRL");
	assert_true(m->r.by[VERDICT_REVOKED] > 10);
	der[n - 1] ^= 1; /* not verified: not believed */
	assert_int_equal(state_write(f->dir, "crl/0.crl", bytes_of(der, n)), ERR_OK);
	compare_all(m, "with a CRL that does not verify");
	assert_int_equal(m->r.by[VERDICT_REVOKED], 2);
	free(der);
	state_raw_name(0, f->p.rows[0].raw_sha256, name);
	assert_int_equal(state_write(f->dir, name, bytes_of(raw, sizeof raw)), ERR_OK);
	compare_all(m, "with a list that is not the head's");
	assert_true(m->r.by[VERDICT_ATTACK] > 10);
	assert_int_equal(state_write(f->dir, name, bytes_of(raw, sizeof raw / 2)), ERR_OK);
	compare_all(m, "with half a list");
	assert_true(m->r.by[VERDICT_ATTACK] > 10);
	state_remove(f->dir, name);
	compare_all(m, "with a list that is lost");
	assert_int_equal(m->r.by[VERDICT_ATTACK], 0);
	assert_true(m->r.by[VERDICT_STATUS_UNKNOWN] > 10);
	state_remove(f->dir, "head.cwt");
	compare_all(m, "without a head");
}

static void
two_threads_work_and_the_order_stays(void **state)
{
	enum { LINES = 3000 };
	struct many *m = *state;
	uint8_t text_room[QR_TEXT_BYTES_MAX];
	struct bytes text = qr_of(m->a->bare, text_room);
	const char *at = NULL;
	char *file = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&file, &n);

	for (unsigned i = 1; i <= LINES; i++)
		fprintf(to, "%.*s\n", i % 7 == 0 ? 20 : (int)text.n, (const char *)text.p);
	fclose(to);
	put(m, "lines", bytes_of(file, n));
	free(file);
	check_all(m, m->names[0]);
	assert_int_equal(m->r.busy, 2);
	assert_int_equal(m->r.count, LINES);
	assert_int_equal(m->r.by[VERDICT_MALFORMED], LINES / 7);
	assert_int_equal(m->r.by[VERDICT_VALID], LINES - LINES / 7);
	at = m->text;
	for (unsigned i = 1; i <= LINES; i++) {
		char want[40];

		snprintf(want, sizeof want, "%u\t%s\t", i, i % 7 == 0 ? "MALFORMED" : "VALID");
		if (strncmp(at, want, strlen(want)) != 0)
			fail_msg("line %u: %.60s", i, at);
		at = strchr(at, '\n') + 1;
	}
	assert_string_equal(at, "");
}

static void
a_mixed_file_loses_nothing_and_ends_with_the_worst(void **state)
{
	struct many *m = *state;
	uint8_t room[3][RECORD_BYTES_MAX], text[3][QR_TEXT_BYTES_MAX];
	struct record r = m->a->r;
	struct bytes good = qr_of(m->a->bare, text[0]), bad, stranger;
	char *file = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&file, &n);
	static const char want[] = "1\tVALID\t2026-10-17T16:00:00+08:00\n"
	                           "2\tMALFORMED\t-\tweb_address\n"
	                           "3\tMALFORMED\t-\tnot_a_record\n"
	                           "4\tMALFORMED\t-\tnot_a_record\n"
	                           "5\tREVOKED\t2026-10-17T16:00:00+08:00\n"
	                           "6\tNOT_ISSUED\t-\tunknown_key\n"
	                           "7\tVALID\t2026-10-17T16:00:00+08:00\n";

	r.idx = 77;
	bad = qr_of(record_of(&r, m->a->f->w->record, room[1]), text[1]);
	stranger = qr_of(record_of(&r, m->a->f->w->stranger, room[2]), text[2]);
	fprintf(to, "%.*s\r\nhttp://example.org\n\nZZ1:%0100000d\n%.*s\n%.*s\r\n%.*s", (int)good.n,
	        (const char *)good.p, 0, (int)bad.n, (const char *)bad.p, (int)stranger.n,
	        (const char *)stranger.p, (int)good.n, (const char *)good.p);
	fclose(to);
	put(m, "mixed", bytes_of(file, n));
	free(file);
	check_all(m, m->names[0]);
	assert_string_equal(m->text, want);
	assert_int_equal(many_exit(&m->r), verdict_exit(VERDICT_MALFORMED));
	assert_int_equal(m->r.first[VERDICT_MALFORMED].line, 2);
	assert_int_equal(m->r.first[VERDICT_VALID].line, 1);
}

/* Input */

static void
lines_at_their_limits(void **state)
{
	enum { ROWS = 12 };
	struct many *m = *state;
	struct input *in = NULL;
	struct input_item *item = calloc(1, sizeof *item);
	char *file = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&file, &n);
	static const struct {
		size_t n;
		bool too_long;
	} want[ROWS] = {{0, false}, {1, false}, {LINE_BYTES_MAX, false}, {0, true}, {2, false},
	        {0, true}, {0, false}, {0, false}, {3, false}, {LINE_BYTES_MAX, false}, {0, true},
	        {4, false}};

	fprintf(to, "\na\n%0*d\n%0*d\nbb\n%0*d\n\n\r\nccc\n", LINE_BYTES_MAX, 0, LINE_BYTES_MAX + 1,
	        0, 3 * DATA_BYTES_MAX, 0);
	fprintf(to, "%0*d\n%0*d\ndddd\n\n\r\n\n", LINE_BYTES_MAX, 0, DATA_BYTES_MAX, 0);
	fclose(to);
	put(m, "limits", bytes_of(file, n));
	free(file);
	assert_int_equal(input_open(m->names[0], &in), ERR_OK);
	for (size_t i = 0; i < ROWS; i++) {
		assert_true(input_next(in, item));
		if (item->line != i + 1 || item->too_long != want[i].too_long ||
		        (item->n != want[i].n && !(item->n == 1 && item->text[0] == '\r')))
			fail_msg("line %zu: %zu bytes, %d", i + 1, item->n, item->too_long);
	}
	assert_false(input_next(in, item));
	assert_false(input_next(in, item));
	assert_int_equal(input_end(in), ERR_OK);
	input_free(in);
	free(item);
}

static void
one_text_stays_one(void **state)
{
	static const char *const ones[] = {
	        "", "\n", "\r\n\n", "x", "x\n", "x\r\n", "x\r\n\r\n\n", "\xd2\nx\n"};
	static const char *const many[] = {"\nx", "x\ny", "x\r\ny\r\n", "x\n\ny\n"};
	static char large[DATA_BYTES_MAX + 2];
	struct many *m = *state;
	struct input *in = NULL;
	char name[8];

	memset(large, 'x', sizeof large);
	for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++) {
		snprintf(name, sizeof name, "o%zu", i);
		put(m, name, bytes_of_text(ones[i]));
		assert_int_equal(input_open(m->names[m->count - 1], &in), ERR_OK);
		assert_int_equal(input_kind(in), INPUT_ONE);
		assert_true(bytes_equal_text(input_data(in), ones[i]));
		input_free(in);
	}
	for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
		snprintf(name, sizeof name, "m%zu", i);
		put(m, name, bytes_of_text(many[i]));
		assert_int_equal(input_open(m->names[m->count - 1], &in), ERR_OK);
		assert_int_equal(input_kind(in), INPUT_MANY);
		input_free(in);
	}
	put(m, "large", bytes_of(large, sizeof large));
	check_all(m, m->names[m->count - 1]);
	assert_string_equal(m->text, "1\tMALFORMED\t-\tnot_a_record\n");
}

static void
a_folder_names_what_it_cannot_read(void **state)
{
	struct many *m = *state;
	char path[FILE_PATH_MAX];

	put(m, "b\033[2J\n.cose", m->a->bare);
	put(m, "a.cose", m->a->bare);
	put(m, ".hidden", BYTES_LIT("x"));
	check_all(m, NULL);
	assert_string_equal(m->text, "a.cose\tVALID\t2026-10-17T16:00:00+08:00\n"
	                             "b?[2J?.cose\tVALID\t2026-10-17T16:00:00+08:00\n");
	assert_int_equal(many_exit(&m->r), 0);
	snprintf(path, sizeof path, "%s/link", m->dir);
	assert_int_equal(symlink("a.cose", path), 0);
	snprintf(path, sizeof path, "%s/lost", m->dir);
	assert_int_equal(symlink("nowhere", path), 0);
	snprintf(path, sizeof path, "%s/pipe", m->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof path, "%s/sub", m->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	check_all(m, NULL);
	assert_int_equal(m->r.count, 3);
	assert_int_equal(m->r.unread, 3);
	assert_non_null(strstr(m->said, "lost is not there"));
	assert_non_null(strstr(m->said, "pipe is no regular file"));
	assert_non_null(strstr(m->said, "sub is no regular file"));
	assert_int_equal(many_exit(&m->r), 1);
}

static void
nothing_to_check_is_not_good(void **state)
{
	struct many *m = *state;

	check_all(m, NULL);
	assert_int_equal(m->r.count, 0);
	assert_int_equal(many_exit(&m->r), verdict_exit(VERDICT_MALFORMED));
}

static void
files_named_one_by_one_keep_their_order(void **state)
{
	struct many *m = *state;
	struct input_item *item = calloc(1, sizeof *item);
	struct input *in = NULL;
	struct bytes data;
	uint8_t *owned = NULL;

	put(m, "b", BYTES_LIT("1"));
	put(m, "a", BYTES_LIT("2"));
	assert_int_equal(input_open_files(m->names, 2, &in), ERR_OK);
	for (size_t i = 0; i < 2; i++) {
		assert_true(input_next(in, item));
		assert_string_equal(item->name, m->names[i]);
		assert_int_equal(input_item_data(in, item, &owned, &data), ERR_OK);
		assert_true(bytes_equal_text(data, i == 0 ? "1" : "2"));
		free(owned);
	}
	assert_false(input_next(in, item));
	input_free(in);
	free(item);
	assert_int_equal(input_open("/nowhere/at/all", &in), ERR_NOT_FOUND);
}

/* Output */

static void
the_worst_in_the_order_of_the_table_is_the_exit_code(void **state)
{
	struct many_report r;

	(void)state;
	for (unsigned a = 0; a < VERDICT_COUNT; a++)
		for (unsigned b = a; b < VERDICT_COUNT; b++) {
			r = (struct many_report){.count = 2};
			r.by[a]++;
			r.by[b]++;
			assert_int_equal(many_exit(&r), verdict_exit((enum verdict_code)a));
		}
}

static void
the_summary_counts_each_verdict(void **state)
{
	struct many *m = *state;
	struct many_report r = {.count = 5, .unread = 1};
	json_t *json = NULL;

	r.by[VERDICT_VALID] = 3;
	r.first[VERDICT_VALID].line = 1;
	r.by[VERDICT_REVOKED] = 2;
	r.first[VERDICT_REVOKED].line = 4;
	m->o.out = open_memstream(&m->text, &m->text_n);
	assert_int_equal(many_print_summary(&m->o, &r), ERR_OK);
	fclose(m->o.out);
	assert_non_null(strstr(m->text, "共 total 5\n"));
	assert_non_null(strstr(m->text, "         3  VALID            有效  首 first: 1\n"));
	assert_non_null(strstr(m->text, "         2  REVOKED          已撤销  首 first: 4\n"));
	assert_non_null(strstr(m->text, "         1  未读 not read\n"));
	free(m->text);
	m->o.json = true;
	m->o.out = open_memstream(&m->text, &m->text_n);
	assert_int_equal(many_print_summary(&m->o, &r), ERR_OK);
	fclose(m->o.out);
	json = json_loads(m->text, 0, NULL);
	assert_non_null(json);
	json_decref(json);
	assert_string_equal(m->text,
	        "{\"summary\":{\"total\":5,\"not_read\":1,\"exit\":20,\"verdicts\":{"
	        "\"VALID\":{\"count\":3,\"first\":1},\"REVOKED\":{\"count\":2,\"first\":4}}}}\n");
}

static void
a_full_disk_is_told(void **state)
{
	struct many *m = *state;
	struct input *in = NULL;
	struct held *held = NULL;

	put(m, "a", m->a->bare);
	m->o.out = fopen("/dev/full", "w");
	assert_non_null(m->o.out);
	assert_int_equal(input_open(m->dir, &in), ERR_OK);
	assert_int_equal(held_open(m->a->f->dir, m->a->f->w->root, HELD_ALL, &held), ERR_OK);
	assert_int_equal(many_run(&m->o, held, in, &m->r), ERR_IO);
	(void)fclose(m->o.out);
	held_free(held);
	input_free(in);
}

#define M(name) cmocka_unit_test_setup_teardown(name, many_make, many_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        M(every_verdict_is_the_one_of_the_single_check),
	        M(dates_of_a_crl_and_a_spoilt_list_count_for_many_too),
	        M(two_threads_work_and_the_order_stays),
	        M(a_mixed_file_loses_nothing_and_ends_with_the_worst),
	        M(lines_at_their_limits),
	        M(one_text_stays_one),
	        M(a_folder_names_what_it_cannot_read),
	        M(nothing_to_check_is_not_good),
	        M(files_named_one_by_one_keep_their_order),
	        cmocka_unit_test(the_worst_in_the_order_of_the_table_is_the_exit_code),
	        M(the_summary_counts_each_verdict),
	        M(a_full_disk_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
