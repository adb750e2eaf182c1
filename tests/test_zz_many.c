/* test_zz_many.c - orders for many certificates: seen before they are sent, approved over a list
 * whose bytes were hashed here, and followed while they are executed. */
#include "test_zz_many.h"

static enum zz_exit
run_selected(struct world *w, const char *send)
{
	char out[300];

	snprintf(out, sizeof out, "%s/many", w->dir);
	return run_in(w, zz_revoke, "", "revoke", ORDER, "--select", "--center", CENTER, "--from",
	        "2026-10-17T16:00:00+08:00", "--to", "2026-10-17T16:00:01+08:00", "--item", ITEM,
	        "--request", "0101010101010101010101010101010101010101010101010101010101010101",
	        send, NULL);
}

static enum zz_exit
run_approve(struct world *w, const char *id)
{
	return run_in(w, zz_approve, "yes\n", "approve", "--url", w->toy.url, "--key", w->other_key,
	        id, NULL);
}

static void
a_selection_is_shown_and_sent_only_with_send(void **state)
{
	struct many m;
	struct world *w = many_open(&m, 300);
	json_t *select;
	struct zz_request q = {0};

	(void)state;
	assert_int_equal(NOW, 1792224000); /* 2026-10-17 16:00 in Shanghai: the window above */
	assert_int_equal(run_selected(w, NULL), ZZ_DONE);
	assert_non_null(strstr(w->out, "certificates 证书 300"));
	assert_non_null(strstr(w->out, "     300  valid 有效"));
	assert_non_null(strstr(w->out, "低压电工作业"));
	assert_non_null(strstr(w->out, "王伟"));
	assert_non_null(strstr(w->out, "Sample of 10"));
	assert_non_null(strstr(w->out, "--send sends it"));
	assert_non_null(strstr(w->out, "unknown   未知   2"));
	assert_null(w->order);
	assert_int_equal(w->toy.requests, 11);
	assert_int_equal(run_selected(w, "--send"), ZZ_WAITS);
	assert_non_null(strstr(w->err, "List of 300 certificates"));
	assert_int_equal(
	        zz_request_open((uint8_t *)strdup(w->order), strlen(w->order), &q), ERR_OK);
	select = json_object_get(q.request.json, "select");
	assert_int_equal(json_object_size(select), 5);
	assert_string_equal(json_string_value(json_object_get(select, "center")), CENTER);
	assert_null(json_object_get(q.request.json, "serials"));
	assert_null(json_object_get(q.request.json, "center"));
	zz_request_free(&q);
	m.count = 0;
	assert_int_equal(run_selected(w, NULL), ZZ_REFUSED);
	assert_non_null(strstr(w->err, "selection_empty"));
	world_close(w);
}

static void
a_list_that_is_not_what_its_hash_says_is_not_approved(void **state)
{
	static const enum many_lie lies[] = {LIST_HASH, LIST_COUNT, LIST_ORDER, LIST_SHORT};
	struct many m;
	struct world *w = many_open(&m, 4);

	(void)state;
	assert_int_equal(run_selected(w, "--send"), ZZ_WAITS);
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		m.lie = lies[i];
		assert_int_equal(run_selected(w, NULL), ZZ_REFUSED);
		assert_int_equal(run_approve(w, m.id), ZZ_REFUSED);
		assert_non_null(strstr(w->err, "does not fit its own hash and count"));
		assert_null(strstr(w->out, "Type yes"));
		assert_int_equal(w->approval_count, 0);
	}
	/* negative control */
	m.lie = MANY_TRUTH;
	assert_int_equal(run_approve(w, m.id), ZZ_SOME);
	assert_int_equal(w->approval_count, 1);
	world_close(w);
}

static void
a_record_that_does_not_fit_the_selector_is_not_approved(void **state)
{
	static const struct {
		enum many_lie lie;
		const char *why;
	} table[] = {{RECORD_CENTER, "another centre"}, {RECORD_ITEM, "another item"},
	        {RECORD_EARLY, "outside of the selector's time"},
	        {RECORD_LATE, "outside of the selector's time"},
	        {RECORD_REQUEST, "another request than the selector"}};
	struct many m;
	struct world *w = many_open(&m, 3);

	(void)state;
	assert_int_equal(run_selected(w, "--send"), ZZ_WAITS);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		m.lie = table[i].lie;
		assert_int_equal(run_approve(w, m.id), ZZ_REFUSED);
		assert_non_null(strstr(w->err, table[i].why));
		assert_int_equal(w->approval_count, 0);
	}
	m.lie = MANY_TRUTH;
	assert_int_equal(run_approve(w, m.id), ZZ_SOME);
	world_close(w);
}

/* The approval that was signed last. */
static struct approval
approval_of(const struct world *w)
{
	struct approval a;
	struct jws j;

	assert_int_equal(jws_decode(bytes_of_text(w->approvals[w->approval_count - 1]),
	                         APPROVAL_BYTES_MAX, &j),
	        ERR_OK);
	assert_int_equal(approval_decode(&j, &a), ERR_OK);
	return a;
}

static void
an_approval_is_over_the_list_exactly_where_one_was_frozen(void **state)
{
	struct many m;
	struct world *w = many_open(&m, 30);
	uint8_t list[30 * 16], hash[SHA256_BYTES];
	struct approval a;
	char out[300];

	(void)state;
	for (unsigned i = 0; i < 30; i++)
		serial_of(i, list + (size_t)16 * i);
	sha256_one(bytes_of(list, sizeof list), hash);
	assert_int_equal(run_selected(w, "--send"), ZZ_WAITS);
	assert_int_equal(run_approve(w, m.id), ZZ_SOME);
	assert_non_null(strstr(w->out, "Sample of 20, drawn here"));
	assert_non_null(strstr(w->out, "以欺骗"));
	assert_non_null(strstr(w->out, "certificates 证书 30"));
	assert_non_null(strstr(w->out, "      20  valid 有效"));
	assert_null(strstr(w->out, "WARNING"));
	a = approval_of(w);
	assert_true(a.has_list);
	assert_memory_equal(a.list_sha256, hash, sizeof hash);
	/* serials named one by one stand in the request itself: no list beside it */
	snprintf(out, sizeof out, "%s/one", w->dir);
	assert_int_equal(run_in(w, zz_revoke, "", "revoke", ORDER, "--serial",
	                         "00000000000070008000000000000003", NULL),
	        ZZ_WAITS);
	assert_int_equal(run_approve(w, m.id), ZZ_SOME);
	assert_false(approval_of(w).has_list);
	world_close(w);
}

static void
more_than_1000_are_warned_of_and_followed_until_they_are_done(void **state)
{
	struct many m;
	struct world *w = many_open(&m, 1001);
	unsigned before;

	(void)state;
	assert_int_equal(run_selected(w, "--send"), ZZ_WAITS);
	assert_int_equal(run_approve(w, m.id), ZZ_SOME);
	assert_non_null(strstr(w->out, "WARNING: MORE THAN 1000"));
	assert_non_null(strstr(w->err, "Executed 334 of 1001"));
	assert_non_null(strstr(w->err, "Executed 668 of 1001"));
	assert_non_null(strstr(w->out, "    1000  已撤销 Revoked."));
	assert_non_null(strstr(w->out, "1000 done, 1 refused"));
	assert_non_null(strstr(w->out, "00000000000070008000000000000003"));
	assert_int_equal(w->approval_count, 1);
	/* broken off and run again: only asks */
	snprintf(w->state, sizeof w->state, "approved");
	m.done = 0;
	before = w->toy.requests;
	assert_int_equal(run_approve(w, m.id), ZZ_SOME);
	assert_int_equal(w->approval_count, 1);
	assert_true(w->toy.requests > before + 2);
	assert_non_null(strstr(w->out, "1000 done, 1 refused"));
	/* whoever has not signed it has nothing to sign any more */
	snprintf(w->state, sizeof w->state, "approved");
	assert_int_equal(run_in(w, zz_reject, "yes\n", "reject", "--url", w->toy.url, "--key",
	                         w->other_key, m.id, NULL),
	        ZZ_REFUSED);
	world_close(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_selection_is_shown_and_sent_only_with_send),
	        cmocka_unit_test(a_list_that_is_not_what_its_hash_says_is_not_approved),
	        cmocka_unit_test(a_record_that_does_not_fit_the_selector_is_not_approved),
	        cmocka_unit_test(an_approval_is_over_the_list_exactly_where_one_was_frozen),
	        cmocka_unit_test(more_than_1000_are_warned_of_and_followed_until_they_are_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
