/* test_zz_decide.c - zz suspend, reinstate, stop, resume, withdraw, reject, pending: each order
 * says what it asks for and what comes next, and whoever decides sees it in words first. */
#include "test_zz_world.h"

#define CODE "330106-01"
#define DECISION "--decision-no", "浙应急〔2026〕7号", "--decided", "2026-10-16"

static enum zz_exit
run_order(struct world *w, command c, const char *name, const char *out, const char *option,
        const char *value)
{
	return run_in(w, c, "", name, "--url", w->toy.url, "--key", w->key, DECISION, "--out", out,
	        option, value, NULL);
}

static enum zz_exit
run_suspend(struct world *w, const char *until, const char *out)
{
	return run_in(w, zz_suspend, "", "suspend", "--url", w->toy.url, "--key", w->key,
	        "--ground", "S01", DECISION, "--effective", "2026-10-17", "--until", until, "--out",
	        out, "--serial", w->serial, NULL);
}

static enum zz_exit
run_decide(struct world *w, command c, const char *in, const char *key, const char *id)
{
	return run_in(w, c, in, "decide", "--url", w->toy.url, "--key", key, id, NULL);
}

static void
id_of(const struct world *w, char id[65])
{
	const char *at = strstr(w->out, "request ");

	assert_non_null(at);
	snprintf(id, 65, "%.64s", at + 8);
}

/* The payload that was sent last, as the service would read it. */
static void
sent_read(const struct world *w, struct zz_request *out)
{
	size_t n = strlen(w->order);
	uint8_t *copy = malloc(n + 1);

	assert_non_null(copy);
	memcpy(copy, w->order, n + 1);
	memset(out, 0, sizeof *out);
	assert_int_equal(zz_request_open(copy, n, out), ERR_OK);
}

static void
one_official_suspends_and_is_told_that_it_lapses(void **state)
{
	struct world *w = world_open();
	struct zz_request q;
	char out[300];

	(void)state;
	assert_int_equal(submit(w), ZZ_DONE);
	snprintf(out, sizeof out, "%s/hold", w->dir);
	assert_int_equal(run_suspend(w, "2026-11-10", out), ZZ_DONE);
	assert_non_null(strstr(w->out, w->serial));
	assert_non_null(strstr(w->out, "已暂停"));
	assert_non_null(strstr(w->err, "lapses after 72 hours unless a second official"));
	assert_non_null(strstr(w->err, "zz approve --url"));
	assert_non_null(strstr(w->err, "涉嫌不正当取得"));
	sent_read(w, &q);
	assert_int_equal(q.request.type, REQUEST_SUSPEND);
	assert_int_equal(q.request.until, date_from_civil(2026, 11, 10));
	assert_int_equal(q.request.effective_at, date_from_civil(2026, 10, 17));
	assert_int_equal(q.request.exp - q.request.iat, ORDER_LIFETIME_S_MAX);
	zz_request_free(&q);
	/* the same folder sends the same bytes; another order is not sent from it */
	assert_int_equal(run_suspend(w, "2026-11-10", out), ZZ_DONE);
	assert_int_equal(run_suspend(w, "2026-11-11", out), ZZ_USAGE);
	assert_int_equal(run_suspend(w, "2026-11-31", out), ZZ_USAGE);
	assert_non_null(strstr(w->err, "--until"));
	world_close(w);
}

static void
the_second_official_sees_the_hold_and_confirms_it(void **state)
{
	struct world *w = world_open();
	char out[300], id[65];

	(void)state;
	assert_int_equal(submit(w), ZZ_DONE);
	snprintf(out, sizeof out, "%s/hold", w->dir);
	assert_int_equal(run_suspend(w, "2026-11-10", out), ZZ_DONE);
	id_of(w, id);
	assert_int_equal(run_decide(w, zz_approve, "yes\n", w->key, id), ZZ_REFUSED);
	assert_int_equal(run_decide(w, zz_approve, "no\n", w->other_key, id), ZZ_REFUSED);
	assert_non_null(strstr(w->out, "2026-11-10"));
	assert_non_null(strstr(w->out, "The hold has begun (as the service says"));
	assert_non_null(strstr(w->out, "72 hours"));
	assert_non_null(strstr(w->out, "王伟"));
	assert_non_null(strstr(w->out, "S01"));
	assert_int_equal(w->approval_count, 0);
	/* a hold that has begun is confirmed or ended by zz reinstate, not rejected */
	assert_int_equal(run_decide(w, zz_reject, "yes\n", w->other_key, id), ZZ_REFUSED);
	assert_int_equal(w->approval_count, 0);
	w->outcome = "hold_confirmed";
	assert_int_equal(run_decide(w, zz_approve, "yes\n", w->other_key, id), ZZ_DONE);
	assert_non_null(strstr(w->out, "暂停已经第二人确认"));
	assert_int_equal(w->approval_count, 1);
	assert_int_equal(run_decide(w, zz_approve, "yes\n", w->other_key, id), ZZ_DONE);
	assert_int_equal(w->approval_count, 1);
	world_close(w);
}

static void
an_approval_that_changes_nothing_says_so(void **state)
{
	struct world *w = world_open();
	char out[300], id[65];

	(void)state;
	assert_int_equal(submit(w), ZZ_DONE);
	snprintf(out, sizeof out, "%s/back", w->dir);
	assert_int_equal(
	        run_order(w, zz_reinstate, "reinstate", out, "--serial", w->serial), ZZ_WAITS);
	id_of(w, id);
	w->outcome = "move_not_allowed";
	assert_int_equal(run_decide(w, zz_approve, "yes\n", w->other_key, id), ZZ_SOME);
	assert_non_null(strstr(w->out, "move_not_allowed"));
	assert_non_null(strstr(w->out, "in force again"));
	assert_null(strstr(w->out, "ground"));
	world_close(w);
}

static void
stop_and_resume_name_a_centre_or_a_key(void **state)
{
	struct world *w = world_open();
	struct zz_request q;
	char out[300], kid[KEY_THUMB_TEXT + 1], id[65];

	(void)state;
	memset(kid, 'k', KEY_THUMB_TEXT);
	kid[KEY_THUMB_TEXT] = 0;
	snprintf(out, sizeof out, "%s/stop", w->dir);
	assert_int_equal(run_order(w, zz_stop, "stop", out, "--center", CODE), ZZ_DONE);
	assert_non_null(strstr(w->out, CODE));
	assert_non_null(strstr(w->out, "已停用"));
	sent_read(w, &q);
	assert_int_equal(q.request.type, REQUEST_STOP);
	assert_true(bytes_equal_text(q.request.center, CODE));
	zz_request_free(&q);
	snprintf(out, sizeof out, "%s/resume", w->dir);
	assert_int_equal(run_order(w, zz_resume, "resume", out, "--kid", kid), ZZ_WAITS);
	id_of(w, id);
	sent_read(w, &q);
	assert_int_equal(q.request.type, REQUEST_RESUME);
	assert_true(q.request.target_is_key);
	zz_request_free(&q);
	assert_int_equal(run_decide(w, zz_approve, "no\n", w->other_key, id), ZZ_REFUSED);
	assert_non_null(strstr(w->out, kid));
	assert_non_null(strstr(w->out, "密钥"));
	assert_null(strstr(w->out, "certificates 证书"));
	world_close(w);
}

static void
an_order_that_is_none_is_not_sent(void **state)
{
	struct world *w = world_open();
	char out[300];
	unsigned before;

	(void)state;
	snprintf(out, sizeof out, "%s/never", w->dir);
	before = w->toy.requests;
	assert_int_equal(run_order(w, zz_stop, "stop", out, "--kid", "short"), ZZ_USAGE);
	assert_int_equal(run_in(w, zz_stop, "", "stop", "--url", w->toy.url, "--key", w->key,
	                         DECISION, "--out", out, NULL),
	        ZZ_USAGE);
	assert_int_equal(run_in(w, zz_stop, "", "stop", "--url", w->toy.url, "--key", w->key,
	                         DECISION, "--out", out, "--center", CODE, "--kid",
	                         "0123456789abcdefghijklmnopqrstuvwxyz-_ABCDE", NULL),
	        ZZ_USAGE);
	assert_int_equal(run_in(w, zz_stop, "", "stop", "--url", w->toy.url, "--key", w->key,
	                         DECISION, "--out", out, "--center", CODE, "word", NULL),
	        ZZ_USAGE);
	assert_int_equal(
	        run_order(w, zz_stop, "stop", out, "--serial", "00112233445566778899aabbccddeeff"),
	        ZZ_USAGE);
	assert_int_equal(run_order(w, zz_reinstate, "reinstate", out, "--serial", "12"), ZZ_USAGE);
	assert_int_equal(run_order(w, zz_reinstate, "reinstate", out, "--center", CODE), ZZ_USAGE);
	assert_int_equal(run_order(w, zz_revoke, "revoke", out, "--serial", "12"), ZZ_USAGE);
	assert_int_equal(run_in(w, zz_withdraw, "", "withdraw", "--url", w->toy.url, "--key",
	                         w->key, "--out", out, "12", NULL),
	        ZZ_USAGE);
	assert_int_equal(run_in(w, zz_withdraw, "", "withdraw", "--url", w->toy.url, "--key",
	                         w->key, "--out", out, NULL),
	        ZZ_USAGE);
	assert_int_equal(w->toy.requests, before);
	assert_false(file_exists(out));
	world_close(w);
}

static void
a_sender_withdraws(void **state)
{
	struct world *w = world_open();
	struct zz_request q;
	char out[300], id[65], hex[65];

	(void)state;
	assert_int_equal(submit(w), ZZ_DONE);
	snprintf(out, sizeof out, "%s/back", w->dir);
	assert_int_equal(
	        run_order(w, zz_reinstate, "reinstate", out, "--serial", w->serial), ZZ_WAITS);
	id_of(w, id);
	assert_int_equal(run_decide(w, zz_reject, "yes\n", w->key, id), ZZ_REFUSED);
	assert_non_null(strstr(w->err, "zz withdraw"));
	snprintf(out, sizeof out, "%s/withdraw", w->dir);
	assert_int_equal(run_in(w, zz_withdraw, "", "withdraw", "--url", w->toy.url, "--key",
	                         w->key, "--out", out, id, NULL),
	        ZZ_DONE);
	assert_non_null(strstr(w->out, "Withdrawn"));
	sent_read(w, &q);
	hex_encode(bytes_of(q.request.withdraws, SHA256_BYTES), hex);
	assert_string_equal(hex, id);
	zz_request_free(&q);
	w->lie = OTHER_REQUEST_ID;
	assert_int_equal(run_in(w, zz_withdraw, "", "withdraw", "--url", w->toy.url, "--key",
	                         w->key, "--out", out, id, NULL),
	        ZZ_REFUSED);
	world_close(w);
}

static void
an_official_rejects_what_was_shown(void **state)
{
	struct world *w = world_open();
	char out[300], id[65], long_text[TEXT_BYTES_MAX + 2];
	struct approval a;
	struct jws j;

	(void)state;
	assert_int_equal(submit(w), ZZ_DONE);
	snprintf(out, sizeof out, "%s/back", w->dir);
	assert_int_equal(
	        run_order(w, zz_reinstate, "reinstate", out, "--serial", w->serial), ZZ_WAITS);
	id_of(w, id);
	memset(long_text, 'x', sizeof long_text);
	long_text[sizeof long_text - 1] = 0;
	assert_int_equal(run_in(w, zz_reject, "yes\n", "reject", "--url", w->toy.url, "--key",
	                         w->other_key, "--reason", long_text, id, NULL),
	        ZZ_USAGE);
	assert_int_equal(run_decide(w, zz_reject, "no\n", w->other_key, id), ZZ_REFUSED);
	assert_non_null(strstr(w->out, "王伟"));
	assert_non_null(strstr(w->out, "浙应急〔2026〕7号"));
	assert_int_equal(w->approval_count, 0);
	assert_int_equal(run_in(w, zz_reject, "yes\n", "reject", "--url", w->toy.url, "--key",
	                         w->other_key, "--reason", "证据不足", id, NULL),
	        ZZ_DONE);
	assert_non_null(strstr(w->out, "已驳回"));
	assert_int_equal(
	        jws_decode(bytes_of_text(w->approvals[0]), APPROVAL_BYTES_MAX, &j), ERR_OK);
	assert_int_equal(approval_decode(&j, &a), ERR_OK);
	assert_false(a.approve);
	/* again: nothing more is sent; and nobody approves it any more */
	assert_int_equal(run_decide(w, zz_reject, "yes\n", w->other_key, id), ZZ_DONE);
	assert_int_equal(run_decide(w, zz_approve, "yes\n", w->other_key, id), ZZ_REFUSED);
	assert_int_equal(w->approval_count, 1);
	world_close(w);
}

static void
what_waits_is_listed_oldest_first_and_as_the_services_word(void **state)
{
	struct world *w = world_open();
	const char *old, *new;

	(void)state;
	assert_int_equal(run_in(w, zz_pending, "", "pending", "--url", w->toy.url, "--key",
	                         w->other_key, NULL),
	        ZZ_DONE);
	assert_non_null(strstr(w->out, "As the service says"));
	old = strstr(w->out, ZERO_ID);
	new = strstr(w->out, DIGEST);
	assert_non_null(old);
	assert_non_null(new);
	assert_true(old < new);
	assert_null(strchr(w->out, 033));
	assert_non_null(strstr(w->out, "2 waiting"));
	/* a hold that has begun stands there too, and says what it waits for */
	assert_non_null(strstr(new, "second signature of a hold, until"));
	assert_non_null(strstr(new, "截至 2026-10-20 16:00")); /* 72 hours */
	assert_int_equal(run_in(w, zz_pending, "", "pending", "--json", "--url", w->toy.url,
	                         "--key", w->other_key, NULL),
	        ZZ_DONE);
	assert_true(w->out[0] == '{');
	assert_int_equal(run_in(w, zz_pending, "", "pending", "--url", w->toy.url, "--key",
	                         w->other_key, "word", NULL),
	        ZZ_USAGE);
	world_close(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_official_suspends_and_is_told_that_it_lapses),
	        cmocka_unit_test(the_second_official_sees_the_hold_and_confirms_it),
	        cmocka_unit_test(an_approval_that_changes_nothing_says_so),
	        cmocka_unit_test(stop_and_resume_name_a_centre_or_a_key),
	        cmocka_unit_test(an_order_that_is_none_is_not_sent),
	        cmocka_unit_test(a_sender_withdraws),
	        cmocka_unit_test(an_official_rejects_what_was_shown),
	        cmocka_unit_test(what_waits_is_listed_oldest_first_and_as_the_services_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
