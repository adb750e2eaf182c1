/* test_base45.c - RFC 9285: its own examples, one spelling for each value, and the QR text. */
#include "base45.h"
#include "limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *in, *text;
} rfc[] = {
        {"", ""},
        {"AB", "BB8"},              /* section 4.3, example 1 */
        {"Hello!!", "%69 VD92EX0"}, /* example 2 */
        {"base-45", "UJCLQE7W581"}, /* example 3 */
        {"ietf!", "QED8WEX0"},      /* section 4.4 */
        {"\xff\xff", "FGW"},        /* section 6 */
        {"\xff", "U5"},
};

static void
examples_of_the_rfc_hold_in_both_directions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rfc / sizeof rfc[0]; i++) {
		uint8_t room[64];
		struct buf b = BUF_OF(room);

		base45_put(&b, bytes_of_text(rfc[i].in));
		assert_true(bytes_equal_text(buf_bytes(&b), rfc[i].text));
		b = BUF_OF(room);
		assert_int_equal(base45_get(bytes_of_text(rfc[i].text), &b), ERR_OK);
		assert_true(bytes_equal_text(buf_bytes(&b), rfc[i].in));
	}
}

static const struct {
	const char *what, *text;
} refused[] = {
        {"65536 in a triple", "GGW"},
        {"91124 in a triple", ":::"},
        {"256 in a pair", "V5"},
        {"2024 in a pair", "::"},
        {"a last single character", "BB8B"},
        {"a single character", "0"},
        {"lower case", "bb8"},
        {"a character outside", "B#8"},
        {"a line end", "BB8\n"},
        {"a byte above ASCII", "B\xc3\x98"},
};

static void
other_spellings_are_refused_and_write_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		uint8_t room[64];
		struct buf b = BUF_OF(room);

		buf_put_text(&b, "x");
		assert_int_equal(base45_get(bytes_of_text(refused[i].text), &b), ERR_ENCODING);
		assert_int_equal(b.n, 1);
	}
}

static void
every_value_of_two_bytes_has_one_spelling(void **state)
{
	static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
	unsigned accepted = 0;

	(void)state;
	for (unsigned v = 0; v < 45 * 45 * 45; v++) {
		uint8_t room[2], again[3];
		char text[3] = {alphabet[v % 45], alphabet[v / 45 % 45], alphabet[v / 2025]};
		struct buf b = BUF_OF(room), c = BUF_OF(again);

		if (base45_get(bytes_of(text, 3), &b) != ERR_OK)
			continue;
		accepted++;
		assert_int_equal(be_get(room, 2), v);
		base45_put(&c, buf_bytes(&b));
		assert_memory_equal(again, text, 3);
	}
	assert_int_equal(accepted, 65536);
}

static void
the_largest_record_fits_the_qr_text_and_no_more(void **state)
{
	uint8_t record[RECORD_BYTES_MAX], back[RECORD_BYTES_MAX + 8], text[QR_TEXT_BYTES_MAX + 8];
	struct buf qr = BUF_OF(text), out = BUF_OF(back);

	(void)state;
	memset(record, 0xff, sizeof record);
	qr_put(&qr, bytes_of(record, sizeof record));
	assert_int_equal(buf_end(&qr), ERR_OK);
	assert_true(qr.n <= QR_TEXT_BYTES_MAX);
	assert_true(bytes_start(buf_bytes(&qr), "ZZ1:FGW"));
	assert_int_equal(qr_get(buf_bytes(&qr), &out), ERR_OK);
	assert_true(bytes_equal(buf_bytes(&out), bytes_of(record, sizeof record)));
	memset(text + qr.n, '0', sizeof text - qr.n);
	out.n = 0;
	assert_int_equal(qr_get(bytes_of(text, QR_TEXT_BYTES_MAX + 1), &out), ERR_LIMIT);
	out = buf_init(back, RECORD_BYTES_MAX - 1);
	assert_int_equal(
	        qr_get(buf_bytes(&qr), &out), ERR_LIMIT); /* the caller's room counts too */
}

static const struct {
	const char *what, *text;
	enum err want;
} qr[] = {
        {"ours", "ZZ1:BB8", ERR_OK},
        {"empty", "", ERR_ENCODING},
        {"a part of the mark", "ZZ1", ERR_ENCODING},
        {"the mark alone", "ZZ1:", ERR_TRUNCATED},
        {"another version", "ZZ2:BB8", ERR_ENCODING},
        {"lower case", "zz1:BB8", ERR_ENCODING},
        {"a blank before", " ZZ1:BB8", ERR_ENCODING},
        {"its line end", "ZZ1:BB8\n", ERR_ENCODING},
        {"another family", "HC1:BB8", ERR_ENCODING},
};

static void
only_our_mark_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof qr / sizeof qr[0]; i++) {
		uint8_t room[8];
		struct buf b = BUF_OF(room);

		assert_int_equal(qr_get(bytes_of_text(qr[i].text), &b), qr[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(examples_of_the_rfc_hold_in_both_directions),
	        cmocka_unit_test(other_spellings_are_refused_and_write_nothing),
	        cmocka_unit_test(every_value_of_two_bytes_has_one_spelling),
	        cmocka_unit_test(the_largest_record_fits_the_qr_text_and_no_more),
	        cmocka_unit_test(only_our_mark_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
