/* bench_suites.c - what each suite costs by itself, on one core and on all, and a certificate in an
 * authority of that suite beside the sum of its parts. */
#include "bench_part.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { RECORD_BYTES = 300, CALIBRATE_MS = 150, CORES_MAX = 64 };

struct cost {
	const struct key *key;
	struct bench_key_cost is;
	enum err fault;
	pthread_t thread;
};

static double
thread_cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *
cost_measure(void *arg)
{
	uint8_t room[RECORD_BYTES] = {0}, signature[KEY_SIGNATURE_BYTES];
	const struct bytes message = bytes_of(room, sizeof room);
	struct cost *c = arg;
	double began = bench_clock_s(), start = thread_cpu_s(), both;
	unsigned n = 0, m = 0;

	for (; c->fault == ERR_OK && thread_cpu_s() - start < CALIBRATE_MS / 1000.0; n++)
		c->fault = key_sign(c->key, message, signature);
	both = (thread_cpu_s() - start) / (n > 0 ? n : 1);
	c->is.per_second = n / (bench_clock_s() - began);
	start = thread_cpu_s();
	for (; c->fault == ERR_OK && thread_cpu_s() - start < CALIBRATE_MS / 1000.0; m++)
		c->fault = key_verify(c->key, message, bytes_of(signature, sizeof signature));
	c->is.verify_us = (thread_cpu_s() - start) / (m > 0 ? m : 1) * 1e6;
	c->is.sign_us = both * 1e6 - c->is.verify_us;
	return NULL;
}

unsigned
bench_cores(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > CORES_MAX ? CORES_MAX : (unsigned)cores;
}

enum err
bench_key_cost(enum key_suite suite, unsigned threads, struct bench_key_cost *out)
{
	struct cost costs[CORES_MAX] = {{0}};
	struct key *k = NULL;
	enum err e = threads > CORES_MAX ? ERR_LIMIT : key_generate(suite, &k);
	unsigned n = 0;

	*out = (struct bench_key_cost){0};
	for (; e == ERR_OK && n < threads; n++) {
		costs[n].key = k;
		if (pthread_create(&costs[n].thread, NULL, cost_measure, &costs[n]) != 0)
			break;
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(costs[i].thread, NULL);
		e = costs[i].fault != ERR_OK ? costs[i].fault : e;
		out->sign_us += costs[i].is.sign_us / threads;
		out->verify_us += costs[i].is.verify_us / threads;
		out->per_second += costs[i].is.per_second;
	}
	key_free(k);
	return e == ERR_OK && n < threads ? ERR_MEMORY : e;
}

/* The rows of a suite. */
struct suite {
	enum key_suite suite;
	const char *folder; /* of an authority of it, after the instance's; NULL: the instance */
	struct bench_row sign, verify, one, all, spread, rate, cpu, signer, ratio, audit;
};
static const struct suite suites[] = {
        {.suite = KEY_ES256,
                .sign = {"es256_sign_us", "ES256: sign, one thread", "us", 0, 0},
                .verify = {"es256_verify_us", "  verify", "us", 0, 0},
                .one = {"es256_one_per_second", "  signed and checked, one thread", "1/s", 0, 0},
                .all = {"es256_all_per_second", "  on all cores", "1/s", 0, 0},
                .spread = {"es256_spread", "  all cores / one thread", "", 0, 0}},
        {.suite = KEY_ED25519,
                .folder = "-ed25519",
                .sign = {"ed25519_sign_us", "Ed25519: sign, one thread", "us", 0, 0},
                .verify = {"ed25519_verify_us", "  verify", "us", 0, 0},
                .one = {"ed25519_one_per_second", "  signed and checked, one thread", "1/s", 0, 0},
                .all = {"ed25519_all_per_second", "  on all cores", "1/s", 0, 0},
                .spread = {"ed25519_spread", "  all cores / one thread", "", 0, 0},
                .rate = {"ed25519_issue_per_second", "  issue, sessions of 60", "1/s", 0, 0},
                .cpu = {"ed25519_issue_us", "  CPU a certificate, all processes", "us", 0, 0},
                .signer = {"ed25519_issue_us_signer", "  of that ca-signer", "us", 0, 0},
                .ratio = {"ed25519_cpu_ratio", "  CPU a certificate / (sign + verify + insert)", "",
                        1.35, 0},
                .audit = {"ed25519_audit", "  its zz-audit (0: nothing differs)", "", 0.5, 0}},
        {.suite = KEY_SM2,
                .folder = "-sm2",
                .sign = {"sm2_sign_us", "SM2: sign, one thread", "us", 0, 0},
                .verify = {"sm2_verify_us", "  verify", "us", 0, 0},
                .one = {"sm2_one_per_second", "  signed and checked, one thread", "1/s", 0, 0},
                .all = {"sm2_all_per_second", "  on all cores", "1/s", 0, 0},
                .spread = {"sm2_spread", "  all cores / one thread", "", 0, 0},
                .rate = {"sm2_issue_per_second", "  issue, sessions of 60", "1/s", 0, 0},
                .cpu = {"sm2_issue_us", "  CPU a certificate, all processes", "us", 0, 0},
                .signer = {"sm2_issue_us_signer", "  of that ca-signer", "us", 0, 0},
                .ratio = {"sm2_cpu_ratio", "  CPU a certificate / (sign + verify + insert)", "",
                        1.35, 0},
                .audit = {"sm2_audit", "  its zz-audit (0: nothing differs)", "", 0.5, 0}}};

static void
say(struct bench_run *r, struct bench_row row, double measured)
{
	row.measured = measured;
	bench_goal_add(r->goals, row);
}

/* One thread and all cores by turns. */
static enum err
alone_measure(struct bench_run *r, const struct suite *s)
{
	double sign[BENCH_ROUNDS], verify[BENCH_ROUNDS], one[BENCH_ROUNDS], all[BENCH_ROUNDS];
	double once, together;
	struct bench_key_cost cost;
	enum err e;

	for (unsigned i = 0; i < BENCH_ROUNDS; i++) {
		if ((e = bench_key_cost(s->suite, 1, &cost)) != ERR_OK)
			return e;
		sign[i] = cost.sign_us;
		verify[i] = cost.verify_us;
		one[i] = cost.per_second;
		if ((e = bench_key_cost(s->suite, bench_cores(), &cost)) != ERR_OK)
			return e;
		all[i] = cost.per_second;
	}
	once = bench_median(one, BENCH_ROUNDS);
	together = bench_median(all, BENCH_ROUNDS);
	say(r, s->sign, bench_median(sign, BENCH_ROUNDS));
	say(r, s->verify, bench_median(verify, BENCH_ROUNDS));
	say(r, s->one, once);
	say(r, s->all, together);
	say(r, s->spread, together / once);
	return ERR_OK;
}

static enum err
floors_say(struct bench_run *r, const struct suite *s, struct bench_run *its)
{
	struct bench_floors f;
	double cpu, floor, seconds;
	int code = 0;
	enum err e = bench_issue_floors(its, s->suite, &f);

	if (e != ERR_OK || (e = bench_audit_settled(its, &code, &seconds)) != ERR_OK)
		return e;
	cpu = bench_median(f.cpu, BENCH_ROUNDS);
	floor = bench_median(f.sign, BENCH_ROUNDS) + bench_median(f.verify, BENCH_ROUNDS) +
	        bench_median(f.insert, BENCH_ROUNDS);
	say(r, s->rate, bench_median(f.rate, BENCH_ROUNDS));
	say(r, s->cpu, cpu);
	say(r, s->signer, bench_median(f.part[BENCH_SIGNER], BENCH_ROUNDS));
	say(r, s->ratio, cpu / floor);
	say(r, s->audit, code);
	return ERR_OK;
}

static enum err
authority_measure(struct bench_run *r, const struct suite *s)
{
	struct bench_run its = {0};
	char dir[BENCH_TEXT_MAX];
	enum err e;

	if (s->folder == NULL)
		return ERR_OK;
	snprintf(dir, sizeof dir, "%s%s", r->in.dir, s->folder);
	if (access(dir, F_OK) != 0) {
		fprintf(stderr,
		        "zz-bench: a certificate of this suite is not measured: tools/up "
		        "--no-demo --port N --suite %s --dir %s\n",
		        key_suite_info(s->suite)->name, dir);
		return ERR_OK;
	}
	if ((e = bench_run_open(dir, r->now, &its)) == ERR_OK) {
		its.began = r->began;
		its.in.seconds = r->in.seconds;
		its.goals = r->goals;
		e = floors_say(r, s, &its);
	}
	bench_run_close(&its);
	return e;
}

enum err
bench_part_suites(struct bench_run *r)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < sizeof suites / sizeof suites[0]; i++)
		if ((e = alone_measure(r, &suites[i])) == ERR_OK)
			e = authority_measure(r, &suites[i]);
	return e;
}
