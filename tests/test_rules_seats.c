/* test_rules_seats.c - one seat: each fault at its edge, the first of several, warnings, and
 * doubles. */
#include "rules_world.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

/* Outcome of the seats of a world, of which the last is looked at. */
static enum outcome
last_outcome(const struct world *w, struct rules_seat *out)
{
	uint64_t hashes[4] = {0};
	struct rules_session s;
	enum outcome o = OUTCOME_COUNT;

	assert_int_equal(check(w, &s), ERR_OK);
	for (size_t i = 0; i < w->request.seat_count; i++)
		o = rules_seat_check(&w->request, i, &s, field, hashes, out);
	return o;
}

static void
a_good_seat_gives_its_document_and_digest(void **state)
{
	struct world w;
	struct rules_seat seat;

	(void)state;
	world_make(&w);
	assert_int_equal(last_outcome(&w, &seat), OUTCOME_ISSUED);
	assert_string_equal(seat.document.type, "01");
	assert_int_equal(seat.sex, 2);
	assert_int_equal(seat.photo_sha256[1], 0x11);
	assert_false(seat.warn_sex);
	assert_false(seat.warn_region);
}

static void
names_are_checked_by_code_points_and_characters(void **state)
{
	static const struct {
		const char *what, *name;
		enum outcome want;
	} rows[] = {
	        {"one point", "李", OUTCOME_ISSUED},
	        {"U+00B7", "买买提·艾力", OUTCOME_ISSUED},
	        {"U+2022", "买买提•艾力", OUTCOME_ISSUED},
	        {"U+30FB", "买买提・艾力", OUTCOME_ISSUED},
	        {"U+FF0E", "买买提．艾力", OUTCOME_ISSUED},
	        {"plane 2", "𠮷", OUTCOME_ISSUED},
	        {"blank inside", "Maria da Silva", OUTCOME_ISSUED},
	        {"first after C1",
	                "a\xc2\xa0"
	                "b",
	                OUTCOME_ISSUED},
	        {"empty", "", OUTCOME_NAME},
	        {"blank", " ", OUTCOME_NAME},
	        {"leading blank", " 李", OUTCOME_NAME},
	        {"trailing blank", "李 ", OUTCOME_NAME},
	        {"leading ideographic blank", "　李", OUTCOME_NAME},
	        {"trailing ideographic blank", "李　", OUTCOME_NAME},
	        {"trailing no-break blank", "李\xc2\xa0", OUTCOME_NAME},
	        {"tab", "李\t明", OUTCOME_NAME},
	        {"line end", "李\n", OUTCOME_NAME},
	        {"U+001F", "李\x1f", OUTCOME_NAME},
	        {"DEL", "李\x7f", OUTCOME_NAME},
	        {"first of C1", "李\xc2\x80", OUTCOME_NAME},
	        {"last of C1", "李\xc2\x9f", OUTCOME_NAME},
	        {"not UTF-8", "\xc0\xee", OUTCOME_NAME},
	        {"surrogate", "\xed\xa0\x80", OUTCOME_NAME},
	        {"cut", "李\xe6\x98", OUTCOME_NAME},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world w;
		struct rules_seat seat;

		world_make(&w);
		w.seats[0].name = bytes_of_text(rows[i].name);
		if (last_outcome(&w, &seat) != rows[i].want)
			fail_msg("%s", rows[i].what);
	}
}

static void
a_name_has_at_most_64_code_points(void **state)
{
	static const char *const characters[] = {"a", "é", "李", "𠮷"};

	(void)state;
	for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++)
		for (size_t n = 63; n <= 66; n++) {
			char name[300];
			struct buf b = BUF_OF(name);
			struct world w;
			struct rules_seat seat;

			for (size_t k = 0; k < n; k++)
				buf_put_text(&b, characters[i]);
			world_make(&w);
			w.seats[0].name = buf_bytes(&b);
			assert_int_equal(
			        last_outcome(&w, &seat), n <= 64 ? OUTCOME_ISSUED : OUTCOME_NAME);
		}
	assert_int_equal(NAME_POINTS_MAX, 64);
}

static void
a_NUL_in_a_name_is_refused(void **state)
{
	struct world w;
	struct rules_seat seat;

	(void)state;
	world_make(&w);
	w.seats[0].name = bytes_of("a\0b", 3);
	assert_int_equal(last_outcome(&w, &seat), OUTCOME_NAME);
}

static void
sex_is_M_F_or_not_given(void **state)
{
	static const struct {
		const char *sex;
		enum outcome want;
		int value;
		bool warn;
	} rows[] = {
	        {"F", OUTCOME_ISSUED, 2, false},
	        {"M", OUTCOME_ISSUED, 1, true},
	        {"", OUTCOME_ISSUED, 0, false},
	        {"m", OUTCOME_SEX, 0, false},
	        {"男", OUTCOME_SEX, 0, false},
	        {" ", OUTCOME_SEX, 0, false},
	        {"MF", OUTCOME_SEX, 0, false},
	        {"X", OUTCOME_SEX, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world w;
		struct rules_seat seat = {.sex = 0};

		world_make(&w);
		w.seats[0].sex = bytes_of_text(rows[i].sex);
		assert_int_equal(last_outcome(&w, &seat), rows[i].want);
		assert_int_equal(seat.sex, rows[i].value);
		assert_int_equal(seat.warn_sex, rows[i].warn);
	}
}

static void
an_unknown_region_is_only_a_warning(void **state)
{
	struct world w;
	struct rules_seat seat;

	(void)state;
	world_make(&w);
	w.seats[0].doc_number = BYTES_LIT("999999199001010008");
	assert_int_equal(last_outcome(&w, &seat), OUTCOME_ISSUED);
	assert_true(seat.warn_region);
}

/* Examination on 2026-10-17, by Shanghai's calendar. */
static void
the_holder_is_old_enough_on_the_practical_day(void **state)
{
	static const struct {
		const char *type, *first17;
		enum outcome want;
	} rows[] = {
	        {"01", "33000020081017000", OUTCOME_ISSUED},
	        {"01", "33000020081018000", OUTCOME_AGE},
	        {"01", "33000020300101000", OUTCOME_AGE}, /* not yet born */
	        {"02", "81000020081018000", OUTCOME_AGE}, {"03", "83000020081018000", OUTCOME_AGE},
	        {"07", "33000020081018000", OUTCOME_ISSUED}, /* tells no birth date */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char number[19];
		struct world w;
		struct rules_seat seat;

		(void)snprintf(number, sizeof number, "%s%c", rows[i].first17,
		        document_check_char(rows[i].first17));
		world_make(&w);
		w.seats[0].doc_type = bytes_of_text(rows[i].type);
		w.seats[0].doc_number =
		        bytes_of(number, bytes_equal_text(w.seats[0].doc_type, "07") ? 17 : 18);
		if (last_outcome(&w, &seat) != rows[i].want)
			fail_msg("%s %s", rows[i].type, number);
	}
}

static void
digests_are_64_lower_case_hex_digits(void **state)
{
	static const char *const bad[] = {"", "00",
	        "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff", DIGEST "00",
	        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeef",
	        "g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct world w;
		struct rules_seat seat;

		world_make(&w);
		w.seats[0].photo_sha256 = bytes_of_text(bad[i]);
		assert_int_equal(last_outcome(&w, &seat), OUTCOME_DIGEST);
		world_make(&w);
		w.seats[0].evidence_sha256 = bytes_of_text(bad[i]);
		assert_int_equal(last_outcome(&w, &seat), OUTCOME_DIGEST);
	}
}

static void
scores_are_tenths_from_0_to_100(void **state)
{
	static const struct {
		double score;
		enum outcome want;
	} rows[] = {
	        {80, OUTCOME_ISSUED},
	        {80.1, OUTCOME_ISSUED},
	        {100, OUTCOME_ISSUED},
	        {99.9, OUTCOME_ISSUED},
	        {85.3, OUTCOME_ISSUED},
	        {80.00000005, OUTCOME_ISSUED},
	        {79.99999995, OUTCOME_ISSUED},
	        {79.9, OUTCOME_SCORE_PASS},
	        {0, OUTCOME_SCORE_PASS},
	        {-0.0, OUTCOME_SCORE_PASS},
	        {79.95, OUTCOME_SCORE_RANGE},
	        {80.0001, OUTCOME_SCORE_RANGE},
	        {80.000001, OUTCOME_SCORE_RANGE},
	        {100.1, OUTCOME_SCORE_RANGE},
	        {101, OUTCOME_SCORE_RANGE},
	        {-0.1, OUTCOME_SCORE_RANGE},
	        {1e300, OUTCOME_SCORE_RANGE},
	        {-1e300, OUTCOME_SCORE_RANGE},
	        {INFINITY, OUTCOME_SCORE_RANGE},
	        {NAN, OUTCOME_SCORE_RANGE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world w;
		struct rules_seat seat;

		world_make(&w);
		w.seats[0].theory = rows[i].score;
		if (last_outcome(&w, &seat) != rows[i].want)
			fail_msg("theory %.9f", rows[i].score);
		world_make(&w);
		w.seats[0].practical = rows[i].score;
		if (last_outcome(&w, &seat) != rows[i].want)
			fail_msg("practical %.9f", rows[i].score);
	}
	for (int tenths = 800; tenths <= 1000; tenths++) {
		struct world w;
		struct rules_seat seat;

		world_make(&w);
		w.seats[0].theory = tenths / 10.0;
		assert_int_equal(last_outcome(&w, &seat), OUTCOME_ISSUED);
	}
}

/* Puts in all faults from the last of the table up to `first`. */
static void
faults_put(struct world *w, enum outcome first)
{
	struct request_seat *s = &w->seats[1];

	*s = good_seat(2);
	s->theory = 79;
	if (first <= OUTCOME_SCORE_RANGE)
		s->practical = 101;
	if (first <= OUTCOME_DIGEST)
		s->photo_sha256 = BYTES_LIT("");
	if (first <= OUTCOME_AGE)
		w->seats[0].doc_number = BYTES_LIT("330000201001010006");
	if (first <= OUTCOME_DUPLICATE)
		s->doc_number = w->seats[0].doc_number;
	if (first <= OUTCOME_DOC_NUMBER)
		s->doc_number = BYTES_LIT("330000201001010004");
	if (first <= OUTCOME_DOC_TYPE)
		s->doc_type = BYTES_LIT("09");
	if (first <= OUTCOME_SEX)
		s->sex = BYTES_LIT("?");
	if (first <= OUTCOME_NAME)
		s->name = BYTES_LIT("");
	w->request.seat_count = 2;
}

static void
of_several_faults_the_first_of_the_table_is_the_answer(void **state)
{
	(void)state;
	for (int o = OUTCOME_NAME; o <= OUTCOME_SCORE_PASS; o++) {
		struct world w;
		struct rules_seat seat;

		world_make(&w);
		faults_put(&w, (enum outcome)o);
		if (last_outcome(&w, &seat) != (enum outcome)o)
			fail_msg("%s", outcome_word((enum outcome)o));
	}
}

static void
a_later_seat_with_the_same_document_is_a_duplicate(void **state)
{
	static const struct {
		const char *what, *first_type, *first, *second_type, *second;
		enum outcome want;
	} rows[] = {
	        {"same", "07", "E00000001", "07", "E00000001", OUTCOME_DUPLICATE},
	        {"other spelling", "07", "e0000 0001", "07", "Ｅ００００００01", OUTCOME_DUPLICATE},
	        {"other number", "07", "E00000001", "07", "E00000002", OUTCOME_ISSUED},
	        {"other type", "07", "E00000001", "08", "E00000001", OUTCOME_ISSUED},
	        {"first of unknown type", "09", "E00000001", "07", "E00000001", OUTCOME_ISSUED},
	        {"both invalid", "07", "E1", "07", "E1", OUTCOME_DOC_NUMBER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct world w;
		struct rules_seat seat;

		world_make(&w);
		w.seats[1] = good_seat(2);
		w.request.seat_count = 2;
		w.seats[0].doc_type = bytes_of_text(rows[i].first_type);
		w.seats[0].doc_number = bytes_of_text(rows[i].first);
		w.seats[1].doc_type = bytes_of_text(rows[i].second_type);
		w.seats[1].doc_number = bytes_of_text(rows[i].second);
		if (last_outcome(&w, &seat) != rows[i].want)
			fail_msg("%s", rows[i].what);
	}
}

static void
a_duplicate_counts_whatever_became_of_the_first(void **state)
{
	struct world w;
	struct rules_seat seat;

	(void)state;
	for (int fault = 0; fault < 4; fault++) {
		world_make(&w);
		w.seats[1] = good_seat(1);
		w.seats[1].seat = 2;
		w.request.seat_count = 2;
		if (fault == 0)
			w.seats[0].name = BYTES_LIT("");
		if (fault == 1)
			w.seats[0].sex = BYTES_LIT("?");
		if (fault == 2)
			w.seats[0].photo_sha256 = BYTES_LIT("");
		if (fault == 3)
			w.seats[0].theory = 10;
		assert_int_equal(last_outcome(&w, &seat), OUTCOME_DUPLICATE);
		/* negative control: without the first, the second is good */
		w.seats[0] = w.seats[1];
		w.request.seat_count = 1;
		assert_int_equal(last_outcome(&w, &seat), OUTCOME_ISSUED);
	}
}

/* Equal hashes alone are not enough: here every earlier seat seems to have the same. */
static void
a_false_match_of_hashes_is_no_duplicate(void **state)
{
	struct world w;
	struct rules_session s;
	struct rules_seat seat;
	uint64_t hashes[2] = {0};

	(void)state;
	world_make(&w);
	w.seats[1] = good_seat(2);
	w.request.seat_count = 2;
	assert_int_equal(check(&w, &s), ERR_OK);
	assert_int_equal(rules_seat_check(&w.request, 1, &s, field, hashes, &seat), OUTCOME_ISSUED);
	hashes[0] = hashes[1];
	assert_int_equal(rules_seat_check(&w.request, 1, &s, field, hashes, &seat), OUTCOME_ISSUED);
	w.seats[0] = w.seats[1];
	assert_int_equal(
	        rules_seat_check(&w.request, 1, &s, field, hashes, &seat), OUTCOME_DUPLICATE);
}

static void
five_thousand_seats_take_no_second(void **state)
{
	struct request_seat *seats = calloc(REQUEST_SEATS_MAX, sizeof *seats);
	uint64_t *hashes = calloc(REQUEST_SEATS_MAX, sizeof *hashes);
	char(*numbers)[16] = calloc(REQUEST_SEATS_MAX, sizeof *numbers);
	clock_t start = clock();
	struct world w;
	struct rules_session s;

	(void)state;
	assert_true(seats != NULL && hashes != NULL && numbers != NULL);
	world_make(&w);
	for (unsigned i = 0; i < REQUEST_SEATS_MAX; i++) {
		/* the last repeats the first */
		(void)snprintf(numbers[i], sizeof numbers[i], "E%08u", i % (REQUEST_SEATS_MAX - 1));
		seats[i] = good_seat(i + 1);
		seats[i].doc_type = BYTES_LIT("07");
		seats[i].doc_number = bytes_of_text(numbers[i]);
	}
	w.request.seats = seats;
	w.request.seat_count = REQUEST_SEATS_MAX;
	assert_int_equal(check(&w, &s), ERR_OK);
	for (size_t i = 0; i < REQUEST_SEATS_MAX; i++) {
		struct rules_seat seat;

		assert_int_equal(rules_seat_check(&w.request, i, &s, field, hashes, &seat),
		        i + 1 < REQUEST_SEATS_MAX ? OUTCOME_ISSUED : OUTCOME_DUPLICATE);
	}
	assert_true(clock() - start < CLOCKS_PER_SEC);
	free(seats);
	free(hashes);
	free(numbers);
}

static void
each_outcome_has_its_own_word(void **state)
{
	(void)state;
	for (int i = 0; i < OUTCOME_COUNT; i++) {
		assert_true(strlen(outcome_en((enum outcome)i)) > 0);
		assert_true(strlen(outcome_zh((enum outcome)i)) > 0);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(
			        outcome_word((enum outcome)i), outcome_word((enum outcome)k));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_good_seat_gives_its_document_and_digest),
	        cmocka_unit_test(names_are_checked_by_code_points_and_characters),
	        cmocka_unit_test(a_name_has_at_most_64_code_points),
	        cmocka_unit_test(a_NUL_in_a_name_is_refused),
	        cmocka_unit_test(sex_is_M_F_or_not_given),
	        cmocka_unit_test(an_unknown_region_is_only_a_warning),
	        cmocka_unit_test(the_holder_is_old_enough_on_the_practical_day),
	        cmocka_unit_test(digests_are_64_lower_case_hex_digits),
	        cmocka_unit_test(scores_are_tenths_from_0_to_100),
	        cmocka_unit_test(of_several_faults_the_first_of_the_table_is_the_answer),
	        cmocka_unit_test(a_later_seat_with_the_same_document_is_a_duplicate),
	        cmocka_unit_test(a_duplicate_counts_whatever_became_of_the_first),
	        cmocka_unit_test(a_false_match_of_hashes_is_no_duplicate),
	        cmocka_unit_test(five_thousand_seats_take_no_second),
	        cmocka_unit_test(each_outcome_has_its_own_word),
	};

	return cmocka_run_group_tests(tests, open_field, close_field);
}
