/* test_landmark.c - landmarks: their text and state in one spelling, six years in less than 150 kB,
 * nothing kept that is not part of the signed tree, and certificates checked without a signature.
 */
#include "landmark.h"
#include "sync_fixture.h"
#include "verify_landmarks.h"

static struct landmarks *
made(const uint64_t *sizes, size_t count)
{
	struct landmarks *l = calloc(1, sizeof *l);

	landmarks_init(l);
	for (size_t i = 0; i < count; i++)
		landmarks_add(l, sizes[i]);
	return l;
}

static void
the_text_is_that_of_the_draft(void **state)
{
	static const uint64_t sizes[] = {5, 7, 40};
	static const char text[] = "3 3\n40\n7\n5\n0\n";
	static const char *const bad[] = {"", "3 3", "3 3\n40\n7\n5\n", "3 3\n40\n7\n5\n0",
	        "3 3\n40\n7\n5\n0\n\n", "3 3\n40\n7\n7\n0\n", "3 3\n7\n40\n5\n0\n",
	        "3 3\n40\n7\n5\n1\n", "4 3\n40\n7\n5\n0\n", "2 3\n40\n7\n5\n0\n",
	        "03 3\n40\n7\n5\n0\n", "3  3\n40\n7\n5\n0\n", "3 3 \n40\n7\n5\n0\n",
	        "3 3\r\n40\n7\n5\n0\n", "1 2193\n1\n0\n", "3 3\n40\n7\n+5\n0\n"};
	struct landmarks *l = made(sizes, 3), *got = calloc(1, sizeof *got);
	uint8_t room[200];
	struct buf out = BUF_OF(room);

	(void)state;
	landmarks_put(&out, l);
	assert_true(bytes_equal_text(buf_bytes(&out), text));
	assert_int_equal(landmarks_decode(BYTES_LIT("3 3\n40\n7\n5\n0\n"), got), ERR_OK);
	assert_true(got->last == 3 && got->count == 3 && got->sizes[3] == 40);
	assert_int_equal(landmarks_decode(BYTES_LIT("0 0\n0\n"), got), ERR_OK);
	assert_int_equal(landmarks_decode(BYTES_LIT("9 1\n40\n7\n"), got), ERR_OK);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (landmarks_decode(bytes_of_text(bad[i]), got) == ERR_OK)
			fail_msg("%zu: %s", i, bad[i]);
	assert_int_equal(landmark_of(l, 0), 1);
	assert_int_equal(landmark_of(l, 4), 1);
	assert_int_equal(landmark_of(l, 5), 2);
	assert_int_equal(landmark_of(l, 39), 3);
	assert_int_equal(landmark_of(l, 40), 0);
	free(l);
	free(got);
}

/* 200,000 certificates a day for six years. */
static void
six_years_are_at_most_150_kilobytes_and_twenty_hashes(void **state)
{
	struct landmarks_held *h = calloc(1, sizeof *h), *back = calloc(1, sizeof *back);
	struct buf out = buf_init(malloc(LANDMARKS_STATE_BYTES_MAX), LANDMARKS_STATE_BYTES_MAX);
	uint64_t size = 0;

	(void)state;
	landmarks_init(&h->l);
	for (unsigned day = 0; day < 6 * 365 + 2; day++) {
		landmarks_add(&h->l, size += 200000 + day % 977);
		memset(h->hash[day], (int)(day & 0xff), sizeof h->hash[day]);
	}
	landmarks_held_put(&out, h);
	assert_int_equal(buf_end(&out), ERR_OK);
	printf("state for six years: %zu bytes\n", out.n);
	assert_true(out.n <= 150000);
	assert_int_equal(landmarks_held_decode(buf_bytes(&out), back), ERR_OK);
	assert_memory_equal(&h->l, &back->l, sizeof h->l);
	assert_memory_equal(h->hash, back->hash, sizeof h->hash);
	/* the highest subtree of a day of up to a million */
	for (uint64_t k = 1; k <= h->l.last; k++) {
		struct subtree s[2];
		unsigned n = landmark_subtrees(&h->l, k, s);

		for (unsigned i = 0; i < n; i++)
			assert_true(s[i].end - s[i].start <= UINT64_C(1) << LANDMARK_PATH_MAX);
	}
	/* the seventh year drops the first day */
	landmarks_add(&h->l, size + 1);
	assert_true(h->l.count == LANDMARKS_MAX && h->l.last == LANDMARKS_MAX + 1);
	assert_int_equal(landmark_of(&h->l, 100), 0);
	/* damage is seen */
	out.p[out.n / 2] ^= 1;
	assert_int_equal(landmarks_held_decode(buf_bytes(&out), back), ERR_ENCODING);
	assert_int_equal(landmarks_held_decode(bytes_of(out.p, out.n - 1), back), ERR_ENCODING);
	free(out.p);
	free(h);
	free(back);
}

/* A log of 600 entries with a record among them, three days, on the server in memory. */
struct days {
	struct fixture *f;
	struct log_view view;
	struct sync_source from;
	struct landmarks_held held;
	uint8_t record[RECORD_BYTES_MAX];
	size_t record_n;
	struct log_record r;
	uint64_t index;
};

static void
landmarks_serve(struct fixture *f, const char *text)
{
	serve(f, "/log/landmarks", bytes_of_text(text));
}

static struct days *
days_make(struct fixture *f)
{
	struct days *d = calloc(1, sizeof *d);
	struct buf record = BUF_OF(d->record);

	d->f = f;
	d->from = (struct sync_source){f, server_get};
	{
		uint8_t cti[16];
		struct record r = world_record(cti, 7);

		assert_int_equal(record_sign(&r, f->w->record, &record), ERR_OK);
	}
	d->record_n = record.n;
	world_append_any(f->w, 300 - f->w->size);
	d->index = world_append(f->w, buf_bytes(&record));
	world_append_any(f->w, 600 - f->w->size);
	f->log_size = 600;
	checkpoint_serve(f, f->w->log, 600, 600);
	{
		const struct served *s = served_find(f, "/log/checkpoints/600");

		serve(f, "/log/checkpoint", bytes_of(s->bytes, s->n));
	}
	landmarks_serve(f, "3 3\n590\n310\n100\n0\n");
	assert_int_equal(log_view_open(&d->from, &f->w->m, &d->view), ERR_OK);
	assert_int_equal(log_record_read(buf_bytes(&record), &d->r), ERR_OK);
	landmarks_init(&d->held.l);
	return d;
}

static void
a_certificate_is_checked_by_its_landmark_alone(void **state)
{
	struct days *d = days_make(*state);
	uint64_t added = 0;
	struct landmark_proof p, q;
	uint8_t room[LANDMARK_BUNDLE_BYTES_MAX];
	struct buf bundle = BUF_OF(room);
	struct cose_sign1 m;

	assert_int_equal(landmarks_bring(&d->view, &d->held, &added), ERR_OK);
	assert_int_equal(added, 3);
	assert_int_equal(landmarks_prove(&d->view, &d->held.l, d->index, &d->r.leaf, &p), ERR_OK);
	assert_true(p.number == 2 && p.path.n <= 9);
	assert_int_equal(landmark_verify(&d->held, &p, &d->r.leaf), ERR_OK);
	/* through the form beside the record */
	assert_int_equal(
	        landmark_bundle_put(&bundle, bytes_of(d->record, d->record_n), &p), ERR_OK);
	assert_int_equal(cose_decode(buf_bytes(&bundle), true, &m), ERR_OK);
	assert_int_equal(landmark_bundle_read(&m, &q), ERR_OK);
	assert_true(q.number == p.number && q.index == p.index && q.path.n == p.path.n);
	assert_int_equal(landmark_verify(&d->held, &q, &d->r.leaf), ERR_OK);
	/* not another entry, place, day or path */
	q.index++;
	assert_int_not_equal(landmark_verify(&d->held, &q, &d->r.leaf), ERR_OK);
	q = p;
	q.number = 1;
	assert_int_not_equal(landmark_verify(&d->held, &q, &d->r.leaf), ERR_OK);
	q.number = 4;
	assert_int_equal(landmark_verify(&d->held, &q, &d->r.leaf), ERR_NOT_FOUND);
	for (size_t i = 0; i < p.path.n; i++) {
		q = p;
		q.path.hash[i].b[3] ^= 1;
		assert_int_equal(landmark_verify(&d->held, &q, &d->r.leaf), ERR_SIGNATURE);
	}
	d->r.leaf.b[0] ^= 1;
	assert_int_equal(landmark_verify(&d->held, &p, &d->r.leaf), ERR_SIGNATURE);
	/* after the newest landmark there is none yet */
	assert_int_equal(landmarks_prove(&d->view, &d->held.l, 595, &d->r.leaf, &p), ERR_NOT_READY);
	free(d);
}

static enum verdict_code
verdict_of(struct days *d, struct bytes data, bool held, bool require_log, bool *checked)
{
	struct verdict *v = calloc(1, sizeof *v);
	struct verdict_input in = {.data = data,
	        .manifest = &d->f->w->m,
	        .landmarks = held ? &d->held : NULL,
	        .now = WORLD_NOW,
	        .at = -1,
	        .age_s_max = STATUS_FRESH_S,
	        .require_log = require_log};
	enum verdict_code code;

	verdict_find(&in, v);
	code = v->code;
	*checked = v->log_checked;
	free(v);
	return code;
}

/* No list is held here, so STATUS_UNKNOWN is the best that can be said; the log comes before it. */
static void
the_verdict_counts_it_as_a_proof_of_the_log(void **state)
{
	struct days *d = days_make(*state);
	struct landmark_proof p;
	uint8_t room[LANDMARK_BUNDLE_BYTES_MAX], bad_room[LANDMARK_BUNDLE_BYTES_MAX];
	struct buf bundle = BUF_OF(room), bad = BUF_OF(bad_room);
	struct bytes bare = bytes_of(d->record, d->record_n);
	uint64_t added;
	bool checked;

	assert_int_equal(landmarks_bring(&d->view, &d->held, &added), ERR_OK);
	assert_int_equal(landmarks_prove(&d->view, &d->held.l, d->index, &d->r.leaf, &p), ERR_OK);
	assert_int_equal(landmark_bundle_put(&bundle, bare, &p), ERR_OK);
	assert_int_equal(
	        verdict_of(d, buf_bytes(&bundle), true, true, &checked), VERDICT_STATUS_UNKNOWN);
	assert_true(checked);
	/* who holds no landmarks: as a bare record */
	assert_int_equal(
	        verdict_of(d, buf_bytes(&bundle), false, false, &checked), VERDICT_STATUS_UNKNOWN);
	assert_false(checked);
	assert_int_equal(
	        verdict_of(d, buf_bytes(&bundle), false, true, &checked), VERDICT_NOT_LOGGED);
	/* a path that does not lead there, also where none was asked for */
	p.path.hash[2].b[0] ^= 1;
	assert_int_equal(landmark_bundle_put(&bad, bare, &p), ERR_OK);
	assert_int_equal(verdict_of(d, buf_bytes(&bad), true, false, &checked), VERDICT_NOT_LOGGED);
	assert_false(checked);
	free(d);
}

static void
only_what_the_signed_tree_holds_is_kept(void **state)
{
	static const struct {
		const char *text;
		enum err want;
	} rows[] = {
	        {"4 4\n595\n590\n310\n100\n0\n", ERR_OK},
	        {"2 2\n310\n100\n0\n", ERR_VERSION},        /* one is hidden */
	        {"3 3\n590\n311\n100\n0\n", ERR_FORK},      /* one was moved */
	        {"4 4\n601\n590\n310\n100\n0\n", ERR_SIZE}, /* beyond the checkpoint */
	        {"4 4\n595\n590\n310\n100\n", ERR_TRUNCATED},
	};
	struct days *d = days_make(*state);
	struct landmarks_held *before = malloc(sizeof *before);
	uint64_t added = 0;

	assert_int_equal(landmarks_bring(&d->view, &d->held, &added), ERR_OK);
	*before = d->held;
	for (size_t i = sizeof rows / sizeof rows[0]; i-- > 0;) {
		landmarks_serve(d->f, rows[i].text);
		assert_int_equal(landmarks_bring(&d->view, &d->held, &added), rows[i].want);
		if (rows[i].want != ERR_OK)
			assert_memory_equal(&d->held, before, sizeof *before);
	}
	assert_int_equal(added, 1);
	/* tiles that were changed give hashes that are no part of the tree */
	landmarks_init(&d->held.l);
	d->f->w->leaves[105].b[0] ^= 1;
	assert_int_equal(log_view_open(&d->from, &d->f->w->m, &d->view), ERR_OK);
	assert_int_equal(landmarks_bring(&d->view, &d->held, &added), ERR_FORK);
	assert_int_equal(d->held.l.count, 0);
	free(before);
	free(d);
}

static void
the_state_folder_keeps_them(void **state)
{
	struct days *d = days_make(*state);
	struct landmarks_held *again = NULL;
	uint64_t added = 0;

	assert_int_equal(landmarks_take(d->f->dir, &again), ERR_OK);
	assert_null(again);
	assert_int_equal(landmarks_bring(&d->view, &d->held, &added), ERR_OK);
	assert_int_equal(landmarks_write(d->f->dir, &d->held), ERR_OK);
	assert_int_equal(landmarks_take(d->f->dir, &again), ERR_OK);
	assert_memory_equal(again->hash, d->held.hash, sizeof d->held.hash);
	assert_int_equal(landmarks_bring(&d->view, again, &added), ERR_OK);
	assert_int_equal(added, 0); /* nothing is proved twice */
	free(again);
	free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_text_is_that_of_the_draft),
	        cmocka_unit_test(six_years_are_at_most_150_kilobytes_and_twenty_hashes),
	        T(a_certificate_is_checked_by_its_landmark_alone),
	        T(the_verdict_counts_it_as_a_proof_of_the_log),
	        T(only_what_the_signed_tree_holds_is_kept),
	        T(the_state_folder_keeps_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
