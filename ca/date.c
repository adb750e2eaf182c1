/* date.c - days and moments. Shanghai is UTC+8 without exception, so a day there is a shift and a
 * division; nothing here asks the clock or the machine's time zone. */
#include "date.h"

enum {
	YEAR_MIN = 1,
	YEAR_MAX = 9999,
	CYCLE_YEARS = 400, /* the Gregorian calendar repeats */
	CYCLE_DAYS = 146097,
	DATE_BYTES = 10,            /* YYYY-MM-DD */
	TIME_BYTES = 19,            /* YYYY-MM-DDThh:mm:ss */
	OFFSET_BYTES = 6,           /* +hh:mm */
	EPOCH_FROM_YEAR_0 = 719468, /* days from 0000-03-01 to 1970-01-01 */
};

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

static bool
leap_year(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && leap_year(year) ? 1 : 0);
}

bool
date_exists(int year, int month, int day)
{
	return year >= YEAR_MIN && year <= YEAR_MAX && month >= 1 && month <= 12 && day >= 1 &&
	       day <= month_days(year, month);
}

/* Years are counted from 1 March, so that the leap day is a year's last. Days before month m (March
 * = 0) of such a year are (153 m + 2) / 5: the lengths 31 30 31 30 31 repeat. */
int64_t
date_from_civil(int year, int month, int day)
{
	int64_t y = month > 2 ? year : (int64_t)year - 1;
	int64_t cycle = floor_div(y, CYCLE_YEARS);
	int64_t m = (month + 9) % 12;

	y -= cycle * CYCLE_YEARS;
	return cycle * CYCLE_DAYS + y * 365 + y / 4 - y / 100 + (153 * m + 2) / 5 + day - 1 -
	       EPOCH_FROM_YEAR_0;
}

void
date_to_civil(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + EPOCH_FROM_YEAR_0;
	int64_t cycle = floor_div(z, CYCLE_DAYS);
	int64_t in_cycle = z - cycle * CYCLE_DAYS;
	/* leap days before this one: each 4 years (1,460 days) but not each 100 (36,524), and the
	 * last of the cycle */
	int64_t y =
	        (in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / (CYCLE_DAYS - 1)) / 365;
	int64_t in_year = in_cycle - (y * 365 + y / 4 - y / 100);
	int64_t m = (5 * in_year + 2) / 153;

	*day = (int)(in_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(y + cycle * CYCLE_YEARS + (*month <= 2 ? 1 : 0));
}

int64_t
date_shanghai(int64_t utc_s)
{
	return floor_div(utc_s + SHANGHAI_OFFSET_S, DAY_S);
}

int64_t
date_shanghai_start(int64_t days)
{
	return days * DAY_S - SHANGHAI_OFFSET_S;
}

int64_t
date_add_years(int64_t days, int years)
{
	int year, month, day;

	date_to_civil(days, &year, &month, &day);
	/* 29 February of a year that has none counts on to 1 March by itself */
	return date_from_civil(year + years, month, 1) + day - 1;
}

int64_t
date_add_months(int64_t days, int months)
{
	int year, month, day;

	date_to_civil(days, &year, &month, &day);
	month += months - 1;
	year += month / 12;
	month = month % 12 + 1;
	while (!date_exists(year, month, day))
		day--;
	return date_from_civil(year, month, day);
}

int64_t
date_last_valid(int64_t first, int years)
{
	return date_add_years(first, years) - 1;
}

int
date_age(int64_t birth, int64_t on)
{
	int born, year, month, day, age;

	date_to_civil(birth, &born, &month, &day);
	date_to_civil(on, &year, &month, &day);
	age = year - born;
	return on < date_add_years(birth, age) ? age - 1 : age;
}

/* `n` digits at p. */
static bool
digits_get(const uint8_t *p, size_t n, int *out)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		v = v * 10 + (p[i] - '0');
	}
	*out = v;
	return true;
}

enum err
date_decode(struct bytes text, int64_t *days)
{
	int year, month, day;

	if (text.n != DATE_BYTES || text.p[4] != '-' || text.p[7] != '-' ||
	        !digits_get(text.p, 4, &year) || !digits_get(text.p + 5, 2, &month) ||
	        !digits_get(text.p + 8, 2, &day))
		return ERR_ENCODING;
	if (!date_exists(year, month, day))
		return ERR_VALUE;
	*days = date_from_civil(year, month, day);
	return ERR_OK;
}

static void
digits_put(struct buf *out, unsigned v, unsigned n)
{
	uint8_t *p = buf_room(out, n);

	if (p == NULL)
		return;
	for (; n > 0; n--, v /= 10)
		p[n - 1] = (uint8_t)('0' + v % 10);
}

/* Is this a day that four digits can name? */
static bool
day_writable(int64_t days)
{
	return days >= date_from_civil(YEAR_MIN, 1, 1) && days <= date_from_civil(YEAR_MAX, 12, 31);
}

void
date_put(struct buf *out, int64_t days)
{
	int year, month, day;

	if (!day_writable(days)) {
		out->failed = true;
		return;
	}
	date_to_civil(days, &year, &month, &day);
	digits_put(out, (unsigned)year, 4);
	buf_put_u8(out, '-');
	digits_put(out, (unsigned)month, 2);
	buf_put_u8(out, '-');
	digits_put(out, (unsigned)day, 2);
}

static enum err
offset_decode(struct bytes text, int64_t *seconds)
{
	int hour, minute;

	if (bytes_equal_text(text, "Z")) {
		*seconds = 0;
		return ERR_OK;
	}
	if (text.n != OFFSET_BYTES || (text.p[0] != '+' && text.p[0] != '-') || text.p[3] != ':' ||
	        !digits_get(text.p + 1, 2, &hour) || !digits_get(text.p + 4, 2, &minute))
		return ERR_ENCODING;
	if (hour > 23 || minute > 59)
		return ERR_VALUE;
	/* RFC 3339 section 4.3: -00:00 says that the offset is not known */
	if (text.p[0] == '-' && hour == 0 && minute == 0)
		return ERR_VALUE;
	*seconds = (hour * 60 + minute) * 60 * (text.p[0] == '-' ? -1 : 1);
	return ERR_OK;
}

enum err
time_decode(struct bytes text, int64_t *utc_s)
{
	int64_t days, offset, utc;
	int hour, minute, second;
	enum err e;

	if (text.n < TIME_BYTES || text.p[10] != 'T' || text.p[13] != ':' || text.p[16] != ':' ||
	        !digits_get(text.p + 11, 2, &hour) || !digits_get(text.p + 14, 2, &minute) ||
	        !digits_get(text.p + 17, 2, &second))
		return ERR_ENCODING;
	if ((e = date_decode(bytes_of(text.p, DATE_BYTES), &days)) != ERR_OK ||
	        (e = offset_decode(bytes_skip(text, TIME_BYTES), &offset)) != ERR_OK)
		return e;
	/* no leap seconds: UTC seconds cannot name them */
	if (hour > 23 || minute > 59 || second > 59)
		return ERR_VALUE;
	utc = days * DAY_S + (hour * 60 + minute) * 60 + second - offset;
	if (!day_writable(floor_div(utc, DAY_S)) || !day_writable(date_shanghai(utc)))
		return ERR_VALUE;
	*utc_s = utc;
	return ERR_OK;
}

static void
moment_put(struct buf *out, int64_t local_s, const char *offset)
{
	int64_t days = floor_div(local_s, DAY_S);
	unsigned second = (unsigned)(local_s - days * DAY_S);

	date_put(out, days);
	buf_put_u8(out, 'T');
	digits_put(out, second / 3600, 2);
	buf_put_u8(out, ':');
	digits_put(out, second / 60 % 60, 2);
	buf_put_u8(out, ':');
	digits_put(out, second % 60, 2);
	buf_put_text(out, offset);
}

void
time_put_utc(struct buf *out, int64_t utc_s)
{
	moment_put(out, utc_s, "Z");
}

void
time_put_shanghai(struct buf *out, int64_t utc_s)
{
	moment_put(out, utc_s + SHANGHAI_OFFSET_S, "+08:00");
}
