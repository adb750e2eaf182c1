/* log.c - one line of key=value an event on standard error; never more than LOG_LINES_S_MAX lines a
 * second, and no byte of a peer can begin a line of its own. Its name, counters and lock are the
 * one mutable state of ca/. */
#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char program_name[32] = "zz";
static time_t window;
static unsigned long lines, left_out;

void
log_open(const char *program)
{
	const char *slash = strrchr(program, '/');

	snprintf(program_name, sizeof program_name, "%s", slash == NULL ? program : slash + 1);
}

/* Under the lock: may a line of this second be written, and how many were left out before it? */
static bool
admit(time_t now, unsigned long *missed)
{
	if (now != window) {
		window = now;
		lines = 0;
	}
	if (lines >= LOG_LINES_S_MAX) {
		left_out++;
		return false;
	}
	lines++;
	*missed = left_out;
	left_out = 0;
	return true;
}

static size_t
put_head(char *line, const struct timespec *now, const char *level, const char *event)
{
	struct tm tm;
	char stamp[32] = "";
	int n = 0;

	if (gmtime_r(&now->tv_sec, &tm) != NULL)
		strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
	n = snprintf(line, LINE_BYTES_MAX, "time=%s.%03ldZ program=%s level=%s event=%s ", stamp,
	        now->tv_nsec / 1000000, program_name, level, event);
	return n < 0 || n >= LINE_BYTES_MAX ? 0 : (size_t)n;
}

static size_t
clip(int n, size_t room)
{
	if (n < 0)
		return 0;
	return (size_t)n < room ? (size_t)n : room - 1;
}

static void
put_line(char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	while (n > 0 && line[n - 1] == ' ')
		n--;
	line[n++] = '\n';
	/* one write: lines of threads and processes do not mix */
	while (write(STDERR_FILENO, line, n) < 0 && errno == EINTR)
		;
}

static void __attribute__((format(printf, 3, 0)))
log_line(const char *level, const char *event, const char *format, va_list args)
{
	char line[LINE_BYTES_MAX + 1];
	struct timespec now;
	unsigned long missed = 0;
	size_t n = 0;
	bool admitted = false;
	int saved = errno;

	clock_gettime(CLOCK_REALTIME, &now);
	pthread_mutex_lock(&lock);
	admitted = admit(now.tv_sec, &missed);
	pthread_mutex_unlock(&lock);
	if (admitted) {
		n = put_head(line, &now, level, event);
		if (missed > 0)
			n += clip(snprintf(line + n, LINE_BYTES_MAX - n, "left_out=%lu ", missed),
			        LINE_BYTES_MAX - n);
		n += clip(
		        vsnprintf(line + n, LINE_BYTES_MAX - n, format, args), LINE_BYTES_MAX - n);
		put_line(line, n);
	}
	errno = saved;
}

void
log_fault(const char *event, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line("fault", event, format, args);
	va_end(args);
}

void
log_refuse(const char *event, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line("refuse", event, format, args);
	va_end(args);
}

void
log_note(const char *event, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line("note", event, format, args);
	va_end(args);
}
