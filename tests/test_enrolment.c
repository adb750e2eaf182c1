/* test_enrolment.c - a roster after the first takes two officials of the one before it, over its
 * very bytes. */
#include "people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct people people;
static struct roster *before;
static uint8_t room[65536];

static struct bytes
next_signed(const struct enrolling *n)
{
	struct buf b = BUF_OF(room);

	people_enrol(&people, 2, 500, n, &b);
	return buf_bytes(&b);
}

static int
start(void **state)
{
	struct buf b = BUF_OF(room);

	(void)state;
	people_make(&people);
	people_roster(&people, 1, 1000, &b);
	assert_int_equal(roster_read(buf_bytes(&b), people.root, &before), ERR_OK);
	return 0;
}

static int
finish(void **state)
{
	(void)state;
	roster_free(before);
	people_free(&people);
	return 0;
}

static void
two_officials_enrol(void **state)
{
	struct roster *after = NULL;
	struct bytes text = next_signed(&(struct enrolling){{WANG, LI}, NOW, "approve", false});

	(void)state;
	assert_int_equal(enrolment_check(text, before, NOW), ERR_OK);
	assert_int_equal(enrolment_check(text, before, NOW + DAY_S - 1), ERR_OK);
	assert_int_equal(enrolment_check(text, before, NOW + DAY_S), ERR_REQUEST_EXPIRED);
	assert_int_equal(roster_read(text, people.root, &after), ERR_OK);
	assert_int_equal(roster_version(after), 2);
	roster_free(after);
}

static void
nothing_less_does(void **state)
{
	static const struct {
		struct enrolling n;
		enum err want;
	} rows[] = {
	        {{{WANG, WANG}, NOW, "approve", false}, ERR_APPROVAL_PERSON},
	        {{{WANG, WANG_AGAIN}, NOW, "approve", false}, ERR_APPROVAL_PERSON},
	        {{{WANG, CENTER}, NOW, "approve", false}, ERR_ROLE},
	        {{{STRANGER, LI}, NOW, "approve", false}, ERR_KID_UNKNOWN},
	        {{{WANG, LATE}, NOW, "approve", false}, ERR_KEY_EXPIRED},
	        {{{WANG, LI}, NOW, "reject", false}, ERR_APPROVAL_REJECT},
	        {{{WANG, LI}, NOW, "approve", true}, ERR_APPROVAL_OTHER},
	        {{{WANG, LI}, NOW + 301, "approve", false}, ERR_TIME_AHEAD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(
		        enrolment_check(next_signed(&rows[i].n), before, NOW), rows[i].want);
}

static void
the_root_alone_enrols_nobody(void **state)
{
	struct buf b = BUF_OF(room);

	(void)state;
	people_roster(&people, 2, 500, &b);
	assert_int_equal(enrolment_check(buf_bytes(&b), before, NOW), ERR_APPROVALS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(two_officials_enrol, start, finish),
	        cmocka_unit_test_setup_teardown(nothing_less_does, start, finish),
	        cmocka_unit_test_setup_teardown(the_root_alone_enrols_nobody, start, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
