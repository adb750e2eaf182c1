/* test_holds.c - how long a certificate may be held, by whom and how often, each limit at its edge
 * and with what is free of it beside it; centres that stopped; both through a snapshot. */
#include "holds.h"

#include "date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	T = 1792310400, /* 2026-10-18 16:00 in Shanghai */
	MIDNIGHT = T + 8 * 3600,
	HOUR = 3600,
	DAY = 24 * HOUR,
	A = 1, /* officials */
	B = 2,
};

static struct holds h;

static int
clear(void **state)
{
	(void)state;
	holds_free(&h);
	return 0;
}

/* One entry with its note; the bytes that they view live in it. */
struct act {
	struct entry e;
	struct entry_note n;
	uint8_t cti[16], sender[KEY_THUMB_BYTES];
};

static struct act *
act(int64_t time, uint32_t idx, enum status status, uint8_t request)
{
	static struct act a;

	memset(&a, 0, sizeof a);
	be_put(a.cti, idx + 1, 8);
	a.e = (struct entry){.type = ENTRY_STATUS,
	        .time = time,
	        .idx = idx,
	        .status = status,
	        .crl_reason = -1,
	        .until = -1,
	        .cti = bytes_of(a.cti, 16)};
	a.e.request[0] = request;
	a.n = (struct entry_note){.slot = -1, .seat = -1, .exp = time + DAY};
	return &a;
}

/* A hold asked for by `sender`; `officials` others have signed. */
static struct act *
hold(int64_t time, uint32_t idx, int64_t until, uint8_t sender, size_t officials)
{
	static const uint8_t other[KEY_THUMB_BYTES] = {99};
	struct act *a = act(time, idx, STATUS_SUSPENDED, 7);

	a->e.until = until;
	a->sender[0] = sender;
	a->n.sender = bytes_of(a->sender, sizeof a->sender);
	for (size_t i = 0; i < officials; i++)
		a->n.officials[a->n.official_count++] = bytes_of(other, sizeof other);
	return a;
}

static struct act *
end(int64_t time, uint32_t idx, uint8_t request)
{
	struct act *a = act(time, idx, STATUS_VALID, request);

	a->sender[0] = B;
	a->n.sender = bytes_of(a->sender, sizeof a->sender);
	a->n.official_count = 1;
	return a;
}

static struct act *
lapse(int64_t time, uint32_t idx, uint8_t request)
{
	struct act *a = act(time, idx, STATUS_VALID, request);

	a->n.exp = 0;
	return a;
}

/* What the status list would say of a place. */
static enum status
now_of(uint32_t idx)
{
	const struct hold *found = holds_find(&h, 0, idx);

	return found != NULL && found->ended == 0 ? STATUS_SUSPENDED : STATUS_VALID;
}

static enum err
check(const struct act *a)
{
	return holds_check(&h, &a->e, &a->n, now_of(a->e.idx));
}

/* Checks, and applies where it passes. */
static enum err
put(const struct act *a)
{
	enum err e = check(a);

	if (e == ERR_OK)
		holds_apply(&h, &a->e, &a->n);
	return e;
}

static void
one_official_holds_for_72_hours_and_two_for_30_days(void **state)
{
	static const struct {
		int64_t seconds;
		size_t officials;
		enum err want;
	} rows[] = {
	        {0, 0, ERR_HOLD_LONG},
	        {-1, 0, ERR_HOLD_LONG},
	        {1, 0, ERR_OK},
	        {72 * HOUR, 0, ERR_OK},
	        {72 * HOUR + 1, 0, ERR_HOLD_LONG},
	        {0, 1, ERR_HOLD_LONG},
	        {72 * HOUR + 1, 1, ERR_OK},
	        {30 * DAY, 1, ERR_OK},
	        {30 * DAY + 1, 1, ERR_HOLD_LONG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (check(hold(T, 0, T + rows[i].seconds, A, rows[i].officials)) != rows[i].want)
			fail_msg("%lld s, %zu more", (long long)rows[i].seconds, rows[i].officials);
}

static void
only_what_is_valid_is_held_and_only_what_is_held_is_reinstated(void **state)
{
	static const struct {
		enum status now, next;
		enum err want;
	} rows[] = {
	        {STATUS_VALID, STATUS_SUSPENDED, ERR_OK},
	        {STATUS_INVALID, STATUS_SUSPENDED, ERR_MOVE},
	        {STATUS_SUPERSEDED, STATUS_SUSPENDED, ERR_MOVE},
	        {STATUS_SUSPENDED, STATUS_SUSPENDED, ERR_MOVE}, /* no hold is known */
	        {STATUS_VALID, STATUS_VALID, ERR_MOVE},
	        {STATUS_INVALID, STATUS_VALID, ERR_MOVE},
	        {STATUS_SUPERSEDED, STATUS_VALID, ERR_MOVE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct act *a =
		        rows[i].next == STATUS_VALID ? end(T, 0, 8) : hold(T, 0, T + HOUR, A, 1);

		if (holds_check(&h, &a->e, &a->n, rows[i].now) != rows[i].want)
			fail_msg("%d to %d", rows[i].now, rows[i].next);
	}
	assert_int_equal(put(hold(T, 0, T + HOUR, A, 0)), ERR_OK);
	assert_int_equal(put(end(T + 1, 0, 8)), ERR_OK);
	assert_int_equal(holds_find(&h, 0, 0)->ended, T + 1);
	assert_int_equal(put(end(T + 2, 0, 8)), ERR_MOVE);
}

static void
a_revocation_ends_the_hold(void **state)
{
	const struct act *a;

	(void)state;
	assert_int_equal(put(hold(T, 0, T + HOUR, A, 0)), ERR_OK);
	a = act(T + 1, 0, STATUS_INVALID, 9);
	holds_apply(&h, &a->e, &a->n);
	assert_int_equal(holds_find(&h, 0, 0)->ended, T + 1);
	/* what is INVALID neither lapses nor comes back */
	a = lapse(T + 2 * HOUR, 0, 7);
	assert_int_equal(holds_check(&h, &a->e, &a->n, STATUS_INVALID), ERR_MOVE);
}

static void
one_official_does_not_hold_again_within_90_days(void **state)
{
	(void)state;
	assert_int_equal(put(hold(T, 0, T + HOUR, A, 0)), ERR_OK);
	assert_int_equal(put(end(T + 60, 0, 8)), ERR_OK);
	assert_int_equal(check(hold(T + 90 * DAY - 1, 0, T + 90 * DAY, B, 0)), ERR_HOLD_AGAIN);
	assert_int_equal(check(hold(T + 90 * DAY, 0, T + 91 * DAY, B, 0)), ERR_OK);
	/* a second signature is free of it, and so is another certificate */
	assert_int_equal(check(hold(T + 61, 0, T + DAY, B, 1)), ERR_OK);
	assert_int_equal(check(hold(T + 61, 1, T + DAY, B, 0)), ERR_OK);
}

static void
the_90_days_count_from_the_newest_hold(void **state)
{
	(void)state;
	assert_int_equal(put(hold(T, 0, T + HOUR, A, 0)), ERR_OK);
	assert_int_equal(put(end(T + 60, 0, 8)), ERR_OK);
	assert_int_equal(put(hold(T + 10 * DAY, 0, T + 11 * DAY, A, 1)), ERR_OK);
	assert_int_equal(put(end(T + 10 * DAY + 60, 0, 8)), ERR_OK);
	assert_int_equal(check(hold(T + 100 * DAY - 1, 0, T + 100 * DAY, A, 0)), ERR_HOLD_AGAIN);
	assert_int_equal(check(hold(T + 100 * DAY, 0, T + 101 * DAY, A, 0)), ERR_OK);
}

static void
one_official_starts_100_holds_a_day(void **state)
{
	uint32_t idx;

	(void)state;
	for (idx = 0; idx < HOLD_DAY_MAX - 1; idx++)
		assert_int_equal(put(hold(T, idx, T + HOUR, A, 0)), ERR_OK);
	/* the 100th ends at once: it was started all the same */
	assert_int_equal(put(hold(T, idx, T + HOUR, A, 0)), ERR_OK);
	assert_int_equal(put(end(T + 1, idx++, 8)), ERR_OK);
	assert_int_equal(holds_of_day(&h, bytes_of(hold(T, 0, T, A, 0)->sender, KEY_THUMB_BYTES),
	                         date_shanghai(T)),
	        HOLD_DAY_MAX);
	assert_int_equal(check(hold(T + 1, idx, T + HOUR, A, 0)), ERR_HOLD_DAY);
	assert_int_equal(check(hold(MIDNIGHT - 1, idx, MIDNIGHT + HOUR, A, 0)), ERR_HOLD_DAY);
	/* free of it: the next day in Shanghai, another official, a second signature */
	assert_int_equal(check(hold(MIDNIGHT, idx, MIDNIGHT + HOUR, A, 0)), ERR_OK);
	assert_int_equal(check(hold(T + 1, idx, T + HOUR, B, 0)), ERR_OK);
	assert_int_equal(check(hold(T + 1, idx, T + HOUR, A, 1)), ERR_OK);
	/* one that was confirmed counts no more */
	assert_int_equal(put(hold(T + 1, 0, T + DAY, A, 1)), ERR_OK);
	assert_int_equal(check(hold(T + 1, idx, T + HOUR, A, 0)), ERR_OK);
}

static void
a_second_signature_confirms_the_same_request_once(void **state)
{
	struct act *a;

	(void)state;
	assert_int_equal(put(hold(T, 0, T + 72 * HOUR, A, 0)), ERR_OK);
	assert_int_equal(check(hold(T + 9, 0, T + 20 * DAY, A, 0)), ERR_MOVE); /* nobody else */
	a = hold(T + 9, 0, T + 20 * DAY, A, 1);
	a->e.request[0] = 8; /* another request */
	assert_int_equal(check(a), ERR_MOVE);
	assert_int_equal(check(hold(T + 9, 0, T + 9, A, 1)), ERR_MOVE); /* over before it counts */
	/* 30 days from its start, not from the signature */
	assert_int_equal(check(hold(T + 9, 0, T + 30 * DAY + 1, A, 1)), ERR_MOVE);
	assert_int_equal(put(hold(T + 9, 0, T + 30 * DAY, A, 1)), ERR_OK);
	assert_int_equal(holds_find(&h, 0, 0)->until, T + 30 * DAY);
	assert_int_equal(holds_find(&h, 0, 0)->started, T);
	assert_true(holds_find(&h, 0, 0)->confirmed);
	assert_int_equal(h.count, 1);
	assert_int_equal(check(hold(T + 10, 0, T + 30 * DAY, A, 1)), ERR_MOVE); /* once */
}

static void
a_hold_lapses_after_its_last_second_and_not_before(void **state)
{
	(void)state;
	assert_int_equal(put(hold(T, 0, T + 72 * HOUR, A, 0)), ERR_OK);
	assert_int_equal(check(lapse(T + 72 * HOUR, 0, 7)), ERR_MOVE);
	assert_int_equal(check(lapse(T + 72 * HOUR + 1, 0, 8)), ERR_MOVE); /* another request */
	assert_int_equal(check(lapse(T + 72 * HOUR + 1, 1, 7)), ERR_MOVE); /* another place */
	/* what two officials sign needs no time to pass */
	assert_int_equal(check(end(T + 1, 0, 8)), ERR_OK);
	assert_int_equal(put(lapse(T + 72 * HOUR + 1, 0, 7)), ERR_OK);
	assert_int_equal(check(lapse(T + 72 * HOUR + 2, 0, 7)), ERR_MOVE); /* once */
}

static void
a_confirmed_hold_lapses_at_its_new_end(void **state)
{
	(void)state;
	assert_int_equal(put(hold(T, 0, T + 72 * HOUR, A, 0)), ERR_OK);
	assert_int_equal(put(hold(T + 9, 0, T + 20 * DAY, A, 1)), ERR_OK);
	assert_int_equal(check(lapse(T + 72 * HOUR + 1, 0, 7)), ERR_MOVE);
	assert_int_equal(check(lapse(T + 20 * DAY, 0, 7)), ERR_MOVE);
	assert_int_equal(check(lapse(T + 20 * DAY + 1, 0, 7)), ERR_OK);
}

static void
only_an_entry_without_a_sender_is_a_lapse(void **state)
{
	const struct act *a = lapse(T, 0, 7);

	(void)state;
	assert_true(holds_is_lapse(&a->e, &a->n));
	a = end(T, 0, 7);
	assert_false(holds_is_lapse(&a->e, &a->n));
	a = act(T, 0, STATUS_VALID, 7); /* a request that expires */
	assert_false(holds_is_lapse(&a->e, &a->n));
	a = act(T, 0, STATUS_SUSPENDED, 7);
	assert_false(holds_is_lapse(&a->e, &a->n));
}

static void
what_no_limit_asks_for_is_forgotten(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 2000; i++) {
		int64_t at = T + (int64_t)i * DAY;

		assert_int_equal(put(hold(at, i, at + HOUR, A, 0)), ERR_OK);
		if (i > 0) /* the first one is never ended */
			assert_int_equal(put(end(at + 1, i, 8)), ERR_OK);
	}
	assert_true(h.count < 500);
	assert_int_equal(holds_find(&h, 0, 0)->ended, 0);
	assert_non_null(holds_find(&h, 0, 1999));
	assert_null(holds_find(&h, 0, 1));
	assert_null(holds_find(&h, 1, 1999)); /* another list */
}

/* As a search of all rows from the end finds it, with some forgotten on the way. */
static void
the_newest_hold_of_each_of_many_places_is_found(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 3000; i++) {
		int64_t at = T + (int64_t)i * HOUR;
		const struct act *a = hold(at, i * 7 % 2000, at + HOUR, A, 1);

		holds_apply(&h, &a->e, &a->n);
		a = end(at + 1, i * 7 % 2000, 8);
		if (i % 3 != 0)
			holds_apply(&h, &a->e, &a->n);
	}
	for (uint32_t idx = 0; idx < 2000; idx++) {
		const struct hold *want = NULL;

		for (size_t i = 0; i < h.count; i++)
			if (h.rows[i].idx == idx)
				want = &h.rows[i];
		assert_ptr_equal(holds_find(&h, 0, idx), want);
	}
	memset(h.places, 0, h.place_room * sizeof *h.places); /* control: the index alone leads */
	assert_null(holds_find(&h, 0, h.rows[0].idx));
}

/* ---- stops ---- */

static enum err
stop(const char *name, bool resumed)
{
	struct entry e = {.type = ENTRY_STOP, .center = bytes_of_text(name), .resumed = resumed};
	enum err fault = holds_stop_check(&h, &e);

	if (fault == ERR_OK)
		holds_stop_apply(&h, &e);
	return fault;
}

static void
a_name_stops_and_resumes_in_turn(void **state)
{
	static const char kid[] = "0123456789abcdefghijklmnopqrstuvwxyz-_ABCDE";

	(void)state;
	assert_int_equal(stop("330106-01", true), ERR_MOVE);
	assert_int_equal(stop("330106-01", false), ERR_OK);
	assert_int_equal(stop("330106-01", false), ERR_MOVE);
	assert_int_equal(stop(kid, false), ERR_OK);
	assert_int_equal(stop("330106-0123456789abcdefghijklmnopqrstuvwxyz-", false), ERR_VALUE);
	assert_true(holds_stopped(&h, BYTES_LIT("330106-01")));
	assert_true(holds_stopped(&h, bytes_of_text(kid)));
	assert_false(holds_stopped(&h, BYTES_LIT("330106-0")));
	assert_false(holds_stopped(&h, BYTES_LIT("330106-011")));
	assert_false(holds_stopped(&h, BYTES_LIT("")));
	for (int i = 0; i < 20; i++) {
		char name[] = "a";

		name[0] = (char)(name[0] + i);
		assert_int_equal(stop(name, false), ERR_OK);
	}
	assert_int_equal(stop("330106-01", true), ERR_OK);
	assert_false(holds_stopped(&h, BYTES_LIT("330106-01")));
	assert_true(holds_stopped(&h, BYTES_LIT("t")));
	assert_true(holds_stopped(&h, bytes_of_text(kid)));
	assert_int_equal(h.stop_count, 21);
}

/* ---- snapshot ---- */

static void
fill(void)
{
	assert_int_equal(put(hold(T, 0, T + 72 * HOUR, A, 0)), ERR_OK);
	assert_int_equal(put(hold(T + 9, 0, T + 20 * DAY, A, 1)), ERR_OK);
	assert_int_equal(put(hold(T + 10, LIST_ENTRIES - 1, T + DAY, B, 0)), ERR_OK);
	assert_int_equal(put(end(T + 11, LIST_ENTRIES - 1, 8)), ERR_OK);
	assert_int_equal(stop("330106-01", false), ERR_OK);
	assert_int_equal(stop("某考试点", false), ERR_OK);
}

static enum err
get(struct bytes in, struct holds *out)
{
	struct cbor c = cbor_init(in);

	memset(out, 0, sizeof *out);
	holds_get(&c, out);
	return cbor_end(&c);
}

static struct bytes
written(const struct holds *from, uint8_t *room, size_t n)
{
	struct buf b = buf_init(room, n);

	holds_put(from, &b);
	assert_int_equal(buf_end(&b), ERR_OK);
	assert_true(b.n <= holds_bytes(from));
	return buf_bytes(&b);
}

static void
a_snapshot_gives_everything_back(void **state)
{
	uint8_t first[2000], second[2000];
	struct bytes text;
	struct holds back;

	(void)state;
	text = written(&h, first, sizeof first); /* nothing at all */
	assert_int_equal(get(text, &back), ERR_OK);
	holds_free(&back);
	fill();
	text = written(&h, first, sizeof first);
	assert_int_equal(get(text, &back), ERR_OK);
	assert_true(bytes_equal(written(&back, second, sizeof second), text));
	assert_int_equal(back.count, 2);
	assert_memory_equal(back.rows, h.rows, 2 * sizeof *h.rows);
	assert_true(holds_stopped(&back, BYTES_LIT("某考试点")));
	/* and it goes on as the first would */
	holds_free(&h);
	h = back;
	assert_int_equal(check(hold(T + 99, LIST_ENTRIES - 1, T + DAY, A, 0)), ERR_HOLD_AGAIN);
	assert_int_equal(check(lapse(T + 20 * DAY + 1, 0, 7)), ERR_OK);
	assert_int_equal(stop("330106-01", false), ERR_MOVE);
	for (uint32_t i = 1; i < 50; i++)
		assert_int_equal(put(hold(T + 99, i, T + DAY, A, 0)), ERR_OK);
}

static void
a_changed_snapshot_is_refused_or_read_as_it_is(void **state)
{
	uint8_t first[2000], second[2000];
	struct bytes text;
	struct holds back;

	(void)state;
	fill();
	text = written(&h, first, sizeof first);
	for (size_t n = 0; n < text.n; n++) {
		assert_int_not_equal(get(bytes_of(text.p, n), &back), ERR_OK);
		holds_free(&back);
	}
	for (size_t at = 0; at < text.n; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			first[at] = (uint8_t)(first[at] ^ (1U << bit));
			if (get(text, &back) == ERR_OK)
				assert_true(
				        bytes_equal(written(&back, second, sizeof second), text));
			holds_free(&back);
			first[at] = (uint8_t)(first[at] ^ (1U << bit));
		}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, clear, clear)
	const struct CMUnitTest tests[] = {
	        TEST(one_official_holds_for_72_hours_and_two_for_30_days),
	        TEST(only_what_is_valid_is_held_and_only_what_is_held_is_reinstated),
	        TEST(a_revocation_ends_the_hold),
	        TEST(one_official_does_not_hold_again_within_90_days),
	        TEST(the_90_days_count_from_the_newest_hold),
	        TEST(one_official_starts_100_holds_a_day),
	        TEST(a_second_signature_confirms_the_same_request_once),
	        TEST(a_hold_lapses_after_its_last_second_and_not_before),
	        TEST(a_confirmed_hold_lapses_at_its_new_end),
	        TEST(only_an_entry_without_a_sender_is_a_lapse),
	        TEST(what_no_limit_asks_for_is_forgotten),
	        TEST(a_name_stops_and_resumes_in_turn),
	        TEST(the_newest_hold_of_each_of_many_places_is_found),
	        TEST(a_snapshot_gives_everything_back),
	        TEST(a_changed_snapshot_is_refused_or_read_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
