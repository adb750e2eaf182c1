/* test_policy.c - tlog-policy files are read as their specification says, and a quorum is met by
 * nothing less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "policy.h"
#include "seed_key.h"

#define LOG "ca.example.gov/log+014f1ff1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"

static char vkeys[7][128]; /* of seeds 0x20, 0x40, … */

static void
vkeys_make(void)
{
	for (uint8_t i = 0; i < 7; i++) {
		struct key *k = seed_key_from((uint8_t)(0x20 + 0x20 * i));
		struct buf b = BUF_OF(vkeys[i]);
		char name[10];

		snprintf(name, sizeof name, "w%u", i);
		cosigner_vkey_put(&b, bytes_of_text(name), k);
		buf_put_u8(&b, 0);
		key_free(k);
	}
}

static char text[8192];

/* Each '%' followed by a digit is the vkey of that number, "%L" the log's. */
static enum err
read_it(const char *form, struct policy *p)
{
	struct buf b = BUF_OF(text);
	unsigned line;

	for (; *form != '\0'; form++) {
		if (*form != '%')
			buf_put_u8(&b, (uint8_t)*form);
		else if (*++form == 'L')
			buf_put_text(&b, LOG);
		else
			buf_put_text(&b, vkeys[*form - '0']);
	}
	return policy_read(buf_bytes(&b), p, &line);
}

/* The example of the specification: two of three, and any of three others. */
static void
groups_of_groups_are_counted(void **state)
{
	struct policy p;

	(void)state;
	assert_int_equal(read_it("# both offices\nlog %L\n\n"
	                         "witness X1 %0 https://x1.example/\nwitness X2 %1\n"
	                         "witness X3 %2\n\tgroup  X 2 X1 X2 X3  \n"
	                         "witness Y1 %3\nwitness Y2 %4\nwitness Y3 %5\n"
	                         "group Y any Y1 Y2 Y3\ngroup XY all X Y\nquorum XY\n",
	                         &p),
	        ERR_OK);
	assert_int_equal(p.witness_count, 6);
	assert_true(bytes_equal_text(p.witnesses[0].url, "https://x1.example/"));
	assert_int_equal(p.witnesses[1].url.n, 0);
	for (uint64_t mask = 0; mask < 64; mask++) {
		bool x = __builtin_popcountll(mask & 7) >= 2, y = (mask & 0x38) != 0;

		assert_int_equal(policy_met(&p, mask), x && y);
	}
	policy_close(&p);
}

static void
a_quorum_may_be_one_witness_or_none(void **state)
{
	struct policy p;

	(void)state;
	assert_int_equal(read_it("witness a %0\nwitness b %1\nquorum b\n", &p), ERR_OK);
	assert_false(policy_met(&p, 1));
	assert_true(policy_met(&p, 2));
	policy_close(&p);
	assert_int_equal(read_it("quorum none\n", &p), ERR_OK);
	assert_int_equal(p.quorum, POLICY_NONE);
	assert_true(policy_met(&p, 0));
	policy_close(&p);
}

static void
what_the_specification_forbids_is_refused(void **state)
{
	static const struct {
		const char *what, *form;
		enum err want;
	} bad[] = {
	        {"empty", "", ERR_TRUNCATED},
	        {"no end of line", "quorum none", ERR_TRUNCATED},
	        {"no quorum", "witness a %0\n", ERR_VALUE},
	        {"two quorums", "quorum none\nquorum none\n", ERR_VALUE},
	        {"a quorum of nobody", "quorum a\n", ERR_VALUE},
	        {"a quorum before its name", "quorum a\nwitness a %0\n", ERR_VALUE},
	        {"a name twice", "witness a %0\nwitness a %1\nquorum a\n", ERR_VALUE},
	        {"a key twice", "witness a %0\nwitness b %0\nquorum a\n", ERR_VALUE},
	        {"the name none", "witness none %0\nquorum none\n", ERR_VALUE},
	        {"a member twice", "witness a %0\ngroup g any a a\nquorum g\n", ERR_VALUE},
	        {"a member of two groups", "witness a %0\ngroup g any a\ngroup h any a\nquorum g\n",
	                ERR_VALUE},
	        {"its own member", "witness a %0\ngroup g any a g\nquorum g\n", ERR_VALUE},
	        {"none as a member", "witness a %0\ngroup g any a none\nquorum g\n", ERR_VALUE},
	        {"more than there are", "witness a %0\ngroup g 2 a\nquorum g\n", ERR_VALUE},
	        {"zero", "witness a %0\ngroup g 0 a\nquorum g\n", ERR_VALUE},
	        {"a leading zero", "witness a %0\ngroup g 01 a\nquorum g\n", ERR_VALUE},
	        {"no members", "witness a %0\ngroup g all\nquorum a\n", ERR_ENCODING},
	        {"another line", "witnes a %0\nquorum a\n", ERR_ENCODING},
	        {"a log's key", "witness a %L\nquorum a\n", ERR_VALUE},
	        {"a witness's key for a log", "log %0\nquorum none\n", ERR_VALUE},
	        {"a log twice", "log %L\nlog %L\nquorum none\n", ERR_VALUE},
	        {"CR", "quorum none\r\n", ERR_ENCODING},
	        {"too many words", "witness a %0 http://x y\nquorum a\n", ERR_ENCODING},
	};
	struct policy p;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		enum err e = read_it(bad[i].form, &p);

		if (e != bad[i].want)
			fail_msg("%s: %s", bad[i].what, err_word(e));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(groups_of_groups_are_counted),
	        cmocka_unit_test(a_quorum_may_be_one_witness_or_none),
	        cmocka_unit_test(what_the_specification_forbids_is_refused),
	};

	vkeys_make();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
