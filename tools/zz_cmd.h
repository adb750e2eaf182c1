#ifndef TOOLS_ZZ_CMD_H
#define TOOLS_ZZ_CMD_H
/* zz_cmd.h - what all commands of zz share: exit codes, options, keys, and asking the service.
 * Messages go to standard error and never hold a name or a number of a person. Source: FORMATS.md
 * section 4. */
#include "client.h"
#include "json.h"
#include "key.h"

#include <stdio.h>

enum zz_exit {
	ZZ_DONE = 0,
	ZZ_USAGE = 2,       /* usage, or an input file is wrong: nothing was sent */
	ZZ_SOME = 3,        /* some refused */
	ZZ_REFUSED = 4,     /* refused */
	ZZ_WAITS = 5,       /* waits for approval */
	ZZ_UNAVAILABLE = 6, /* not available: safe to run again */
};

#define ZZ_EXIT_HELP                                                                               \
	"Exit codes: 0 done, 2 usage or input file (nothing was sent), 3 some refused, 4 "         \
	"refused,\n"                                                                               \
	"            5 waits for approval, 6 not available (safe to run again)\n"

enum { ZZ_REPLY_BYTES_MAX = 64 * 1024 * 1024, ZZ_WORDS_MAX = 1000, ZZ_PATH_MAX = 4096 };

struct zz {          /* the world outside a command: tests give their own */
	int64_t now; /* UTC seconds */
	FILE *in, *out, *err;
	bool terminal;              /* err is a terminal: progress is shown */
	void (*wait)(int64_t *now); /* lets a second pass and tells the time after it */
};

struct zz_option {
	const char *name;  /* with its dashes */
	const char **text; /* takes a value */
	bool *flag; /* takes none; neither: its value is one more word, and it may be repeated */
	bool required;
};
struct zz_args {
	const struct zz_option *options;
	size_t option_count;
	const char **words; /* room for what is no option, words_max */
	size_t words_max, word_count;
};
/* Reads argv[1..]. ZZ_DONE, or ZZ_USAGE having said what is wrong. */
enum zz_exit zz_args(const struct zz *z, int argc, char **argv, struct zz_args *a);

/* Says "zz: WHAT: sentence (code)" in both languages and gives the exit code that suits. */
enum zz_exit zz_fault(const struct zz *z, const char *what, enum err e);
enum zz_exit zz_usage(const struct zz *z, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* Private key of an operator. */
enum zz_exit zz_key(const struct zz *z, const char *path, struct key **out);
enum zz_exit zz_client(const struct zz *z, const char *url, struct client **out);

/* GET with a query token signed by k. *out is the answer's object (json_decref it). */
struct zz_service {
	const struct zz *z;
	struct client *client;
	const struct key *key;
};
enum zz_exit zz_get(const struct zz_service *s, const char *path, json_t **out);
/* POST of a JWS; *status is 200, 201 or 202 on ZZ_DONE. `raw`, where given, gets the body: it lives
 * until the next call. */
enum zz_exit zz_post(const struct zz_service *s, const char *path, struct bytes jws,
        unsigned *status, json_t **out, struct bytes *raw);

/* POST of an object with a query token: a question whose words do not fit a path. */
enum zz_exit zz_ask(const struct zz_service *s, const char *path, const json_t *question,
        json_t **out, struct bytes *raw);

/* Members of an answer, read leniently: newer servers may say more. */
struct bytes zz_text_of(const json_t *object, const char *name); /* empty when missing */
int64_t zz_number_of(const json_t *object, const char *name);    /* -1 when missing or no integer */
bool zz_is_hex(struct bytes text, size_t digits);
#endif
