#ifndef TOOLS_BENCH_PROFILE_H
#define TOOLS_BENCH_PROFILE_H
/* bench_profile.h - zz-bench profile: where the processor time of a certificate goes, by process
 * and part, from perf's samples of a real run. */
#include "bench_part.h"

#include <stdio.h>

enum { BENCH_PROFILE_PARTS_MAX = 128 };

struct bench_profile_part {
	int process;      /* enum bench_process */
	const char *name; /* of a table in bench_profile.c */
	uint64_t samples;
};
struct bench_profile {
	struct bench_profile_part parts[BENCH_PROFILE_PARTS_MAX];
	size_t count;
	uint64_t samples[BENCH_PROCESSES], strangers; /* of each process; of none of them */
};
/* Reads what `perf script -F comm,ip,sym,dso` prints. ERR_LIMIT: more parts than there is room. */
MUST_USE enum err bench_profile_read(FILE *in, struct bench_profile *out);
/* Issues sessions of `seats` while perf looks on, and prints the table. ERR_CONFIG where there is
 * no perf or the kernel refuses it. */
MUST_USE enum err bench_profile(struct bench_run *r, unsigned seats, FILE *to);
#endif
