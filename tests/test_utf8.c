/* test_utf8.c - what is UTF-8 and what is not, at each edge of RFC 3629, and how many points it
 * has. */
#include "cbor.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
utf8_is_what_rfc_3629_says(void **state)
{
	const struct {
		struct bytes text;
		bool valid;
		size_t points;
	} rows[] = {
	        {BYTES_LIT(""), true, 0},
	        {BYTES_LIT("a\0b"), true, 3},
	        {BYTES_LIT("\x7f"), true, 1},
	        {BYTES_LIT("\x80"), false, 0},
	        {BYTES_LIT("\xbf"), false, 0},
	        {BYTES_LIT("\xc0\x80"), false, 0},
	        {BYTES_LIT("\xc1\xbf"), false, 0},
	        {BYTES_LIT("\xc2\x80"), true, 1},
	        {BYTES_LIT("\xdf\xbf"), true, 1},
	        {BYTES_LIT("\xc2"), false, 0},
	        {BYTES_LIT("\xc2\x7f"), false, 0},
	        {BYTES_LIT("\xc2\xc0"), false, 0},
	        {BYTES_LIT("\xe0\x9f\xbf"), false, 0},
	        {BYTES_LIT("\xe0\xa0\x80"), true, 1},
	        {BYTES_LIT("\xed\x9f\xbf"), true, 1},
	        {BYTES_LIT("\xed\xa0\x80"), false, 0},
	        {BYTES_LIT("\xed\xbf\xbf"), false, 0},
	        {BYTES_LIT("\xee\x80\x80"), true, 1},
	        {BYTES_LIT("\xef\xbf\xbf"), true, 1},
	        {BYTES_LIT("\xe6\xb0"), false, 0},
	        {BYTES_LIT("\xe6\xb0\x7f"), false, 0},
	        {BYTES_LIT("\xf0\x8f\xbf\xbf"), false, 0},
	        {BYTES_LIT("\xf0\x90\x80\x80"), true, 1},
	        {BYTES_LIT("\xf4\x8f\xbf\xbf"), true, 1},
	        {BYTES_LIT("\xf4\x90\x80\x80"), false, 0},
	        {BYTES_LIT("\xf5\x80\x80\x80"), false, 0},
	        {BYTES_LIT("\xff"), false, 0},
	        {BYTES_LIT("\xf0\x90\x80"), false, 0},
	        {BYTES_LIT("a水\xf0\x90\x85\x91"), true, 3},
	        {BYTES_LIT("水\xe6"), false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t points = 77;

		assert_int_equal(utf8_valid(rows[i].text, &points), rows[i].valid);
		assert_int_equal(points, rows[i].valid ? rows[i].points : 77);
		assert_int_equal(utf8_valid(rows[i].text, NULL), rows[i].valid);
	}
}

/* Every code point, encoded by hand; surrogates are none, and nothing lies above 10FFFF. */
static void
every_code_point_is_valid_and_counted_once(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x110100; c++) {
		uint8_t t[4];
		size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, points = 0;
		static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
		bool want = c < 0x110000 && (c < 0xd800 || c > 0xdfff);

		for (size_t i = n; i > 0; i--)
			t[i - 1] = (uint8_t)(0x80 | (c >> (6 * (n - i)) & 0x3f));
		t[0] = (uint8_t)(n == 1 ? c : lead[n] | c >> (6 * (n - 1)));
		assert_true(utf8_valid(bytes_of(t, n), &points) == want);
		assert_true(!want || points == 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(utf8_is_what_rfc_3629_says),
	        cmocka_unit_test(every_code_point_is_valid_and_counted_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
