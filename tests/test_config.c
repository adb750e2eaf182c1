/* test_config.c - what zz.conf may say, and what stops the start. */
#include "config.h"
#include "file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/zz-config-XXXXXX";
static char path[100];

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/zz.conf", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static enum err
read_text(const char *text, struct config *c, char why[200])
{
	assert_int_equal(file_write(path, bytes_of_text(text), 0600), ERR_OK);
	return config_read(path, c, why, 200);
}

static void
an_empty_file_gives_the_defaults(void **state)
{
	struct config c;
	char why[200];

	(void)state;
	assert_int_equal(read_text("", &c, why), ERR_OK);
	assert_string_equal(c.host, "zz.example.gov.cn");
	assert_string_equal(c.folder, folder);
	assert_string_equal(c.listen, "127.0.0.1:8080");
	assert_string_equal(c.signer_dir, "signer");
	assert_string_equal(c.issuer_database, "");
	assert_int_equal(c.loops, 2);
	assert_int_equal(c.queue_max, 256);
	assert_int_equal(c.list_refresh_s, 1800);
	assert_false(c.listen_any);
}

static void
lines_set_values(void **state)
{
	struct config c;
	char why[200];

	(void)state;
	assert_int_equal(
	        read_text("# comment\n\n  host = a.example\r\nloops=64\nlisten_any = yes\n"
	                  "issuer_database = host=/run dbname=zz user=zz_issuer\nname_zh = 某局",
	                &c, why),
	        ERR_OK);
	assert_string_equal(c.host, "a.example");
	assert_int_equal(c.loops, 64);
	assert_true(c.listen_any);
	assert_string_equal(c.issuer_database, "host=/run dbname=zz user=zz_issuer");
	assert_string_equal(c.name_zh, "某局");
}

static void
each_fault_stops_the_start_and_names_its_line(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
	        {"hots = a\n", "line 1: the setting is unknown"},
	        {"\nloops = 1\nloops = 1\n", "line 3: the setting stands here a second time"},
	        {"loops = 0\n", "line 1: the value is not a number in range"},
	        {"loops = 65\n", "line 1: the value is not a number in range"},
	        {"loops = -1\n", "line 1: the value is not a number in range"},
	        {"loops = 1x\n", "line 1: the value is not a number in range"},
	        {"loops =\n", "line 1: the value is not a number in range"},
	        {"loops\n", "line 1: a line is: name = value"},
	        {"listen_any = true\n", "line 1: the value must be yes or no"},
	        {"host = UPPER\n", "line 1: a host has only"},
	        {"host =\n", "line 1: a host has only"},
	        {"host = a/b\n", "line 1: a host has only"},
	        {"name_en = \x01\n", "line 1: the line is not plain UTF-8 text"},
	        {"name_en = \xff\n", "line 1: the line is not plain UTF-8 text"},
	        {"folder = /tmp\n", "line 1: the setting is unknown"},
	        {"= 1\n", "line 1: the setting is unknown"},
	};
	struct config c;
	char why[200];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(read_text(rows[i].text, &c, why), ERR_CONFIG);
		assert_memory_equal(why, rows[i].why, strlen(rows[i].why));
	}
}

static void
a_value_at_its_limit_is_taken_and_one_byte_more_is_refused(void **state)
{
	char text[2000], why[200];
	struct config c;

	(void)state;
	snprintf(text, sizeof text, "name_en = %0*d", CONFIG_TEXT_MAX - 1, 0);
	assert_int_equal(read_text(text, &c, why), ERR_OK);
	snprintf(text, sizeof text, "name_en = %0*d", CONFIG_TEXT_MAX, 0);
	assert_int_equal(read_text(text, &c, why), ERR_CONFIG);
	assert_non_null(strstr(why, "the value is too long"));
	snprintf(text, sizeof text, "name_en = %0*d", 1500, 0);
	assert_int_equal(read_text(text, &c, why), ERR_CONFIG);
	assert_non_null(strstr(why, "the line is too long"));
	snprintf(text, sizeof text, "run_dir = %0*d", CONFIG_TEXT_MAX - 5, 0);
	assert_int_equal(read_text(text, &c, why), ERR_CONFIG);
	assert_non_null(strstr(why, "run_dir: the path is too long"));
}

static void
paths_start_at_the_folder_of_the_file(void **state)
{
	struct config c;
	char why[200], out[CONFIG_TEXT_MAX], want[100];

	(void)state;
	assert_int_equal(read_text("run_dir = /run/zz\n", &c, why), ERR_OK);
	config_path(&c, c.run_dir, out, sizeof out);
	assert_string_equal(out, "/run/zz");
	config_path(&c, c.signer_dir, out, sizeof out);
	snprintf(want, sizeof want, "%s/signer", folder);
	assert_string_equal(out, want);
	config_path(&c, c.owner_database, out, sizeof out);
	assert_string_equal(out, "");
}

static void
a_missing_file_is_refused(void **state)
{
	struct config c;
	char why[200];

	(void)state;
	assert_int_equal(config_read("/nonexistent/zz.conf", &c, why, sizeof why), ERR_CONFIG);
	assert_non_null(strstr(why, "not_found"));
}

static void
help_names_every_setting(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	(void)state;
	config_help(to);
	fclose(to);
	assert_non_null(strstr(text, "host "));
	assert_non_null(strstr(text, "owner_database"));
	assert_non_null(strstr(text, "list_refresh_s"));
	assert_non_null(strstr(text, "default 1800"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_empty_file_gives_the_defaults),
	        cmocka_unit_test(lines_set_values),
	        cmocka_unit_test(each_fault_stops_the_start_and_names_its_line),
	        cmocka_unit_test(a_value_at_its_limit_is_taken_and_one_byte_more_is_refused),
	        cmocka_unit_test(paths_start_at_the_folder_of_the_file),
	        cmocka_unit_test(a_missing_file_is_refused),
	        cmocka_unit_test(help_names_every_setting),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
