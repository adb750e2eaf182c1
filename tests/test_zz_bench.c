/* test_zz_bench.c - the load generator: its people are valid and never twice the same, its sessions
 * pass our own reader, and its counts are those of the server. */
#include "bench_goal.h"
#include "bench_lists.h"
#include "bench_load.h"
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
	bench_goals_print(to, &g);
	bench_goals_json(to, &g, NOW);
	fclose(to);
	assert_non_null(strstr(text, " yes "));
	assert_non_null(strstr(text, " NO "));
	assert_non_null(strstr(text, "\"measured\":9.5,\"goal\":10.0,\"ok\":true"));
	assert_non_null(strstr(text, "\"measured\":10.0,\"goal\":10.0,\"ok\":false"));
	free(text);
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
	        cmocka_unit_test(the_made_up_lists_have_their_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
