/* bench_print.c - what a run measured, for people and for scripts. */
#include "bench_load.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

static double
rate(const struct bench_result *r)
{
	return r->seconds > 0 ? (double)r->certificates / r->seconds : 0;
}

void
bench_print_table(FILE *to, const struct bench_load *load, const struct bench_result *r)
{
	size_t i;

	fprintf(to, "sessions of %u over %u connections, %.1f s\n", load->plan.seats,
	        load->connections, r->seconds);
	fprintf(to, "  certificates          %10llu\n", (unsigned long long)r->certificates);
	fprintf(to, "  certificates a second %10.0f\n", rate(r));
	fprintf(to, "  sessions answered     %10llu\n", (unsigned long long)r->sessions);
	fprintf(to, "  session p50, p99, max %10.1f %.1f %.1f ms\n", r->p50_ms, r->p99_ms,
	        r->max_ms);
	fprintf(to, "  processor of the load %10.2f s\n", r->cpu_load_s);
	for (i = 0; i < BENCH_CODES_MAX && r->codes[i].word[0]; i++) {
		fprintf(to, "  %-21s %10llu\n", r->codes[i].word,
		        (unsigned long long)r->codes[i].count);
		if (!strcmp(r->codes[i].word, "daily_cap_exceeded"))
			fputs("    the centre's daily cap ends the run: raise it in the roster\n",
			        to);
	}
}

void
bench_print_json(FILE *to, const struct bench_load *load, const struct bench_result *r)
{
	json_t *errors = json_object(), *json;
	char *text = NULL;
	size_t i;

	for (i = 0; errors && i < BENCH_CODES_MAX && r->codes[i].word[0]; i++)
		json_object_set_new(
		        errors, r->codes[i].word, json_integer((json_int_t)r->codes[i].count));
	json = json_pack("{s:f,s:I,s:I,s:f,s:f,s:f,s:f,s:f,s:i,s:i,s:o}", "certificates_per_second",
	        rate(r), "sessions", (json_int_t)r->sessions, "certificates",
	        (json_int_t)r->certificates, "seconds", r->seconds, "p50_ms", r->p50_ms, "p99_ms",
	        r->p99_ms, "max_ms", r->max_ms, "cpu_load_s", r->cpu_load_s, "connections",
	        (int)load->connections, "sessions_of", (int)load->plan.seats, "errors", errors);
	if (json && (text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6))))
		fprintf(to, "%s\n", text);
	free(text);
	json_decref(json);
}
