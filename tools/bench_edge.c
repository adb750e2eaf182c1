/* bench_edge.c - public files through the nginx of tools/deploy beside an nginx alone:
 * tools/nginx-rate measures, this says it. */
#include "bench_part.h"

#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAID_BYTES = 4096 };

/* Of the checkout that this program was built in: build/bin/ is its place. */
static enum err
script_find(char out[BENCH_TEXT_MAX])
{
	char self[BENCH_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (n <= 0)
		return ERR_IO;
	self[n] = '\0';
	if ((slash = strrchr(self, '/')) == NULL)
		return ERR_IO;
	*slash = '\0';
	snprintf(out, BENCH_TEXT_MAX, "%s/../../tools/nginx-rate", self);
	if (access(out, X_OK) == 0)
		return ERR_OK;
	fprintf(stderr, "zz-bench: edge is measured from a checkout: no %s\n", out);
	return ERR_CONFIG;
}

static enum err
rate_find(const char *said, const char *name, double *out)
{
	const char *at = strstr(said, name);

	*out = at != NULL ? strtod(at + strlen(name), NULL) : 0;
	return *out > 0 ? ERR_OK : ERR_VALUE;
}

static enum err
rates_say(struct bench_run *r, const char *said)
{
	double small, small_alone, tiles, tiles_alone;
	enum err e;

	if ((e = rate_find(said, "small template ", &small)) != ERR_OK ||
	        (e = rate_find(said, "small alone ", &small_alone)) != ERR_OK ||
	        (e = rate_find(said, "tiles template ", &tiles)) != ERR_OK ||
	        (e = rate_find(said, "tiles alone ", &tiles_alone)) != ERR_OK)
		return e;
	bench_row(r, "edge_small_per_second",
	        "checkpoint, head, list, proof, manifest by tools/deploy/nginx.conf", "1/s", small);
	bench_row(r, "edge_small_alone", "  by an nginx that knows only the folder", "1/s",
	        small_alone);
	bench_goal_add(r->goals, (struct bench_row){"edge_small_ratio", "  the ratio of both", "",
	                                 BENCH_AT_LEAST(0.9), small / small_alone});
	bench_row(r, "edge_tiles_per_second", "tiles, the same", "1/s", tiles);
	bench_row(r, "edge_tiles_alone", "  by an nginx that knows only the folder", "1/s",
	        tiles_alone);
	bench_goal_add(r->goals, (struct bench_row){"edge_tiles_ratio", "  the ratio of both", "",
	                                 BENCH_AT_LEAST(0.9), tiles / tiles_alone});
	return ERR_OK;
}

static enum err
rate_run(const char *script, const struct bench_run *r, const char *output)
{
	char public[BENCH_TEXT_MAX], seconds[24], rounds[24];
	const char *const arguments[] = {script, public, seconds, rounds, NULL};
	pid_t process;
	enum err e;

	snprintf(public, sizeof public, "%s/public", r->in.dir);
	snprintf(seconds, sizeof seconds, "%u", r->in.seconds);
	snprintf(rounds, sizeof rounds, "%u", BENCH_ROUNDS);
	if ((e = bench_program_start(arguments, output, &process)) != ERR_OK)
		return e;
	return bench_program_end(process) == 0 ? ERR_OK : ERR_CONFIG; /* it said why */
}

enum err
bench_part_edge(struct bench_run *r)
{
	char dir[BENCH_PATH_MAX], script[BENCH_TEXT_MAX], output[BENCH_TEXT_MAX];
	uint8_t *said = NULL;
	size_t n = 0;
	enum err e = script_find(script);

	if (e != ERR_OK || (e = bench_folder_make(dir)) != ERR_OK)
		return e;
	snprintf(output, sizeof output, "%s/said", dir);
	if ((e = rate_run(script, r, output)) == ERR_OK &&
	        (e = file_read(output, SAID_BYTES, &said, &n)) == ERR_OK)
		e = rates_say(r, (const char *)said);
	free(said);
	bench_folder_remove(dir);
	return e;
}
