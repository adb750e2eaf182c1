/* test_date.c - the calendar and Shanghai's days, also where others go wrong: leap days, borders of
 * days and years. */
#include "date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int64_t
day(const char *text)
{
	int64_t v = 0;

	assert_int_equal(date_decode(bytes_of_text(text), &v), ERR_OK);
	return v;
}

static int64_t
moment(const char *text)
{
	int64_t v = 0;

	assert_int_equal(time_decode(bytes_of_text(text), &v), ERR_OK);
	return v;
}

static void
assert_day(int64_t got, const char *want)
{
	char room[11] = "";
	struct buf b = buf_init(room, 10);

	date_put(&b, got);
	assert_int_equal(buf_end(&b), ERR_OK);
	assert_string_equal(room, want);
}

static void
known_days_have_their_numbers(void **state)
{
	static const struct {
		const char *text;
		int64_t days;
	} rows[] = {
	        {"1970-01-01", 0},
	        {"1969-12-31", -1},
	        {"2000-02-29", 11016},
	        {"2000-03-01", 11017},
	        {"2026-10-17", 20743},
	        {"0001-01-01", -719162},
	        {"9999-12-31", 2932896},
	        {"1900-03-01", -25508},
	        {"1600-02-29", -135081},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(day(rows[i].text), rows[i].days);
		assert_day(rows[i].days, rows[i].text);
	}
}

static void
each_day_follows_the_one_before(void **state)
{
	int year = 1, month = 1, dom = 1;

	(void)state;
	for (int64_t d = date_from_civil(1, 1, 1); d <= date_from_civil(9999, 12, 31); d++) {
		int y, m, n;

		date_to_civil(d, &y, &m, &n);
		if (y != year || m != month || n != dom || date_from_civil(y, m, n) != d)
			fail_msg("%04d-%02d-%02d is day %lld", year, month, dom, (long long)d);
		if (date_exists(year, month, dom + 1)) {
			dom++;
			continue;
		}
		dom = 1;
		month = month % 12 + 1;
		year += month == 1 ? 1 : 0;
	}
	assert_int_equal(year, 10000);
}

static void
days_that_do_not_exist_are_refused(void **state)
{
	static const struct {
		const char *text;
		enum err want;
	} rows[] = {
	        {"2026-02-29", ERR_VALUE},
	        {"1900-02-29", ERR_VALUE},
	        {"2026-02-30", ERR_VALUE},
	        {"2026-04-31", ERR_VALUE},
	        {"2026-13-01", ERR_VALUE},
	        {"2026-00-01", ERR_VALUE},
	        {"2026-01-00", ERR_VALUE},
	        {"2026-01-32", ERR_VALUE},
	        {"0000-01-01", ERR_VALUE},
	        {"", ERR_ENCODING},
	        {"2026-1-01", ERR_ENCODING},
	        {"2026/10/17", ERR_ENCODING},
	        {"20261017", ERR_ENCODING},
	        {"2026-10-17 ", ERR_ENCODING},
	        {"+026-10-17", ERR_ENCODING},
	        {" 026-10-17", ERR_ENCODING},
	        {"2026-10-1x", ERR_ENCODING},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t v = 77;

		assert_int_equal(date_decode(bytes_of_text(rows[i].text), &v), rows[i].want);
		assert_int_equal(v, 77);
	}
}

static void
validity_ends_on_the_day_before_the_anniversary(void **state)
{
	static const struct {
		const char *first;
		int years;
		const char *last;
	} rows[] = {
	        {"2023-06-07", 3, "2026-06-06"},
	        {"2026-10-17", 6, "2032-10-16"},
	        {"2024-02-29", 6, "2030-02-28"},
	        {"2024-02-29", 4, "2028-02-28"},
	        {"2024-02-29", 3, "2027-02-28"},
	        {"2025-02-28", 3, "2028-02-27"},
	        {"2024-03-01", 6, "2030-02-28"},
	        {"2022-03-01", 6, "2028-02-29"},
	        {"2026-01-01", 6, "2031-12-31"},
	        {"2025-12-31", 3, "2028-12-30"},
	        {"2096-02-29", 4, "2100-02-28"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_day(date_last_valid(day(rows[i].first), rows[i].years), rows[i].last);
	assert_day(date_add_years(day("2024-02-29"), 1), "2025-03-01");
	assert_day(date_add_years(day("2024-02-29"), 4), "2028-02-29");
	assert_day(date_add_years(day("2024-02-29"), 0), "2024-02-29");
}

static void
age_counts_completed_years(void **state)
{
	static const struct {
		const char *birth, *on;
		int age;
	} rows[] = {
	        {"2008-10-17", "2026-10-16", 17},
	        {"2008-10-17", "2026-10-17", 18},
	        {"2008-10-17", "2026-10-18", 18},
	        {"2008-02-29", "2026-02-28", 17},
	        {"2008-02-29", "2026-03-01", 18},
	        {"2008-02-29", "2024-02-29", 16},
	        {"2026-10-17", "2026-10-17", 0},
	        {"2026-10-18", "2026-10-17", -1},
	        {"2030-01-01", "2026-10-17", -4},
	        {"1900-01-01", "2026-10-17", 126},
	        {"2007-12-31", "2026-01-01", 18},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(date_age(day(rows[i].birth), day(rows[i].on)), rows[i].age);
}

static void
a_day_in_Shanghai_begins_at_16_00_UTC(void **state)
{
	static const struct {
		const char *moment, *day;
	} rows[] = {
	        {"2026-10-16T15:59:59Z", "2026-10-16"},
	        {"2026-10-16T16:00:00Z", "2026-10-17"},
	        {"2026-10-17T15:59:59Z", "2026-10-17"},
	        {"2026-12-31T16:00:00Z", "2027-01-01"},
	        {"2026-12-31T15:59:59Z", "2026-12-31"},
	        {"2028-02-28T16:00:00Z", "2028-02-29"},
	        {"1969-12-31T15:59:59Z", "1969-12-31"},
	        {"1969-12-31T16:00:00Z", "1970-01-01"},
	        {"1988-07-01T15:30:00Z", "1988-07-01"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_day(date_shanghai(moment(rows[i].moment)), rows[i].day);
	assert_int_equal(
	        date_shanghai_start(day("2026-10-17")), moment("2026-10-17T00:00:00+08:00"));
	assert_int_equal(date_shanghai_start(0), -SHANGHAI_OFFSET_S);
}

static void
one_moment_has_many_offsets(void **state)
{
	static const char *const same[] = {"2026-10-17T09:00:00+08:00", "2026-10-17T01:00:00Z",
	        "2026-10-17T01:00:00+00:00", "2026-10-16T17:00:00-08:00",
	        "2026-10-17T06:30:00+05:30", "2026-10-18T00:59:00+23:59"};

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		assert_int_equal(moment(same[i]), 1792198800);
}

static void
moments_of_another_form_are_refused(void **state)
{
	static const char *const rows[] = {"", "2026-10-17", "2026-10-17T09:00:00",
	        "2026-10-17T09:00+08:00", "2026-10-17t09:00:00Z", "2026-10-17T09:00:00z",
	        "2026-10-17 09:00:00Z", "2026-10-17T09:00:00.0Z", "2026-10-17T24:00:00Z",
	        "2026-10-17T09:60:00Z", "2026-12-31T23:59:60Z", "2026-10-17T09:00:00+0800",
	        "2026-10-17T09:00:00+24:00", "2026-10-17T09:00:00+08:60",
	        "2026-10-17T09:00:00-00:00", "2026-02-29T09:00:00Z", "2026-10-17T09:00:00ZZ",
	        "2026-10-17T09:00:00+08:00 ", "2026-10-17T-9:00:00Z", "0001-01-01T00:00:00+08:00",
	        "9999-12-31T23:00:00Z"};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t v = 77;

		if (time_decode(bytes_of_text(rows[i]), &v) == ERR_OK)
			fail_msg("accepted: %s", rows[i]);
		assert_int_equal(v, 77);
	}
}

static void
every_prefix_of_a_moment_is_refused(void **state)
{
	static const char text[] = "2026-10-17T09:00:00+08:00";

	(void)state;
	for (size_t n = 0; n < sizeof text - 1; n++) {
		int64_t v;

		assert_int_not_equal(time_decode(bytes_of(text, n), &v), ERR_OK);
	}
}

/* What a changed byte gives is either refused or written back as it was read. */
static void
every_changed_byte_is_refused_or_read_as_written(void **state)
{
	static const char text[] = "2026-10-17T09:00:00+08:00";

	(void)state;
	for (size_t i = 0; i < sizeof text - 1; i++)
		for (int c = 0; c < 256; c++) {
			char changed[sizeof text], room[sizeof text] = "";
			struct buf b = buf_init(room, sizeof room - 1);
			int64_t v;

			memcpy(changed, text, sizeof text);
			changed[i] = (char)c;
			if (time_decode(bytes_of(changed, sizeof text - 1), &v) != ERR_OK)
				continue;
			time_put_shanghai(&b, v);
			if (i < 19) /* the offset has one spelling of ours */
				assert_string_equal(room, changed);
		}
}

static void
moments_are_written_in_both_zones(void **state)
{
	char room[64] = "";
	struct buf b = buf_init(room, sizeof room - 1);

	(void)state;
	time_put_utc(&b, 1792198800);
	buf_put_u8(&b, ' ');
	time_put_shanghai(&b, 1792198800 + 16 * 3600 + 61);
	assert_string_equal(room, "2026-10-17T01:00:00Z 2026-10-18T01:01:01+08:00");
	b = buf_init(room, sizeof room);
	time_put_utc(&b, -1);
	assert_memory_equal(room, "1969-12-31T23:59:59Z", 20);
}

static void
a_day_beyond_four_digits_fails_the_writer(void **state)
{
	char room[64];
	struct buf b = BUF_OF(room);

	(void)state;
	date_put(&b, date_from_civil(9999, 12, 31) + 1);
	assert_int_not_equal(buf_end(&b), ERR_OK);
	b = BUF_OF(room);
	time_put_utc(&b, INT64_MIN / 2);
	assert_int_not_equal(buf_end(&b), ERR_OK);
	b = buf_init(room, 9);
	date_put(&b, 0);
	assert_int_not_equal(buf_end(&b), ERR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(known_days_have_their_numbers),
	        cmocka_unit_test(each_day_follows_the_one_before),
	        cmocka_unit_test(days_that_do_not_exist_are_refused),
	        cmocka_unit_test(validity_ends_on_the_day_before_the_anniversary),
	        cmocka_unit_test(age_counts_completed_years),
	        cmocka_unit_test(a_day_in_Shanghai_begins_at_16_00_UTC),
	        cmocka_unit_test(one_moment_has_many_offsets),
	        cmocka_unit_test(moments_of_another_form_are_refused),
	        cmocka_unit_test(every_prefix_of_a_moment_is_refused),
	        cmocka_unit_test(every_changed_byte_is_refused_or_read_as_written),
	        cmocka_unit_test(moments_are_written_in_both_zones),
	        cmocka_unit_test(a_day_beyond_four_digits_fails_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
