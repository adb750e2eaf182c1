/* test_base64.c - RFC 4648: its own examples, and that every value has one spelling. */
#include "base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *what, *in, *padded, *url;
} rfc[] = {
        {"section 10, empty", "", "", ""},
        {"f", "f", "Zg==", "Zg"},
        {"fo", "fo", "Zm8=", "Zm8"},
        {"foo", "foo", "Zm9v", "Zm9v"},
        {"foob", "foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"the last two characters", "\xfb\xff\xbf", "+/+/", "-_-_"},
};

static void
examples_of_the_rfc_hold_in_both_directions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rfc / sizeof rfc[0]; i++) {
		uint8_t room[64];
		struct buf b = BUF_OF(room);

		base64_put(&b, bytes_of_text(rfc[i].in));
		assert_true(bytes_equal_text(buf_bytes(&b), rfc[i].padded));
		b = BUF_OF(room);
		base64url_put(&b, bytes_of_text(rfc[i].in));
		assert_true(bytes_equal_text(buf_bytes(&b), rfc[i].url));
		b = BUF_OF(room);
		assert_int_equal(base64_get(bytes_of_text(rfc[i].padded), &b), ERR_OK);
		assert_int_equal(
		        base64url_get(bytes_of_text(rfc[i].url), &b), ERR_OK); /* appends */
		assert_int_equal(b.n, 2 * strlen(rfc[i].in));
		assert_memory_equal(room, rfc[i].in, b.n / 2);
		assert_memory_equal(room + b.n / 2, rfc[i].in, b.n / 2);
	}
}

static const struct {
	const char *what, *text;
	enum err url, plain;
} spellings[] = {
        {"unused bits, two characters", "Zh", ERR_ENCODING, ERR_ENCODING},
        {"unused bits, two characters, padded", "Zh==", ERR_ENCODING, ERR_ENCODING},
        {"unused bits, three characters", "Zm9", ERR_ENCODING, ERR_ENCODING},
        {"unused bits, three characters, padded", "Zm9=", ERR_ENCODING, ERR_ENCODING},
        {"one character", "Z", ERR_ENCODING, ERR_ENCODING},
        {"one character and padding", "Z===", ERR_ENCODING, ERR_ENCODING},
        {"five characters", "Zm9vZ", ERR_ENCODING, ERR_ENCODING},
        {"no padding", "Zg", ERR_OK, ERR_ENCODING},
        {"padding", "Zg==", ERR_ENCODING, ERR_OK},
        {"half the padding", "Zg=", ERR_ENCODING, ERR_ENCODING},
        {"too much padding", "Zm9v====", ERR_ENCODING, ERR_ENCODING},
        {"padding alone", "====", ERR_ENCODING, ERR_ENCODING},
        {"padding within", "Zg==Zm9v", ERR_ENCODING, ERR_ENCODING},
        {"a line end", "Zm9v\n", ERR_ENCODING, ERR_ENCODING},
        {"a line end in the middle", "Zm9\nZm9v", ERR_ENCODING, ERR_ENCODING},
        {"a blank", "Zm 9", ERR_ENCODING, ERR_ENCODING},
        {"the other alphabet: plain", "+/+/", ERR_ENCODING, ERR_OK},
        {"the other alphabet: url", "-_-_", ERR_OK, ERR_ENCODING},
        {"a byte above ASCII", "Zm9\xc3", ERR_ENCODING, ERR_ENCODING},
};

static void
other_spellings_are_refused_and_write_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
		uint8_t room[64];
		struct buf b = BUF_OF(room);

		assert_int_equal(
		        base64url_get(bytes_of_text(spellings[i].text), &b), spellings[i].url);
		assert_true((b.n == 0) == (spellings[i].url != ERR_OK));
		b = BUF_OF(room);
		assert_int_equal(
		        base64_get(bytes_of_text(spellings[i].text), &b), spellings[i].plain);
		assert_true((b.n == 0) == (spellings[i].plain != ERR_OK));
		assert_false(b.failed);
	}
}

/* Whatever of all texts of three and four characters is accepted, encodes back to itself. */
static void
what_decodes_encodes_to_the_same_text(void **state)
{
	uint8_t text[4] = {'Z', 'm', '9', 'v'};
	unsigned accepted = 0;

	(void)state;
	for (unsigned v = 0; v < 65536; v++) {
		for (size_t n = 3; n <= 4; n++) {
			uint8_t value[8], again[8];
			struct buf b = BUF_OF(value), c = BUF_OF(again), d = BUF_OF(value);

			text[n - 2] = (uint8_t)(v >> 8);
			text[n - 1] = (uint8_t)v;
			if (base64url_get(bytes_of(text, n), &b) == ERR_OK) {
				base64url_put(&c, buf_bytes(&b));
				assert_true(bytes_equal(buf_bytes(&c), bytes_of(text, n)));
				accepted++;
			}
			c.n = 0;
			if (base64_get(bytes_of(text, n), &d) == ERR_OK) {
				base64_put(&c, buf_bytes(&d));
				assert_true(bytes_equal(buf_bytes(&c), bytes_of(text, n)));
			}
		}
		memcpy(text, "Zm9v", 4);
	}
	assert_int_equal(accepted, 64 * 16 + 64 * 64);
}

static void
a_length_beyond_the_room_is_a_limit(void **state)
{
	uint8_t room[3];
	struct buf b = BUF_OF(room), c = BUF_OF(room), d = BUF_OF(room);

	(void)state;
	assert_int_equal(base64_get(BYTES_LIT("Zm9v"), &b), ERR_OK);
	assert_int_equal(base64_get(BYTES_LIT("Zg=="), &b), ERR_LIMIT);
	assert_int_equal(base64url_get(BYTES_LIT("Zm9vYg"), &c), ERR_LIMIT);
	base64_put(&d, BYTES_LIT("f"));
	assert_int_equal(buf_end(&d), ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(examples_of_the_rfc_hold_in_both_directions),
	        cmocka_unit_test(other_spellings_are_refused_and_write_nothing),
	        cmocka_unit_test(what_decodes_encodes_to_the_same_text),
	        cmocka_unit_test(a_length_beyond_the_room_is_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
