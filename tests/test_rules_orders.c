/* test_rules_orders.c - which orders may be executed, and how many officials they take. */
#include "base64.h"
#include "rules_world.h"

#include <stdio.h>

static struct key *key;
static struct roster *roster; /* asks for the least that DESIGN.md section 4 allows */

/* The table of approvals, in the order of the roster. */
struct needed {
	int issue, late, revoke, suspend, reinstate, replace, stop, resume;
};
static const struct needed least = {0, 1, 2, 1, 2, 1, 1, 2}, strict_ones = {2, 3, 4, 3, 4, 2, 3, 4};

/* One official, who never signs: only the table of approvals matters here. */
static struct roster *
roster_make(const struct needed *n)
{
	char payload[1000], x[50] = "", y[50] = "";
	uint8_t room[4000];
	struct buf text = BUF_OF(room), xb = BUF_OF(x), yb = BUF_OF(y);
	struct bytes point = key_public(key);
	struct roster *r = NULL;

	base64url_put(&xb, bytes_of(point.p, 32));
	base64url_put(&yb, bytes_of(point.p + 32, 32));
	(void)snprintf(payload, sizeof payload,
	        "{\"version\":1,\"iat\":1,\"exp\":2,\"operators\":[{\"kid\":\"%s\",\"jwk\":{"
	        "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"},\"person\":\"A\","
	        "\"role\":\"official\",\"not_before\":1,\"not_after\":2}],\"approvals\":{"
	        "\"issue\":%d,\"issue_late\":%d,\"revoke\":%d,\"suspend\":%d,\"reinstate\":%d,"
	        "\"replace\":%d,\"stop\":%d,\"resume\":%d}}",
	        key_thumb_text(key), x, y, n->issue, n->late, n->revoke, n->suspend, n->reinstate,
	        n->replace, n->stop, n->resume);
	assert_int_equal(jws_sign(key, ROSTER_TYP, bytes_of_text(payload), &text), ERR_OK);
	assert_int_equal(roster_read(buf_bytes(&text), key, &r), ERR_OK);
	return r;
}

static int
open_all(void **state)
{
	if (open_field(state) != 0)
		return 1;
	if (key_generate(KEY_ES256, &key) != ERR_OK)
		return 1;
	roster = roster_make(&least);
	return roster == NULL;
}

static int
close_all(void **state)
{
	roster_free(roster);
	key_free(key);
	return close_field(state);
}

static int64_t
day(const char *text)
{
	int64_t v = 0;

	assert_int_equal(date_decode(bytes_of_text(text), &v), ERR_OK);
	return v;
}

struct order {
	struct request request;
	uint8_t serials[REQUEST_SERIALS_MAX + 1][16];
};

static void
order_make(struct order *o, const char *ground)
{
	memset(o, 0, sizeof *o);
	for (size_t i = 0; i <= REQUEST_SERIALS_MAX; i++)
		be_put(o->serials[i] + 8, i, 8);
	o->request.type = REQUEST_REVOKE;
	o->request.iat = date_shanghai_start(day("2026-11-02"));
	o->request.ground = bytes_of_text(ground);
	o->request.decided_at = day("2026-11-02");
	o->request.effective_at = day("2026-11-02");
	o->request.serials = o->serials;
	o->request.serial_count = 1;
}

static enum err
order_check(const struct order *o, enum role role)
{
	const struct operator sender = {.role = role};
	const struct field_ground *g = NULL;
	enum err e;

	e = rules_order_check(&o->request, &sender, field, &g);
	if (e == ERR_OK &&
	        (o->request.type == REQUEST_REVOKE || o->request.type == REQUEST_SUSPEND ||
	                o->request.type == REQUEST_REPLACE))
		assert_ptr_equal(g, field_ground(field, o->request.ground));
	else
		assert_null(g);
	return e;
}

static void
grounds_that_make_a_certificate_invalid_revoke(void **state)
{
	static const struct {
		const char *ground;
		enum err want;
	} rows[] = {
	        {"R05", ERR_OK},
	        {"R15", ERR_OK},
	        {"W01", ERR_OK},
	        {"C01", ERR_OK},
	        {"C03", ERR_OK},
	        {"V01", ERR_OK},
	        {"V02", ERR_OK},
	        {"S01", ERR_GROUND},
	        {"S02", ERR_GROUND},
	        {"X02", ERR_GROUND},
	        {"L02", ERR_OK},     /* an official says so */
	        {"L01", ERR_GROUND}, /* its date says so */
	        {"L03", ERR_GROUND},
	        {"F01", ERR_GROUND},
	        {"R99", ERR_GROUND},
	        {"", ERR_GROUND},
	        {"r05", ERR_GROUND},
	};
	struct order o;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		order_make(&o, rows[i].ground);
		if (order_check(&o, ROLE_OFFICIAL) != rows[i].want)
			fail_msg("%s", rows[i].ground);
	}
}

/* A sound order of each type, and its one rule broken. */
static void
each_type_has_its_sender_and_its_ground(void **state)
{
	static const struct {
		const char *what;
		enum request_type type;
		const char *ground;
		enum role role;
		enum err want;
	} rows[] = {
	        {"revoke", REQUEST_REVOKE, "R05", ROLE_OFFICIAL, ERR_OK},
	        {"revoke by a centre", REQUEST_REVOKE, "R05", ROLE_CENTER, ERR_ROLE},
	        {"revoke as a hold", REQUEST_REVOKE, "S01", ROLE_OFFICIAL, ERR_GROUND},
	        {"suspend", REQUEST_SUSPEND, "S01", ROLE_OFFICIAL, ERR_OK},
	        {"suspend by a centre", REQUEST_SUSPEND, "S01", ROLE_CENTER, ERR_ROLE},
	        {"suspend for an advice", REQUEST_SUSPEND, "S02", ROLE_OFFICIAL, ERR_GROUND},
	        {"suspend as a revocation", REQUEST_SUSPEND, "R05", ROLE_OFFICIAL, ERR_GROUND},
	        {"suspend without ground", REQUEST_SUSPEND, "", ROLE_OFFICIAL, ERR_GROUND},
	        {"reinstate", REQUEST_REINSTATE, "", ROLE_OFFICIAL, ERR_OK},
	        {"reinstate by a centre", REQUEST_REINSTATE, "", ROLE_CENTER, ERR_ROLE},
	        {"stop", REQUEST_STOP, "", ROLE_OFFICIAL, ERR_OK},
	        {"stop by a centre", REQUEST_STOP, "", ROLE_CENTER, ERR_ROLE},
	        {"resume", REQUEST_RESUME, "", ROLE_OFFICIAL, ERR_OK},
	        {"resume by a centre", REQUEST_RESUME, "", ROLE_CENTER, ERR_ROLE},
	        {"withdraw", REQUEST_WITHDRAW, "", ROLE_OFFICIAL, ERR_OK},
	        {"withdraw by a centre", REQUEST_WITHDRAW, "", ROLE_CENTER, ERR_OK},
	        {"replace", REQUEST_REPLACE, "X02", ROLE_OFFICIAL, ERR_OK},
	        {"replace by a centre", REQUEST_REPLACE, "X03", ROLE_CENTER, ERR_OK},
	        {"replace as the catalogue changed", REQUEST_REPLACE, "X05", ROLE_OFFICIAL, ERR_OK},
	        {"replace as a renewal", REQUEST_REPLACE, "X01", ROLE_OFFICIAL, ERR_GROUND},
	        {"replace as a review", REQUEST_REPLACE, "X04", ROLE_OFFICIAL, ERR_GROUND},
	        {"replace as a revocation", REQUEST_REPLACE, "R05", ROLE_OFFICIAL, ERR_GROUND},
	        {"issue: no order", REQUEST_ISSUE, "", ROLE_OFFICIAL, ERR_TYPE_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct order o;
		enum err e;

		order_make(&o, rows[i].ground);
		o.request.type = rows[i].type;
		o.request.until = o.request.decided_at + 1;
		if ((e = order_check(&o, rows[i].role)) != rows[i].want)
			fail_msg("%s: %s", rows[i].what, err_word(e));
	}
}

static void
dates_agree_with_the_effect_of_the_ground(void **state)
{
	static const struct {
		const char *ground, *decided, *effective;
		enum err want;
	} rows[] = {
	        {"R03", "2026-11-02", "2026-11-02", ERR_OK},
	        {"R03", "2026-11-02", "2026-11-03", ERR_OK},
	        {"R03", "2026-11-02", "2026-11-01", ERR_DATES},
	        {"R05", "2026-11-02", "2026-11-02", ERR_OK},
	        {"R05", "2026-11-02", "2026-10-17", ERR_OK},
	        {"R05", "2026-11-02", "2026-11-03", ERR_DATES},
	        {"R15", "2026-11-02", "2020-01-01", ERR_OK},
	        {"R15", "2026-11-02", "2030-01-01", ERR_OK},
	        {"R15", "2026-11-02", "2000-01-01", ERR_OK},
	        {"R15", "2026-11-02", "1999-12-31", ERR_DATES},
	        {"V02", "2026-11-02", "2026-10-01", ERR_OK},
	        {"C03", "2026-11-02", "2026-12-01", ERR_OK},
	        {"R05", "2000-01-01", "2000-01-01", ERR_OK},
	        {"R05", "1999-12-31", "1999-12-31", ERR_DATES},
	        {"R05", "2026-11-03", "2026-11-02", ERR_DATES},
	        {"R05", "2026-11-02", "1999-12-31", ERR_DATES},
	        {"R15", "2026-11-02", "1969-12-31", ERR_DATES},
	        {"R03", "2026-11-03", "2026-11-03", ERR_DATES}, /* decided after it was signed */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct order o;

		order_make(&o, rows[i].ground);
		o.request.decided_at = day(rows[i].decided);
		o.request.effective_at = day(rows[i].effective);
		if (order_check(&o, ROLE_OFFICIAL) != rows[i].want)
			fail_msg("%s %s %s", rows[i].ground, rows[i].decided, rows[i].effective);
	}
}

static void
a_decision_of_any_type_is_made_before_it_is_signed(void **state)
{
	static const enum request_type types[] = {
	        REQUEST_REVOKE, REQUEST_SUSPEND, REQUEST_REINSTATE, REQUEST_STOP, REQUEST_RESUME};
	static const struct {
		const char *decided;
		enum err want;
	} rows[] = {{"2026-11-02", ERR_OK}, {"2026-11-03", ERR_DATES}, {"2000-01-01", ERR_OK},
	        {"1999-12-31", ERR_DATES}};

	(void)state;
	for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
			struct order o;

			order_make(&o, types[t] == REQUEST_SUSPEND ? "S01" : "R15");
			o.request.type = types[t];
			o.request.decided_at = o.request.effective_at = day(rows[i].decided);
			o.request.until = day("2026-11-05");
			if (order_check(&o, ROLE_OFFICIAL) != rows[i].want)
				fail_msg("%s %s", request_type_word(types[t]), rows[i].decided);
		}
	}
}

static void
a_hold_ends_within_30_days_of_the_day_on_which_it_was_asked_for(void **state)
{
	static const struct {
		const char *signed_at, *effective, *until;
		enum err want;
	} rows[] = {
	        {"2026-11-02T12:00:00+08:00", "2026-11-02", "2026-11-01", ERR_DATES},
	        {"2026-11-02T12:00:00+08:00", "2026-11-02", "2026-11-02", ERR_OK},
	        {"2026-11-02T12:00:00+08:00", "2026-11-02", "2026-12-02", ERR_OK},
	        {"2026-11-02T12:00:00+08:00", "2026-11-02", "2026-12-03", ERR_DATES},
	        {"2026-11-02T23:59:59+08:00", "2026-11-02", "2026-12-03", ERR_DATES},
	        {"2026-11-03T00:00:00+08:00", "2026-11-02", "2026-12-03", ERR_OK},
	        {"2026-11-03T00:00:00+08:00", "2026-11-02", "2026-11-02", ERR_DATES},
	        /* it does not end before it begins */
	        {"2026-11-02T12:00:00+08:00", "2026-11-10", "2026-11-10", ERR_OK},
	        {"2026-11-02T12:00:00+08:00", "2026-11-10", "2026-11-09", ERR_DATES},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct order o;

		order_make(&o, "S01");
		o.request.type = REQUEST_SUSPEND;
		o.request.iat = moment(rows[i].signed_at);
		o.request.effective_at = day(rows[i].effective);
		o.request.until = day(rows[i].until);
		if (order_check(&o, ROLE_OFFICIAL) != rows[i].want)
			fail_msg("%s %s", rows[i].signed_at, rows[i].until);
		/* negative control: the limit is that of holds alone */
		o.request.type = REQUEST_REVOKE;
		o.request.ground = BYTES_LIT("R15");
		assert_int_equal(order_check(&o, ROLE_OFFICIAL), ERR_OK);
	}
}

static void
an_order_names_1_to_100000_serials(void **state)
{
	struct order o;

	(void)state;
	order_make(&o, "R05");
	o.request.serial_count = 0;
	assert_int_equal(order_check(&o, ROLE_OFFICIAL), ERR_VALUE);
	o.request.serial_count = REQUEST_SERIALS_MAX;
	assert_int_equal(order_check(&o, ROLE_OFFICIAL), ERR_OK);
	o.request.serial_count = REQUEST_SERIALS_MAX + 1;
	assert_int_equal(order_check(&o, ROLE_OFFICIAL), ERR_VALUE);
	/* or a selector, and then none */
	o.request.serial_count = 0;
	o.request.selects = true;
	assert_int_equal(order_check(&o, ROLE_OFFICIAL), ERR_OK);
	o.request.selects = false;
	/* stop, resume and withdraw name none */
	o.request.serial_count = 0;
	o.request.type = REQUEST_STOP;
	assert_int_equal(order_check(&o, ROLE_OFFICIAL), ERR_OK);
	o.request.type = REQUEST_REINSTATE;
	assert_int_equal(order_check(&o, ROLE_OFFICIAL), ERR_VALUE);
}

static void
nobody_revokes_alone(void **state)
{
	struct roster *strict = roster_make(&strict_ones);
	struct order o;

	(void)state;
	order_make(&o, "R05");
	assert_int_equal(rules_officials_needed(&o.request, roster, field, false), 2);
	assert_int_equal(rules_officials_needed(&o.request, strict, field, false), 4);
	/* an unknown ground has no number: no request can carry so many */
	order_make(&o, "R99");
	assert_true(
	        rules_officials_needed(&o.request, roster, field, false) > REQUEST_APPROVALS_MAX);
	o.request.type = REQUEST_REPLACE;
	assert_true(
	        rules_officials_needed(&o.request, roster, field, false) > REQUEST_APPROVALS_MAX);
	o.request.type = REQUEST_ISSUE;
	assert_int_equal(rules_officials_needed(&o.request, roster, field, false), 0);
	assert_int_equal(rules_officials_needed(&o.request, roster, field, true), 1);
	assert_int_equal(rules_officials_needed(&o.request, strict, field, false), 2);
	assert_int_equal(rules_officials_needed(&o.request, strict, field, true), 3);
	roster_free(strict);
}

static void
each_type_takes_its_officials_and_never_fewer(void **state)
{
	static const struct {
		enum request_type type;
		const char *ground;
		int least, strict;
	} rows[] = {
	        {REQUEST_REVOKE, "R05", 2, 4},
	        /* one starts a hold, though its ground says two: the second confirms it */
	        {REQUEST_SUSPEND, "S01", 1, 3},
	        {REQUEST_REINSTATE, "", 2, 4},
	        {REQUEST_STOP, "", 1, 3},
	        {REQUEST_RESUME, "", 2, 4},
	        {REQUEST_WITHDRAW, "", 0, 0},
	};
	struct roster *strict = roster_make(&strict_ones);
	struct order o;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		order_make(&o, rows[i].ground);
		o.request.type = rows[i].type;
		if (rules_officials_needed(&o.request, roster, field, false) != rows[i].least ||
		        rules_officials_needed(&o.request, strict, field, false) != rows[i].strict)
			fail_msg("%s", request_type_word(rows[i].type));
	}
	assert_int_equal(field_ground(field, BYTES_LIT("S01"))->officials, 2);
	o.request.type = REQUEST_REPLACE; /* not served: no number is enough */
	assert_true(
	        rules_officials_needed(&o.request, roster, field, false) > REQUEST_APPROVALS_MAX);
	roster_free(strict);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(grounds_that_make_a_certificate_invalid_revoke),
	        cmocka_unit_test(each_type_has_its_sender_and_its_ground),
	        cmocka_unit_test(dates_agree_with_the_effect_of_the_ground),
	        cmocka_unit_test(a_decision_of_any_type_is_made_before_it_is_signed),
	        cmocka_unit_test(a_hold_ends_within_30_days_of_the_day_on_which_it_was_asked_for),
	        cmocka_unit_test(an_order_names_1_to_100000_serials),
	        cmocka_unit_test(nobody_revokes_alone),
	        cmocka_unit_test(each_type_takes_its_officials_and_never_fewer),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
