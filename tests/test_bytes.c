/* test_bytes.c - the bounded writer never writes past its room and fails for good; hex and decimal
 * have one spelling. */
#include "bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
views_compare_bytewise_and_the_shorter_first(void **state)
{
	const struct {
		struct bytes a, b;
		int want;
	} rows[] = {
	        {BYTES_LIT(""), BYTES_LIT(""), 0},
	        {BYTES_LIT(""), BYTES_LIT("\0"), -1},
	        {BYTES_LIT("a"), BYTES_LIT("a"), 0},
	        {BYTES_LIT("a"), BYTES_LIT("b"), -1},
	        {BYTES_LIT("a"), BYTES_LIT("aa"), -1},
	        {BYTES_LIT("b"), BYTES_LIT("aa"), 1},
	        {BYTES_LIT("\x7f"), BYTES_LIT("\x80"), -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int got = bytes_compare(rows[i].a, rows[i].b);

		assert_int_equal((got > 0) - (got < 0), rows[i].want);
		got = bytes_compare(rows[i].b, rows[i].a);
		assert_int_equal((got > 0) - (got < 0), -rows[i].want);
		assert_int_equal(bytes_equal(rows[i].a, rows[i].b), rows[i].want == 0);
	}
	assert_true(bytes_equal(bytes_of(NULL, 0), BYTES_LIT("")));
	assert_true(bytes_equal_text(BYTES_LIT("abc"), "abc"));
	assert_false(bytes_equal_text(BYTES_LIT("abc\0"), "abc"));
	assert_true(bytes_start(BYTES_LIT("abc"), "ab"));
	assert_true(bytes_start(BYTES_LIT("abc"), ""));
	assert_false(bytes_start(BYTES_LIT("ab"), "abc"));
	assert_true(bytes_equal_text(bytes_skip(BYTES_LIT("abc"), 2), "c"));
	assert_int_equal(bytes_skip(BYTES_LIT("abc"), 3).n, 0);
}

static void
a_write_that_does_not_fit_writes_nothing_and_fails_for_good(void **state)
{
	uint8_t room[9];
	struct buf b = buf_init(room, 8);

	(void)state;
	memset(room, 0xee, sizeof room);
	buf_put_text(&b, "12345");
	assert_int_equal(buf_end(&b), ERR_OK);
	buf_put_text(&b, "6789");
	assert_int_equal(buf_end(&b), ERR_LIMIT);
	assert_int_equal(room[5], 0xee);
	buf_put_u8(&b, '6'); /* would fit */
	assert_int_equal(room[5], 0xee);
	assert_int_equal(buf_end(&b), ERR_LIMIT);
	assert_int_equal(buf_bytes(&b).n, 0);
	assert_null(buf_room(&b, 0));
	/* the last byte of the room is used, the one behind it never */
	b = buf_init(room, 8);
	buf_put_text(&b, "12345678");
	assert_int_equal(buf_end(&b), ERR_OK);
	assert_true(bytes_equal_text(buf_bytes(&b), "12345678"));
	buf_put(&b, bytes_of(NULL, 0));
	assert_int_equal(buf_end(&b), ERR_OK);
	buf_put_u8(&b, 0);
	assert_int_equal(buf_end(&b), ERR_LIMIT);
	assert_int_equal(room[8], 0xee);
}

static void
a_length_near_the_largest_does_not_wrap(void **state)
{
	uint8_t room[8];
	struct buf b = BUF_OF(room);

	(void)state;
	buf_put_u8(&b, 1);
	assert_null(buf_room(&b, SIZE_MAX));
	assert_true(b.failed);
	b = BUF_OF(room);
	assert_null(buf_room(&b, 9));
	b = BUF_OF(room);
	assert_non_null(buf_room(&b, 8));
}

static void
hex_has_one_spelling(void **state)
{
	static const struct {
		const char *text;
		enum err want;
	} rows[] = {
	        {"00ff1a", ERR_OK},
	        {"00fF1a", ERR_ENCODING},
	        {"00ff1", ERR_ENCODING},
	        {"00ff1a0", ERR_ENCODING},
	        {"00ff1g", ERR_ENCODING},
	        {"00 f1a", ERR_ENCODING},
	        {"00f:1a", ERR_ENCODING},
	        {"00f/1a", ERR_ENCODING},
	        {"00f`1a", ERR_ENCODING},
	        {"", ERR_ENCODING},
	};
	uint8_t out[3], room[6];
	char text[7];
	struct buf b = BUF_OF(room);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(hex_decode(bytes_of_text(rows[i].text), out, 3), rows[i].want);
	assert_int_equal(hex_decode(BYTES_LIT("00ff1a"), out, 3), ERR_OK);
	hex_encode(bytes_of(out, 3), text);
	assert_string_equal(text, "00ff1a");
	buf_put_hex(&b, bytes_of(out, 3));
	assert_true(bytes_equal_text(buf_bytes(&b), "00ff1a"));
	buf_put_hex(&b, bytes_of(out, 1));
	assert_int_equal(buf_end(&b), ERR_LIMIT);
	assert_int_equal(hex_decode(BYTES_LIT(""), out, 0), ERR_OK);
}

static void
decimals_have_one_spelling_and_a_limit(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		enum err want;
		uint64_t value;
	} rows[] = {
	        {"0", 0, ERR_OK, 0},
	        {"1", 0, ERR_LIMIT, 0},
	        {"10", 10, ERR_OK, 10},
	        {"11", 10, ERR_LIMIT, 0},
	        {"18446744073709551615", UINT64_MAX, ERR_OK, UINT64_MAX},
	        {"18446744073709551616", UINT64_MAX, ERR_LIMIT, 0},
	        {"99999999999999999999", UINT64_MAX, ERR_LIMIT, 0},
	        {"100000000000000000000", UINT64_MAX, ERR_ENCODING, 0},
	        {"00", 10, ERR_ENCODING, 0},
	        {"01", 10, ERR_ENCODING, 0},
	        {"", 10, ERR_ENCODING, 0},
	        {"+1", 10, ERR_ENCODING, 0},
	        {"-1", 10, ERR_ENCODING, 0},
	        {" 1", 10, ERR_ENCODING, 0},
	        {"1 ", 100, ERR_ENCODING, 0},
	        {"1a", 100, ERR_ENCODING, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint64_t v = 77;

		assert_int_equal(
		        decimal_decode(bytes_of_text(rows[i].text), rows[i].max, &v), rows[i].want);
		assert_true(v == (rows[i].want == ERR_OK ? rows[i].value : 77));
	}
}

static void
numbers_are_written_big_endian_and_in_decimal(void **state)
{
	uint8_t room[64];
	struct buf b = BUF_OF(room);

	(void)state;
	for (unsigned width = 1; width <= 8; width++) {
		uint64_t v = UINT64_C(0x0102030405060708) >> (8 * (8 - width));

		be_put(room, v, width);
		assert_int_equal(room[0], 1);
		assert_int_equal(room[width - 1], width);
		assert_true(be_get(room, width) == v);
	}
	buf_put_decimal(&b, 0);
	buf_put_u8(&b, ' ');
	buf_put_decimal(&b, UINT64_MAX);
	assert_true(bytes_equal_text(buf_bytes(&b), "0 18446744073709551615"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(views_compare_bytewise_and_the_shorter_first),
	        cmocka_unit_test(a_write_that_does_not_fit_writes_nothing_and_fails_for_good),
	        cmocka_unit_test(a_length_near_the_largest_does_not_wrap),
	        cmocka_unit_test(hex_has_one_spelling),
	        cmocka_unit_test(decimals_have_one_spelling_and_a_limit),
	        cmocka_unit_test(numbers_are_written_big_endian_and_in_decimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
