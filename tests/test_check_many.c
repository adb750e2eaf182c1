/* test_check_many.c - many certificates at once: the same verdicts as one by one, in the order of
 * the input, and no bad one takes a good one with it. */
#include "many_world.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        M(every_verdict_is_the_one_of_the_single_check),
	        M(dates_of_a_crl_and_a_spoilt_list_count_for_many_too),
	        M(two_threads_work_and_the_order_stays),
	        M(a_mixed_file_loses_nothing_and_ends_with_the_worst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
