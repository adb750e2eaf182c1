/* test_check_input.c - where many certificates come from, and what is said of them at the end: no
 * line or file is lost, and nothing to check is not good. */
#include "many_world.h"

/* Input */

static void
lines_at_their_limits(void **state)
{
	enum { ROWS = 12 };
	struct many *m = *state;
	struct input *in = NULL;
	struct input_item *item = calloc(1, sizeof *item);
	char *file = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&file, &n);
	static const struct {
		size_t n;
		bool too_long;
	} want[ROWS] = {{0, false}, {1, false}, {LINE_BYTES_MAX, false}, {0, true}, {2, false},
	        {0, true}, {0, false}, {0, false}, {3, false}, {LINE_BYTES_MAX, false}, {0, true},
	        {4, false}};

	fprintf(to, "\na\n%0*d\n%0*d\nbb\n%0*d\n\n\r\nccc\n", LINE_BYTES_MAX, 0, LINE_BYTES_MAX + 1,
	        0, 3 * DATA_BYTES_MAX, 0);
	fprintf(to, "%0*d\n%0*d\ndddd\n\n\r\n\n", LINE_BYTES_MAX, 0, DATA_BYTES_MAX, 0);
	fclose(to);
	put(m, "limits", bytes_of(file, n));
	free(file);
	assert_int_equal(input_open(m->names[0], &in), ERR_OK);
	for (size_t i = 0; i < ROWS; i++) {
		assert_true(input_next(in, item));
		if (item->line != i + 1 || item->too_long != want[i].too_long ||
		        (item->n != want[i].n && !(item->n == 1 && item->text[0] == '\r')))
			fail_msg("line %zu: %zu bytes, %d", i + 1, item->n, item->too_long);
	}
	assert_false(input_next(in, item));
	assert_false(input_next(in, item));
	assert_int_equal(input_end(in), ERR_OK);
	input_free(in);
	free(item);
}

static void
one_text_stays_one(void **state)
{
	static const char *const ones[] = {
	        "", "\n", "\r\n\n", "x", "x\n", "x\r\n", "x\r\n\r\n\n", "\xd2\nx\n"};
	static const char *const many[] = {"\nx", "x\ny", "x\r\ny\r\n", "x\n\ny\n"};
	static char large[DATA_BYTES_MAX + 2];
	struct many *m = *state;
	struct input *in = NULL;
	char name[8];

	memset(large, 'x', sizeof large);
	for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++) {
		snprintf(name, sizeof name, "o%zu", i);
		put(m, name, bytes_of_text(ones[i]));
		assert_int_equal(input_open(m->names[m->count - 1], &in), ERR_OK);
		assert_int_equal(input_kind(in), INPUT_ONE);
		assert_true(bytes_equal_text(input_data(in), ones[i]));
		input_free(in);
	}
	for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
		snprintf(name, sizeof name, "m%zu", i);
		put(m, name, bytes_of_text(many[i]));
		assert_int_equal(input_open(m->names[m->count - 1], &in), ERR_OK);
		assert_int_equal(input_kind(in), INPUT_MANY);
		input_free(in);
	}
	put(m, "large", bytes_of(large, sizeof large));
	check_all(m, m->names[m->count - 1]);
	assert_string_equal(m->text, "1\tMALFORMED\t-\tnot_a_record\n");
}

static void
a_folder_names_what_it_cannot_read(void **state)
{
	struct many *m = *state;
	char path[FILE_PATH_MAX];

	put(m, "b\033[2J\n.cose", m->a->bare);
	put(m, "a.cose", m->a->bare);
	put(m, ".hidden", BYTES_LIT("x"));
	check_all(m, NULL);
	assert_string_equal(m->text, "a.cose\tVALID\t2026-10-17T16:00:00+08:00\n"
	                             "b?[2J?.cose\tVALID\t2026-10-17T16:00:00+08:00\n");
	assert_int_equal(many_exit(&m->r), 0);
	snprintf(path, sizeof path, "%s/link", m->dir);
	assert_int_equal(symlink("a.cose", path), 0);
	snprintf(path, sizeof path, "%s/lost", m->dir);
	assert_int_equal(symlink("nowhere", path), 0);
	snprintf(path, sizeof path, "%s/pipe", m->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof path, "%s/sub", m->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	check_all(m, NULL);
	assert_int_equal(m->r.count, 3);
	assert_int_equal(m->r.unread, 3);
	assert_non_null(strstr(m->said, "lost is not there"));
	assert_non_null(strstr(m->said, "pipe is no regular file"));
	assert_non_null(strstr(m->said, "sub is no regular file"));
	assert_int_equal(many_exit(&m->r), 1);
}

static void
nothing_to_check_is_not_good(void **state)
{
	struct many *m = *state;

	check_all(m, NULL);
	assert_int_equal(m->r.count, 0);
	assert_int_equal(many_exit(&m->r), verdict_exit(VERDICT_MALFORMED));
}

static void
files_named_one_by_one_keep_their_order(void **state)
{
	struct many *m = *state;
	struct input_item *item = calloc(1, sizeof *item);
	struct input *in = NULL;
	struct bytes data;
	uint8_t *owned = NULL;

	put(m, "b", BYTES_LIT("1"));
	put(m, "a", BYTES_LIT("2"));
	assert_int_equal(input_open_files(m->names, 2, &in), ERR_OK);
	for (size_t i = 0; i < 2; i++) {
		assert_true(input_next(in, item));
		assert_string_equal(item->name, m->names[i]);
		assert_int_equal(input_item_data(in, item, &owned, &data), ERR_OK);
		assert_true(bytes_equal_text(data, i == 0 ? "1" : "2"));
		free(owned);
	}
	assert_false(input_next(in, item));
	input_free(in);
	free(item);
	assert_int_equal(input_open("/nowhere/at/all", &in), ERR_NOT_FOUND);
}

/* Output */

static void
the_worst_in_the_order_of_the_table_is_the_exit_code(void **state)
{
	struct many_report r;

	(void)state;
	for (unsigned a = 0; a < VERDICT_COUNT; a++)
		for (unsigned b = a; b < VERDICT_COUNT; b++) {
			r = (struct many_report){.count = 2};
			r.by[a]++;
			r.by[b]++;
			assert_int_equal(many_exit(&r), verdict_exit((enum verdict_code)a));
		}
}

static void
the_summary_counts_each_verdict(void **state)
{
	struct many *m = *state;
	struct many_report r = {.count = 5, .unread = 1};
	json_t *json = NULL;

	r.by[VERDICT_VALID] = 3;
	r.first[VERDICT_VALID].line = 1;
	r.by[VERDICT_REVOKED] = 2;
	r.first[VERDICT_REVOKED].line = 4;
	m->o.out = open_memstream(&m->text, &m->text_n);
	assert_int_equal(many_print_summary(&m->o, &r), ERR_OK);
	fclose(m->o.out);
	assert_non_null(strstr(m->text, "共 total 5\n"));
	assert_non_null(strstr(m->text, "         3  VALID            有效  首 first: 1\n"));
	assert_non_null(strstr(m->text, "         2  REVOKED          已撤销  首 first: 4\n"));
	assert_non_null(strstr(m->text, "         1  未读 not read\n"));
	free(m->text);
	m->o.json = true;
	m->o.out = open_memstream(&m->text, &m->text_n);
	assert_int_equal(many_print_summary(&m->o, &r), ERR_OK);
	fclose(m->o.out);
	json = json_loads(m->text, 0, NULL);
	assert_non_null(json);
	json_decref(json);
	assert_string_equal(m->text,
	        "{\"summary\":{\"total\":5,\"not_read\":1,\"exit\":20,\"verdicts\":{"
	        "\"VALID\":{\"count\":3,\"first\":1},\"REVOKED\":{\"count\":2,\"first\":4}}}}\n");
}

static void
a_full_disk_is_told(void **state)
{
	struct many *m = *state;
	struct input *in = NULL;
	struct held *held = NULL;

	put(m, "a", m->a->bare);
	m->o.out = fopen("/dev/full", "w");
	assert_non_null(m->o.out);
	assert_int_equal(input_open(m->dir, &in), ERR_OK);
	assert_int_equal(held_open(m->a->f->dir, m->a->f->w->root, HELD_ALL, &held), ERR_OK);
	assert_int_equal(many_run(&m->o, held, in, &m->r), ERR_IO);
	(void)fclose(m->o.out);
	held_free(held);
	input_free(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        M(lines_at_their_limits),
	        M(one_text_stays_one),
	        M(a_folder_names_what_it_cannot_read),
	        M(nothing_to_check_is_not_good),
	        M(files_named_one_by_one_keep_their_order),
	        cmocka_unit_test(the_worst_in_the_order_of_the_table_is_the_exit_code),
	        M(the_summary_counts_each_verdict),
	        M(a_full_disk_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
