#ifndef CA_DATE_H
#define CA_DATE_H
/* date.h - days since 1970-01-01, the civil calendar, and Shanghai time (UTC+8, a constant: no DST
 * since 1991). Times are UTC seconds. Source: FORMATS.md, first paragraph and section 2. */
#include "bytes.h"

enum { DAY_S = 86400, SHANGHAI_OFFSET_S = 8 * 3600 };

/* Proleptic Gregorian; the date must exist. */
int64_t date_from_civil(int year, int month, int day);
void date_to_civil(int64_t days, int *year, int *month, int *day);
bool date_exists(int year, int month, int day); /* years 1..9999 */
int64_t date_shanghai(int64_t utc_s);           /* day in Shanghai of a moment */
int64_t date_shanghai_start(int64_t days);      /* first second of that day in Shanghai, UTC */
/* Same month and day N years later; 29 February becomes 1 March where the year has none. */
int64_t date_add_years(int64_t days, int years);
/* The corresponding day N months later, or the last day of that month where it has none: the last
 * day of a term that begins on the day after `days` (Civil Code, articles 201 and 202). */
int64_t date_add_months(int64_t days, int months);
/* Last valid day of a certificate that starts on `first`: first + N years - 1 day. */
int64_t date_last_valid(int64_t first, int years);
int date_age(int64_t birth, int64_t on); /* completed years */

MUST_USE enum err date_decode(struct bytes text, int64_t *days); /* YYYY-MM-DD */
void date_put(struct buf *out, int64_t days);                    /* YYYY-MM-DD */
/* RFC 3339 with seconds and an offset or Z, no fraction: 2026-10-17T09:00:00+08:00. */
MUST_USE enum err time_decode(struct bytes text, int64_t *utc_s);
void time_put_utc(struct buf *out, int64_t utc_s);      /* 2026-10-17T01:00:00Z */
void time_put_shanghai(struct buf *out, int64_t utc_s); /* 2026-10-17T09:00:00+08:00 */
#endif
