/* bench_session.c - sessions for measuring, written as text straight away: the load must cost
 * little beside what it measures. */
#include "bench_session.h"
#include "date.h"
#include "document.h"
#include "hash.h"
#include "limits.h"
#include "request.h"
#include "zz_request.h"

#include <stdio.h>

/* The 31 provinces whose codes begin a resident's number. */
static const uint8_t provinces[] = {11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41,
        42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65};
enum {
	PROVINCES = sizeof provinces,
	ORDERS = 999,
	BIRTH_FIRST = -1826,
	BIRTH_DAYS = 14610
}; /* 1965 to 2004 */

static const char *const family[] = {
        "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "欧阳", "司马"};
static const char *const given[] = {
        "伟", "芳", "娜", "敏", "静", "强", "磊", "军", "洋", "勇", "艳", "杰", "涛", "明", "超"};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

uint64_t
bench_people(void)
{
	return (uint64_t)PROVINCES * BIRTH_DAYS * ORDERS;
}

void
bench_number(uint64_t n, char out[BENCH_NUMBER + 1], char *sex)
{
	unsigned order, province;
	int year, month, day;
	struct buf b = buf_init(out, BENCH_NUMBER);
	char text[24];

	n %= bench_people();
	order = (unsigned)(n % ORDERS) + 1;
	province = provinces[n / ORDERS / BIRTH_DAYS];
	date_to_civil(BIRTH_FIRST + (int64_t)(n / ORDERS % BIRTH_DAYS), &year, &month, &day);
	snprintf(text, sizeof text, "%02u0000%04d%02d%02d%03u", province % 100, year, month, day,
	        order % 1000);
	buf_put(&b, bytes_of(text, BENCH_NUMBER - 1));
	buf_put_u8(&b, (uint8_t)document_check_char(text));
	out[BENCH_NUMBER] = 0;
	*sex = order % 2 ? 'M' : 'F';
}

static void
head_put(struct buf *b, const struct bench_plan *p, uint64_t first)
{
	int64_t day = date_shanghai_start(date_shanghai(p->now) - 1);
	char jti[ZZ_JTI_TEXT + 1], digest[2 * SHA256_BYTES + 1];
	uint8_t random[SHA256_BYTES];

	zz_jti(jti);
	random_bytes(random, sizeof random);
	hex_encode(bytes_of(random, sizeof random), digest);
	buf_put_text(b, "{\"type\":\"issue\",\"jti\":\"");
	buf_put_text(b, jti);
	buf_put_text(b, "\",\"iat\":");
	buf_put_decimal(b, (uint64_t)p->now);
	buf_put_text(b, ",\"exp\":");
	buf_put_decimal(b, (uint64_t)(p->now + ISSUE_LIFETIME_S_MAX));
	buf_put_text(b, ",\"session\":{\"id\":\"bench-");
	buf_put_text(b, p->run);
	buf_put_text(b, "-");
	buf_put_decimal(b, first);
	buf_put_text(b, "\",\"center\":\"");
	buf_put_text(b, p->center);
	buf_put_text(b, "\",\"region\":\"");
	buf_put_text(b, p->region);
	buf_put_text(b, "\",\"item\":\"");
	buf_put_text(b, p->item);
	buf_put_text(b, "\",\"basis\":\"initial\",\"theory_at\":\"");
	time_put_shanghai(b, day + 9 * 3600);
	buf_put_text(b, "\",\"practical_at\":\"");
	time_put_shanghai(b, day + 14 * 3600);
	buf_put_text(b, "\",\"paper_sha256\":\"");
	buf_put_text(b, digest);
	buf_put_text(b, "\",\"recording_sha256\":\"");
	buf_put_text(b, digest);
	buf_put_text(b, "\",\"examiners\":[\"E33-0069\",\"E33-0692\"]},\"results\":[");
}

static void
seat_put(struct buf *b, unsigned seat, uint64_t person)
{
	char number[BENCH_NUMBER + 1], sex[2] = {0}, digest[2 * SHA256_BYTES + 1];
	uint8_t raw[SHA256_BYTES] = {0};

	bench_number(person, number, &sex[0]);
	be_put(raw, person, 8);
	be_put(raw + 24, person * 0x9e3779b97f4a7c15U, 8);
	hex_encode(bytes_of(raw, sizeof raw), digest);
	buf_put_text(b, seat > 1 ? ",{\"seat\":" : "{\"seat\":");
	buf_put_decimal(b, seat);
	buf_put_text(b, ",\"name\":\"");
	buf_put_text(b, family[person % COUNT(family)]);
	buf_put_text(b, given[person / 7 % COUNT(given)]);
	buf_put_text(b, given[person / 11 % COUNT(given)]);
	buf_put_text(b, "\",\"sex\":\"");
	buf_put_text(b, sex);
	buf_put_text(b, "\",\"doc_type\":\"01\",\"doc_number\":\"");
	buf_put_text(b, number);
	buf_put_text(b, "\",\"theory\":9");
	buf_put_decimal(b, person % 10);
	buf_put_text(b, ".5,\"practical\":8");
	buf_put_decimal(b, person / 10 % 10);
	buf_put_text(b, ".0,\"photo_sha256\":\"");
	buf_put_text(b, digest);
	buf_put_text(b, "\",\"evidence_sha256\":\"");
	buf_put_text(b, digest);
	buf_put_text(b, "\"}");
}

enum err
bench_session_sign(const struct bench_plan *plan, const struct key *k, uint64_t first,
        struct buf *payload, struct buf *jws)
{
	unsigned i;
	enum err e;

	payload->n = jws->n = 0;
	head_put(payload, plan, first);
	for (i = 0; i < plan->seats; i++)
		seat_put(payload, i + 1, plan->start + first + i);
	buf_put_text(payload, "]}");
	if ((e = buf_end(payload)) != ERR_OK)
		return e;
	return jws_sign(k, REQUEST_TYP, buf_bytes(payload), jws);
}
