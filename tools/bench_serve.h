#ifndef TOOLS_BENCH_SERVE_H
#define TOOLS_BENCH_SERVE_H
/* bench_serve.h - files in memory, served to one loopback client after the other: just enough HTTP
 * for zz-verify. */
#include "bytes.h"

enum { BENCH_FILES_MAX = 256, BENCH_FILE_NAME = 80 };

struct bench_serve;
MUST_USE enum err bench_serve_open(struct bench_serve **out);
void bench_serve_close(struct bench_serve *s); /* NULL is fine */
/* Takes a copy. Before the first client only. */
MUST_USE enum err bench_serve_put(struct bench_serve *s, const char *path, struct bytes data);
MUST_USE enum err bench_serve_start(struct bench_serve *s);
const char *bench_serve_url(const struct bench_serve *s);
uint64_t bench_serve_sent(struct bench_serve *s); /* bytes of bodies since the last call */
#endif
