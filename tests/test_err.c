/* test_err.c - each error has its own stable word, an HTTP status and a sentence in two languages.
 */
#include "cbor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
words_are_different_and_lead_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ERR_COUNT; i++) {
		const char *word = err_word((enum err)i);

		assert_true(strlen(word) > 1);
		assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz_8"), strlen(word));
		assert_int_equal(err_from_word(word, strlen(word)), i);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(word, err_word((enum err)k));
	}
}

static void
unknown_words_are_internal_faults(void **state)
{
	static const char *const words[] = {"", "okk", "o", "OK", "ok ", "truncate"};

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		assert_int_equal(err_from_word(words[i], strlen(words[i])), ERR_INTERNAL);
	/* the length counts, not a NUL */
	assert_int_equal(err_from_word("okay", 2), ERR_OK);
}

static void
sentences_and_statuses_are_there(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ERR_COUNT; i++) {
		enum err e = (enum err)i;
		unsigned status = err_http_status(e);

		assert_true(strlen(err_en(e)) > 4 && strlen(err_zh(e)) > 5);
		assert_int_equal(err_en(e)[strlen(err_en(e)) - 1], '.');
		assert_true(utf8_valid(bytes_of_text(err_zh(e)), NULL));
		assert_true(utf8_valid(bytes_of_text(err_en(e)), NULL));
		assert_true(status == 200 || (status >= 400 && status <= 503));
		/* whoever may send again is told so by the status too: 429 and 5xx */
		if (err_may_retry(e))
			assert_true(status == 429 || status >= 500);
		if (status == 429)
			assert_true(err_may_retry(e));
	}
	assert_int_equal(err_http_status(ERR_OK), 200);
	assert_false(err_may_retry(ERR_OK));
}

/* The words are part of the API: a rename breaks clients. */
static void
words_that_clients_know_stay(void **state)
{
	static const struct {
		enum err e;
		const char *word;
		unsigned status;
	} rows[] = {
	        {ERR_OK, "ok", 200},
	        {ERR_SIGNATURE, "signature_invalid", 401},
	        {ERR_ROLE, "role_not_allowed", 403},
	        {ERR_CAP, "daily_cap_exceeded", 403},
	        {ERR_JTI_CONFLICT, "jti_conflict", 409},
	        {ERR_BODY_TOO_LARGE, "body_too_large", 413},
	        {ERR_BUSY, "queue_full", 429},
	        {ERR_APPROVALS, "approvals_missing", 422},
	        {ERR_EXECUTED, "already_executed", 409},
	        {ERR_STALE, "entry_stale", 503},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_string_equal(err_word(rows[i].e), rows[i].word);
		assert_int_equal(err_http_status(rows[i].e), rows[i].status);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(words_are_different_and_lead_back),
	        cmocka_unit_test(unknown_words_are_internal_faults),
	        cmocka_unit_test(sentences_and_statuses_are_there),
	        cmocka_unit_test(words_that_clients_know_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
