/* test_zz_orders.c - zz revoke, approve and show: an official signs what they saw, and only that.
 * Orders that hold, stop and end are in test_zz_decide.c. */
#include "test_zz_world.h"

static enum zz_exit
order_revoke(struct world *w, const char *ground, const char *out)
{
	return run_in(w, zz_revoke, "", "revoke", "--url", w->toy.url, "--key", w->key, "--ground",
	        ground, "--decision-no", "浙应急撤〔2026〕7号", "--decided", "2026-10-16",
	        "--effective", "2026-10-15", "--out", out, "--serial", w->serial, NULL);
}

/* An order that waits, and its id. */
static void
order_make(struct world *w, char id[65])
{
	char out[300];

	assert_int_equal(submit(w), ZZ_DONE);
	snprintf(out, sizeof out, "%s/order", w->dir);
	assert_int_equal(order_revoke(w, "R05", out), ZZ_WAITS);
	snprintf(id, 65, "%.64s", strstr(w->out, "request ") + 8);
}

static void
a_revocation_waits_shows_and_is_approved_by_another_key(void **state)
{
	struct world *w = world_open();
	char id[65], out[300];
	unsigned before;

	(void)state;
	order_make(w, id);
	assert_non_null(strstr(w->err, "以欺骗"));
	snprintf(out, sizeof out, "%s/order", w->dir);
	assert_int_equal(order_revoke(w, "R04", out), ZZ_USAGE);
	assert_int_equal(order_revoke(w, "R05", out), ZZ_WAITS);
	assert_int_equal(order_revoke(w, "R99", out), ZZ_USAGE);
	before = w->toy.requests;
	assert_int_equal(run_in(w, zz_approve, "no\n", "approve", "--url", w->toy.url, "--key",
	                         w->other_key, id, NULL),
	        ZZ_REFUSED);
	assert_int_equal(w->toy.requests, before + 2); /* request and certificate, no approval */
	assert_non_null(strstr(w->out, "R05"));
	assert_non_null(strstr(w->out, "以欺骗"));
	assert_non_null(strstr(w->out, "浙应急撤〔2026〕7号"));
	assert_non_null(strstr(w->out, w->serial));
	assert_non_null(strstr(w->out, "王伟"));
	assert_non_null(strstr(w->out, "33000019850101002X"));
	assert_non_null(strstr(w->out, "低压电工作业"));
	assert_non_null(strstr(w->out, "2026-10-15"));
	assert_int_equal(run_in(w, zz_approve, "", "approve", "--url", w->toy.url, "--key",
	                         w->other_key, id, NULL),
	        ZZ_REFUSED);
	assert_int_equal(w->approval_count, 0);
	assert_int_equal(run_in(w, zz_approve, "yes\n", "approve", "--url", w->toy.url, "--key",
	                         w->other_key, id, NULL),
	        ZZ_DONE);
	assert_int_equal(w->approval_count, 1);
	/* a second run finds its own approval and sends none */
	assert_int_equal(run_in(w, zz_approve, "", "approve", "--url", w->toy.url, "--key",
	                         w->other_key, id, "--yes", NULL),
	        ZZ_DONE);
	assert_int_equal(w->approval_count, 1);
	world_close(w);
}

static void
an_approval_signs_exactly_the_request_that_was_named(void **state)
{
	struct world *w = world_open();
	struct approval a;
	struct jws j;
	char id[65], mine[65];

	(void)state;
	order_make(w, id);
	assert_int_equal(run_in(w, zz_approve, "", "approve", "--yes", "--url", w->toy.url, "--key",
	                         w->other_key, id, NULL),
	        ZZ_DONE);
	assert_int_equal(
	        jws_decode(bytes_of_text(w->approvals[0]), APPROVAL_BYTES_MAX, &j), ERR_OK);
	assert_string_equal(j.typ, APPROVAL_TYP);
	assert_int_equal(approval_decode(&j, &a), ERR_OK);
	hex_encode(bytes_of(a.request, SHA256_BYTES), mine);
	assert_string_equal(mine, id);
	assert_true(a.approve);
	assert_int_equal(a.exp - a.iat, ORDER_LIFETIME_S_MAX);
	world_close(w);
}

static void
nothing_is_approved_that_is_not_what_it_seems(void **state)
{
	struct world *w = world_open();
	char id[65], *order;

	(void)state;
	order_make(w, id);
	/* the sender's own key */
	assert_int_equal(run_in(w, zz_approve, "", "approve", "--yes", "--url", w->toy.url, "--key",
	                         w->key, id, NULL),
	        ZZ_REFUSED);
	/* the service answers with another request, validly signed, under the id */
	order = w->order;
	w->order = NULL;
	put(w->results, HEAD "1,王伟,F,01,33000019850101002X,95.8,81.9," DIGEST "," DIGEST "\n");
	snprintf(w->out_dir, sizeof w->out_dir, "%s/second", w->dir);
	assert_int_equal(submit(w), ZZ_DONE);
	snprintf(w->state, sizeof w->state, "waiting");
	assert_int_equal(run_in(w, zz_approve, "", "approve", "--yes", "--url", w->toy.url, "--key",
	                         w->other_key, id, NULL),
	        ZZ_REFUSED);
	assert_non_null(strstr(w->err, "another request than you named"));
	free(w->order);
	w->order = order;
	/* the service shows another certificate: the record bears serial 1, the order names serial
	 * 2 */
	assert_int_equal(run_in(w, zz_approve, "", "approve", "--yes", "--url", w->toy.url, "--key",
	                         w->other_key, id, NULL),
	        ZZ_REFUSED);
	assert_non_null(strstr(w->err, "another serial"));
	assert_int_equal(w->approval_count, 0);
	assert_int_equal(run_in(w, zz_approve, "", "approve", "--url", w->toy.url, "--key", w->key,
	                         "abc", NULL),
	        ZZ_USAGE);
	world_close(w);
}

static void
with_the_root_a_record_signed_by_another_key_is_not_shown(void **state)
{
	struct world *w = world_open();
	char id[65];

	(void)state;
	order_make(w, id);
	assert_int_equal(run_in(w, zz_approve, "", "approve", "--yes", "--url", w->toy.url, "--key",
	                         w->other_key, "--root", w->key, id, NULL),
	        ZZ_REFUSED);
	assert_int_equal(run_in(w, zz_approve, "", "approve", "--yes", "--url", w->toy.url, "--key",
	                         w->other_key, "--root", w->root, id, NULL),
	        ZZ_DONE);
	assert_non_null(strstr(w->out, "Each record is signed by the authority"));
	world_close(w);
	w = world_open();
	key_free(w->record_key);
	assert_int_equal(key_generate(KEY_ED25519, &w->record_key), ERR_OK);
	order_make(w, id);
	assert_int_equal(run_in(w, zz_approve, "", "approve", "--yes", "--url", w->toy.url, "--key",
	                         w->other_key, "--root", w->root, id, NULL),
	        ZZ_REFUSED);
	assert_non_null(strstr(w->err, "not signed by this authority"));
	assert_int_equal(w->approval_count, 0);
	/* negative control: without the root it is shown, and said not to be checked */
	assert_int_equal(run_in(w, zz_approve, "", "approve", "--yes", "--url", w->toy.url, "--key",
	                         w->other_key, id, NULL),
	        ZZ_DONE);
	assert_non_null(strstr(w->out, "were not checked"));
	world_close(w);
}

static void
show_reads_a_certificate_and_a_request(void **state)
{
	struct world *w = world_open();
	char id[65];

	(void)state;
	order_make(w, id);
	assert_int_equal(run_in(w, zz_show, "", "show", "--url", w->toy.url, "--key", w->key,
	                         w->serial, NULL),
	        ZZ_DONE);
	assert_non_null(strstr(w->out, "王伟 F"));
	assert_non_null(strstr(w->out, "低压电工作业"));
	assert_non_null(strstr(w->out, "已失效"));
	assert_int_equal(
	        run_in(w, zz_show, "", "show", "--url", w->toy.url, "--key", w->key, id, NULL),
	        ZZ_DONE);
	assert_non_null(strstr(w->out, "waiting"));
	assert_int_equal(run_in(w, zz_show, "", "show", "--url", w->toy.url, "--key", w->key,
	                         "--json", id, NULL),
	        ZZ_DONE);
	assert_true(w->out[0] == '{');
	w->serial[0] = '1';
	assert_int_equal(run_in(w, zz_show, "", "show", "--url", w->toy.url, "--key", w->key,
	                         w->serial, NULL),
	        ZZ_REFUSED);
	assert_int_equal(
	        run_in(w, zz_show, "", "show", "--url", w->toy.url, "--key", w->key, "12", NULL),
	        ZZ_USAGE);
	world_close(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_revocation_waits_shows_and_is_approved_by_another_key),
	        cmocka_unit_test(an_approval_signs_exactly_the_request_that_was_named),
	        cmocka_unit_test(nothing_is_approved_that_is_not_what_it_seems),
	        cmocka_unit_test(with_the_root_a_record_signed_by_another_key_is_not_shown),
	        cmocka_unit_test(show_reads_a_certificate_and_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
