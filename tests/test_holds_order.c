/* test_holds_order.c - holds and stops as the whole signer decides them: limits are answered for
 * each certificate, a request holds once, and what was begun ends on time also after a restart. */
#include "authority_world.h"

#include "rules.h"

enum { MANY = 102 };

static struct world *w;
static struct bytes records[MANY];

static int
make(void **state)
{
	struct rows r;

	(void)state;
	w = world_new();
	world_start(w);
	r = world_issue(w, 1, MANY);
	for (size_t i = 0; i < MANY; i++)
		records[i] = r.rows[i].e.record;
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	world_delete(w);
	return 0;
}

/* An order on the first `count` records, good for as long as an order can be. */
static struct bytes
order(enum who by, const char *type, size_t count, const char *more)
{
	size_t room_n = 1200 + count * 40;
	char *text = malloc(room_n), jti[JTI_BYTES_MIN + 1], hex[33];
	uint8_t serial[16];
	struct buf b = buf_init(text, room_n), jws = buf_init(malloc(2 * room_n), 2 * room_n);
	struct bytes out;
	char head[300];

	jti_next(jti);
	snprintf(head, sizeof head,
	        "{\"type\":\"%s\",\"jti\":\"%s\",\"iat\":%lld,\"exp\":%lld,\"decision_no\":\"1\","
	        "\"decided_at\":\"2026-10-18\"",
	        type, jti, (long long)w->now, (long long)w->now + ORDER_LIFETIME_S_MAX);
	buf_put_text(&b, head);
	buf_put_text(&b, more);
	for (size_t i = 0; i < count; i++) {
		serial_of(records[i], serial);
		hex_encode(bytes_of(serial, 16), hex);
		buf_put_text(&b, i == 0 ? ",\"serials\":[\"" : ",\"");
		buf_put_text(&b, hex);
		buf_put_text(&b, "\"");
	}
	buf_put_text(&b, count > 0 ? "]}" : "}");
	buf_put_u8(&b, 0);
	assert_int_equal(buf_end(&b), ERR_OK);
	out = keep(w, signed_text(w->people.keys[by], REQUEST_TYP, text, &jws));
	free(text);
	free(jws.p);
	return out;
}

static struct bytes
hold(enum who by, size_t count)
{
	return order(by, "suspend", count,
	        ",\"ground\":\"S01\",\"effective_at\":\"2026-10-18\",\"until\":\"2026-11-10\"");
}

static void
append(const struct rows *r)
{
	struct signed_entry *entries = calloc(r->count + 1, sizeof *entries);
	size_t n = rows_entries(r, entries);

	world_extend(w, entries, n);
	free(entries);
}

/* Sends it with the approval, or without (PEOPLE). */
static struct rows
send_order(struct bytes jws, enum who approver, size_t count)
{
	struct bytes approval = {0};
	struct rows r;

	if (approver != PEOPLE)
		approval = world_approve(w, approver, jws);
	assert_int_equal(
	        ask_order(w, jws, &approval, approver == PEOPLE ? 0 : 1, records, count, &r),
	        ERR_OK);
	return r;
}

static size_t
outcomes(const struct rows *r, enum outcome o)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += r->rows[i].outcome == o;
	return n;
}

/* What has lapsed by now goes into the log; gives how many. */
static size_t
lapse_all(void)
{
	struct signed_entry entries[MANY] = {0};
	struct cbor c;
	size_t n;

	ask_start(w, 0);
	assert_int_equal(ask(w, authority_lapse), ERR_OK);
	c = cbor_init(keep(w, buf_bytes(&w->out)));
	n = (size_t)cbor_array(&c);
	assert_true(n <= MANY);
	for (size_t i = 0; i < n; i++) {
		cbor_array_exact(&c, 3);
		entries[i] = entry_read(w, &c);
	}
	assert_int_equal(cbor_end(&c), ERR_OK);
	if (n > 0)
		world_extend(w, entries, n);
	return n;
}

/* Signs again once the publisher has told what is public. */
static void
restart(void)
{
	world_reopen(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
}

static enum status
status_of(size_t i)
{
	enum status now = STATUS_SUPERSEDED;
	struct cose_sign1 m;
	struct record r;

	assert_int_equal(record_open(records[i], false, &m, &r), ERR_OK);
	assert_int_equal(fold_status(&w->a->fold, r.list, r.idx, &now), ERR_OK);
	return now;
}

static void
the_101st_hold_of_a_day_waits_for_a_second_signature(void **state)
{
	struct bytes jws = hold(WANG, 101);
	struct rows r = send_order(jws, PEOPLE, 101);

	(void)state;
	assert_int_equal(outcomes(&r, OUTCOME_SUSPENDED), 100);
	assert_int_equal(r.rows[100].outcome, OUTCOME_HOLD_LIMIT);
	append(&r);
	/* the same official with another request; another official; the next day */
	r = send_order(hold(WANG, MANY), PEOPLE, MANY);
	assert_int_equal(outcomes(&r, OUTCOME_ALREADY), 100);
	assert_int_equal(outcomes(&r, OUTCOME_HOLD_LIMIT), 2);
	r = send_order(hold(LI, MANY), PEOPLE, MANY);
	assert_int_equal(outcomes(&r, OUTCOME_SUSPENDED), 2);
	/* the second signature confirms the hundred and holds the one more */
	r = send_order(jws, LI, 101);
	assert_int_equal(outcomes(&r, OUTCOME_CONFIRMED), 100);
	assert_int_equal(r.rows[100].outcome, OUTCOME_SUSPENDED);
	append(&r);
	assert_int_equal(status_of(100), STATUS_SUSPENDED);
}

static void
a_certificate_held_lately_is_held_again_by_two_only(void **state)
{
	struct rows r = send_order(hold(WANG, 1), PEOPLE, 1);

	(void)state;
	append(&r);
	w->now += HOLD_FIRST_S + 1;
	assert_int_equal(lapse_all(), 1);
	r = send_order(hold(LI, 2), PEOPLE, 2);
	assert_int_equal(r.rows[0].outcome, OUTCOME_HOLD_AGAIN);
	assert_int_equal(r.rows[1].outcome, OUTCOME_SUSPENDED);
	r = send_order(hold(LI, 2), WANG, 2);
	assert_int_equal(outcomes(&r, OUTCOME_SUSPENDED), 2);
}

static void
a_request_holds_once_though_its_second_signature_comes_late(void **state)
{
	struct bytes jws = hold(WANG, 1), back = order(LI, "reinstate", 1, "");
	struct rows r = send_order(jws, PEOPLE, 1), late;

	(void)state;
	append(&r);
	r = send_order(back, ZHANG, 1);
	append(&r);
	assert_int_equal(status_of(0), STATUS_VALID);
	late = send_order(jws, LI, 1);
	assert_int_equal(late.rows[0].outcome, OUTCOME_NO_MOVE);
	/* negative control: another request of two officials holds it */
	late = send_order(hold(WANG, 1), LI, 1);
	assert_int_equal(late.rows[0].outcome, OUTCOME_SUSPENDED);
}

static void
a_second_signature_built_before_the_hold_ended_is_not_appended_after(void **state)
{
	struct bytes jws = hold(WANG, 1), back = order(LI, "reinstate", 1, "");
	struct rows r = send_order(jws, PEOPLE, 1), confirmed, reinstated;
	enum err fault = ERR_OK;

	(void)state;
	append(&r);
	confirmed = send_order(jws, ZHANG, 1);
	assert_int_equal(confirmed.rows[0].outcome, OUTCOME_CONFIRMED);
	/* negative control: as long as the hold stands it may be appended */
	assert_int_equal(ask_prepare(w, w->size, &confirmed.rows[0].e, 1, &fault), ERR_OK);
	assert_int_equal(fault, ERR_OK);
	reinstated = send_order(back, ZHANG, 1);
	append(&reinstated);
	assert_int_equal(ask_prepare(w, w->size, &confirmed.rows[0].e, 1, &fault), ERR_OK);
	assert_int_equal(fault, ERR_EXECUTED);
	assert_int_equal(ask_extend(w, w->size, &confirmed.rows[0].e, 1, NULL), ERR_EXECUTED);
}

static void
holds_end_on_time_after_a_restart(void **state)
{
	struct bytes jws = hold(WANG, 2);
	struct rows r = send_order(jws, PEOPLE, 2);

	(void)state;
	append(&r);
	restart();
	w->now += HOLD_FIRST_S;
	assert_int_equal(lapse_all(), 0);
	w->now++;
	assert_int_equal(lapse_all(), 2);
	assert_int_equal(status_of(0), STATUS_VALID);
	assert_int_equal(status_of(1), STATUS_VALID);
	restart();
	assert_int_equal(lapse_all(), 0);
	assert_int_equal(send_order(hold(LI, 1), PEOPLE, 1).rows[0].outcome, OUTCOME_HOLD_AGAIN);
}

static void
what_was_revoked_in_the_meantime_does_not_lapse(void **state)
{
	struct rows r = send_order(hold(WANG, 2), PEOPLE, 2);

	(void)state;
	append(&r);
	r = send_order(world_revoke(w, LI, records, 1), ZHANG, 1);
	assert_int_equal(r.rows[0].outcome, OUTCOME_REVOKED);
	append(&r);
	w->now += HOLD_FIRST_S + 1;
	assert_int_equal(lapse_all(), 1);
	assert_int_equal(status_of(0), STATUS_INVALID);
	assert_int_equal(status_of(1), STATUS_VALID);
}

static void
stop_names_a_centre_or_a_key_of_one(void **state)
{
	char more[100];
	struct rows r;
	struct bytes jws;

	(void)state;
	snprintf(more, sizeof more, ",\"kid\":\"%s\"", key_thumb_text(w->people.keys[LI]));
	jws = order(WANG, "stop", 0, more);
	assert_int_equal(ask_order(w, jws, NULL, 0, NULL, 0, &r), ERR_VALUE);
	snprintf(more, sizeof more, ",\"kid\":\"%s\"", key_thumb_text(w->people.keys[STRANGER]));
	jws = order(WANG, "stop", 0, more);
	assert_int_equal(ask_order(w, jws, NULL, 0, NULL, 0, &r), ERR_VALUE);
	jws = order(WANG, "resume", 0, ",\"center\":\"330106-01\"");
	assert_int_equal(send_order(jws, LI, 0).rows[0].outcome, OUTCOME_ALREADY);
	/* one key of a centre stops, the other goes on */
	snprintf(
	        more, sizeof more, ",\"kid\":\"%s\"", key_thumb_text(w->people.keys[CENTER_AGAIN]));
	r = send_order(order(WANG, "stop", 0, more), PEOPLE, 0);
	assert_int_equal(r.rows[0].outcome, OUTCOME_STOPPED);
	append(&r);
	assert_int_equal(ask_issue(w, world_session(w, 500, 1), NULL, 0, NULL), ERR_OK);
	restart();
	r = send_order(order(LI, "stop", 0, more), PEOPLE, 0);
	assert_int_equal(r.rows[0].outcome, OUTCOME_ALREADY);
}

static void
what_was_built_before_a_stop_is_not_appended_after_it(void **state)
{
	struct bytes stop = order(WANG, "stop", 0, ",\"center\":\"330106-01\"");
	struct rows issued, r = send_order(stop, PEOPLE, 0);
	enum err fault = ERR_OK;

	(void)state;
	assert_int_equal(ask_issue(w, world_session(w, 500, 1), NULL, 0, &issued), ERR_OK);
	assert_int_equal(ask_prepare(w, w->size, &issued.rows[0].e, 1, &fault), ERR_OK);
	assert_int_equal(fault, ERR_OK);
	append(&r);
	assert_int_equal(ask_prepare(w, w->size, &issued.rows[0].e, 1, &fault), ERR_OK);
	assert_int_equal(fault, ERR_STOPPED);
}

static void
a_withdrawal_is_nothing_for_the_signer(void **state)
{
	char text[300], jti[JTI_BYTES_MIN + 1];
	uint8_t room[2000];
	struct buf b = BUF_OF(room);

	(void)state;
	jti_next(jti);
	snprintf(text, sizeof text,
	        "{\"type\":\"withdraw\",\"jti\":\"%s\",\"iat\":%lld,\"exp\":%lld,\"request\":"
	        "\"" DIGEST_HEX "\"}",
	        jti, (long long)w->now, (long long)w->now + DAY_S);
	assert_int_equal(ask_order(w, signed_text(w->people.keys[WANG], REQUEST_TYP, text, &b),
	                         NULL, 0, NULL, 0, NULL),
	        ERR_TYPE_UNKNOWN);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
	const struct CMUnitTest tests[] = {
	        TEST(the_101st_hold_of_a_day_waits_for_a_second_signature),
	        TEST(a_certificate_held_lately_is_held_again_by_two_only),
	        TEST(a_request_holds_once_though_its_second_signature_comes_late),
	        TEST(a_second_signature_built_before_the_hold_ended_is_not_appended_after),
	        TEST(holds_end_on_time_after_a_restart),
	        TEST(what_was_revoked_in_the_meantime_does_not_lapse),
	        TEST(stop_names_a_centre_or_a_key_of_one),
	        TEST(what_was_built_before_a_stop_is_not_appended_after_it),
	        TEST(a_withdrawal_is_nothing_for_the_signer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
