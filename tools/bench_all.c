/* bench_all.c - which parts a command runs, and the audit after it: a rate that left a difference
 * behind counts for nothing. */
#include "bench_all.h"

#include "bench_part.h"
#include "bench_profile.h"

#include <stdlib.h>
#include <string.h>

enum { EXIT_MISSED = 1, SECONDS_MAX = 60, FILL = 5000000, FILL_MAX = 50000000 };

const char bench_all_help[] =
        "       zz-bench "
        "issue|lookup|check|publish|growth|tree|memory|lists|suites|edge|profile|all "
        "--dir D [--seconds 3] [--json FILE]\n"
        "       zz-bench fill --dir D [--certificates 5000000]\n"
        "these measure a running instance of tools/up in D, on its machine, from issuing to its "
        "database, and audit it:\n"
        "  issue    sessions of 60, then of 1, beside sign, verify, insert and pgbench in the "
        "same run; latency at 500/s\n"
        "  lookup   by serial and by document\n"
        "  check    a million records given to the zz-verify beside it, and bundles\n"
        "  publish  from request to public checkpoint at 5,000 certificates a second\n"
        "  growth   beside a small instance in D-small; WAL a certificate\n"
        "  tree     10 million leaves hashed from the database, the root compared\n"
        "  memory   of issuerd and ca-signer, and as fill wrote it down\n"
        "  lists    status lists of 50 million certificates, from their bits to signed CWT\n"
        "  suites   sign and verify with ES256, Ed25519 and SM2, on one core and on all; issue "
        "in instances of these suites in D-ed25519 and D-sm2, where they are\n"
        "  edge     public files through nginx with tools/deploy/nginx.conf and through one "
        "alone; needs wrk\n"
        "  all      all of them\n"
        "  profile  where the processor time of a certificate goes, by process and part; needs "
        "perf\n"
        "  fill     issues until the instance holds so many certificates, going on where it "
        "stopped, and audits it\n"
        "  --seconds N  of each slice, 1 to 60; there are three of each\n\n";

static const struct {
	const char *command;
	bench_part run;
} parts[] = {{"issue", bench_part_issue}, {"issue", bench_part_single},
        {"issue", bench_part_latency}, {"lookup", bench_part_lookup}, {"check", bench_part_check},
        {"publish", bench_part_publish}, {"growth", bench_part_growth}, {"tree", bench_part_tree},
        {"memory", bench_part_memory}, {"lists", bench_part_lists}, {"suites", bench_part_suites},
        {"edge", bench_part_edge}};
enum { PARTS = sizeof parts / sizeof parts[0] };

static bool
part_wanted(const char *command, size_t part)
{
	return strcmp(command, "all") == 0 || strcmp(command, parts[part].command) == 0;
}

bool
bench_all_knows(int argc, char **argv)
{
	bool known = strcmp(argv[0], "fill") == 0 || strcmp(argv[0], "profile") == 0, dir = false;

	for (size_t i = 0; i < PARTS; i++)
		known = known || part_wanted(argv[0], i);
	for (int i = 1; i < argc; i++)
		dir = dir || strcmp(argv[i], "--dir") == 0;
	return known && (dir || strcmp(argv[0], "issue") != 0);
}

static enum err
audit_say(struct bench_run *r, const char *name, const char *what)
{
	double seconds = 0;
	int code = 0;
	enum err e = bench_audit_settled(r, &code, &seconds);

	if (e != ERR_OK)
		return e;
	bench_goal_add(r->goals, (struct bench_row){name, what, "", 0.5, code});
	bench_row(r, strcmp(name, "audit_after") == 0 ? "audit_after_s" : "audit_before_s",
	        "  it took", "s", seconds);
	return ERR_OK;
}

static enum err
parts_run(struct bench_run *r, const char *command, uint64_t fill)
{
	double load[1] = {0};
	enum err e = ERR_OK;

	if (bench_sql_text(&r->in, "zz", "SHOW server_version", r->goals->database,
	            sizeof r->goals->database) == ERR_OK)
		r->goals->database[strcspn(r->goals->database, " \n")] = '\0';
	/* what was audited before is not read again: this one is of what came since */
	if (strcmp(command, "all") == 0)
		e = audit_say(r, "audit_before", "zz-audit before (0: nothing differs)");
	if (getloadavg(load, 1) == 1)
		bench_row(r, "load_before", "load average before the run", "", load[0]);
	if (fill > 0)
		e = bench_fill(r, fill);
	for (size_t i = 0; e == ERR_OK && i < PARTS; i++)
		if (part_wanted(command, i))
			e = parts[i].run(r);
	return e == ERR_OK ? audit_say(r, "audit_after", "zz-audit afterwards (0: nothing differs)")
	                   : e;
}

/* Its table stands before the audit's. */
static enum err
profiles_run(struct bench_run *r, FILE *to)
{
	enum err e = bench_profile(r, 60, to);

	if (e == ERR_OK)
		e = bench_profile(r, 1, to);
	return e == ERR_OK ? audit_say(r, "audit_after", "zz-audit afterwards (0: nothing differs)")
	                   : e;
}

static int
goals_say(const struct zz *z, const struct bench_goals *g, const char *json)
{
	FILE *to = json != NULL ? fopen(json, "w") : NULL;

	bench_goals_print(z->out, g);
	if (json != NULL && to == NULL)
		return (int)zz_fault(z, json, ERR_IO);
	if (to != NULL) {
		bench_goals_json(to, g, z->now);
		if (fclose(to) != 0)
			return (int)zz_fault(z, json, ERR_IO);
	}
	return bench_goals_met(g) ? ZZ_DONE : EXIT_MISSED;
}

int
bench_all_command(const struct zz *z, int argc, char **argv)
{
	const char *dir = NULL, *seconds = NULL, *json = NULL, *certificates = NULL;
	const struct zz_option options[] = {{"--dir", &dir, NULL, true},
	        {"--seconds", &seconds, NULL, false}, {"--json", &json, NULL, false},
	        {"--certificates", &certificates, NULL, false}};
	struct zz_args args = {
	        .options = options, .option_count = sizeof options / sizeof options[0]};
	struct bench_goals *goals = calloc(1, sizeof *goals);
	struct bench_run run = {0};
	uint64_t slice = 3, fill = strcmp(argv[0], "fill") == 0 ? FILL : 0;
	int exit = goals != NULL ? (int)zz_args(z, argc, argv, &args) : (int)ZZ_REFUSED;
	enum err e;

	if (exit == ZZ_DONE && seconds != NULL &&
	        (decimal_decode(bytes_of_text(seconds), SECONDS_MAX, &slice) != ERR_OK || !slice))
		exit = (int)zz_usage(z, "--seconds is 1 to 60");
	if (exit == ZZ_DONE && certificates != NULL &&
	        (decimal_decode(bytes_of_text(certificates), FILL_MAX, &fill) != ERR_OK || !fill))
		exit = (int)zz_usage(z, "--certificates is 1 to 50000000");
	if (exit == ZZ_DONE) {
		if ((e = bench_run_open(dir, z->now, &run)) == ERR_OK) {
			run.goals = goals;
			run.in.seconds = (unsigned)slice;
			goals->command = argv[0];
			e = strcmp(argv[0], "profile") == 0 ? profiles_run(&run, z->out)
			                                    : parts_run(&run, argv[0], fill);
		}
		exit = e == ERR_OK ? goals_say(z, goals, json) : (int)zz_fault(z, argv[0], e);
	}
	bench_run_close(&run);
	free(goals);
	return exit;
}
