/* test_rules_approvals.c - whose approval counts: another person, another key, this request, in
 * time.
 */
#include "rules_world.h"

static struct key *keys[3];

static int
open_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		if (key_generate(KEY_ES256, &keys[i]) != ERR_OK)
			return 1;
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		key_free(keys[i]);
	return 0;
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

struct scene {
	struct operator sender, other, by;
	struct approval approval;
	uint8_t request[SHA256_BYTES], list_sha256[SHA256_BYTES];
	bool has_list; /* the request has a selector */
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

	const struct rules_approved what = {.request = s->request,
	        .list_sha256 = s->has_list ? s->list_sha256 : NULL,
	        .sender = &s->sender,
	        .others = others,
	        .other_count = 1};

	return rules_approval_check(&s->approval, &s->by, &what, s->now);
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
	s.has_list = true;
	assert_int_equal(approval_check(&s), ERR_OK);
	s.approval.list_sha256[31] ^= 1;
	assert_int_equal(approval_check(&s), ERR_APPROVAL_OTHER);
	s.approval.has_list = false;
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
	        cmocka_unit_test(an_approval_of_another_official_counts),
	        cmocka_unit_test(only_another_person_with_another_key_approves),
	        cmocka_unit_test(an_approval_is_for_one_request),
	        cmocka_unit_test(an_approval_counts_in_its_time_and_its_keys),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
