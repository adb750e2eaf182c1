#ifndef TOOLS_BENCH_DRIVE_H
#define TOOLS_BENCH_DRIVE_H
/* bench_drive.h - HTTP requests that were made beforehand, over kept connections to a loopback
 * port, by one thread: what is measured is the service, and the load costs as little as it can. */
#include "bytes.h"

struct bench_shots { /* whole HTTP requests, one after the other in `room` */
	struct bytes *requests;
	size_t count, max;
	uint8_t *room;
	size_t used, size;
};
/* Room for `max` requests of `bytes` each. */
MUST_USE enum err bench_shots_init(struct bench_shots *s, size_t max, size_t bytes);
void bench_shots_free(struct bench_shots *s); /* of zeroes too */
MUST_USE enum err bench_shot_post(struct bench_shots *s, const char *path, struct bytes jws);
MUST_USE enum err bench_shot_get(
        struct bench_shots *s, const char *path, const char *authorization);

enum { BENCH_DRIVE_CONNECTIONS_MAX = 256 };

struct bench_drive {
	unsigned port, connections;
	double rate; /* requests a second, whether or not the service keeps up; 0: as it answers */
	double seconds;     /* at most; 0: until the shots are used up */
	bool again;         /* begin again after the last shot */
	const char *needle; /* counted in the answers, or NULL */
	const struct bench_shots *shots;
	/* gets each answer's body and when it was due; stops the run with an error; or NULL */
	enum err (*seen)(void *to, struct bytes body, double due);
	void *to;
};
struct bench_driven {
	uint64_t answered, refused, needles; /* refused: neither 200, 201 nor 202 */
	unsigned refusal;                    /* the first such status */
	double seconds, cpu_s;               /* first request to last answer; of this thread */
	double p50_ms, p99_ms, max_ms;       /* where `rate`, from the time it was meant to go */
};
/* ERR_IO: no connection, or it broke; ERR_DEADLINE: an answer did not come for 30 s; ERR_MEMORY. */
MUST_USE enum err bench_drive(const struct bench_drive *d, struct bench_driven *out);
#endif
