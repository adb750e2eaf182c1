#ifndef TOOLS_BENCH_STATUS_H
#define TOOLS_BENCH_STATUS_H
/* bench_status.h - zz-bench status: what the status of all certificates costs to make and to
 * fetch. */
#include "bench_goal.h"
#include "err.h"

enum { BENCH_CERTIFICATES_MAX = 100000000 };

/* Fills in the rows. Makes an authority in a folder of its own, runs zz-admin and zz-verify. */
MUST_USE enum err bench_status(uint64_t certificates, int64_t now, struct bench_goals *out);
#endif
