#ifndef TOOLS_BENCH_GOAL_H
#define TOOLS_BENCH_GOAL_H
/* bench_goal.h - what was measured beside what was promised, as a table and as JSON. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define BENCH_AT_LEAST(x) (-(x))
enum { BENCH_ROWS_MAX = 160 };

struct bench_row {
	const char *name; /* in the JSON */
	const char *what, *unit;
	double goal; /* measured must be below; BENCH_AT_LEAST(x): reach it; 0: it is only said */
	double measured;
};
struct bench_goals {
	const char *command;
	char database[40]; /* its version, or empty */
	uint64_t certificates;
	struct bench_row rows[BENCH_ROWS_MAX];
	unsigned count;
};

void bench_goal_add(struct bench_goals *g, struct bench_row row);
bool bench_goals_met(const struct bench_goals *g);
void bench_goals_print(FILE *to, const struct bench_goals *g);
void bench_goals_json(FILE *to, const struct bench_goals *g, int64_t now);
#endif
