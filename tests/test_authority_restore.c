/* test_authority_restore.c - a signer that starts again is the one that stopped; one that was
 * restored from an old copy signs nothing until it has caught up, and never another history. */
#include "authority_world.h"

static struct world *w;

static int
make(void **state)
{
	(void)state;
	w = world_new();
	world_start(w);
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	world_delete(w);
	return 0;
}

/* What STATE says without what only the publisher's word changes. */
static void
same_log(const struct state_answer *a, const struct state_answer *b)
{
	assert_true(a->size == b->size && a->time == b->time);
	assert_memory_equal(a->root.b, b->root.b, SHA256_BYTES);
	assert_true(a->manifest == b->manifest && a->roster == b->roster);
	assert_true(a->manifest_held == b->manifest_held && a->roster_held == b->roster_held);
	assert_true(a->list_count == b->list_count && a->dirty == b->dirty);
	assert_int_equal(a->sequence, b->sequence);
}

/* A log with something of everything. */
static void
fill(void)
{
	struct rows r = world_issue(w, 1, 5);
	struct bytes records[] = {r.rows[1].e.record, r.rows[3].e.record};
	struct bytes jws = world_revoke(w, WANG, records, 2), approval = world_approve(w, LI, jws);
	struct signed_entry entries[2] = {0};
	struct list_answer list;

	assert_int_equal(ask_order(w, jws, &approval, 1, records, 2, &r), ERR_OK);
	world_extend(w, entries, rows_entries(&r, entries));
	w->now++;
	assert_int_equal(ask_list(w, 0, &list), ERR_OK);
	world_extend(w, &list.e, 1);
	world_issue(w, 10, 2);
	assert_int_equal(ask_roster(w, 2, CAP, &entries[0]), ERR_OK);
	world_extend(w, entries, 1);
}

static void
a_start_from_snapshot_or_journal_gives_the_same_state(void **state)
{
	struct state_answer before, after;
	uint8_t *snapshot;
	size_t n;

	(void)state;
	fill();
	before = state_of(w);
	world_reopen(w);
	snapshot = folder_get(w->dir, "snapshot", &n);
	assert_non_null(snapshot);
	after = state_of(w);
	assert_int_equal(after.problem, ERR_NOT_READY);
	same_log(&before, &after);
	assert_int_equal(ask_state(w, BYTES_LIT(""), &after), ERR_OK);
	assert_true(bytes_equal(before.all, after.all));
	/* the journal alone */
	world_close(w);
	folder_unlink(NULL, w->dir, "snapshot");
	world_open(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), &after), ERR_OK);
	assert_true(bytes_equal(before.all, after.all));
	/* a snapshot that is damaged is not there */
	world_close(w);
	snapshot[n / 2] ^= 1;
	folder_put(w->dir, "snapshot", bytes_of(snapshot, n));
	world_open(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), &after), ERR_OK);
	assert_true(bytes_equal(before.all, after.all));
	world_issue(w, 100, 1);
	free(snapshot);
}

/* A snapshot of an earlier size: the journal tells the rest. */
static void
an_old_snapshot_and_the_journal_meet(void **state)
{
	struct state_answer before, after;
	uint8_t *snapshot;
	size_t n;

	(void)state;
	world_reopen(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	snapshot = folder_get(w->dir, "snapshot", &n);
	fill();
	before = state_of(w);
	world_close(w);
	folder_put(w->dir, "snapshot", bytes_of(snapshot, n));
	world_open(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), &after), ERR_OK);
	assert_true(bytes_equal(before.all, after.all));
	free(snapshot);
}

static enum err
open_fails(void)
{
	struct authority *a = NULL;
	enum err e = authority_open(w->dir, w->now, &a);

	if (e == ERR_OK)
		authority_free(a);
	return e;
}

static void
what_is_missing_or_damaged_stops_the_start(void **state)
{
	static const char *const files[] = {"record.pem", "status.pem", "log.pem", "crl.pem",
	        "root.pub", "tag.key", "slot.key", "host", "crl-ca.der"};
	uint8_t *p;
	size_t n;

	(void)state;
	fill();
	world_close(w);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		p = folder_get(w->dir, files[i], &n);
		folder_unlink(NULL, w->dir, files[i]);
		assert_int_not_equal(open_fails(), ERR_OK);
		folder_put(w->dir, files[i], bytes_of(p, n));
		free(p);
		assert_int_equal(open_fails(), ERR_OK);
	}
	folder_put(w->dir, "tag.key", BYTES_LIT("short"));
	assert_int_equal(open_fails(), ERR_CONFIG);
	folder_put(w->dir, "tag.key", BYTES_LIT("exactly so many bytes: 32, yes!!"));
	assert_int_equal(open_fails(), ERR_OK);
	/* a bit of the journal's first frame */
	p = folder_get(w->dir, "journal-000000000000", &n);
	p[60] ^= 1;
	folder_put(w->dir, "journal-000000000000", bytes_of(p, n));
	folder_unlink(NULL, w->dir, "snapshot");
	assert_int_equal(open_fails(), ERR_ENCODING);
	p[60] ^= 1;
	folder_put(w->dir, "journal-000000000000", bytes_of(p, n));
	assert_int_equal(open_fails(), ERR_OK);
	/* a frame less than the snapshot knows */
	folder_put(w->dir, "journal-000000000000", bytes_of(p, n - 1));
	assert_int_equal(open_fails(), ERR_FORK);
	free(p);
}

static void
two_signers_of_one_folder_cannot_be(void **state)
{
	(void)state;
	assert_int_equal(open_fails(), ERR_EXISTS);
	assert_int_equal(open_fails(), ERR_EXISTS);
	world_issue(w, 1, 1); /* the one that was there works on */
	world_close(w);
	assert_int_equal(open_fails(), ERR_OK);
	world_open(w);
}

/* A copy of the state, then `batches` more sessions of one seat and a checkpoint; then the copy is
 * started in place of the signer. Gives the size of the copy. */
static size_t
restore_old(unsigned batches, struct bytes *note)
{
	char copy[FOLDER_BYTES];
	size_t size = w->size;

	folder_make(copy);
	folder_copy(w->dir, copy);
	for (unsigned i = 0; i < batches; i++)
		world_issue(w, 100 + i, 1);
	*note = world_checkpoint(w);
	world_close(w);
	folder_remove(w->dir);
	memcpy(w->dir, copy, sizeof copy);
	world_open(w);
	assert_int_equal(state_of(w).size, size);
	return size;
}

static void
an_old_state_signs_nothing_until_it_has_caught_up(void **state)
{
	struct bytes note, jws, receipt;
	struct head_answer h;
	struct state_answer t;
	size_t size;

	(void)state;
	world_issue(w, 1, 2);
	size = restore_old(4, &note);
	jws = world_session(w, 1000, 1);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_NOT_READY);
	assert_int_equal(ask_state(w, note, &t), ERR_OK);
	assert_int_equal(t.problem, ERR_SIZE);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_SIZE);
	assert_int_equal(ask_number(w, authority_list, 0), ERR_SIZE);
	assert_int_equal(ask_number(w, authority_crl, 0), ERR_SIZE);
	assert_int_equal(ask_checkpoint(w, size, &receipt, &receipt), ERR_SIZE);
	for (size_t i = size; i < w->size; i++) {
		assert_int_equal(ask_extend(w, i, w->log_entries + i, 1, &h), ERR_OK);
		assert_int_equal(h.signature.n == 0, i + 1 < w->size); /* only the last is signed */
	}
	assert_int_equal(state_of(w).problem, ERR_OK);
	assert_int_equal(ask_state(w, note, &t), ERR_OK);
	world_issue(w, 1000, 1);
	world_checkpoint(w);
}

/* The catch-up goes over the published size in one batch: the leaves tell the root there, now and
 * after each start. */
static void
a_catch_up_in_one_batch_passes_the_published_size(void **state)
{
	struct bytes note, later;
	struct state_answer t;
	size_t size;

	(void)state;
	size = restore_old(3, &note);
	/* entries of all three sessions, and one that was never published */
	assert_int_equal(ask_extend(w, size, w->log_entries + size, w->size - size, NULL), ERR_OK);
	world_reopen(w);
	assert_int_equal(ask_state(w, note, &t), ERR_OK);
	assert_int_equal(t.problem, ERR_OK);
	world_issue(w, 500, 2);
	world_reopen(w);
	assert_int_equal(ask_state(w, note, &t), ERR_OK);
	assert_int_equal(t.problem, ERR_OK);
	later = world_checkpoint(w);
	assert_int_equal(ask_state(w, later, &t), ERR_OK);
	assert_int_equal(ask_state(w, note, &t), ERR_OK); /* an older one is no fork */
	assert_int_equal(t.problem, ERR_OK);
}

static void
a_published_size_inside_of_a_batch_is_found(void **state)
{
	struct bytes note;
	struct state_answer t;
	size_t size, first;

	(void)state;
	first = w->size;
	world_issue(w, 1, 1);
	size = restore_old(1, &note); /* published: size + 1 */
	assert_int_equal(size, first + 1);
	/* a session of the copy, not in the note: appended in one batch with what is */
	w->size = size;
	{
		struct signed_entry entries[2] = {w->log_entries[size]};
		struct rows r;

		assert_int_equal(ask_state(w, BYTES_LIT(""), &t), ERR_OK);
		assert_int_equal(ask_issue(w, world_session(w, 700, 1), NULL, 0, &r), ERR_OK);
		rows_entries(&r, entries + 1);
		assert_int_equal(ask_extend(w, size, entries, 2, NULL), ERR_OK);
	}
	assert_int_equal(ask_state(w, note, &t), ERR_OK);
	assert_int_equal(t.problem, ERR_OK);
	world_reopen(w);
	assert_int_equal(ask_state(w, note, &t), ERR_OK);
	assert_int_equal(t.problem, ERR_OK);
}

/* Everything that would sign, after the stop. */
static void
signs_nothing_more(struct bytes note)
{
	struct bytes jws = world_session(w, 2000, 1), receipt;
	struct state_answer t;

	assert_int_equal(state_of(w).problem, ERR_FORK);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_FORK);
	assert_int_equal(ask_number(w, authority_list, 0), ERR_FORK);
	assert_int_equal(ask_number(w, authority_crl, 0), ERR_FORK);
	assert_int_equal(ask_checkpoint(w, 3, &receipt, &receipt), ERR_FORK);
	assert_int_equal(ask_extend(w, 3, NULL, 0, NULL), ERR_FORK);
	/* no word of the publisher helps */
	assert_int_equal(ask_state(w, note, &t), ERR_OK);
	assert_int_equal(t.problem, ERR_FORK);
	assert_int_equal(ask_state(w, BYTES_LIT(""), &t), ERR_OK);
	assert_int_equal(t.problem, ERR_FORK);
}

/* Before the publisher speaks, the restored signer has gone another way. */
static void
another_root_at_the_published_size_stops_for_good(void **state)
{
	struct bytes note;
	struct state_answer t;

	(void)state;
	w->size = restore_old(1, &note);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK); /* a publisher that lost all */
	world_issue(w, 900, 1);
	assert_int_equal(ask_state(w, note, &t), ERR_OK);
	assert_int_equal(t.problem, ERR_FORK);
	signs_nothing_more(note);
	world_reopen(w); /* nor does another start */
	assert_int_equal(ask_state(w, note, &t), ERR_OK);
	assert_int_equal(t.problem, ERR_FORK);
	signs_nothing_more(note);
}

/* The publisher has spoken: the entry that would make another root is never appended. */
static void
an_entry_that_leads_to_another_root_is_not_appended(void **state)
{
	struct bytes note;
	struct signed_entry other[1] = {0};
	struct state_answer t;
	struct rows r;

	(void)state;
	w->size = restore_old(1, &note);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	assert_int_equal(ask_issue(w, world_session(w, 900, 1), NULL, 0, &r), ERR_OK);
	rows_entries(&r, other);
	assert_int_equal(ask_state(w, note, &t), ERR_OK);
	assert_int_equal(ask_extend(w, w->size, other, 1, NULL), ERR_FORK);
	assert_int_equal(state_of(w).size, w->size);
	assert_memory_equal(state_of(w).root.b, t.root.b, SHA256_BYTES);
	signs_nothing_more(note);
}

static void
notes_of_others_are_no_word_of_what_is_public(void **state)
{
	struct bytes note;
	struct world *other = world_new(), *mine = w;
	struct merkle_hash root = {{0}};
	uint8_t room[1024];
	struct buf b = BUF_OF(room);

	(void)state;
	world_start(other);
	w = other;
	note = world_checkpoint(w);
	w = mine;
	world_reopen(w);
	assert_int_equal(ask_state(w, note, NULL), ERR_KID_UNKNOWN);
	assert_int_equal(
	        checkpoint_sign(BYTES_LIT("other.example/log"), 3, &root, w->log, &b), ERR_OK);
	assert_int_not_equal(ask_state(w, buf_bytes(&b), NULL), ERR_OK);
	assert_int_not_equal(ask_state(w, BYTES_LIT("no note"), NULL), ERR_OK);
	assert_int_equal(state_of(w).problem, ERR_NOT_READY); /* as if nobody had spoken */
	world_delete(other);
}

/* zz-admin recover: batch by batch, with the records. */
static void
recover_gives_the_journal_back_batch_by_batch(void **state)
{
	uint64_t size = 0;
	size_t batches = 0;

	(void)state;
	fill();
	while (size < w->size) {
		struct cbor c;
		uint64_t count;

		assert_int_equal(ask_number(w, authority_recover, size), ERR_OK);
		c = cbor_init(buf_bytes(&w->out));
		cbor_array_exact(&c, 2);
		assert_true(cbor_uint(&c) == size);
		count = cbor_array(&c);
		assert_true(count > 0);
		for (uint64_t i = 0; i < count; i++) {
			const struct signed_entry *want = &w->log_entries[size + i];

			cbor_array_exact(&c, 4);
			assert_true(bytes_equal(cbor_bytes(&c), want->entry));
			assert_true(bytes_equal(cbor_bytes(&c), want->note));
			assert_true(bytes_equal(cbor_bytes(&c), want->tag));
			if (want->record.n == 0)
				assert_true(cbor_null_next(&c));
			else
				assert_true(bytes_equal(cbor_bytes(&c), want->record));
		}
		assert_int_equal(cbor_end(&c), ERR_OK);
		size += count;
		batches++;
	}
	assert_int_equal(batches, 6);
	assert_int_equal(ask_number(w, authority_recover, w->size), ERR_OK);
	assert_true(bytes_equal(bytes_skip(buf_bytes(&w->out), w->out.n - 1), BYTES_LIT("\x80")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
	        TEST(a_start_from_snapshot_or_journal_gives_the_same_state),
	        TEST(an_old_snapshot_and_the_journal_meet),
	        TEST(what_is_missing_or_damaged_stops_the_start),
	        TEST(two_signers_of_one_folder_cannot_be),
	        TEST(an_old_state_signs_nothing_until_it_has_caught_up),
	        TEST(a_catch_up_in_one_batch_passes_the_published_size),
	        TEST(a_published_size_inside_of_a_batch_is_found),
	        TEST(another_root_at_the_published_size_stops_for_good),
	        TEST(an_entry_that_leads_to_another_root_is_not_appended),
	        TEST(notes_of_others_are_no_word_of_what_is_public),
	        TEST(recover_gives_the_journal_back_batch_by_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
