#ifndef TOOLS_BENCH_LOAD_H
#define TOOLS_BENCH_LOAD_H
/* bench_load.h - the load: threads with one kept connection each, signing just in time, until the
 * time is up. */
#include "bench_session.h"
#include "client.h"

#include <stdatomic.h>
#include <stdio.h>

enum {
	BENCH_CONNECTIONS_MAX = 256,
	BENCH_SECONDS_MAX = 3600,
	BENCH_CODES_MAX = 24,
	BENCH_FAILURES_MAX = 20, /* in a row: the connection gives up */
};

struct bench_code { /* what went wrong, by code; "seat:CODE" for one seat */
	char word[64];
	uint64_t count;
};

struct bench_load {
	struct bench_plan plan;
	const struct key *key;
	const char *url;
	unsigned connections, seconds;
};

struct bench_result {
	uint64_t sessions, certificates; /* answered in full */
	double seconds;                  /* first request to last answer */
	double p50_ms, p99_ms, max_ms;   /* of a session's POST */
	double cpu_load_s;               /* processor time of this program */
	struct bench_code codes[BENCH_CODES_MAX];
};

/* ERR_VALUE: the URL; ERR_MEMORY. Answers of the service are no error of this. */
MUST_USE enum err bench_run(const struct bench_load *load, struct bench_result *out);
void bench_print_table(FILE *to, const struct bench_load *load, const struct bench_result *r);
void bench_print_json(FILE *to, const struct bench_load *load, const struct bench_result *r);
#endif
