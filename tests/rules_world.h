#ifndef TESTS_RULES_WORLD_H
#define TESTS_RULES_WORLD_H
/* rules_world.h - a centre, a session and a seat that break no rule, for tests that break one. */
#include "date.h"
#include "rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct field *field; /* opened once for all tests */

static inline int
open_field(void **state)
{
	(void)state;
	return field_open(&field) != ERR_OK;
}

static inline int
close_field(void **state)
{
	(void)state;
	field_free(field);
	return 0;
}

static inline int64_t
moment(const char *text)
{
	int64_t v = 0;

	assert_int_equal(time_decode(bytes_of_text(text), &v), ERR_OK);
	return v;
}

/* A centre in Zhejiang for special operations, a session of one good seat, and the evening of that
 * day. */
struct world {
	struct operator center;
	struct request_seat seats[4];
	struct request request;
	int64_t now;
};

static inline struct request_seat
good_seat(unsigned number)
{
	/* numbers of three persons who do not exist */
	static const char *const documents[] = {
	        "330000199001010006", "330000199001020001", "330000199001030007"};

	return (struct request_seat){.seat = number,
	        .name = BYTES_LIT("买买提·艾力"),
	        .sex = BYTES_LIT("F"),
	        .doc_type = BYTES_LIT("01"),
	        .doc_number = bytes_of_text(documents[number % 3]),
	        .photo_sha256 = BYTES_LIT(DIGEST),
	        .evidence_sha256 = BYTES_LIT(DIGEST),
	        .theory = 80,
	        .practical = 80};
}

static inline void
world_make(struct world *w)
{
	memset(w, 0, sizeof *w);
	w->center.role = ROLE_CENTER;
	w->center.code = BYTES_LIT("330106-01");
	w->center.regions[0] = BYTES_LIT("330000");
	w->center.regions[1] = BYTES_LIT("11");
	w->center.region_count = 2;
	w->center.items[0] = BYTES_LIT("03");
	w->center.item_count = 1;
	w->seats[0] = good_seat(1);
	w->request.type = REQUEST_ISSUE;
	w->request.seats = w->seats;
	w->request.seat_count = 1;
	w->request.session.center = w->center.code;
	w->request.session.region = BYTES_LIT("330000");
	w->request.session.item = BYTES_LIT("030102");
	w->request.session.basis = BYTES_LIT("initial");
	w->request.session.theory_at = moment("2026-10-17T09:00:00+08:00");
	w->request.session.practical_at = moment("2026-10-17T14:00:00+08:00");
	w->request.session.examiners[0] = BYTES_LIT("E33-0069");
	w->request.session.examiners[1] = BYTES_LIT("E33-0692");
	w->now = moment("2026-10-17T20:00:00+08:00");
}

static inline enum err
check(const struct world *w, struct rules_session *out)
{
	return rules_session_check(&w->request, &w->center, field, w->now, out);
}
#endif
