/* test_bundle.c - records with a receipt beside them: what bundle_put writes, and nothing else, is
 * read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "receipt_world.h"

#define RECORD_TYPE_HERE "application/zz-record+cwt"

static void
a_bundle_is_the_record_with_the_receipt_beside_it(void **state)
{
	uint8_t bare_room[RECORD_BYTES_MAX], room[BUNDLE_BYTES_MAX], want_room[BUNDLE_BYTES_MAX];
	struct buf bare = BUF_OF(bare_room), b = BUF_OF(room), want = BUF_OF(want_room);
	struct cose_sign1 m;
	struct bytes receipt;

	(void)state;
	assert_int_equal(cose_sign(own, RECORD_TYPE_HERE, BYTES_LIT("\xa0"), &bare), ERR_OK);
	assert_int_equal(bundle_put(&b, buf_bytes(&bare), buf_bytes(&good)), ERR_OK);
	assert_int_equal(cose_decode(buf_bytes(&b), false, &m), ERR_VALUE);
	assert_int_equal(cose_decode(buf_bytes(&b), true, &m), ERR_OK);
	assert_int_equal(cose_verify(&m, own, RECORD_TYPE_HERE), ERR_OK);
	assert_int_equal(bundle_receipt(&m, &receipt), ERR_OK);
	assert_true(bytes_equal(receipt, buf_bytes(&good)));
	assert_int_equal(verdict(receipt), ERR_OK);
	buf_put(&want, BYTES_LIT("\xd2\x84"));
	cbor_put_bytes(&want, m.protected);
	buf_put(&want, BYTES_LIT("\xa1\x19\x01\x8a\x81"));
	cbor_put_bytes(&want, buf_bytes(&good));
	cbor_put_bytes(&want, m.payload);
	cbor_put_bytes(&want, m.signature);
	assert_true(bytes_equal(buf_bytes(&b), buf_bytes(&want)));
	assert_int_equal(cose_decode(buf_bytes(&bare), true, &m), ERR_OK);
	assert_int_equal(bundle_receipt(&m, &receipt), ERR_FIELD_MISSING);
	want.n = 0;
	assert_int_not_equal(
	        bundle_put(&want, buf_bytes(&b), buf_bytes(&good)), ERR_OK); /* of a bundle */
	assert_int_not_equal(bundle_put(&want, buf_bytes(&bare), buf_bytes(&head)), ERR_OK);
	assert_int_equal(want.n, 0);
	want = buf_init(want_room, b.n - 1);
	assert_int_equal(bundle_put(&want, buf_bytes(&bare), buf_bytes(&good)), ERR_LIMIT);
}

static enum err
bundle_verdict(struct bytes in)
{
	struct cose_sign1 m;
	struct bytes receipt;
	enum err e;

	if ((e = cose_decode(in, true, &m)) != ERR_OK ||
	        (e = cose_verify(&m, own, RECORD_TYPE_HERE)) != ERR_OK ||
	        (e = bundle_receipt(&m, &receipt)) != ERR_OK)
		return e;
	return verdict(receipt);
}

static void
every_prefix_and_every_changed_bit_of_a_bundle_is_refused(void **state)
{
	uint8_t bare_room[RECORD_BYTES_MAX], room[BUNDLE_BYTES_MAX];
	struct buf bare = BUF_OF(bare_room), b = BUF_OF(room);

	(void)state;
	assert_int_equal(cose_sign(own, RECORD_TYPE_HERE, BYTES_LIT("\xa0"), &bare), ERR_OK);
	assert_int_equal(bundle_put(&b, buf_bytes(&bare), buf_bytes(&good)), ERR_OK);
	assert_int_equal(bundle_verdict(buf_bytes(&b)), ERR_OK);
	for (size_t n = 0; n < b.n; n++)
		assert_int_not_equal(bundle_verdict(bytes_of(room, n)), ERR_OK);
	for (size_t bit = 0; bit < 8 * b.n; bit++) {
		room[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(bundle_verdict(buf_bytes(&b)), ERR_OK);
		room[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}

/* What may stand in the unprotected map of a record. */
static const struct {
	const char *what, *map;
	enum err want;
} maps[] = {
        {"one receipt", "a119018a814100", ERR_OK},
        {"nothing", "a0", ERR_FIELD_MISSING},
        {"no receipt", "a119018a80", ERR_VALUE},
        {"two receipts", "a119018a8241004100", ERR_VALUE},
        {"a receipt that is text", "a119018a816130", ERR_VALUE},
        {"another label", "a119018b814100", ERR_VALUE},
        {"a second member", "a219018a81410019018b01", ERR_VALUE},
        {"bytes after it", "a119018a81410000", ERR_TRAILING},
        {"a longer spelling", "a11a0000018a814100", ERR_ENCODING},
        {"no map", "80", ERR_VALUE},
};

static void
only_one_receipt_stands_beside_a_record(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
		size_t n = strlen(maps[i].map) / 2;
		uint8_t room[16];
		struct cose_sign1 m = {.unprotected = bytes_of(room, n)};
		struct bytes receipt;
		enum err e;

		assert_int_equal(hex_decode(bytes_of_text(maps[i].map), room, n), ERR_OK);
		e = bundle_receipt(&m, &receipt);
		if (e != maps[i].want)
			fail_msg("%s: %s", maps[i].what, err_word(e));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_bundle_is_the_record_with_the_receipt_beside_it),
	        cmocka_unit_test(every_prefix_and_every_changed_bit_of_a_bundle_is_refused),
	        cmocka_unit_test(only_one_receipt_stands_beside_a_record),
	};

	return cmocka_run_group_tests(tests, world_make, world_free);
}
