/* bench_goal.c - rows of goal, measure and verdict; the machine stands with them, since a number
 * without it says nothing. */
#include "bench_goal.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { MODEL_BYTES = 120 };

static bool
row_met(const struct bench_row *r)
{
	return r->goal == 0 || (r->goal < 0 ? r->measured >= -r->goal : r->measured < r->goal);
}

void
bench_goal_add(struct bench_goals *g, struct bench_row row)
{
	assert(g->count < BENCH_ROWS_MAX);
	g->rows[g->count++] = row;
}

bool
bench_goals_met(const struct bench_goals *g)
{
	for (unsigned i = 0; i < g->count; i++)
		if (!row_met(&g->rows[i]))
			return false;
	return true;
}

/* "unknown" where /proc does not tell. */
static void
model_read(char out[MODEL_BYTES])
{
	FILE *in = fopen("/proc/cpuinfo", "r");
	char line[256];

	snprintf(out, MODEL_BYTES, "unknown");
	while (in != NULL && fgets(line, sizeof line, in) != NULL) {
		const char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || colon == NULL)
			continue;
		snprintf(out, MODEL_BYTES, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
		break;
	}
	if (in != NULL)
		fclose(in);
}

void
bench_goals_print(FILE *to, const struct bench_goals *g)
{
	char model[MODEL_BYTES];
	struct utsname kernel = {.release = "?"};

	uname(&kernel);
	model_read(model);
	fprintf(to, "machine: %s, %ld cores, Linux %s%s%s\n", model, sysconf(_SC_NPROCESSORS_ONLN),
	        kernel.release, g->database[0] != '\0' ? ", PostgreSQL " : "", g->database);
	fprintf(to, "%-62s %10s %12s %6s %s\n", "", "goal", "measured", "ratio", "ok");
	for (unsigned i = 0; i < g->count; i++) {
		const struct bench_row *r = &g->rows[i];
		char goal[24] = "-", ratio[24] = "";

		if (r->goal != 0) {
			snprintf(goal, sizeof goal, "%s %g", r->goal < 0 ? ">=" : "<",
			        fabs(r->goal));
			snprintf(ratio, sizeof ratio, "%.2f", r->measured / fabs(r->goal));
		}
		fprintf(to, "%-62s %10s %12.6g %6s %-4s %s\n", r->what, goal, r->measured, ratio,
		        r->goal == 0 ? ""
		        : row_met(r) ? "yes"
		                     : "NO",
		        r->unit);
	}
}

void
bench_goals_json(FILE *to, const struct bench_goals *g, int64_t now)
{
	char model[MODEL_BYTES];
	struct utsname kernel = {.release = "?"};
	json_t *rows = json_array(), *json;
	char *text = NULL;

	uname(&kernel);
	model_read(model);
	for (unsigned i = 0; i < g->count; i++) {
		const struct bench_row *r = &g->rows[i];

		json_array_append_new(
		        rows, json_pack("{s:s,s:s,s:s,s:f,s:o,s:b,s:b}", "name", r->name, "what",
		                      r->what, "unit", r->unit, "measured", r->measured, "goal",
		                      r->goal == 0 ? json_null() : json_real(fabs(r->goal)), "ok",
		                      row_met(r), "at_least", r->goal < 0));
	}
	json = json_pack("{s:s,s:s,s:s,s:s,s:i,s:I,s:I,s:o}", "command", g->command, "machine",
	        model, "kernel", kernel.release, "postgresql", g->database, "cores",
	        (int)sysconf(_SC_NPROCESSORS_ONLN), "at", (json_int_t)now, "certificates",
	        (json_int_t)g->certificates, "rows", rows);
	if (json != NULL && (text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6))))
		fprintf(to, "%s\n", text);
	free(text);
	json_decref(json);
}
