/* zz-bench.c - measures a running service from the outside, and what large numbers cost; it stops
 * by itself. */
#include "bench_all.h"
#include "bench_load.h"
#include "bench_revoke.h"
#include "bench_status.h"
#include "hash.h"
#include "log.h"
#include "zz_cmd.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_MISSED = 1 };

static const char help[] =
        "usage: zz-bench issue --url U --key KEY.pem --seconds N [--sessions-of 60] [--connections "
        "8]\n"
        "                      [--center 330106-01] [--region 330000] [--item 030102] [--json]\n"
        "       zz-bench revoke --url U --key KEY.pem --official A.pem --approver B.pem\n"
        "                      [--revocations 200] [--revoked 1000000] [--connections 4]\n"
        "                      [--center 330106-01] [--region 330000] [--item 030102] [--json]\n"
        "       zz-bench status [--certificates 50000000] [--json]\n\n"
        "issue hands in exam sessions of people that nobody is, as fast as the service answers, "
        "and says how many\n"
        "certificates a second were issued. Real certificates are issued and logged: run it "
        "against a demonstration only.\n\n"
        "  --seconds N       1 to 3600; requests under way are waited for\n"
        "  --sessions-of N   seats of a session, 1 to 1000\n"
        "  --connections N   1 to 256, a thread each\n"
        "  --center CODE     the centre of the key; its daily cap must allow the run\n\n"
        "revoke issues certificates, then revokes them, five a second, while sessions are handed "
        "in as by issue, and says how\n"
        "long it takes from the second official's signature until the public head names a list "
        "that says INVALID. Then it\n"
        "compares, in two signers of its own, what a revocation costs after none and after "
        "--revoked others.\n\n"
        "  --revocations N   10 to 1000\n"
        "  --revoked N       1000 to 1000000\n\n"
        "status makes the status lists, CRLs and head of so many made-up certificates (1 % "
        "revoked, a tenth of them held),\n"
        "lets the zz-verify beside it fetch them over loopback, and compares with the goals. It "
        "needs no service.\n\n"
        "  --certificates N  1000 to 100000000\n"
        "  --json            JSON on standard output, the table on standard error\n\n"
        "Exit codes: 0 done, 1 a goal was missed, 2 usage, 3 some were refused, 4 nothing could "
        "be done, 6 the service\n"
        "does not answer\n";

static bool
number(const char *text, const char *standard, unsigned max, unsigned *out)
{
	uint64_t value = 0;

	if (decimal_decode(bytes_of_text(text ? text : standard), max, &value) != ERR_OK || !value)
		return false;
	*out = (unsigned)value;
	return true;
}

static bool
plain(const char *text)
{
	return strlen(text) <= 40 && !strpbrk(text, "\"\\");
}

static bool
codes_take(struct bench_plan *plan, const char *center, const char *region, const char *item)
{
	plan->center = center ? center : "330106-01";
	plan->region = region ? region : "330000";
	plan->item = item ? item : "030102";
	return plain(plan->center) && plain(plan->region) && plain(plan->item);
}

static void
plan_draw(struct bench_plan *plan, int64_t now)
{
	uint8_t random[12];

	random_bytes(random, sizeof random);
	plan->now = now;
	plan->start = be_get(random, 8) % bench_people();
	hex_encode(bytes_of(random + 8, 4), plan->run);
}

static enum zz_exit
exit_of(const struct bench_result *r)
{
	if (!r->certificates)
		return !strcmp(r->codes[0].word, "no_answer") ? ZZ_UNAVAILABLE : ZZ_REFUSED;
	return r->codes[0].word[0] ? ZZ_SOME : ZZ_DONE;
}

static int
goals_say(const struct zz *z, const struct bench_goals *g, bool json)
{
	bench_goals_print(json ? z->err : z->out, g);
	if (json)
		bench_goals_json(z->out, g, z->now);
	return bench_goals_met(g) ? ZZ_DONE : EXIT_MISSED;
}

static enum zz_exit
run(const struct zz *z, struct bench_load *load, const char *key_path, bool json)
{
	struct bench_result result = {0};
	struct key *key = NULL;
	enum zz_exit exit;
	enum err e;

	if ((exit = zz_key(z, key_path, &key)) != ZZ_DONE)
		return exit;
	load->key = key;
	fprintf(z->err, "zz-bench: %u s over %u connections …\n", load->seconds, load->connections);
	e = bench_run(load, &result);
	key_free(key);
	if (e == ERR_VALUE)
		return zz_usage(z, "--url must be http://HOST[:PORT] or https://HOST[:PORT]");
	if (e != ERR_OK)
		return zz_fault(z, "zz-bench", e);
	bench_print_table(json ? z->err : z->out, load, &result);
	if (json)
		bench_print_json(z->out, load, &result);
	return exit_of(&result);
}

static int
issue_command(const struct zz *z, int argc, char **argv)
{
	const char *key = NULL, *seconds = NULL, *seats = NULL, *connections = NULL, *center = NULL,
	           *region = NULL, *item = NULL;
	struct bench_load load = {0};
	bool json = false;
	const struct zz_option options[] = {{"--url", &load.url, NULL, true},
	        {"--key", &key, NULL, true}, {"--seconds", &seconds, NULL, true},
	        {"--sessions-of", &seats, NULL, false},
	        {"--connections", &connections, NULL, false}, {"--center", &center, NULL, false},
	        {"--region", &region, NULL, false}, {"--item", &item, NULL, false},
	        {"--json", NULL, &json, false}};
	struct zz_args args = {
	        .options = options, .option_count = sizeof options / sizeof options[0]};
	enum zz_exit exit;

	if ((exit = zz_args(z, argc, argv, &args)) != ZZ_DONE)
		return (int)exit;
	if (!number(seconds, "", BENCH_SECONDS_MAX, &load.seconds) ||
	        !number(seats, "60", BENCH_SEATS_MAX, &load.plan.seats) ||
	        !number(connections, "8", BENCH_CONNECTIONS_MAX, &load.connections))
		return (int)zz_usage(z,
		        "--seconds is 1 to 3600, --sessions-of 1 to 1000, --connections 1 to 256");
	if (!codes_take(&load.plan, center, region, item))
		return (int)zz_usage(z, "--center, --region and --item are short codes");
	plan_draw(&load.plan, z->now);
	return (int)run(z, &load, key, json);
}

/* Both parts, though the first misses its goal. */
static int
revoke_run(const struct zz *z, const struct bench_revocations *r, bool json)
{
	struct bench_goals *goals = calloc(1, sizeof *goals);
	int exit = ZZ_REFUSED;
	enum err e;

	if (!goals)
		return exit;
	goals->command = "revoke";
	if ((e = bench_revoke_live(r, goals)) != ERR_OK ||
	        (e = bench_revoke_ratio(r, z->now, goals)) != ERR_OK)
		exit = (int)zz_fault(z, "zz-bench revoke", e);
	else
		exit = goals_say(z, goals, json);
	free(goals);
	return exit;
}

static int
keys_run(const struct zz *z, struct bench_revocations *r, const char *const paths[3], bool json)
{
	struct key *keys[3] = {NULL};
	int exit = ZZ_DONE;

	for (int i = 0; exit == ZZ_DONE && i < 3; i++)
		exit = (int)zz_key(z, paths[i], &keys[i]);
	r->load.key = keys[0];
	r->official = keys[1];
	r->approver = keys[2];
	if (exit == ZZ_DONE)
		exit = revoke_run(z, r, json);
	for (int i = 0; i < 3; i++)
		key_free(keys[i]);
	return exit;
}

static int
revoke_command(const struct zz *z, int argc, char **argv)
{
	const char *paths[3] = {NULL}, *count = NULL, *revoked = NULL, *connections = NULL,
	           *center = NULL, *region = NULL, *item = NULL;
	struct bench_revocations r = {.load = {.plan = {.seats = 60}}};
	bool json = false;
	const struct zz_option options[] = {{"--url", &r.load.url, NULL, true},
	        {"--key", &paths[0], NULL, true}, {"--official", &paths[1], NULL, true},
	        {"--approver", &paths[2], NULL, true}, {"--revocations", &count, NULL, false},
	        {"--revoked", &revoked, NULL, false}, {"--connections", &connections, NULL, false},
	        {"--center", &center, NULL, false}, {"--region", &region, NULL, false},
	        {"--item", &item, NULL, false}, {"--json", NULL, &json, false}};
	struct zz_args args = {
	        .options = options, .option_count = sizeof options / sizeof options[0]};
	enum zz_exit exit;

	if ((exit = zz_args(z, argc, argv, &args)) != ZZ_DONE)
		return (int)exit;
	if (!number(count, "200", BENCH_REVOCATIONS_MAX, &r.count) || r.count < 10 ||
	        !number(revoked, "1000000", 1000000, &r.revoked) || r.revoked < 1000 ||
	        !number(connections, "4", BENCH_CONNECTIONS_MAX, &r.load.connections))
		return (int)zz_usage(z, "--revocations is 10 to 1000, --revoked 1000 to 1000000, "
		                        "--connections 1 to 256");
	if (!codes_take(&r.load.plan, center, region, item))
		return (int)zz_usage(z, "--center, --region and --item are short codes");
	r.load.seconds = r.count / BENCH_PER_SECOND + 2;
	plan_draw(&r.load.plan, z->now);
	return keys_run(z, &r, paths, json);
}

static int
status_command(const struct zz *z, int argc, char **argv)
{
	const char *certificates = NULL;
	bool json = false;
	const struct zz_option options[] = {
	        {"--certificates", &certificates, NULL, false}, {"--json", NULL, &json, false}};
	struct zz_args args = {
	        .options = options, .option_count = sizeof options / sizeof options[0]};
	struct bench_goals *goals = calloc(1, sizeof *goals);
	unsigned n = 0;
	int exit = goals ? (int)zz_args(z, argc, argv, &args) : (int)ZZ_REFUSED;
	enum err e;

	if (exit == ZZ_DONE &&
	        (!number(certificates, "50000000", BENCH_CERTIFICATES_MAX, &n) || n < 1000))
		exit = (int)zz_usage(z, "--certificates is 1000 to 100000000");
	if (exit == ZZ_DONE) {
		e = bench_status(n, z->now, goals);
		exit = e == ERR_OK ? goals_say(z, goals, json)
		                   : (int)zz_fault(z, "zz-bench status", e);
	}
	free(goals);
	return exit;
}

int
main(int argc, char **argv)
{
	struct zz z = {.now = time(NULL),
	        .in = stdin,
	        .out = stdout,
	        .err = stderr,
	        .terminal = isatty(2)};
	static const struct {
		const char *name;
		int (*run)(const struct zz *z, int argc, char **argv);
	} commands[] = {
	        {"issue", issue_command}, {"revoke", revoke_command}, {"status", status_command}};
	int i;

	log_open("zz-bench");
	signal(SIGPIPE, SIG_IGN);
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help")) {
			fputs(help, stdout);
			fputs(bench_all_help, stdout);
			return ZZ_DONE;
		}
	}
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		puts("zz-bench " ZZ_VERSION);
		return ZZ_DONE;
	}
	if (argc > 1 && bench_all_knows(argc - 1, argv + 1))
		return bench_all_command(&z, argc - 1, argv + 1);
	for (size_t k = 0; argc > 1 && k < sizeof commands / sizeof commands[0]; k++)
		if (!strcmp(argv[1], commands[k].name))
			return commands[k].run(&z, argc - 1, argv + 1);
	fputs(help, stderr);
	return ZZ_USAGE;
}
