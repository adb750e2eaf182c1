#ifndef TOOLS_VERIFY_MANY_H
#define TOOLS_VERIFY_MANY_H
/* verify_many.h - many certificates against the state folder, on several threads, answered in the
 * order of the input. Memory does not grow with their number. */
#include "verify_check.h"
#include "verify_input.h"

enum { MANY_THREADS_MAX = 64 };

struct many_options {
	struct check_options check; /* `data` is not looked at */
	unsigned threads;           /* 1 to MANY_THREADS_MAX */
	bool json;
	FILE *out, *err; /* verdicts, and what could not be read */
	bool terminal;   /* err is one: a bar is drawn there */
	bool shared;     /* out is one too: the bar makes way for each line */
	const struct field *field;
};
struct many_first { /* name and line of an input_item */
	const char *name;
	uint64_t line;
};
struct many_report {
	uint64_t count, by[VERDICT_COUNT];
	uint64_t unread; /* no regular file, or not to be read: not in `count` */
	struct many_first first[VERDICT_COUNT];
	unsigned busy; /* threads that had some of the work */
};

/* `in` is INPUT_MANY. ERR_IO where the input ends in an error or `out` cannot be written,
 * ERR_MEMORY; what was answered until then is right, and *out says how much. */
MUST_USE enum err many_run(
        const struct many_options *o, struct held *h, struct input *in, struct many_report *out);
/* 0 only if all are VALID; else the exit code of the worst by the order of VERDICT_LIST. 1 where
 * the rest is VALID but something was not read. None at all is MALFORMED, as an empty file is. */
int many_exit(const struct many_report *r);

/* How it is shown; for verify_many.c and its caller. */
MUST_USE enum err many_print(FILE *to, const struct many_options *o, const struct input_item *item,
        const struct check *c);
void many_print_unread(FILE *to, const struct input_item *item, enum err e);
MUST_USE enum err many_print_summary(const struct many_options *o, const struct many_report *r);
/* One line over the one before: how far, how many, how many a second. NULL `in` clears it. */
void many_print_bar(FILE *to, const struct input *in, uint64_t count, double seconds);
#endif
