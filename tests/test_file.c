/* test_file.c - files are whole or not there, and what must not change does not. */
#include "file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/zz-file-XXXXXX";

static const char *
at(const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

static void
what_is_written_is_read(void **state)
{
	uint8_t *p = NULL, big[10000];
	size_t n = 0;
	struct stat st;

	(void)state;
	memset(big, 'x', sizeof big);
	for (size_t size = 0; size <= sizeof big; size += 1000) {
		assert_int_equal(file_write(at("a"), bytes_of(big, size), 0600), ERR_OK);
		assert_int_equal(file_read(at("a"), sizeof big, &p, &n), ERR_OK);
		assert_int_equal(n, size);
		assert_memory_equal(p, big, size);
		assert_int_equal(p[n], 0);
		free(p);
	}
	assert_int_equal(stat(at("a"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
no_temporary_file_stays(void **state)
{
	FILE *list = NULL;
	char line[200], command[100];

	(void)state;
	assert_int_equal(file_write(at("b"), BYTES_LIT("b"), 0644), ERR_OK);
	snprintf(command, sizeof command, "ls %s", folder);
	list = popen(command, "r");
	assert_non_null(list);
	while (fgets(line, sizeof line, list) != NULL)
		assert_null(strstr(line, "tmp"));
	pclose(list);
}

static void
a_file_at_its_limit_is_read_and_one_byte_more_is_refused(void **state)
{
	uint8_t *p = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(file_write(at("c"), BYTES_LIT("12345"), 0644), ERR_OK);
	assert_int_equal(file_read(at("c"), 5, &p, &n), ERR_OK);
	free(p);
	assert_int_equal(file_read(at("c"), 4, &p, &n), ERR_LIMIT);
	assert_int_equal(file_read(at("none"), 4, &p, &n), ERR_NOT_FOUND);
	assert_int_equal(file_read(folder, 4, &p, &n), ERR_IO);
}

static void
a_file_that_must_not_change_and_differs_is_a_fork(void **state)
{
	(void)state;
	assert_int_equal(file_write_once(at("d"), BYTES_LIT("one"), 0644), ERR_OK);
	assert_int_equal(file_write_once(at("d"), BYTES_LIT("one"), 0644), ERR_OK);
	assert_int_equal(file_write_once(at("d"), BYTES_LIT("two"), 0644), ERR_FORK);
	assert_int_equal(file_write_once(at("d"), BYTES_LIT("on"), 0644), ERR_FORK);
	assert_int_equal(file_write_once(at("d"), BYTES_LIT("one more"), 0644), ERR_FORK);
}

static void
folders_are_made_once_and_again(void **state)
{
	(void)state;
	assert_int_equal(file_make_folders(at("x/y/z"), 0700), ERR_OK);
	assert_int_equal(file_make_folders(at("x/y/z/"), 0700), ERR_OK);
	assert_true(file_exists(at("x/y/z")));
	assert_int_equal(file_write(at("x/f"), BYTES_LIT(""), 0644), ERR_OK);
	assert_int_equal(file_make_folders(at("x/f/g"), 0700), ERR_IO);
	assert_int_equal(file_make_folders("", 0700), ERR_LIMIT);
}

static void
a_write_into_no_folder_is_refused(void **state)
{
	(void)state;
	assert_int_equal(file_write(at("nowhere/a"), BYTES_LIT("a"), 0644), ERR_IO);
	assert_false(file_exists(at("nowhere/a")));
}

static int
exit_code_of_sync(int fd)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		int quiet = open("/dev/null", O_WRONLY);

		dup2(quiet, STDERR_FILENO);
		file_sync(fd, "test");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void
a_failed_fsync_ends_the_process(void **state)
{
	int good = open(at("e"), O_CREAT | O_RDWR, 0600);

	(void)state;
	assert_int_equal(exit_code_of_sync(good), 0);
	assert_int_equal(exit_code_of_sync(-1), 70);
	close(good);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_is_written_is_read),
	        cmocka_unit_test(no_temporary_file_stays),
	        cmocka_unit_test(a_file_at_its_limit_is_read_and_one_byte_more_is_refused),
	        cmocka_unit_test(a_file_that_must_not_change_and_differs_is_a_fork),
	        cmocka_unit_test(folders_are_made_once_and_again),
	        cmocka_unit_test(a_write_into_no_folder_is_refused),
	        cmocka_unit_test(a_failed_fsync_ends_the_process),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
