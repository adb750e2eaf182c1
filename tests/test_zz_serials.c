/* test_zz_serials.c - how an order names its certificates: a file of serials, serials one by one,
 * or a selector; one way at a time, and a file whole or not at all. */
#include "test_zz_many.h"

static void
a_file_of_serials_is_taken_whole_or_each_bad_line_is_named(void **state)
{
#define S1 "000102030405060708090a0b0c0d0e0f"
#define S2 "100102030405060708090a0b0c0d0e0f"
	static const struct {
		const char *text, *why;
		size_t count;
	} table[] = {{S1 "\n" S2 "\n", NULL, 2}, {S1, NULL, 1},
	        {"# list\n\n  " S2 "\t# of Wang\r\n" S1 "\r\n", NULL, 2},
	        {"", "holds no serial", 0}, {"# none\n", "holds no serial", 0},
	        {S1 "\nX\n" S2 "\n12\n", "line 4: not a serial", 0},
	        {S1 "\nX\n" S2 "\n12\n", "line 2: not a serial", 0},
	        {"000102030405060708090A0B0C0D0E0F\n", "line 1: not a serial", 0},
	        {S2 "\n" S1 "\n" S2 "\n", "line 3: the serial of line 1 again", 0},
	        {S1 " " S2 "\n", "line 1: not a serial", 0}};
	char path[300], err[4096];
	struct world *w = world_open();
	json_t *list;

	(void)state;
	snprintf(path, sizeof path, "%s/serials", w->dir);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct zz z = {.err = fmemopen(err, sizeof err, "w")};
		enum zz_exit e;

		put(path, table[i].text);
		list = NULL;
		e = zz_serials_read(&z, path, &list);
		fclose(z.err);
		assert_int_equal(e, table[i].why ? ZZ_USAGE : ZZ_DONE);
		assert_int_equal(json_array_size(list), table[i].count);
		if (table[i].why && !strstr(err, table[i].why))
			fail_msg("%s", err);
		json_decref(list);
	}
	world_close(w);
}

/* Writes serials 0 to count - 1. */
static void
file_make(const char *path, unsigned count)
{
	char hex[33];
	uint8_t serial[16];
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (unsigned i = 0; i < count; i++) {
		serial_of(i, serial);
		hex_encode(bytes_of(serial, 16), hex);
		fprintf(f, "%s\n", hex);
	}
	fclose(f);
}

static void
a_file_of_100000_is_one_request_and_100001_none(void **state)
{
	struct many m;
	struct world *w = many_open(&m, ZZ_SERIALS_MAX);
	char path[300], out[300];
	struct zz_request q = {0};

	(void)state;
	snprintf(path, sizeof path, "%s/serials", w->dir);
	snprintf(out, sizeof out, "%s/many", w->dir);
	file_make(path, ZZ_SERIALS_MAX);
	assert_int_equal(run_in(w, zz_revoke, "", "revoke", ORDER, "--file", path, NULL), ZZ_DONE);
	assert_null(w->order);
	assert_int_equal(run_in(w, zz_revoke, "", "revoke", ORDER, "--file", path, "--send", NULL),
	        ZZ_WAITS);
	assert_int_equal(
	        zz_request_open((uint8_t *)strdup(w->order), strlen(w->order), &q), ERR_OK);
	assert_int_equal(q.request.serial_count, ZZ_SERIALS_MAX);
	zz_request_free(&q);
	file_make(path, ZZ_SERIALS_MAX + 1);
	assert_int_equal(run_in(w, zz_revoke, "", "revoke", ORDER, "--file", path, NULL), ZZ_USAGE);
	assert_non_null(strstr(w->err, "line 100001: more than 100000"));
	world_close(w);
}

static void
certificates_are_named_in_one_way(void **state)
{
	static const char *const table[][6] = {{"--select"}, {"--select", "--item"},
	        {"--center", CENTER}, {"--file", "/none"}, {"--serial", S1, "--send"},
	        {"--serial", S1, "--select", "--item", ITEM},
	        {"--select", "--center", CENTER, "--from", "yesterday"},
	        {"--select", "--request", "12"}, {"--from", "2026-10-17T16:00:00Z"},
	        {"--select", "--from", "2026-10-17T16:00:00Z"}};
	struct many m;
	struct world *w = many_open(&m, 3);
	char out[300];

	(void)state;
	snprintf(out, sizeof out, "%s/never", w->dir);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const char *const *t = table[i];

		assert_int_equal(run_in(w, zz_revoke, "", "revoke", ORDER, t[0], t[1], t[2], t[3],
		                         t[4], t[5], NULL),
		        ZZ_USAGE);
	}
	assert_int_equal(run_in(w, zz_revoke, "", "revoke", ORDER, NULL), ZZ_USAGE);
	assert_int_equal(
	        run_in(w, zz_revoke, "", "revoke", ORDER, "--select", "--item", ITEM, "--from",
	                "2026-10-17T16:00:00Z", "--to", "2026-10-17T16:00:00Z", NULL),
	        ZZ_USAGE);
	assert_int_equal(w->toy.requests, 0);
	assert_false(file_exists(out));
	world_close(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_file_of_serials_is_taken_whole_or_each_bad_line_is_named),
	        cmocka_unit_test(a_file_of_100000_is_one_request_and_100001_none),
	        cmocka_unit_test(certificates_are_named_in_one_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
