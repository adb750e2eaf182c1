/* test_json.c - what is refused before, by and after the JSON library. */
#include "json.h"
#include "limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum err
read_all(struct bytes text)
{
	json_t *json = NULL;
	enum err e = json_read(text, 1000, &json);

	json_decref(json);
	return e;
}

static void
texts_are_read_or_refused_by_name(void **state)
{
	static const struct {
		const char *text;
		enum err want;
	} rows[] = {
	        {"{}", ERR_OK},
	        {" [1, 2.5, \"a\", true, null] ", ERR_OK},
	        {"", ERR_JSON_INVALID},
	        {"{", ERR_JSON_INVALID},
	        {"{}}", ERR_JSON_INVALID},
	        {"{} {}", ERR_JSON_INVALID},
	        {"1", ERR_JSON_INVALID},
	        {"\"a\"", ERR_JSON_INVALID},
	        {"{\"a\":1,\"a\":1}", ERR_JSON_DUPLICATE},
	        {"{\"a\":1,\"\\u0061\":1}", ERR_JSON_DUPLICATE},
	        {"{\"a\":{\"b\":1,\"b\":1}}", ERR_JSON_DUPLICATE},
	        {"{\"a\":\"\\u0000\"}", ERR_JSON_INVALID},
	        {"{\"\\u0000\":1}", ERR_JSON_INVALID},
	        {"{\"a\":\"\\ud800\"}", ERR_JSON_INVALID},
	        {"{\"a\":\"\xff\"}", ERR_NOT_UTF8},
	        {"{\"a\":\"\xed\xa0\x80\"}", ERR_NOT_UTF8},
	        {"\xef\xbb\xbf{}", ERR_JSON_INVALID},
	        {"[[[[[[]]]]]]", ERR_OK},
	        {"[[[[[[[]]]]]]]", ERR_JSON_TOO_DEEP},
	        {"{\"a\":[{\"b\":[{\"c\":[{}]}]}]}", ERR_JSON_TOO_DEEP},
	        {"[\"[[[[[[[[[\"]", ERR_OK},
	        {"[\"\\\"[[[[[[[[[\"]", ERR_OK},
	        {"[\"\\\\\",[[[[[[]]]]]]]", ERR_JSON_TOO_DEEP},
	        {"[99999999999999999999]", ERR_JSON_INVALID},
	        {"[1e999]", ERR_JSON_INVALID},
	        {"[NaN]", ERR_JSON_INVALID},
	        {"{'a':1}", ERR_JSON_INVALID},
	        {"{\"a\":1,}", ERR_JSON_INVALID},
	        {"[01]", ERR_JSON_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (read_all(bytes_of_text(rows[i].text)) != rows[i].want)
			fail_msg("%s: want %s", rows[i].text, err_word(rows[i].want));
	assert_int_equal(read_all(bytes_of("[1]\0", 4)), ERR_JSON_INVALID);
}

static void
size_and_number_of_values_are_bounded(void **state)
{
	json_t *json = NULL;
	size_t n = (size_t)JSON_VALUES_MAX * 2;
	char *text = malloc(n + 4);

	(void)state;
	assert_int_equal(json_read(BYTES_LIT("[1]"), 3, &json), ERR_OK);
	json_decref(json);
	assert_int_equal(json_read(BYTES_LIT("[12]"), 3, &json), ERR_LIMIT);
	assert_non_null(text);
	/* one bracket and JSON_VALUES_MAX - 1 commas, then one more */
	for (size_t i = 0; i < n; i++)
		text[i] = i % 2 == 0 ? '1' : ',';
	text[0] = '[';
	text[1] = '1';
	for (size_t i = 2; i < n + 2; i++)
		text[i] = i % 2 == 0 ? ',' : '1';
	text[2 * (size_t)JSON_VALUES_MAX] = ']';
	assert_int_equal(
	        json_read(bytes_of(text, 2 * (size_t)JSON_VALUES_MAX + 1), n + 4, &json), ERR_OK);
	json_decref(json);
	text[2 * (size_t)JSON_VALUES_MAX] = ',';
	text[2 * (size_t)JSON_VALUES_MAX + 1] = '1';
	text[2 * (size_t)JSON_VALUES_MAX + 2] = ']';
	assert_int_equal(json_read(bytes_of(text, 2 * (size_t)JSON_VALUES_MAX + 3), n + 4, &json),
	        ERR_LIMIT);
	free(text);
}

static enum err
read_members(const char *text)
{
	json_t *json = NULL, *o = NULL, *a = NULL;
	struct bytes s;
	uint64_t i = 7, missing = 7;
	double n = 0;
	bool b = false;
	const struct json_member members[] = {
	        {"s", 's', &s},
	        {"i", 'i', &i},
	        {"n", 'n', &n},
	        {"b", 'b', &b},
	        {"o", 'o', &o},
	        {"a", 'a', &a},
	        {"m", 'I', &missing},
	};
	enum err e = json_read(bytes_of_text(text), 1000, &json);

	assert_int_equal(e, ERR_OK);
	e = JSON_MEMBERS(json, members);
	if (e == ERR_OK) {
		assert_true(bytes_equal_text(s, "x"));
		assert_int_equal(i, 5);
		assert_true(n > 0.9 && b && o != NULL && a != NULL);
	}
	json_decref(json);
	return e;
}

static void
objects_are_read_by_table(void **state)
{
	static const struct {
		const char *text;
		enum err want;
	} rows[] = {
	        {"{\"s\":\"x\",\"i\":5,\"n\":1.5,\"b\":true,\"o\":{},\"a\":[]}", ERR_OK},
	        {"{\"a\":[],\"o\":{},\"m\":0,\"b\":true,\"n\":1,\"i\":5,\"s\":\"x\"}", ERR_OK},
	        {"{\"s\":\"x\",\"i\":5,\"n\":1,\"b\":true,\"o\":{},\"a\":[],\"z\":1}",
	                ERR_FIELD_UNKNOWN},
	        {"{\"s\":\"x\",\"i\":5,\"n\":1,\"b\":true,\"o\":{},\"A\":[]}", ERR_FIELD_MISSING},
	        {"{\"s\":1,\"i\":5,\"n\":1,\"b\":true,\"o\":{},\"a\":[]}", ERR_FIELD_INVALID},
	        {"{\"s\":null,\"i\":5,\"n\":1,\"b\":true,\"o\":{},\"a\":[]}", ERR_FIELD_INVALID},
	        {"{\"s\":\"x\",\"i\":-1,\"n\":1,\"b\":true,\"o\":{},\"a\":[]}", ERR_FIELD_INVALID},
	        {"{\"s\":\"x\",\"i\":5.0,\"n\":1,\"b\":true,\"o\":{},\"a\":[]}", ERR_FIELD_INVALID},
	        {"{\"s\":\"x\",\"i\":5,\"n\":\"1\",\"b\":true,\"o\":{},\"a\":[]}",
	                ERR_FIELD_INVALID},
	        {"{\"s\":\"x\",\"i\":5,\"n\":1,\"b\":1,\"o\":{},\"a\":[]}", ERR_FIELD_INVALID},
	        {"{\"s\":\"x\",\"i\":5,\"n\":1,\"b\":true,\"o\":[],\"a\":[]}", ERR_FIELD_INVALID},
	        {"{\"s\":\"x\",\"i\":5,\"n\":1,\"b\":true,\"o\":{},\"a\":{}}", ERR_FIELD_INVALID},
	        {"{\"s\":\"x\",\"i\":5,\"n\":1,\"b\":true,\"o\":{},\"a\":[],\"m\":\"\"}",
	                ERR_FIELD_INVALID},
	        {"[]", ERR_FIELD_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (read_members(rows[i].text) != rows[i].want)
			fail_msg("%s: want %s", rows[i].text, err_word(rows[i].want));
}

static void
scores_are_written_short(void **state)
{
	json_t *json = json_pack("{s:f,s:f,s:i}", "theory", 95.8, "practical", 81.9, "seat", 1);
	size_t n = 0;
	char *text = json_write(json, &n);

	(void)state;
	assert_string_equal(text, "{\"theory\":95.8,\"practical\":81.9,\"seat\":1}");
	assert_int_equal(n, strlen(text));
	free(text);
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(texts_are_read_or_refused_by_name),
	        cmocka_unit_test(size_and_number_of_values_are_bounded),
	        cmocka_unit_test(objects_are_read_by_table),
	        cmocka_unit_test(scores_are_written_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
