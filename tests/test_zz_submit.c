/* test_zz_submit.c - zz keygen and zz submit end to end: what is kept, what is said, and that no
 * answer is believed that does not fit what was signed. */
#include "test_zz_world.h"

static void
keygen_makes_a_private_key_once(void **state)
{
	struct world *w = world_open();
	uint8_t *first, *second;
	size_t n, m;

	(void)state;
	assert_non_null(strstr(w->out, "kid: "));
	assert_non_null(strstr(w->out, "\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\""));
	assert_int_equal(file_read(w->key, 4096, &first, &n), ERR_OK);
	assert_int_equal(run_in(w, zz_keygen, "", "keygen", "--out", w->key, NULL), ZZ_USAGE);
	assert_int_equal(file_read(w->key, 4096, &second, &m), ERR_OK);
	assert_true(bytes_equal(bytes_of(first, n), bytes_of(second, m)));
	assert_int_equal(
	        run_in(w, zz_keygen, "", "keygen", "--out", "x", "--suite", "rsa", NULL), ZZ_USAGE);
	assert_int_equal(run_in(w, zz_keygen, "", "keygen", NULL), ZZ_USAGE);
	free(first);
	free(second);
	world_close(w);
}

static void
a_session_gives_records_bundles_and_qr_texts(void **state)
{
	struct world *w = world_open();
	char path[300];
	uint8_t *bytes;
	struct cose_sign1 m;
	struct record r;
	struct bytes receipt;
	size_t n;

	(void)state;
	assert_int_equal(submit(w), ZZ_DONE);
	assert_non_null(strstr(w->out, "2 issued, 0 refused, of 2"));
	assert_non_null(strstr(w->out, "买买提·艾力"));
	assert_null(strstr(w->err, "买买提"));
	assert_int_equal(files_with(w->out_dir, ".cose"), 2);
	assert_int_equal(files_with(w->out_dir, ".bundle"), 2);
	assert_int_equal(files_with(w->out_dir, ".qr.txt"), 2);
	snprintf(path, sizeof path, "%s/%s.bundle", w->out_dir, w->serial);
	assert_int_equal(file_read(path, BUNDLE_BYTES_MAX, &bytes, &n), ERR_OK);
	assert_int_equal(record_open(bytes_of(bytes, n), true, &m, &r), ERR_OK);
	assert_int_equal(bundle_receipt(&m, &receipt), ERR_OK);
	assert_int_equal(cose_verify(&m, w->record_key, RECORD_TYPE), ERR_OK);
	assert_true(bytes_equal_text(r.doc_number, "33000019850101002X"));
	free(bytes);
	snprintf(path, sizeof path, "%s/%s.qr.txt", w->out_dir, w->serial);
	assert_int_equal(file_read(path, QR_TEXT_BYTES_MAX, &bytes, &n), ERR_OK);
	assert_true(bytes_start(bytes_of(bytes, n), "ZZ1:"));
	assert_true(bytes[n - 1] > ' ');
	free(bytes);
	world_close(w);
}

static void
a_rerun_sends_the_saved_request_byte_for_byte(void **state)
{
	struct world *w = world_open();
	size_t half;

	(void)state;
	w->lie = PROBLEM_503;
	assert_int_equal(submit(w), ZZ_UNAVAILABLE);
	half = w->sent_n;
	w->lie = TRUTH;
	assert_int_equal(submit(w), ZZ_DONE);
	assert_int_equal(w->sent_n, 2 * half);
	assert_memory_equal(w->sent, w->sent + half, half);
	assert_null(strstr(w->err, "NOT sent"));
	/* results changed since: the saved request goes out, and the user is told */
	put(w->results, HEAD "1,王伟,F,01,33000019850101002X,95.8,81.9," DIGEST "," DIGEST "\n");
	assert_int_equal(submit(w), ZZ_DONE);
	assert_memory_equal(w->sent, w->sent + 2 * half, half);
	assert_non_null(strstr(w->err, "NOT sent"));
	world_close(w);
}

static void
a_request_of_another_session_is_never_sent_in_its_place(void **state)
{
	struct world *w = world_open();
	char other[2048] = SESSION;

	(void)state;
	assert_int_equal(submit(w), ZZ_DONE);
	*strstr(other, "0042") = '1';
	put(w->session, other);
	assert_int_equal(submit(w), ZZ_USAGE);
	assert_int_equal(w->toy.requests, 1);
	world_close(w);
}

static void
exit_codes_follow_the_answer(void **state)
{
	static const struct {
		enum lie lie;
		enum zz_exit want;
		const char *out, *err;
	} table[] = {{REFUSE_SECOND, ZZ_SOME, "score_below_pass", ""},
	        {WAIT, ZZ_WAITS, "request ", "zz approve --url "},
	        {PROBLEM_422, ZZ_REFUSED, "",
	                "No such item. (item_unknown)\n    无此项目\n    ?[31mred"},
	        {PROBLEM_503, ZZ_UNAVAILABLE, "", "signer_unavailable"},
	        {PLAIN_502, ZZ_UNAVAILABLE, "", "HTTP 502"},
	        {NO_JSON, ZZ_UNAVAILABLE, "", "not JSON"},
	        {NO_RECEIPT, ZZ_DONE, "2 issued", "2 certificates came without"}};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct world *w = world_open();

		w->lie = table[i].lie;
		assert_int_equal(submit(w), table[i].want);
		assert_non_null(strstr(w->out, table[i].out));
		assert_non_null(strstr(w->err, table[i].err));
		assert_int_equal(files_with(w->out_dir, ".jws"), 1);
		world_close(w);
	}
}

static void
no_server_is_not_available_and_the_request_is_saved(void **state)
{
	struct world *w = world_open();

	(void)state;
	assert_int_equal(run_in(w, zz_submit, "", "submit", "--url", "http://127.0.0.1:1", "--key",
	                         w->key, "--session", w->session, "--results", w->results, "--out",
	                         w->out_dir, NULL),
	        ZZ_UNAVAILABLE);
	assert_int_equal(files_with(w->out_dir, ".jws"), 1);
	assert_non_null(strstr(w->err, "run the same command again"));
	world_close(w);
}

static void
an_answer_that_does_not_fit_is_refused(void **state)
{
	static const struct {
		enum lie lie;
		const char *why;
	} table[] = {{OTHER_REQUEST_ID, "another request"}, {OTHER_SERIAL, "another serial"},
	        {OTHER_NAME, "another name"}, {OTHER_DOCUMENT, "another document"},
	        {OTHER_SEX, "another sex"}, {OTHER_ITEM, "another item"},
	        {OTHER_HASH, "made for another request"}, {OTHER_PHOTO, "another photograph"},
	        {SEAT_TWICE, "each seat once"}, {SEAT_MISSING, "each seat once"},
	        {BROKEN_RECORD, "record is malformed"}, {BROKEN_RECEIPT, "receipt is malformed"},
	        {OTHER_INDEX, "another log index"}, {BAD_SERIAL, "not 32 hex digits"},
	        {UPPER_SERIAL, "not 32 hex digits"}};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct world *w = world_open();

		w->lie = table[i].lie;
		if (submit(w) != ZZ_REFUSED || !strstr(w->err, table[i].why))
			fail_msg("lie %d: %s", (int)table[i].lie, w->err);
		/* negative control: the same folder and request with the truth */
		w->lie = TRUTH;
		assert_int_equal(submit(w), ZZ_DONE);
		world_close(w);
	}
}

static void
a_record_that_changed_since_the_last_run_is_noticed(void **state)
{
	struct world *w = world_open();
	char path[300];

	(void)state;
	assert_int_equal(submit(w), ZZ_DONE);
	snprintf(path, sizeof path, "%s/%s.cose", w->out_dir, w->serial);
	put(path, "other");
	assert_int_equal(submit(w), ZZ_REFUSED);
	assert_non_null(strstr(w->err, "another record of this serial"));
	world_close(w);
}

static void
bad_input_sends_nothing(void **state)
{
	struct world *w = world_open();

	(void)state;
	put(w->results, HEAD "1,王伟,M,01,330000199608213897,missed,81.9," DIGEST "," DIGEST "\n");
	assert_int_equal(submit(w), ZZ_USAGE);
	assert_non_null(strstr(w->err, "line 2: theory is not a score"));
	assert_null(strstr(w->err, "王伟"));
	put(w->results, RESULTS);
	put(w->session, "{\"id\":1}");
	assert_int_equal(submit(w), ZZ_USAGE);
	put(w->session, SESSION);
	put(w->key, "no key");
	assert_int_equal(submit(w), ZZ_USAGE);
	assert_int_equal(run_in(w, zz_submit, "", "submit", "--url", w->toy.url, NULL), ZZ_USAGE);
	assert_int_equal(run_in(w, zz_submit, "", "submit", "--nonsense", NULL), ZZ_USAGE);
	assert_int_equal(run_in(w, zz_submit, "", "submit", "--json=1", NULL), ZZ_USAGE);
	assert_int_equal(run_in(w, zz_submit, "", "submit", "--url", NULL), ZZ_USAGE);
	assert_int_equal(w->toy.requests, 0);
	world_close(w);
}

static void
json_prints_the_answer_object_alone(void **state)
{
	struct world *w = world_open();
	json_t *json;

	(void)state;
	assert_int_equal(run_in(w, zz_submit, "", "submit", "--url", w->toy.url, "--key", w->key,
	                         "--session", w->session, "--results", w->results, "--out",
	                         w->out_dir, "--json", NULL),
	        ZZ_DONE);
	assert_non_null(json = json_loads(w->out, 0, NULL));
	assert_int_equal(json_array_size(json_object_get(json, "seats")), 2);
	json_decref(json);
	world_close(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(keygen_makes_a_private_key_once),
	        cmocka_unit_test(a_session_gives_records_bundles_and_qr_texts),
	        cmocka_unit_test(a_rerun_sends_the_saved_request_byte_for_byte),
	        cmocka_unit_test(a_request_of_another_session_is_never_sent_in_its_place),
	        cmocka_unit_test(exit_codes_follow_the_answer),
	        cmocka_unit_test(no_server_is_not_available_and_the_request_is_saved),
	        cmocka_unit_test(an_answer_that_does_not_fit_is_refused),
	        cmocka_unit_test(a_record_that_changed_since_the_last_run_is_noticed),
	        cmocka_unit_test(bad_input_sends_nothing),
	        cmocka_unit_test(json_prints_the_answer_object_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
