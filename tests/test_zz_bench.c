/* test_zz_bench.c - the load generator: its people are valid and never twice the same, its sessions
 * pass our own reader, and its counts are those of the server. */
#include "bench_drive.h"
#include "bench_goal.h"
#include "bench_lists.h"
#include "bench_load.h"
#include "bench_profile.h"
#include "document.h"
#include "field.h"
#include "json.h"
#include "status.h"
#include "zz_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "test_zz_toy.h"

enum { NOW = 1792224000, PEOPLE = 60000 };

static int
number_compare(const void *a, const void *b)
{
	return memcmp(a, b, BENCH_NUMBER);
}

static void
each_person_has_a_valid_number_of_their_own(void **state)
{
	static char numbers[PEOPLE][BENCH_NUMBER + 1];
	uint64_t starts[] = {0, 12345678, bench_people() - PEOPLE / 2};
	struct document d;
	char sex;

	(void)state;
	for (size_t s = 0; s < 3; s++) {
		for (size_t i = 0; i < PEOPLE; i++) {
			bench_number(starts[s] + i, numbers[i], &sex);
			assert_int_equal(document_check(BYTES_LIT("01"),
			                         bytes_of(numbers[i], BENCH_NUMBER), &d),
			        ERR_OK);
			assert_int_equal(d.sex, sex == 'M' ? 1 : 2);
		}
		qsort(numbers, PEOPLE, sizeof numbers[0], number_compare);
		for (size_t i = 1; i < PEOPLE; i++)
			assert_memory_not_equal(numbers[i - 1], numbers[i], BENCH_NUMBER);
	}
}

static void
a_session_passes_our_own_reader_at_every_size(void **state)
{
	static const unsigned sizes[] = {1, 60, BENCH_SEATS_MAX};
	struct bench_plan plan = {"330106-01", "330000", "030102", NOW, 0, 0, "00000000"};
	struct field *field = NULL;
	struct key *k = NULL;

	(void)state;
	assert_int_equal(key_generate(KEY_ES256, &k), ERR_OK);
	assert_int_equal(field_open(&field), ERR_OK);
	for (size_t i = 0; i < 3; i++) {
		size_t room = BENCH_HEAD_BYTES + (size_t)sizes[i] * BENCH_SEAT_BYTES;
		struct buf payload = {.p = malloc(room), .cap = room},
		           jws = {.p = malloc(2 * room), .cap = 2 * room};
		struct zz_request r = {0};

		plan.seats = sizes[i];
		plan.start = bench_people() - 3;
		assert_int_equal(bench_session_sign(&plan, k, 7, &payload, &jws), ERR_OK);
		assert_int_equal(zz_request_open(jws.p, jws.n, &r), ERR_OK);
		assert_int_equal(jws_verify(&r.jws, k), ERR_OK);
		assert_int_equal(r.request.seat_count, sizes[i]);
		assert_true(r.request.session.practical_at < NOW &&
		            r.request.session.practical_at > NOW - 2 * 86400);
		assert_true(
		        field_region_known(field, bytes_of(r.request.seats[0].doc_number.p, 6)));
		zz_request_free(&r);
		free(payload.p);
	}
	field_free(field);
	key_free(k);
}

struct service {
	atomic_uint sessions, seats, later;
	const char *second; /* outcome of each session's second seat */
	unsigned status;    /* of every answer */
};

static void
answer(void *ctx, const struct toy_request *in, struct toy_reply *out)
{
	struct service *s = ctx;
	struct buf b = {.p = malloc(4096), .cap = 4096};

	if (s->status != 201) {
		free(b.p);
		toy_say(out, s->status,
		        "{\"type\":\"urn:zz:error:daily_cap_exceeded\",\"title\":\"x\"}");
		return;
	}
	assert_int_equal(strcmp(in->path, "/v1/requests"), 0);
	if (atomic_fetch_add(&s->later, 1) % 5 == 4) { /* now and then: later */
		free(b.p);
		toy_say(out, 503, "{\"type\":\"urn:zz:error:signer_unavailable\",\"title\":\"x\"}");
		return;
	}
	buf_put_text(&b, "{\"request\":\"x\",\"state\":\"executed\",\"seats\":[{\"seat\":1,"
	                 "\"outcome\":\"issued\"},"
	                 "{\"seat\":2,\"outcome\":\"");
	buf_put_text(&b, s->second);
	buf_put_text(&b, "\"}]}");
	atomic_fetch_add(&s->sessions, 1);
	atomic_fetch_add(&s->seats, strcmp(s->second, "issued") ? 1 : 2);
	out->status = 201;
	out->body = (char *)b.p;
	out->n = b.n;
}

static uint64_t
code_of(const struct bench_result *r, const char *word)
{
	for (size_t i = 0; i < BENCH_CODES_MAX; i++)
		if (!strcmp(r->codes[i].word, word))
			return r->codes[i].count;
	return 0;
}

static struct bench_result
run(struct service *s, struct toy *toy)
{
	struct bench_load load = {
	        {"330106-01", "330000", "030102", NOW, 2, 0, "00000000"}, NULL, NULL, 3, 1};
	struct bench_result result = {0};
	struct key *k = NULL;

	assert_int_equal(key_generate(KEY_ES256, &k), ERR_OK);
	toy_start(toy, answer, s);
	load.key = k;
	load.url = toy->url;
	assert_int_equal(bench_run(&load, &result), ERR_OK);
	toy_stop(toy);
	key_free(k);
	return result;
}

static void
counts_are_those_of_the_server(void **state)
{
	static const char *const second[] = {"issued", "already_holds"};
	struct bench_result r;
	struct service s;
	struct toy toy;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		s = (struct service){.second = second[i], .status = 201};
		r = run(&s, &toy);
		assert_true(r.sessions > 0);
		assert_int_equal(r.sessions, s.sessions);
		assert_int_equal(r.certificates, s.seats);
		assert_int_equal(code_of(&r, "seat:already_holds"), i ? s.sessions : 0);
		assert_true(code_of(&r, "signer_unavailable") > 0);
		assert_int_equal(toy.connections, 3);
		assert_true(r.seconds < 3 && r.p50_ms > 0 && r.p99_ms >= r.p50_ms &&
		            r.max_ms >= r.p99_ms);
	}
}

static void
a_service_that_refuses_everything_ends_the_run_early(void **state)
{
	struct service s = {.second = "issued", .status = 403};
	struct bench_result r;
	struct toy toy;

	(void)state;
	r = run(&s, &toy);
	assert_int_equal(r.certificates, 0);
	assert_int_equal(code_of(&r, "daily_cap_exceeded"), 3 * BENCH_FAILURES_MAX);
	assert_int_equal(toy.requests, 3 * BENCH_FAILURES_MAX);
}

static void
the_json_has_the_members_that_scripts_read(void **state)
{
	struct bench_load load = {{"c", "r", "i", NOW, 60, 0, ""}, NULL, NULL, 8, 10};
	struct bench_result r = {
	        .sessions = 50, .certificates = 3000, .seconds = 2, .codes = {{"no_answer", 1}}};
	size_t n;
	char *text;
	FILE *to = open_memstream(&text, &n);
	json_t *json;

	(void)state;
	bench_print_json(to, &load, &r);
	fclose(to);
	assert_non_null(json = json_loads(text, 0, NULL));
	assert_int_equal(
	        (int)json_number_value(json_object_get(json, "certificates_per_second")), 1500);
	assert_int_equal(json_integer_value(json_object_get(json, "certificates")), 3000);
	assert_int_equal(
	        json_integer_value(json_object_get(json_object_get(json, "errors"), "no_answer")),
	        1);
	json_decref(json);
	free(text);
}

static void
a_missed_goal_is_said(void **state)
{
	struct bench_goals g = {.command = "status", .certificates = 5};
	size_t n;
	char *text;
	FILE *to = open_memstream(&text, &n);

	(void)state;
	bench_goal_add(&g, (struct bench_row){"a", "kept", "s", 10, 9.5});
	bench_goal_add(&g, (struct bench_row){"b", "only said", "s", 0, 1000});
	assert_true(bench_goals_met(&g));
	bench_goal_add(&g, (struct bench_row){"c", "missed", "s", 10, 10});
	assert_false(bench_goals_met(&g));
	bench_goal_add(&g, (struct bench_row){"d", "reached", "/s", BENCH_AT_LEAST(10), 10});
	g.rows[2].measured = 9;
	assert_true(bench_goals_met(&g));
	g.rows[3].measured = 9.9;
	assert_false(bench_goals_met(&g));
	g.rows[2].measured = 10;
	bench_goals_print(to, &g);
	bench_goals_json(to, &g, NOW);
	fclose(to);
	assert_non_null(strstr(text, " yes "));
	assert_non_null(strstr(text, " NO "));
	assert_non_null(strstr(text, "\"measured\":9.5,\"goal\":10.0,\"ok\":true"));
	assert_non_null(strstr(text, "\"measured\":10.0,\"goal\":10.0,\"ok\":false"));
	assert_non_null(
	        strstr(text, "\"measured\":9.9,\"goal\":10.0,\"ok\":false,\"at_least\":true"));
	free(text);
}

struct counter {
	atomic_uint asked, refused;
	unsigned delay_ms;
};

/* Each fourth is refused; the others are as long as several reads. */
static void
drive_answer(void *ctx, const struct toy_request *in, struct toy_reply *out)
{
	const struct timespec pause = {0, ((struct counter *)ctx)->delay_ms * 1000000L};
	struct counter *c = ctx;

	assert_int_equal(in->body.n, strcmp(in->method, "POST") ? 0 : 5);
	nanosleep(&pause, NULL);
	if (atomic_fetch_add(&c->asked, 1) % 4 == 3) {
		atomic_fetch_add(&c->refused, 1);
		toy_say(out, 429, "later");
		return;
	}
	out->status = 201;
	out->n = 100000;
	out->body = calloc(1, out->n);
	memcpy(out->body + 50000, "needle", 6);
	memcpy(out->body + out->n - 6, "needle", 6);
}

static struct bench_driven
drive(struct counter *c, struct bench_drive d)
{
	struct bench_driven got = {0};
	struct bench_shots shots;
	struct toy toy;

	toy_start(&toy, drive_answer, c);
	assert_int_equal(bench_shots_init(&shots, 40, 100), ERR_OK);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(bench_shot_post(&shots, "/a", BYTES_LIT("12345")), ERR_OK);
		assert_int_equal(bench_shot_get(&shots, "/b", "Bearer x"), ERR_OK);
	}
	assert_int_equal(bench_shot_get(&shots, "/c", "Bearer x"), ERR_LIMIT);
	d.port = (unsigned)strtoul(strrchr(toy.url, ':') + 1, NULL, 10);
	d.shots = &shots;
	d.needle = "needle";
	assert_int_equal(bench_drive(&d, &got), ERR_OK);
	assert_int_equal(toy.connections, d.connections);
	toy_stop(&toy);
	bench_shots_free(&shots);
	return got;
}

static void
what_was_driven_is_what_the_server_counts(void **state)
{
	struct counter c = {0};
	struct bench_driven got = drive(&c, (struct bench_drive){.connections = 7});

	(void)state;
	assert_int_equal(got.answered, 40);
	assert_int_equal(c.asked, 40);
	assert_int_equal(got.refused, c.refused);
	assert_int_equal(got.refusal, 429);
	assert_int_equal(got.needles, 2 * (40 - c.refused));
	got = drive(&c, (struct bench_drive){.connections = 2, .again = true, .seconds = 0.2});
	assert_true(got.answered > 40 && got.seconds < 1);
}

/* One connection at 200 a second, each answer after 10 ms: the last of 40 is due at 0.195 s and
 * answered at 0.4 s. A closed loop would say 10 ms. */
static void
an_open_loop_counts_the_waiting(void **state)
{
	struct counter c = {.delay_ms = 10};
	struct bench_driven got = drive(&c, (struct bench_drive){.connections = 1, .rate = 200});

	(void)state;
	assert_int_equal(got.answered, 40);
	assert_true(got.max_ms > 170 && got.p50_ms > 70);
	c.delay_ms = 1;
	got = drive(&c, (struct bench_drive){.connections = 8, .rate = 200});
	assert_true(got.p50_ms < 70);
}

static void
a_sample_belongs_to_the_innermost_function_that_is_known(void **state)
{
	static char text[] = "ca-signer \n\t 1 [unknown] (/usr/lib/libcrypto.so.3)\n"
	                     "\t 2 key_verify (/x/ca-signer)\n\t 3 key_sign (/x/ca-signer)\n\n"
	                     "ca-signer \n\t 1 fdatasync_kernel ([kernel.kallsyms])\n"
	                     "\t 2 journal_append (/x/ca-signer)\n\n"
	                     "postgres \n\t 1 _bt_x (/x/postgres)\n\t 2 btinsert (/x/postgres)\n\n"
	                     "issuerd \n\t 1 [unknown] (/usr/lib/libcrypto.so.3)\n\n"
	                     "issuerd \n\t 1 strange (/x/issuerd)\n\n"
	                     "cc1 \n\t 1 key_verify (/x/cc1)\n\n";
	static const char *const want[] = {
	        "ES256 verify", "journal", "index insert", "OpenSSL, other", "other"};
	struct bench_profile p;
	FILE *in = fmemopen(text, sizeof text - 1, "r");

	(void)state;
	assert_int_equal(bench_profile_read(in, &p), ERR_OK);
	fclose(in);
	assert_int_equal(p.count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(p.parts[i].name, want[i]);
		assert_int_equal(p.parts[i].samples, 1);
	}
	assert_int_equal(p.samples[BENCH_SIGNER], 2);
	assert_int_equal(p.strangers, 1);
}

/* A hundredth is revoked, a tenth of that held, and the rows are those of the bits. */
static void
the_made_up_lists_have_their_shares(void **state)
{
	static const struct bench_shares shares = {90, 10, 2500};
	uint64_t counts[4], all[4] = {0}, rows = 0;
	struct fold f;

	(void)state;
	fold_init(&f);
	assert_int_equal(bench_lists_fill(&f, 1200000, shares, NOW), ERR_OK);
	assert_int_equal(f.list_count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		status_count(f.lists[i].raw, counts);
		for (int k = 0; k < 4; k++)
			all[k] += counts[k];
		rows += f.lists[i].row_count;
	}
	assert_in_range(all[STATUS_INVALID], 10500, 11100);
	assert_in_range(all[STATUS_SUSPENDED], 1100, 1300);
	assert_in_range(all[STATUS_SUPERSEDED], 297000, 303000);
	assert_int_equal(rows, all[STATUS_INVALID] + all[STATUS_SUSPENDED]);
	fold_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_person_has_a_valid_number_of_their_own),
	        cmocka_unit_test(a_session_passes_our_own_reader_at_every_size),
	        cmocka_unit_test(counts_are_those_of_the_server),
	        cmocka_unit_test(a_service_that_refuses_everything_ends_the_run_early),
	        cmocka_unit_test(the_json_has_the_members_that_scripts_read),
	        cmocka_unit_test(a_missed_goal_is_said),
	        cmocka_unit_test(what_was_driven_is_what_the_server_counts),
	        cmocka_unit_test(an_open_loop_counts_the_waiting),
	        cmocka_unit_test(a_sample_belongs_to_the_innermost_function_that_is_known),
	        cmocka_unit_test(the_made_up_lists_have_their_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
