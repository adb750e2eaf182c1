/* test_document.c - numbers of documents. None belongs to a person: order digits 000 and 001 are
 * not assigned, and 11010519491231002X is the example of the standard itself. */
#include "csv.h"
#include "date.h"
#include "document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
numbers_are_normalised(void **state)
{
	static const struct {
		const char *what, *input, *want;
	} rows[] = {
	        {"as it is", "11010519491231002X", "11010519491231002X"},
	        {"lower-case x", "11010519491231002x", "11010519491231002X"},
	        {"blanks", " 110105 19491231 002X ", "11010519491231002X"},
	        {"tab", "110105\t19491231002X", "11010519491231002X"},
	        {"no-break space",
	                "110105\xc2\xa0"
	                "19491231002X",
	                "11010519491231002X"},
	        {"ideographic space", "110105　19491231002X", "11010519491231002X"},
	        {"full-width digits", "１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"},
	        {"full-width lower case", "11010519491231002ｘ", "11010519491231002X"},
	        {"full-width letters at both ends", "ＡＺａｚ０９", "AZAZ09"},
	        {"other text stays", "军字第１２号", "军字第12号"},
	        {"plane 2", "𠮷1", "𠮷1"},
	        {"Latin letters with marks stay", "éa", "éA"},
	        {"neighbours of the full-width ranges stay", "／：＠［｀｛", "／：＠［｀｛"},
	        {"empty", "", ""},
	        {"only blanks", "  　", ""},
	        {"20 bytes", "12345678901234567890", "12345678901234567890"},
	        {"20 bytes and blanks", "1234 5678 9012 3456 7890", "12345678901234567890"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char got[DOCUMENT_BYTES_MAX + 1] = "?";
		enum err e = document_normalise(bytes_of_text(rows[i].input), got);

		if (e != ERR_OK || strcmp(got, rows[i].want) != 0)
			fail_msg("%s: %s, %s", rows[i].what, err_word(e), got);
	}
}

static void
text_that_no_number_can_hold_is_refused(void **state)
{
	static const struct {
		const char *what, *input;
		enum err want;
	} rows[] = {
	        {"21 bytes", "123456789012345678901", ERR_LIMIT},
	        {"21 bytes of Chinese", "军字第军字第军", ERR_LIMIT},
	        {"line end", "12345\n6", ERR_VALUE},
	        {"DEL", "12345\x7f", ERR_VALUE},
	        {"C1", "12345\xc2\x85", ERR_VALUE},
	        {"not UTF-8", "12345\xff", ERR_VALUE},
	        {"cut character", "12345\xef\xbc", ERR_VALUE},
	};
	char got[DOCUMENT_BYTES_MAX + 1] = "untouched";

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum err e = document_normalise(bytes_of_text(rows[i].input), got);

		if (e != rows[i].want)
			fail_msg("%s: %s", rows[i].what, err_word(e));
		assert_string_equal(got, "untouched");
	}
	assert_int_equal(document_normalise(bytes_of("12\0003", 4), got), ERR_VALUE);
}

static const struct {
	const char *type, *number;
	enum err want;
} forms[] = {
        {"01", "11010519491231002X", ERR_OK},
        {"01", "11010519491231002x", ERR_OK},
        {"01", "440000199001010001", ERR_OK},
        {"01", "440000200802290002", ERR_OK},
        {"01", "999999199001010008", ERR_OK}, /* unknown region: a warning, not a fault */
        {"01", "110105194912310021", ERR_VALUE},
        {"01", "440000199001010002", ERR_VALUE},
        {"01", "440000190002290008", ERR_VALUE},
        {"01", "440000202602300009", ERR_VALUE},
        {"01", "110105491231002", ERR_VALUE},
        {"01", "1101054912310021", ERR_VALUE},
        {"01", "1101051949123100", ERR_VALUE},
        {"01", "11010519491231002X0", ERR_VALUE},
        {"01", "X1010519491231002X", ERR_VALUE},
        {"01", "11010519491231X02X", ERR_VALUE},
        {"01", "", ERR_VALUE},
        {"01", "1101051949123100二X", ERR_VALUE},
        {"02", "810000199001010000", ERR_OK},
        {"02", "820000199001010010", ERR_OK},
        {"02", "830000199001010004", ERR_VALUE},
        {"02", "440000199001010001", ERR_VALUE},
        {"02", "810101199001010002", ERR_VALUE},
        {"02", "810000199001010001", ERR_VALUE},
        {"03", "830000199001010004", ERR_OK},
        {"03", "810000199001010000", ERR_VALUE},
        {"03", "840000199001010006", ERR_VALUE},
        {"04", "93314219900101000X", ERR_OK},
        {"04", "93315600000000000x", ERR_OK},
        {"04", "912345999999990005", ERR_OK},
        {"04", "933142199001010009", ERR_VALUE},
        {"04", "9331421990010100", ERR_VALUE},
        {"04", "440000199001010001", ERR_VALUE},
        {"04", "ABC123456789012", ERR_OK},
        {"04", "abc123456789012", ERR_OK},
        {"04", "AB1123456789012", ERR_VALUE},
        {"04", "ABC12345678901", ERR_VALUE},
        {"04", "ABC1234567890123", ERR_VALUE},
        {"04", "ABC12345678901X", ERR_VALUE},
        {"04", "", ERR_VALUE},
        {"05", "H12345678", ERR_OK},
        {"05", "m12345678", ERR_OK},
        {"05", "H1234567890", ERR_OK},
        {"05", "H123456789", ERR_VALUE},
        {"05", "H12345678901", ERR_VALUE},
        {"05", "H1234567", ERR_VALUE},
        {"05", "C12345678", ERR_VALUE},
        {"05", "H1234567X", ERR_VALUE},
        {"05", "", ERR_VALUE},
        {"06", "12345678", ERR_OK},
        {"06", "1234 5678", ERR_OK},
        {"06", "1234567", ERR_VALUE},
        {"06", "123456789", ERR_VALUE},
        {"06", "1234567A", ERR_VALUE},
        {"06", "", ERR_VALUE},
        {"07", "AB123", ERR_OK},
        {"07", "12345678901234567", ERR_OK},
        {"07", "ea1234567", ERR_OK},
        {"07", "AB12", ERR_VALUE},
        {"07", "123456789012345678", ERR_VALUE},
        {"07", "AB-1234", ERR_VALUE},
        {"07", "护照12345", ERR_VALUE},
        {"07", "", ERR_VALUE},
        {"08", "军字第1234567号", ERR_OK},
        {"08", "1", ERR_OK},
        {"08", "A-1/2.(3)", ERR_OK},
        {"08", "12345678901234567890", ERR_OK},
        {"08", "123456789012345678901", ERR_VALUE},
        {"08", "", ERR_VALUE},
        {"08", "  　", ERR_VALUE},
        {"08", "1\n2", ERR_VALUE},
        {"09", "1", ERR_TYPE_UNKNOWN},
        {"00", "1", ERR_TYPE_UNKNOWN},
        {"1", "1", ERR_TYPE_UNKNOWN},
        {"", "1", ERR_TYPE_UNKNOWN},
        {"011", "1", ERR_TYPE_UNKNOWN},
        {"０１", "1", ERR_TYPE_UNKNOWN},
        {"01 ", "1", ERR_TYPE_UNKNOWN},
};

static void
each_type_has_its_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct document d;
		enum err e = document_check(
		        bytes_of_text(forms[i].type), bytes_of_text(forms[i].number), &d);

		if (e != forms[i].want)
			fail_msg("%s %s: %s", forms[i].type, forms[i].number, err_word(e));
		if (e == ERR_OK)
			assert_string_equal(d.type, forms[i].type);
	}
}

static void
a_resident_number_tells_birth_sex_and_region(void **state)
{
	struct document d;

	(void)state;
	assert_int_equal(
	        document_check(BYTES_LIT("01"), BYTES_LIT("11010519491231002x"), &d), ERR_OK);
	assert_string_equal(d.number, "11010519491231002X");
	assert_true(d.has_birth && d.has_sex && d.has_region);
	assert_int_equal(d.birth, date_from_civil(1949, 12, 31));
	assert_int_equal(d.sex, 2);
	assert_string_equal(d.region, "110105");
	assert_int_equal(
	        document_check(BYTES_LIT("01"), BYTES_LIT("44000019900101001X"), &d), ERR_OK);
	assert_int_equal(d.sex, 1);
	assert_int_equal(
	        document_check(BYTES_LIT("03"), BYTES_LIT("830000199001010004"), &d), ERR_OK);
	assert_true(d.has_birth && d.has_sex && d.has_region);
}

static void
other_documents_promise_nothing_of_the_person(void **state)
{
	static const char *const rows[][2] = {{"04", "93314219900101000X"}, {"05", "H12345678"},
	        {"06", "12345678"}, {"07", "44000019900101000"}, {"08", "440000199001010001"}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct document d;

		assert_int_equal(
		        document_check(bytes_of_text(rows[i][0]), bytes_of_text(rows[i][1]), &d),
		        ERR_OK);
		assert_false(d.has_birth || d.has_sex || d.has_region);
	}
}

/* MOD 11-2 finds every single wrong digit and every exchange of neighbours. */
static void
every_wrong_character_of_a_resident_number_is_refused(void **state)
{
	static const char good[] = "11010519491231002X";
	struct document d;

	(void)state;
	for (size_t i = 0; i < sizeof good - 1; i++)
		for (const char *c = "0123456789XA"; *c != '\0'; c++) {
			char changed[sizeof good];

			memcpy(changed, good, sizeof good);
			changed[i] = *c;
			if (*c != good[i])
				assert_int_equal(
				        document_check(BYTES_LIT("01"), bytes_of_text(changed), &d),
				        ERR_VALUE);
		}
	for (size_t i = 0; i + 2 < sizeof good; i++) {
		char changed[sizeof good];

		memcpy(changed, good, sizeof good);
		changed[i] = good[i + 1];
		changed[i + 1] = good[i];
		if (good[i] != good[i + 1])
			assert_int_equal(
			        document_check(BYTES_LIT("01"), bytes_of_text(changed), &d),
			        ERR_VALUE);
	}
	for (size_t n = 0; n < sizeof good - 1; n++)
		assert_int_equal(document_check(BYTES_LIT("01"), bytes_of(good, n), &d), ERR_VALUE);
}

static char file_text[8192];

static struct bytes
file_read_all(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	n = fread(file_text, 1, sizeof file_text, f);
	assert_true(n > 0 && n < sizeof file_text);
	(void)fclose(f);
	return bytes_of(file_text, n);
}

static void
check_uscc_row(struct bytes payload, struct bytes check)
{
	static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char code[18];

	assert_int_equal(payload.n, 17);
	memcpy(code, payload.p, 17);
	/* exactly one check character is right */
	for (const char *c = alphabet; *c != '\0'; c++) {
		code[17] = *c;
		assert_int_equal(uscc_valid(bytes_of(code, sizeof code)), *c == check.p[0]);
	}
}

static void
published_check_characters_are_found(void **state)
{
	struct csv c;
	enum err e;
	unsigned residents = 0, codes = 0;

	(void)state;
	assert_int_equal(
	        csv_init(&c, file_read_all(SOURCE_DIR "/ca/data/check_vectors.csv")), ERR_OK);
	while (csv_next(&c, &e)) {
		struct bytes kind = c.field[0], payload = c.field[1], check = c.field[2];

		assert_int_equal(check.n, 1);
		if (bytes_equal_text(kind, "uscc_mod31")) {
			check_uscc_row(payload, check);
			codes++;
		}
		if (bytes_equal_text(kind, "id_mod11_2")) {
			assert_int_equal(payload.n, 17);
			assert_int_equal(document_check_char((const char *)payload.p), check.p[0]);
			residents++;
		}
	}
	assert_int_equal(e, ERR_OK);
	assert_true(residents >= 1 && codes >= 7);
}

static void
credit_codes_of_another_form_are_refused(void **state)
{
	static const char *const rows[] = {"", "91610800064834709", "91610800064834709TT",
	        "91610800064834709t", "I1610800064834709T", "9161080006483470OT",
	        "SVZ10800064834709T", "91610800064834709 ", "９1610800064834709T"};

	(void)state;
	assert_true(uscc_valid(BYTES_LIT("91610800064834709T")));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_false(uscc_valid(bytes_of_text(rows[i])));
	assert_false(uscc_valid(bytes_of("9161080006483470\0T", 18)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(numbers_are_normalised),
	        cmocka_unit_test(text_that_no_number_can_hold_is_refused),
	        cmocka_unit_test(each_type_has_its_form),
	        cmocka_unit_test(a_resident_number_tells_birth_sex_and_region),
	        cmocka_unit_test(other_documents_promise_nothing_of_the_person),
	        cmocka_unit_test(every_wrong_character_of_a_resident_number_is_refused),
	        cmocka_unit_test(published_check_characters_are_found),
	        cmocka_unit_test(credit_codes_of_another_form_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
