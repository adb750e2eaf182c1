#ifndef TOOLS_BENCH_WATCH_H
#define TOOLS_BENCH_WATCH_H
/* bench_watch.h - follows the public head and notes when each of some certificates is INVALID on a
 * list that the head names. */
#include "client.h"

#include <pthread.h>
#include <stdatomic.h>

struct bench_target {
	uint8_t serial[16];
	uint32_t list, idx;
	double asked_s;  /* the approval was sent; 0 not yet */
	double public_s; /* 0 not yet */
};
struct bench_watch {
	const char *url;
	struct bench_target *targets;
	unsigned count;
	pthread_mutex_t lock; /* guards the targets' times */
	atomic_bool stop;
	unsigned heads; /* that came */
	enum err fault; /* read after the end */
	pthread_t thread;
};

/* The caller has filled url, targets and count. */
MUST_USE enum err bench_watch_start(struct bench_watch *w);
unsigned bench_watch_open_count(struct bench_watch *w); /* asked and not public yet */
void bench_watch_end(struct bench_watch *w);
#endif
