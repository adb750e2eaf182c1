#ifndef TOOLS_BENCH_PART_H
#define TOOLS_BENCH_PART_H
/* bench_part.h - the parts of zz-bench that measure an instance of this machine, and what they
 * share. Each adds its rows; sides are taken by turns in short slices, and medians are compared. */
#include "bench_drive.h"
#include "bench_goal.h"
#include "bench_instance.h"
#include "bench_session.h"
#include "key.h"

enum { BENCH_ROUNDS = 3, BENCH_SETTLE_MS = 500 };

struct bench_run {
	struct bench_instance in;
	struct key *center, *official;
	int64_t now;  /* of the day, when the program began */
	double began; /* monotonic, at the same time */
	struct bench_goals *goals;
};
typedef enum err (*bench_part)(struct bench_run *r);
/* ERR_CONFIG, having said why: no instance, no key in it. */
MUST_USE enum err bench_run_open(const char *dir, int64_t now, struct bench_run *out);
void bench_run_close(struct bench_run *r); /* of zeroes too */

struct bench_sample { /* one slice of issuing */
	struct bench_driven driven;
	double cpu_us[BENCH_PROCESSES]; /* a certificate */
	double cpu_sum_us, rate;        /* certificates a second */
};
struct bench_issue {
	unsigned seats, connections;
	double rate, seconds; /* of requests, as in bench_drive */
	size_t sessions;      /* made beforehand; the slice may end with them */
	uint64_t people;      /* first person; 0: by chance, of those that fill leaves alone */
	enum err (*seen)(void *to, struct bytes body, double due); /* as in bench_drive */
	enum err (*ready)(void *to); /* before the first is sent; or NULL */
	void *to;
};
/* Signs the sessions, drives them, waits until the publisher has settled. ERR_VALUE where one was
 * refused. */
MUST_USE enum err bench_sample_issue(
        struct bench_run *r, const struct bench_issue *what, struct bench_sample *out);

struct bench_floors { /* of each round; the processor's microseconds a certificate */
	double rate[BENCH_ROUNDS], cpu[BENCH_ROUNDS], sign[BENCH_ROUNDS], verify[BENCH_ROUNDS],
	        insert[BENCH_ROUNDS], p50[BENCH_ROUNDS], p99[BENCH_ROUNDS];
	double part[BENCH_PROCESSES][BENCH_ROUNDS];
};
/* Sessions of 60, beside what sign and verify with that suite and insert cost by themselves. */
MUST_USE enum err bench_issue_floors(
        struct bench_run *r, enum key_suite suite, struct bench_floors *out);

struct bench_key_cost {
	double sign_us, verify_us; /* of the processor; sign without its own check */
	double per_second;         /* signatures with their check, of all threads */
};
/* Threads at once: a core that shares its units with another is slower. */
MUST_USE enum err bench_key_cost(
        enum key_suite suite, unsigned threads, struct bench_key_cost *out);
unsigned bench_cores(void);

/* As bench_audit, of an instance that goes on publishing. */
MUST_USE enum err bench_audit_settled(const struct bench_run *r, int *code, double *seconds);

void bench_row(
        struct bench_run *r, const char *name, const char *what, const char *unit, double measured);

double bench_median(double *values, size_t count); /* sorts them */
void bench_sleep(double seconds);

/* The parts */
MUST_USE enum err bench_part_issue(struct bench_run *r);
MUST_USE enum err bench_part_single(struct bench_run *r);
MUST_USE enum err bench_part_latency(struct bench_run *r);
MUST_USE enum err bench_part_lookup(struct bench_run *r);
MUST_USE enum err bench_part_check(struct bench_run *r);
MUST_USE enum err bench_part_tree(struct bench_run *r);
MUST_USE enum err bench_part_publish(struct bench_run *r);
MUST_USE enum err bench_part_growth(struct bench_run *r);
MUST_USE enum err bench_part_memory(struct bench_run *r);
MUST_USE enum err bench_part_lists(struct bench_run *r);
MUST_USE enum err bench_part_suites(struct bench_run *r);
MUST_USE enum err bench_part_edge(struct bench_run *r);

/* Issues until the instance holds so many certificates; goes on where it stopped. */
MUST_USE enum err bench_fill(struct bench_run *r, uint64_t certificates);
/* Size and root of the public checkpoint. */
MUST_USE enum err bench_checkpoint(const struct bench_run *r, uint64_t *size, uint8_t root[32]);

/* bench_insert.c: the rows of entries [first, end) once more, by one client, into a database beside
 * the instance's; and rows of `bytes` one by one over `connections`. */
MUST_USE enum err bench_insert_prepare(struct bench_run *r, uint64_t first, uint64_t end);
MUST_USE enum err bench_insert_slice(struct bench_run *r, unsigned slice, double *us_a_row);
MUST_USE enum err bench_insert_single(
        struct bench_run *r, unsigned bytes, unsigned connections, double *a_second);
void bench_insert_end(struct bench_run *r);
#endif
