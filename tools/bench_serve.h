#ifndef TOOLS_BENCH_SERVE_H
#define TOOLS_BENCH_SERVE_H
/* bench_serve.h - files of a folder, served to one loopback client after the other: just enough
 * HTTP for zz-verify. On disk, not in memory: a child's peak memory begins with its parent's. */
#include "bytes.h"

struct bench_serve;
MUST_USE enum err bench_serve_open(const char *dir, struct bench_serve **out);
void bench_serve_close(struct bench_serve *s); /* NULL is fine */
/* The file of that path, which starts with '/'; its folders are made. */
MUST_USE enum err bench_serve_put(struct bench_serve *s, const char *path, struct bytes data);
MUST_USE enum err bench_serve_start(struct bench_serve *s);
const char *bench_serve_url(const struct bench_serve *s);
uint64_t bench_serve_sent(struct bench_serve *s); /* bytes of bodies since the last call */
#endif
