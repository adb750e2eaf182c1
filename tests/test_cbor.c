/* test_cbor.c - of the many spellings of CBOR one is read: values of RFC 8949 appendix A, what lies
 * outside of our subset, bombs and depth. */
#include "cbor.h"

#include "limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 256 };

static struct bytes
from_hex(const char *hex, uint8_t room[ROOM])
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= ROOM);
	assert_int_equal(hex_decode(bytes_of_text(hex), room, n), ERR_OK);
	return bytes_of(room, n);
}

static enum err
check(const char *hex)
{
	uint8_t room[ROOM];

	return cbor_check(from_hex(hex, room));
}

/* RFC 8949 appendix A, what our subset has of it. */
static void
the_examples_of_the_standard_are_read(void **state)
{
	static const char *const rows[] = {"00", "01", "0a", "17", "1818", "1819", "1864", "1903e8",
	        "1a000f4240", "1b000000e8d4a51000", "1bffffffffffffffff", "3bffffffffffffffff",
	        "20", "29", "3863", "3903e7", "f4", "f5", "f6", "40", "4401020304", "60", "6161",
	        "6449455446", "62225c", "62c3bc", "63e6b0b4", "64f0908591", "80", "83010203",
	        "8301820203820405", "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
	        "a0", "a201020304", "a26161016162820203", "826161a161626163",
	        "a56161614161626142616361436164614461656145"};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (check(rows[i]) != ERR_OK)
			fail_msg("%s: %s", rows[i], err_word(check(rows[i])));
}

static void
what_is_outside_of_the_subset_is_refused_by_name(void **state)
{
	static const struct {
		const char *what, *hex;
		enum err want;
	} rows[] = {
	        {"nothing", "", ERR_TRUNCATED},
	        {"0 in two bytes", "1800", ERR_ENCODING},
	        {"23 in two bytes", "1817", ERR_ENCODING},
	        {"255 in three", "1900ff", ERR_ENCODING},
	        {"65535 in five", "1a0000ffff", ERR_ENCODING},
	        {"2^32 - 1 in nine", "1b00000000ffffffff", ERR_ENCODING},
	        {"-24 in two bytes", "3817", ERR_ENCODING},
	        {"a length in two bytes", "580101", ERR_ENCODING},
	        {"a text's length in two bytes", "780161", ERR_ENCODING},
	        {"a count in two bytes", "980100", ERR_ENCODING},
	        {"a map's count in two bytes", "b8010000", ERR_ENCODING},
	        {"tag 18 in two bytes", "d80100", ERR_ENCODING},
	        {"reserved 28", "1c", ERR_ENCODING},
	        {"reserved 30", "5e", ERR_ENCODING},
	        {"indefinite bytes", "5f41014102ff", ERR_ENCODING},
	        {"indefinite text", "7f6161ff", ERR_ENCODING},
	        {"indefinite array", "9f01ff", ERR_ENCODING},
	        {"indefinite map", "bf0102ff", ERR_ENCODING},
	        {"break alone", "ff", ERR_ENCODING},
	        {"half float", "f93c00", ERR_ENCODING},
	        {"single float", "fa47c35000", ERR_ENCODING},
	        {"double float", "fb3ff199999999999a", ERR_ENCODING},
	        {"undefined", "f7", ERR_VALUE},
	        {"simple 0", "e0", ERR_VALUE},
	        {"simple 19", "f3", ERR_VALUE},
	        {"false in two bytes", "f814", ERR_ENCODING},
	        {"simple 255", "f8ff", ERR_ENCODING},
	        {"keys that fall", "a202000100", ERR_ENCODING},
	        {"a key twice", "a201000100", ERR_ENCODING},
	        {"a text key twice", "a2616100616100", ERR_ENCODING},
	        {"-1 before 1", "a220000100", ERR_ENCODING},
	        {"a text before a number", "a26161000100", ERR_ENCODING},
	        {"a longer key first", "a262616100616200", ERR_ENCODING},
	        {"keys that fall inside", "81a202000100", ERR_ENCODING},
	        {"keys that are maps, twice", "a2a1010200a1010200", ERR_ENCODING},
	        {"tag 0", "c000", ERR_VALUE},
	        {"tag 61", "d83d00", ERR_VALUE},
	        {"tag 18 twice", "d2d200", ERR_VALUE},
	        {"tag 18 inside", "81d200", ERR_VALUE},
	        {"tag 18 in a map's value", "a100d200", ERR_VALUE},
	        {"a tag and nothing", "d2", ERR_TRUNCATED},
	        {"a byte more", "0000", ERR_TRAILING},
	        {"a byte more after tag 18", "d20000", ERR_TRAILING},
	        {"text that is not UTF-8", "61ff", ERR_NOT_UTF8},
	        {"a surrogate", "63eda080", ERR_NOT_UTF8},
	        {"a key that is not UTF-8", "a161ff00", ERR_NOT_UTF8},
	        {"an odd map", "a100", ERR_TRUNCATED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (check(rows[i].hex) != rows[i].want)
			fail_msg("%s: %s", rows[i].what, err_word(check(rows[i].hex)));
	/* negative controls: the same values in their one spelling */
	assert_int_equal(check("17"), ERR_OK);
	assert_int_equal(check("18ff"), ERR_OK);
	assert_int_equal(check("19ffff"), ERR_OK);
	assert_int_equal(check("1affffffff"), ERR_OK);
	assert_int_equal(check("a201000200"), ERR_OK);
	assert_int_equal(check("a201002000"), ERR_OK);
	assert_int_equal(check("a2a1010200a1010300"), ERR_OK);
	assert_int_equal(check("d200"), ERR_OK);
}

/* Five bytes that claim gigabytes are refused before anything is counted or reserved. */
static void
bombs_of_five_bytes_are_refused_at_once(void **state)
{
	static const char *const rows[] = {"9a10000000", "ba10000000", "5a10000000", "7a10000000",
	        "9affffffff", "baffffffff", "9bffffffffffffffff", "bb8000000000000000",
	        "5bffffffffffffffff", "7bffffffffffffffff", "9a100000009a10000000", "8182", "a1",
	        "9b0000000100000000"};
	uint8_t room[ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cbor c = cbor_init(from_hex(rows[i], room));

		assert_int_equal(check(rows[i]), ERR_TRUNCATED);
		assert_int_equal(cbor_array(&c) <= ROOM, 1);
		c = cbor_init(from_hex(rows[i], room));
		assert_int_equal(cbor_map(&c) <= ROOM, 1);
		c = cbor_init(from_hex(rows[i], room));
		assert_int_equal(cbor_bytes(&c).n, 0);
		c = cbor_init(from_hex(rows[i], room));
		assert_int_equal(cbor_text(&c).n, 0);
	}
}

/* A count is believed up to what remains: one byte an element, two a pair. */
static void
counts_are_bounded_by_what_remains(void **state)
{
	static const struct {
		const char *hex;
		bool map;
		uint64_t want;
	} rows[] = {
	        {"820000", false, 2},
	        {"830000", false, 0},
	        {"a200000000", true, 2},
	        {"a2000000", true, 0},
	        {"a100", true, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t room[ROOM];
		struct cbor c = cbor_init(from_hex(rows[i].hex, room));

		assert_true((rows[i].map ? cbor_map(&c) : cbor_array(&c)) == rows[i].want);
		assert_int_equal(c.e, rows[i].want == 0 ? ERR_TRUNCATED : ERR_OK);
	}
}

static enum err
nested(unsigned depth, uint8_t head)
{
	uint8_t room[ROOM];
	struct buf b = BUF_OF(room);

	for (unsigned i = 0; i < depth; i++) {
		buf_put_u8(&b, head);
		if (head == 0xa1)
			buf_put_u8(&b, 0);
	}
	buf_put_u8(&b, 0);
	return cbor_check(buf_bytes(&b));
}

static void
depth_ends_at_its_limit(void **state)
{
	uint8_t deep[100000];

	(void)state;
	assert_int_equal(nested(CBOR_DEPTH_MAX, 0x81), ERR_OK);
	assert_int_equal(nested(CBOR_DEPTH_MAX + 1, 0x81), ERR_LIMIT);
	assert_int_equal(nested(CBOR_DEPTH_MAX, 0xa1), ERR_OK);
	assert_int_equal(nested(CBOR_DEPTH_MAX + 1, 0xa1), ERR_LIMIT);
	/* in a key */
	memset(deep, 0x81, sizeof deep);
	assert_int_equal(cbor_check(bytes_of(deep, sizeof deep)), ERR_LIMIT);
	memset(deep, 0xa1, sizeof deep);
	assert_int_equal(cbor_check(bytes_of(deep, sizeof deep)), ERR_LIMIT);
}

/* A message with one of everything that we use. */
static struct bytes
sample_make(uint8_t room[ROOM])
{
	struct buf b = buf_init(room, ROOM);

	cbor_put_tag(&b, 18);
	cbor_put_array(&b, 5);
	cbor_put_bytes(&b, BYTES_LIT("\xa1\x01\x26"));
	cbor_put_map(&b, 3);
	cbor_put_uint(&b, 1);
	cbor_put_uint(&b, 70000);
	cbor_put_uint(&b, 300);
	cbor_put_text(&b, BYTES_LIT("水 and a"));
	cbor_put_int(&b, -70000);
	cbor_put_bool(&b, false);
	cbor_put_null(&b);
	cbor_put_bool(&b, true);
	cbor_put_int(&b, INT64_MIN);
	assert_int_equal(buf_end(&b), ERR_OK);
	return buf_bytes(&b);
}

/* What was read is written again, and gives the same bytes. */
static bool
sample_read(struct bytes in, struct buf *again)
{
	struct cbor c = cbor_init(in);
	int64_t last = INT64_MIN, keys[3];
	uint64_t number;
	struct bytes bytes, text;
	bool a, null, b;
	int64_t low;

	cbor_tag(&c, 18);
	cbor_array_exact(&c, 5);
	bytes = cbor_bytes(&c);
	if (cbor_map(&c) != 3)
		cbor_fail(&c, ERR_VALUE);
	keys[0] = cbor_key(&c, &last);
	number = cbor_uint(&c);
	keys[1] = cbor_key(&c, &last);
	text = cbor_text(&c);
	keys[2] = cbor_key(&c, &last);
	a = cbor_bool(&c);
	null = cbor_null_next(&c);
	b = cbor_bool(&c);
	low = cbor_int(&c);
	if (cbor_end(&c) != ERR_OK || !null)
		return false;
	cbor_put_tag(again, 18);
	cbor_put_array(again, 5);
	cbor_put_bytes(again, bytes);
	cbor_put_map(again, 3);
	cbor_put_int(again, keys[0]);
	cbor_put_uint(again, number);
	cbor_put_int(again, keys[1]);
	cbor_put_text(again, text);
	cbor_put_int(again, keys[2]);
	cbor_put_bool(again, a);
	cbor_put_null(again);
	cbor_put_bool(again, b);
	cbor_put_int(again, low);
	return true;
}

static void
every_prefix_is_refused(void **state)
{
	uint8_t room[ROOM], again_room[ROOM];
	struct bytes all = sample_make(room);

	(void)state;
	assert_int_equal(cbor_check(all), ERR_OK);
	for (size_t n = 0; n < all.n; n++) {
		struct buf again = BUF_OF(again_room);

		assert_int_equal(cbor_check(bytes_of(all.p, n)), ERR_TRUNCATED);
		assert_false(sample_read(bytes_of(all.p, n), &again));
	}
}

static void
whatever_is_read_has_one_spelling(void **state)
{
	uint8_t room[ROOM], again_room[ROOM];
	struct bytes all = sample_make(room);
	size_t read = 0;

	(void)state;
	for (size_t i = 0; i < all.n; i++)
		for (unsigned v = 0; v < 256; v++) {
			struct buf again = BUF_OF(again_room);
			uint8_t before = room[i];

			room[i] = (uint8_t)v;
			if (sample_read(all, &again)) {
				assert_true(bytes_equal(all, buf_bytes(&again)));
				assert_int_equal(cbor_check(all), ERR_OK);
				read++;
			}
			room[i] = before;
		}
	assert_true(read > all.n); /* the message itself, once a byte, and other values */
}

static void
numbers_have_the_shortest_head(void **state)
{
	static const struct {
		int64_t v;
		const char *hex;
	} rows[] = {{0, "00"}, {23, "17"}, {24, "1818"}, {255, "18ff"}, {256, "190100"},
	        {65535, "19ffff"}, {65536, "1a00010000"}, {4294967295, "1affffffff"},
	        {4294967296, "1b0000000100000000"}, {INT64_MAX, "1b7fffffffffffffff"}, {-1, "20"},
	        {-24, "37"}, {-25, "3818"}, {-256, "38ff"}, {-257, "390100"},
	        {-65537, "3a00010000"}, {INT64_MIN, "3b7fffffffffffffff"}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t room[ROOM], want[ROOM];
		struct buf b = BUF_OF(room);
		struct cbor c;

		cbor_put_int(&b, rows[i].v);
		assert_true(bytes_equal(buf_bytes(&b), from_hex(rows[i].hex, want)));
		c = cbor_init(buf_bytes(&b));
		assert_true(cbor_int(&c) == rows[i].v);
		assert_int_equal(cbor_end(&c), ERR_OK);
	}
}

static void
numbers_that_do_not_fit_are_refused(void **state)
{
	uint8_t room[ROOM];
	struct cbor c;

	(void)state;
	c = cbor_init(from_hex("1b8000000000000000", room));
	assert_true(cbor_int(&c) == 0);
	assert_int_equal(c.e, ERR_LIMIT);
	c = cbor_init(from_hex("3b8000000000000000", room));
	assert_true(cbor_int(&c) == 0);
	assert_int_equal(c.e, ERR_LIMIT);
	c = cbor_init(from_hex("1bffffffffffffffff", room));
	assert_true(cbor_uint(&c) == UINT64_MAX);
	c = cbor_init(from_hex("20", room));
	assert_true(cbor_uint(&c) == 0);
	assert_int_equal(c.e, ERR_VALUE);
	c = cbor_init(from_hex("0a", room));
	assert_true(cbor_uint_max(&c, 10) == 10);
	assert_int_equal(c.e, ERR_OK);
	c = cbor_init(from_hex("0b", room));
	assert_true(cbor_uint_max(&c, 10) == 0);
	assert_int_equal(c.e, ERR_LIMIT);
}

static void
the_first_fault_sticks_and_all_reads_after_it_give_zeros(void **state)
{
	uint8_t room[ROOM];
	struct cbor c = cbor_init(from_hex("420102058101a10102f5", room));
	int64_t last = INT64_MIN;

	(void)state;
	assert_true(cbor_uint(&c) == 0);
	assert_int_equal(c.e, ERR_VALUE);
	assert_true(cbor_bytes(&c).n == 0 && cbor_text(&c).n == 0 && cbor_array(&c) == 0);
	assert_true(cbor_map(&c) == 0 && cbor_int(&c) == 0 && cbor_key(&c, &last) == 0);
	assert_true(!cbor_bool(&c) && !cbor_null_next(&c) && cbor_item(&c).n == 0);
	assert_non_null(cbor_bytes_exact(&c, 32).p);
	cbor_fail(&c, ERR_LIMIT);
	assert_int_equal(cbor_end(&c), ERR_VALUE);
}

static void
strings_of_an_exact_length_are_read_at_that_length_only(void **state)
{
	uint8_t room[ROOM];
	struct cbor c;

	(void)state;
	for (size_t n = 1; n <= 3; n++) {
		c = cbor_init(from_hex("420102", room));
		assert_int_equal(cbor_bytes_exact(&c, n).n, n);
		assert_int_equal(cbor_end(&c), n == 2 ? ERR_OK : ERR_VALUE);
	}
	c = cbor_init(from_hex("626162", room));
	assert_int_equal(cbor_bytes_exact(&c, 2).n, 2);
	assert_int_equal(c.e, ERR_VALUE);
}

static void
keys_rise_in_the_order_of_their_encodings(void **state)
{
	static const struct {
		const char *hex;
		size_t count;
		enum err want;
	} rows[] = {
	        {"00011718181901002021", 7, ERR_OK},
	        {"0000", 2, ERR_ENCODING},
	        {"0100", 2, ERR_ENCODING},
	        {"2000", 2, ERR_ENCODING},
	        {"2120", 2, ERR_ENCODING},
	        {"2021", 2, ERR_OK},
	        {"390100"
	         "37",
	                2, ERR_ENCODING},
	        {"6161", 1, ERR_VALUE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t room[ROOM];
		struct cbor c = cbor_init(from_hex(rows[i].hex, room));
		int64_t last = INT64_MIN;

		for (size_t k = 0; k < rows[i].count; k++)
			(void)cbor_key(&c, &last);
		assert_int_equal(cbor_end(&c), rows[i].want);
	}
}

static void
an_item_is_taken_whole(void **state)
{
	uint8_t room[ROOM];
	struct cbor c = cbor_init(from_hex("8201a20102036161"
	                                   "05",
	        room));

	(void)state;
	assert_int_equal(cbor_item(&c).n, 8);
	assert_true(cbor_uint(&c) == 5);
	assert_int_equal(cbor_end(&c), ERR_OK);
	c = cbor_init(from_hex("d200", room));
	assert_int_equal(cbor_item(&c).n, 0);
	assert_int_equal(c.e, ERR_VALUE);
	c = cbor_init(from_hex("82019f", room));
	assert_int_equal(cbor_item(&c).n, 0);
	assert_int_equal(c.e, ERR_ENCODING);
}

static void
room_for_bytes_is_given_whole_or_not(void **state)
{
	uint8_t room[8];
	struct buf b = BUF_OF(room);
	uint8_t *p = cbor_put_bytes_room(&b, 7);

	(void)state;
	assert_ptr_equal(p, room + 1);
	assert_int_equal(room[0], 0x47);
	b = BUF_OF(room);
	assert_null(cbor_put_bytes_room(&b, 8));
	assert_int_equal(buf_end(&b), ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_examples_of_the_standard_are_read),
	        cmocka_unit_test(what_is_outside_of_the_subset_is_refused_by_name),
	        cmocka_unit_test(bombs_of_five_bytes_are_refused_at_once),
	        cmocka_unit_test(counts_are_bounded_by_what_remains),
	        cmocka_unit_test(depth_ends_at_its_limit),
	        cmocka_unit_test(every_prefix_is_refused),
	        cmocka_unit_test(whatever_is_read_has_one_spelling),
	        cmocka_unit_test(numbers_have_the_shortest_head),
	        cmocka_unit_test(numbers_that_do_not_fit_are_refused),
	        cmocka_unit_test(the_first_fault_sticks_and_all_reads_after_it_give_zeros),
	        cmocka_unit_test(strings_of_an_exact_length_are_read_at_that_length_only),
	        cmocka_unit_test(keys_rise_in_the_order_of_their_encodings),
	        cmocka_unit_test(an_item_is_taken_whole),
	        cmocka_unit_test(room_for_bytes_is_given_whole_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
