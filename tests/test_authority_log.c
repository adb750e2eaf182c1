/* test_authority_log.c - PREPARE and EXTEND: the log grows only by entries of this signer, each
 * checked against the log before it, all of a batch or none. */
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

/* Asks for a session and gives its entries, nothing appended. */
static size_t
answer(unsigned first, unsigned count, struct signed_entry *entries)
{
	struct rows r;

	assert_int_equal(ask_issue(w, world_session(w, first, count), NULL, 0, &r), ERR_OK);
	return rows_entries(&r, entries);
}

static enum err
prepared(const struct signed_entry *entries, size_t count, size_t which)
{
	enum err faults[16] = {ERR_OK};

	assert_true(count <= 16);
	assert_int_equal(ask_prepare(w, w->size, entries, count, faults), ERR_OK);
	return faults[which];
}

static void
the_first_entries_make_a_log(void **state)
{
	struct state_answer t = state_of(w);
	struct merkle_frontier f = {0};
	struct merkle_hash leaf, root;
	struct entry e;

	(void)state;
	assert_true(t.size == 3 && t.manifest == 1 && t.roster == 1 && t.problem == ERR_OK);
	assert_true(t.manifest_held == 1 && t.roster_held == 1 && t.time == NOW);
	for (size_t i = 0; i < 3; i++) {
		static const enum entry_type types[] = {
		        ENTRY_GENESIS, ENTRY_MANIFEST, ENTRY_ROSTER};

		assert_int_equal(entry_decode(w->log_entries[i].entry, &e), ERR_OK);
		assert_int_equal(e.type, types[i]);
		merkle_leaf(w->log_entries[i].entry, &leaf);
		merkle_append(&f, &leaf);
	}
	merkle_root(&f, &root);
	assert_memory_equal(root.b, t.root.b, SHA256_BYTES);
	assert_int_equal(entry_decode(w->log_entries[0].entry, &e), ERR_OK);
	assert_true(bytes_equal_text(e.origin, ORIGIN) && bytes_equal_text(e.iss, HOST));
}

static void
prepare_changes_nothing(void **state)
{
	struct signed_entry entries[3] = {0};
	size_t n = answer(1, 3, entries), before_n, after_n;
	struct bytes before = state_of(w).all;
	uint8_t *a = folder_get(w->dir, "journal-000000000000", &before_n), *b;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(prepared(entries, n, i), ERR_OK);
	assert_true(bytes_equal(state_of(w).all, before));
	b = folder_get(w->dir, "journal-000000000000", &after_n);
	assert_true(bytes_equal(bytes_of(a, before_n), bytes_of(b, after_n)));
	free(a);
	free(b);
	/* and what passed passes EXTEND */
	assert_int_equal(ask_extend(w, 3, entries, n, NULL), ERR_OK);
	assert_int_equal(state_of(w).size, 6);
}

static void
prepare_is_for_the_signers_own_size_only(void **state)
{
	struct signed_entry entries[1] = {0};
	enum err faults[1] = {ERR_OK};
	size_t n = answer(1, 1, entries);

	(void)state;
	assert_int_equal(ask_prepare(w, 2, entries, n, faults), ERR_BEHIND);
	assert_int_equal(ask_prepare(w, 0, entries, n, faults), ERR_BEHIND);
	assert_int_equal(ask_prepare(w, 4, entries, n, faults), ERR_SIZE);
	assert_int_equal(ask_prepare(w, 3, entries, n, faults), ERR_OK);
	assert_int_equal(ask_prepare(w, 3, entries, 0, faults), ERR_OK);
}

static void
extend_again_answers_the_same_head(void **state)
{
	struct signed_entry entries[4] = {0}, more[2] = {0};
	struct head_answer first, again, third;
	struct receipt r;
	size_t n = answer(1, 4, entries);
	uint8_t room[RECEIPT_BYTES_MAX];
	struct buf b = BUF_OF(room);

	(void)state;
	assert_int_equal(ask_extend(w, 3, entries, n, &first), ERR_OK);
	assert_int_equal(ask_extend(w, 3, entries, n, &again), ERR_OK);
	assert_true(first.size == 7 && again.size == 7 && first.time == again.time);
	assert_memory_equal(first.root.b, again.root.b, SHA256_BYTES);
	assert_true(bytes_equal(first.signature, again.signature));         /* Ed25519 */
	assert_int_equal(ask_extend(w, 5, entries + 2, 1, &again), ERR_OK); /* a part */
	assert_memory_equal(first.root.b, again.root.b, SHA256_BYTES);
	assert_int_equal(ask_extend(w, 7, NULL, 0, &again), ERR_OK);
	assert_memory_equal(first.root.b, again.root.b, SHA256_BYTES);
	/* the signature is over that size and root */
	receipt_put(&b, first.protected, first.signature, first.size, 0, NULL);
	assert_int_equal(receipt_head_decode(buf_bytes(&b), &r), ERR_OK);
	assert_true(r.size == 7 && r.time == first.time);
	assert_int_equal(receipt_head_verify(&r, w->log, BYTES_LIT(ORIGIN), &first.root), ERR_OK);
	/* what is known and what is new in one */
	w->size = 7;
	n = answer(10, 2, more);
	entries[0] = entries[3];
	entries[1] = more[0];
	entries[2] = more[1];
	assert_int_equal(n, 2);
	assert_int_equal(ask_extend(w, 6, entries, 3, &third), ERR_OK);
	assert_int_equal(third.size, 9);
	assert_int_equal(ask_extend(w, 10, entries, 1, NULL), ERR_SIZE);
}

static struct bytes
changed(struct bytes v, size_t at)
{
	struct bytes copy = keep(w, v);

	w->arena.p[(size_t)(copy.p - w->arena.p) + at] ^= 1;
	return copy;
}

static void
repeated_entries_with_one_different_byte_are_a_fork(void **state)
{
	struct signed_entry entries[3] = {0}, bad[3] = {0};
	size_t n = answer(1, 3, entries);
	struct bytes before;

	(void)state;
	assert_int_equal(ask_extend(w, 3, entries, n, NULL), ERR_OK);
	before = state_of(w).all;
	for (size_t i = 0; i < 3; i++)
		for (size_t part = 0; part < 3; part++) {
			struct bytes *v;

			memcpy(bad, entries, sizeof bad);
			v = part == 0 ? &bad[i].entry : part == 1 ? &bad[i].note : &bad[i].tag;
			*v = changed(*v, v->n - 1);
			assert_int_equal(ask_extend(w, 3, bad, n, NULL), ERR_FORK);
		}
	memcpy(bad, entries, sizeof bad);
	bad[1] = entries[2];
	assert_int_equal(ask_extend(w, 3, bad, n, NULL), ERR_FORK);
	assert_int_equal(ask_extend(w, 2, entries, n, NULL), ERR_FORK); /* moved by one */
	assert_true(bytes_equal(state_of(w).all, before));
	assert_int_equal(ask_extend(w, 3, entries, n, NULL), ERR_OK);
}

/* The signer's own tag, over exactly these bytes. */
static void
entries_without_our_tag_are_refused(void **state)
{
	struct signed_entry entries[1] = {0}, bad = {0};
	struct world *mine = w, *other;
	uint8_t tag[ENTRY_TAG_BYTES];

	(void)state;
	answer(1, 1, entries);
	for (size_t i = 0; i < ENTRY_TAG_BYTES; i++) {
		bad = entries[0];
		bad.tag = changed(bad.tag, i);
		assert_int_equal(prepared(&bad, 1, 0), ERR_TAG);
		assert_int_equal(ask_extend(w, 3, &bad, 1, NULL), ERR_TAG);
	}
	bad = entries[0];
	bad.entry = changed(bad.entry, bad.entry.n - 1);
	assert_int_equal(ask_extend(w, 3, &bad, 1, NULL), ERR_TAG);
	bad = entries[0];
	bad.note = changed(bad.note, bad.note.n - 1);
	assert_int_equal(ask_extend(w, 3, &bad, 1, NULL), ERR_TAG);
	bad.note = entries[0].note;
	bad.tag = BYTES_LIT("0123456789abcdef");
	assert_int_equal(ask_extend(w, 3, &bad, 1, NULL), ERR_TAG);
	/* of another signer: the same keys, another tag key */
	other = world_new();
	memset(other->a->tag_key, 0x77, 32);
	world_start(other);
	w = other;
	answer(1, 1, &bad);
	w = mine;
	assert_int_equal(prepared(&bad, 1, 0), ERR_TAG);
	assert_int_equal(ask_extend(w, 3, &bad, 1, NULL), ERR_TAG);
	/* negative control: under our tag key it would pass */
	entry_tag(bytes_of(w->a->tag_key, 32), bad.entry, bad.note, tag);
	bad.tag = bytes_of(tag, sizeof tag);
	assert_int_equal(prepared(&bad, 1, 0), ERR_OK);
	world_delete(other);
}

static void
seats_are_appended_once_and_from_one_answer(void **state)
{
	struct bytes jws = world_session(w, 1, 2);
	struct signed_entry a[2] = {0}, b[2] = {0}, mixed[2] = {0};
	struct rows r;

	(void)state;
	assert_int_equal(ask_issue(w, jws, NULL, 0, &r), ERR_OK);
	rows_entries(&r, a);
	assert_int_equal(ask_issue(w, jws, NULL, 0, &r), ERR_OK);
	rows_entries(&r, b);
	mixed[0] = a[0];
	mixed[1] = b[1]; /* seat 1 of one answer, seat 2 of the other */
	assert_int_equal(prepared(mixed, 2, 1), ERR_EXECUTED);
	assert_int_equal(ask_extend(w, 3, mixed, 2, NULL), ERR_EXECUTED);
	mixed[1] = a[0]; /* the same seat twice */
	assert_int_equal(prepared(mixed, 2, 1), ERR_EXECUTED);
	assert_int_equal(ask_extend(w, 3, mixed, 2, NULL), ERR_EXECUTED);
	mixed[0] = a[1]; /* in another order */
	mixed[1] = a[0];
	assert_int_equal(ask_extend(w, 3, mixed, 2, NULL), ERR_EXECUTED);
	assert_int_equal(state_of(w).size, 3);
	world_extend(w, a, 2);
	/* the second answer is a replay of the request */
	assert_int_equal(prepared(b, 2, 0), ERR_EXECUTED);
	assert_int_equal(ask_extend(w, 5, b, 2, NULL), ERR_EXECUTED);
	/* and so is the first, entry by entry, at another place */
	assert_int_equal(prepared(a, 2, 0), ERR_EXECUTED);
	assert_int_equal(ask_extend(w, 5, a, 1, NULL), ERR_EXECUTED);
	assert_int_equal(state_of(w).size, 5);
}

static void
old_entries_are_named_by_prepare_and_appended_by_extend(void **state)
{
	struct signed_entry old[2] = {0}, young[1] = {0};
	enum err faults[2] = {ERR_OK};

	(void)state;
	answer(1, 2, old);
	w->now += ENTRY_AGE_S_MAX;
	answer(10, 1, young);
	assert_int_equal(ask_prepare(w, 3, old, 2, faults), ERR_OK);
	assert_true(faults[0] == ERR_OK && faults[1] == ERR_OK);
	w->now++;
	answer(10, 1, young);
	world_extend(w, young, 1); /* now the log is a minute and a second younger than they */
	assert_int_equal(ask_prepare(w, 4, old, 2, faults), ERR_OK);
	assert_true(faults[0] == ERR_STALE && faults[1] == ERR_STALE);
	assert_int_equal(ask_extend(w, 4, old, 2, NULL), ERR_OK);
	assert_int_equal(state_of(w).time, NOW + ENTRY_AGE_S_MAX + 1);
}

static void
entries_of_an_expired_request_are_refused(void **state)
{
	struct signed_entry old[1] = {0}, young[1] = {0};
	struct session s = session_of(1, 1);
	uint8_t room[4096];
	struct buf b = BUF_OF(room);
	struct rows r;

	(void)state;
	w->now = NOW + ISSUE_LIFETIME_S_MAX - 1;
	assert_int_equal(
	        ask_issue(w, session_sign(&s, w->people.keys[CENTER], &b), NULL, 0, &r), ERR_OK);
	rows_entries(&r, old);
	w->now = NOW + ISSUE_LIFETIME_S_MAX;
	answer(10, 1, young);
	world_extend(w, young, 1);
	assert_int_equal(prepared(old, 1, 0), ERR_OK); /* in its last second */
	w->now++;
	answer(20, 1, young);
	world_extend(w, young, 1);
	assert_int_equal(prepared(old, 1, 0), ERR_REQUEST_EXPIRED);
	assert_int_equal(ask_extend(w, w->size, old, 1, NULL), ERR_REQUEST_EXPIRED);
}

static void
an_issue_comes_with_its_own_record(void **state)
{
	struct signed_entry entries[2], bad, first = w->log_entries[0];

	(void)state;
	answer(1, 2, entries);
	bad = entries[0];
	bad.record = bytes_of(NULL, 0);
	assert_int_equal(ask_extend(w, 3, &bad, 1, NULL), ERR_VALUE);
	bad.record = entries[1].record;
	assert_int_equal(ask_extend(w, 3, &bad, 1, NULL), ERR_VALUE);
	for (size_t i = 0; i < entries[0].record.n; i += 7) {
		bad.record = changed(entries[0].record, i);
		assert_int_equal(ask_extend(w, 3, &bad, 1, NULL), ERR_VALUE);
	}
	first.record = entries[0].record; /* none belongs to another type of entry */
	{
		struct world *fresh = world_new(), *mine = w;

		w = fresh;
		assert_int_equal(ask_extend(w, 0, &first, 1, NULL), ERR_VALUE);
		first.record = bytes_of(NULL, 0);
		assert_int_equal(ask_extend(w, 0, &first, 1, NULL), ERR_OK);
		w = mine;
		world_delete(fresh);
	}
	assert_int_equal(ask_extend(w, 3, entries, 1, NULL), ERR_OK);
}

static void
a_batch_is_appended_whole_or_not_at_all(void **state)
{
	struct signed_entry entries[5] = {0};
	struct bytes before = state_of(w).all;
	size_t n = answer(1, 5, entries), a, b;

	(void)state;
	free(folder_get(w->dir, "journal-000000000000", &a));
	entries[4].tag = changed(entries[4].tag, 0);
	assert_int_equal(ask_extend(w, 3, entries, n, NULL), ERR_TAG);
	free(folder_get(w->dir, "journal-000000000000", &b));
	assert_int_equal(a, b);
	assert_true(bytes_equal(state_of(w).all, before));
}

/* As many as a request can have: each position is named, and all are appended in one frame. */
static void
five_thousand_entries_are_answered_one_by_one(void **state)
{
	static struct signed_entry entries[REQUEST_SEATS_MAX];
	static enum err faults[REQUEST_SEATS_MAX];
	struct signed_entry e = {0};
	size_t n = answer(1, REQUEST_SEATS_MAX, entries);

	(void)state;
	assert_int_equal(n, REQUEST_SEATS_MAX);
	w->now += ISSUE_LIFETIME_S_MAX + 1;
	assert_int_equal(ask_roster(w, 2, CAP, &e), ERR_OK);
	world_extend(w, &e, 1);
	assert_int_equal(ask_prepare(w, w->size, entries, n, faults), ERR_OK);
	for (size_t i = 0; i < n; i++)
		assert_true(faults[i] == ERR_STALE || faults[i] == ERR_REQUEST_EXPIRED);
	n = answer(1, REQUEST_SEATS_MAX, entries);
	assert_int_equal(ask_prepare(w, w->size, entries, n, faults), ERR_OK);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(faults[i], ERR_OK);
	assert_int_equal(ask_extend(w, w->size, entries, n, NULL), ERR_OK);
	assert_int_equal(state_of(w).size, 4 + REQUEST_SEATS_MAX);
	world_reopen(w);
	assert_int_equal(state_of(w).size, 4 + REQUEST_SEATS_MAX);
}

static void
messages_of_another_form_are_refused(void **state)
{
	struct signed_entry entries[2] = {0};
	struct buf *b;
	struct bytes whole;

	(void)state;
	answer(1, 2, entries);
	b = ask_start(w, 2);
	cbor_put_uint(b, 3);
	cbor_put_array(b, 2);
	entry_ask(b, &entries[0], true);
	entry_ask(b, &entries[1], true);
	whole = keep(w, buf_bytes(b));
	for (size_t n = 0; n < whole.n; n++)
		assert_int_not_equal(ask_bytes(w, authority_extend, bytes_of(whole.p, n)), ERR_OK);
	cbor_put_uint(b, 0);
	assert_int_equal(ask(w, authority_extend), ERR_TRAILING);
	assert_int_equal(state_of(w).size, 3);
	assert_int_equal(ask_bytes(w, authority_prepare, whole), ERR_VALUE); /* with records */
	/* more than any batch can have */
	b = ask_start(w, 2);
	cbor_put_uint(b, 3);
	cbor_put_array(b, 100000);
	assert_non_null(buf_room(b, 200000));
	assert_int_equal(ask(w, authority_extend), ERR_LIMIT);
	assert_int_equal(ask(w, authority_prepare), ERR_LIMIT);
	assert_int_equal(ask_bytes(w, authority_extend, whole), ERR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
	        TEST(the_first_entries_make_a_log),
	        TEST(prepare_changes_nothing),
	        TEST(prepare_is_for_the_signers_own_size_only),
	        TEST(extend_again_answers_the_same_head),
	        TEST(repeated_entries_with_one_different_byte_are_a_fork),
	        TEST(entries_without_our_tag_are_refused),
	        TEST(seats_are_appended_once_and_from_one_answer),
	        TEST(old_entries_are_named_by_prepare_and_appended_by_extend),
	        TEST(entries_of_an_expired_request_are_refused),
	        TEST(an_issue_comes_with_its_own_record),
	        TEST(a_batch_is_appended_whole_or_not_at_all),
	        TEST(five_thousand_entries_are_answered_one_by_one),
	        TEST(messages_of_another_form_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
