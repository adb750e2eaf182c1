/* test_rules_orders.c - orders, how many officials they take, and whose approval counts. */
#include "base64.h"
#include "rules_world.h"

#include <stdio.h>

static struct key *keys[4];
static struct roster *roster; /* asks for the least that DESIGN.md section 4 allows */

/* One official, who never signs: only the table of approvals matters here. */
static struct roster *
roster_make(int issue, int late, int revoke)
{
	char payload[1000], x[50] = "", y[50] = "";
	uint8_t room[4000];
	struct buf text = BUF_OF(room), xb = BUF_OF(x), yb = BUF_OF(y);
	struct bytes point = key_public(keys[0]);
	struct roster *r = NULL;

	base64url_put(&xb, bytes_of(point.p, 32));
	base64url_put(&yb, bytes_of(point.p + 32, 32));
	(void)snprintf(payload, sizeof payload,
	        "{\"version\":1,\"iat\":1,\"exp\":2,\"operators\":[{\"kid\":\"%s\",\"jwk\":{"
	        "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"},\"person\":\"A\","
	        "\"role\":\"official\",\"not_before\":1,\"not_after\":2}],\"approvals\":{"
	        "\"issue\":%d,\"issue_late\":%d,\"revoke\":%d,\"suspend\":1,\"reinstate\":2,"
	        "\"replace\":1,\"stop\":1,\"resume\":2}}",
	        key_thumb_text(keys[0]), x, y, issue, late, revoke);
	assert_int_equal(jws_sign(keys[0], ROSTER_TYP, bytes_of_text(payload), &text), ERR_OK);
	assert_int_equal(roster_read(buf_bytes(&text), keys[0], &r), ERR_OK);
	return r;
}

static int
open_all(void **state)
{
	if (open_field(state) != 0)
		return 1;
	for (size_t i = 0; i < 4; i++)
		if (key_generate(KEY_ES256, &keys[i]) != ERR_OK)
			return 1;
	roster = roster_make(0, 1, 2);
	return roster == NULL;
}

static int
close_all(void **state)
{
	roster_free(roster);
	for (size_t i = 0; i < 4; i++)
		key_free(keys[i]);
	return close_field(state);
}

static struct operator official(const char *person, struct key *key)
{
	struct operator o;

	memset(&o, 0, sizeof o);
	o.key = key;
	o.person = bytes_of_text(person);
	o.role = ROLE_OFFICIAL;
	o.not_before = 1000;
	o.not_after = 1000000;
	return o;
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
	struct operator sender = official("A", keys[0]);
	const struct field_ground *g = NULL;
	enum err e;

	sender.role = role;
	e = rules_order_check(&o->request, &sender, field, &g);
	if (e == ERR_OK)
		assert_ptr_equal(g, field_ground(field, o->request.ground));
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
	        {"L02", ERR_GROUND},
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
	order_make(&o, "R05");
	assert_int_equal(order_check(&o, ROLE_CENTER), ERR_ROLE);
	o.request.type = REQUEST_SUSPEND;
	assert_int_equal(order_check(&o, ROLE_OFFICIAL), ERR_GROUND);
	o.request.type = REQUEST_REPLACE;
	assert_int_equal(order_check(&o, ROLE_OFFICIAL), ERR_TYPE_UNKNOWN);
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
	        {"V02", "2026-11-02", "2026-10-01", ERR_OK},
	        {"C03", "2026-11-02", "2026-12-01", ERR_OK},
	        {"R05", "2000-01-01", "2000-01-01", ERR_OK},
	        {"R05", "1999-12-31", "1999-12-31", ERR_DATES},
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
an_order_names_1_to_1000_different_serials(void **state)
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
	o.request.serial_count = REQUEST_SERIALS_MAX;
	memcpy(o.serials[REQUEST_SERIALS_MAX - 1], o.serials[0], 16);
	assert_int_equal(order_check(&o, ROLE_OFFICIAL), ERR_VALUE);
}

static void
nobody_revokes_alone(void **state)
{
	struct roster *strict = roster_make(2, 3, 4);
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

/* ---- approvals ---- */

struct scene {
	struct operator sender, other, by;
	struct approval approval;
	uint8_t request[SHA256_BYTES];
	int64_t now;
};

static void
scene_make(struct scene *s)
{
	memset(s, 0, sizeof *s);
	s->sender = official("A", keys[0]);
	s->other = official("B", keys[1]);
	s->by = official("C", keys[2]);
	s->request[31] = 7;
	s->approval.request[31] = 7;
	s->approval.iat = 5000;
	s->approval.exp = 6000;
	s->approval.approve = true;
	s->now = 5500;
}

static enum err
approval_check(const struct scene *s)
{
	const struct operator* const others[] = {&s->other};

	return rules_approval_check(
	        &s->approval, &s->by, s->request, &s->sender, others, 1, s->now);
}

static void
an_approval_of_another_official_counts(void **state)
{
	struct scene s;

	(void)state;
	scene_make(&s);
	assert_int_equal(approval_check(&s), ERR_OK);
	s.sender.role = ROLE_CENTER; /* a late session */
	assert_int_equal(approval_check(&s), ERR_OK);
}

static void
only_another_person_with_another_key_approves(void **state)
{
	struct scene s;

	(void)state;
	scene_make(&s);
	s.by.person = s.sender.person;
	assert_int_equal(approval_check(&s), ERR_APPROVAL_PERSON);
	scene_make(&s);
	s.by.key = s.sender.key;
	assert_int_equal(approval_check(&s), ERR_APPROVAL_PERSON);
	scene_make(&s);
	s.by.person = s.other.person;
	assert_int_equal(approval_check(&s), ERR_APPROVAL_PERSON);
	scene_make(&s);
	s.by.key = s.other.key;
	assert_int_equal(approval_check(&s), ERR_APPROVAL_PERSON);
	scene_make(&s);
	s.by.role = ROLE_CENTER;
	assert_int_equal(approval_check(&s), ERR_ROLE);
}

static void
an_approval_is_for_one_request(void **state)
{
	struct scene s;

	(void)state;
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		scene_make(&s);
		s.approval.request[i] ^= 1;
		assert_int_equal(approval_check(&s), ERR_APPROVAL_OTHER);
	}
	scene_make(&s);
	s.approval.has_list = true;
	assert_int_equal(approval_check(&s), ERR_APPROVAL_OTHER);
	scene_make(&s);
	s.approval.approve = false;
	assert_int_equal(approval_check(&s), ERR_APPROVAL_REJECT);
}

static void
an_approval_counts_in_its_time_and_its_keys(void **state)
{
	static const struct {
		const char *what;
		int64_t now, iat, exp;
		enum err want;
	} rows[] = {
	        {"first second of the key", 1000, 1000, 6000, ERR_OK},
	        {"before the key", 999, 990, 6000, ERR_KEY_EXPIRED},
	        {"last second of the key", 999999, 999000, 1000500, ERR_OK},
	        {"after the key", 1000000, 999000, 1000500, ERR_KEY_EXPIRED},
	        {"300 s ahead", 4700, 5000, 6000, ERR_OK},
	        {"301 s ahead", 4699, 5000, 6000, ERR_TIME_AHEAD},
	        {"last second", 5999, 5000, 6000, ERR_OK},
	        {"at exp", 6000, 5000, 6000, ERR_REQUEST_EXPIRED},
	        {"7 days", 5500, 5000, 5000 + ORDER_LIFETIME_S_MAX, ERR_OK},
	        {"more than 7 days", 5500, 5000, 5001 + ORDER_LIFETIME_S_MAX, ERR_LIFETIME},
	        {"exp at iat", 4900, 5000, 5000, ERR_LIFETIME},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct scene s;
		enum err e;

		scene_make(&s);
		s.now = rows[i].now;
		s.approval.iat = rows[i].iat;
		s.approval.exp = rows[i].exp;
		if ((e = approval_check(&s)) != rows[i].want)
			fail_msg("%s: %s", rows[i].what, err_word(e));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(grounds_that_make_a_certificate_invalid_revoke),
	        cmocka_unit_test(dates_agree_with_the_effect_of_the_ground),
	        cmocka_unit_test(an_order_names_1_to_1000_different_serials),
	        cmocka_unit_test(nobody_revokes_alone),
	        cmocka_unit_test(an_approval_of_another_official_counts),
	        cmocka_unit_test(only_another_person_with_another_key_approves),
	        cmocka_unit_test(an_approval_is_for_one_request),
	        cmocka_unit_test(an_approval_counts_in_its_time_and_its_keys),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
