/* test_log.c - one event is one line whatever it says, and a flood is counted, not written. */
#include "log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char written[300000];

/* What `say` writes to standard error. */
static void
capture(void (*say)(void))
{
	FILE *to = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n = 0;

	assert_non_null(to);
	dup2(fileno(to), STDERR_FILENO);
	say();
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(to);
	n = fread(written, 1, sizeof written - 1, to);
	written[n] = '\0';
	fclose(to);
}

static size_t
lines(void)
{
	size_t n = 0;

	for (const char *p = written; *p != '\0'; p++)
		n += *p == '\n';
	return n;
}

/* To the start of the next second, so that a count falls into one. */
static void
next_second(void)
{
	const struct timespec pause = {0, 1000000};
	time_t now = time(NULL);

	while (time(NULL) == now)
		nanosleep(&pause, NULL);
}

static void
say_forged(void)
{
	log_refuse("forged", "name=%s", "a\ntime=2026 level=note event=b\r\x1b[31m");
}

static void
no_byte_of_a_peer_begins_a_line(void **state)
{
	(void)state;
	log_open("/usr/bin/tested");
	capture(say_forged);
	assert_int_equal(lines(), 1);
	assert_non_null(strstr(written, " program=tested level=refuse event=forged name=a time="));
	assert_null(strchr(written, '\x1b'));
	assert_memory_equal(written, "time=20", 7);
}

static void
say_long(void)
{
	char text[5000];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_fault("long", "text=%s", text);
}

static void
a_long_line_is_cut(void **state)
{
	(void)state;
	capture(say_long);
	assert_int_equal(lines(), 1);
	assert_true(strlen(written) <= 1025);
}

static void
say_much(void)
{
	for (int i = 0; i < LOG_LINES_S_MAX + 7; i++)
		log_note("flood", "i=%d", i);
}

static void
say_one(void)
{
	log_note("after", "x=%d", 1);
}

static void
a_flood_is_cut_at_the_limit_and_counted(void **state)
{
	(void)state;
	next_second();
	capture(say_much);
	assert_int_equal(lines(), LOG_LINES_S_MAX);
	next_second();
	capture(say_one);
	assert_non_null(strstr(written, "event=after left_out=7 x=1"));
	next_second();
	capture(say_one);
	assert_null(strstr(written, "left_out"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(no_byte_of_a_peer_begins_a_line),
	        cmocka_unit_test(a_long_line_is_cut),
	        cmocka_unit_test(a_flood_is_cut_at_the_limit_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
