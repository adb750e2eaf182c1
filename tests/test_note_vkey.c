/* test_note_vkey.c - verifier keys of signed notes have one form, and their id belongs to name and
 * key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "note.h"
#include "seed_key.h"

#define ORIGIN "ca.example.gov/log"
#define OWN_VKEY ORIGIN "+014f1ff1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"

static void
a_verifier_key_is_written_and_read(void **state)
{
	struct key *own = seed_key_from(0), *read;
	struct bytes name;
	char room[128];
	struct buf b = BUF_OF(room);

	(void)state;
	assert_non_null(own);
	note_vkey_put(&b, BYTES_LIT(ORIGIN), own);
	assert_true(bytes_equal_text(buf_bytes(&b), OWN_VKEY));
	assert_int_equal(note_vkey_decode(buf_bytes(&b), &name, &read), ERR_OK);
	assert_true(bytes_equal_text(name, ORIGIN));
	assert_true(bytes_equal(key_public(read), key_public(own)));
	b.n = 0;
	note_vkey_put(&b, BYTES_LIT("a+b"), own);
	assert_int_equal(buf_end(&b), ERR_LIMIT);
	key_free(own);
	key_free(read);
}

static const struct {
	const char *what, *vkey;
	enum err want;
} vkeys[] = {
        {"as it must be", OWN_VKEY, ERR_OK},
        {"another key id", ORIGIN "+014f1ff2+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
                ERR_VALUE},
        {"another name", "ca.example.org/log+014f1ff1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
                ERR_VALUE},
        {"a cosigner's key",
                "witness.example.gov/w1+173a951a+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X",
                ERR_VALUE},
        {"upper case", ORIGIN "+014F1FF1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
                ERR_ENCODING},
        {"seven digits", ORIGIN "+014f1ff+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
                ERR_ENCODING},
        {"no name", "+014f1ff1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", ERR_ENCODING},
        {"a blank in the name", "a b+014f1ff1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
                ERR_ENCODING},
        {"no key", ORIGIN "+014f1ff1+", ERR_VALUE},
        {"no second plus", ORIGIN "+014f1ff1", ERR_VALUE},
        {"a key too short",
                ORIGIN "+014f1ff1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTE=", ERR_VALUE},
        {"a key too long",
                ORIGIN "+014f1ff1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4AA==", ERR_LIMIT},
        {"a line end", OWN_VKEY "\n", ERR_ENCODING},
};

static void
verifier_keys_have_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vkeys / sizeof vkeys[0]; i++) {
		struct bytes name;
		struct key *k = NULL;
		enum err e = note_vkey_decode(bytes_of_text(vkeys[i].vkey), &name, &k);

		if (e != vkeys[i].want)
			fail_msg("%s: %s", vkeys[i].what, err_word(e));
		assert_true(e == ERR_OK || k == NULL);
		key_free(k);
	}
}

static void
every_prefix_and_every_changed_bit_of_a_verifier_key_is_refused(void **state)
{
	char vkey[] = OWN_VKEY;
	struct bytes name;
	struct key *k;

	(void)state;
	for (size_t n = 0; n < sizeof vkey - 1; n++)
		assert_int_not_equal(note_vkey_decode(bytes_of(vkey, n), &name, &k), ERR_OK);
	for (size_t bit = 0; bit < 8 * (sizeof vkey - 1); bit++) {
		vkey[bit / 8] = (char)(vkey[bit / 8] ^ 1 << bit % 8);
		assert_int_not_equal(
		        note_vkey_decode(bytes_of(vkey, sizeof vkey - 1), &name, &k), ERR_OK);
		vkey[bit / 8] = (char)(vkey[bit / 8] ^ 1 << bit % 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_verifier_key_is_written_and_read),
	        cmocka_unit_test(verifier_keys_have_one_form),
	        cmocka_unit_test(every_prefix_and_every_changed_bit_of_a_verifier_key_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
