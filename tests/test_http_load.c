/* test_http_load.c - many connections at once: none stalls, slow ones are cut, others are served
 * meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http_toy.h"

#include <sys/resource.h>

enum { SLOW = 60, CONNECTIONS_MAX = 600 };

static char text[4096];
static const char ask_now[] = "GET /now HTTP/1.1\r\nHost: x\r\n\r\n";
static const char ask_held[] = "POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

static unsigned long
ms_now(void)
{
	return (unsigned long)http_now_ms();
}

static int
allow_files(void **state)
{
	struct rlimit r;

	(void)state;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return 1;
	r.rlim_cur = r.rlim_max < 8192 ? r.rlim_max : 8192;
	return setrlimit(RLIMIT_NOFILE, &r);
}

/* Kept connections whose answers all come from another thread in one go: the library's own epoll
 * thread stalls when 128, 256, … are ready at the same time (its wait blocks after a full array of
 * events). */
static void
rounds_of(unsigned loops, size_t connections, unsigned rounds)
{
	struct config c = toy_config(loops, CONNECTIONS_MAX * loops, 20);
	struct toy t;
	int fds[CONNECTIONS_MAX];
	unsigned long started = 0, took = 0;

	assert_int_equal(toy_start(&t, &c), ERR_OK);
	toy_hold_until(&t, connections);
	for (size_t i = 0; i < connections; i++)
		assert_true((fds[i] = toy_connect(&t)) >= 0);
	started = ms_now();
	for (unsigned round = 0; round < rounds; round++) {
		for (size_t i = 0; i < connections; i++)
			assert_true(toy_send(fds[i], ask_held, sizeof ask_held - 1));
		for (size_t i = 0; i < connections; i++)
			assert_int_equal(toy_answer_read(fds[i], text, sizeof text, false), 200);
	}
	took = ms_now() - started;
	print_message(
	        "%u loops, %zu connections, %u rounds: %lu ms\n", loops, connections, rounds, took);
	assert_true(took < 15000);
	assert_int_equal(t.served, connections * rounds);
	for (size_t i = 0; i < connections; i++)
		close(fds[i]);
	assert_int_equal(toy_stop(&t), ERR_OK);
	assert_int_equal(metrics_get(&t.metrics, METRIC_HTTP_CONNECTIONS), 0);
}

static void
one_hundred_and_twenty_eight_answers_at_once_do_not_stall(void **state)
{
	(void)state;
	rounds_of(1, 127, 10);
	rounds_of(1, 128, 30);
	rounds_of(1, 129, 10);
}

static void
two_hundred_and_fifty_six_answers_at_once_do_not_stall(void **state)
{
	(void)state;
	rounds_of(1, 256, 20);
	rounds_of(1, 512, 5);
	rounds_of(2, 256, 20);
}

struct slow {
	int fds[SLOW];
	size_t at;
	const char *request;
};

static void
slow_connect(const struct toy *t, struct slow *s, const char *request)
{
	s->at = 0;
	s->request = request;
	for (size_t i = 0; i < SLOW; i++)
		assert_true((s->fds[i] = toy_connect(t)) >= 0);
}

/* One byte more from each; how many are still connected. */
static size_t
slow_drip(struct slow *s)
{
	size_t open = 0;
	char byte;

	for (size_t i = 0; i < SLOW; i++) {
		if (s->fds[i] < 0)
			continue;
		send(s->fds[i], s->request + s->at, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (recv(s->fds[i], &byte, 1, MSG_DONTWAIT) < 0 &&
		        (errno == EAGAIN || errno == EWOULDBLOCK)) {
			open++;
			continue;
		}
		close(s->fds[i]);
		s->fds[i] = -1;
	}
	s->at++;
	return open;
}

static void
slow_close(struct slow *s)
{
	for (size_t i = 0; i < SLOW; i++)
		if (s->fds[i] >= 0)
			close(s->fds[i]);
}

static const char drip_head[] = "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nA: "
                                "bcdefghijklmnopqrstuvwxyz\r\n\r\nabc";
static const char drip_body[] =
        "0123456789012345678901234567890123456789012345678901234567890123456789";

static void
slow_heads_are_cut_at_the_deadline_and_others_are_served_meanwhile(void **state)
{
	struct config c = toy_config(1, CONNECTIONS_MAX, 2);
	struct toy t;
	struct slow s;
	size_t open = SLOW;

	(void)state;
	assert_int_equal(toy_start(&t, &c), ERR_OK);
	slow_connect(&t, &s, drip_head);
	for (int i = 0; i < 40 && open > 0; i++) {
		unsigned long started = ms_now();

		open = slow_drip(&s);
		assert_int_equal(toy_ask(&t, ask_now, sizeof ask_now - 1, text, sizeof text), 200);
		assert_true(ms_now() - started < 1000);
		if (i < 10) /* before the deadline nobody is cut */
			assert_int_equal(open, SLOW);
		toy_sleep_ms(100);
	}
	assert_int_equal(open, 0);
	assert_int_equal(metrics_get(&t.metrics, METRIC_HTTP_CUT), SLOW);
	slow_close(&s);
	assert_int_equal(toy_stop(&t), ERR_OK);
}

static void
slow_bodies_are_cut_too(void **state)
{
	static const char head[] = "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
	struct config c = toy_config(1, CONNECTIONS_MAX, 1);
	struct toy t;
	struct slow s;
	size_t open = SLOW;

	(void)state;
	assert_int_equal(toy_start(&t, &c), ERR_OK);
	slow_connect(&t, &s, drip_body);
	for (size_t i = 0; i < SLOW; i++)
		assert_true(toy_send(s.fds[i], head, sizeof head - 1));
	for (int i = 0; i < 30 && open > 0; i++) {
		open = slow_drip(&s);
		toy_sleep_ms(100);
	}
	assert_int_equal(open, 0);
	assert_int_equal(t.served, 0);
	slow_close(&s);
	assert_int_equal(toy_stop(&t), ERR_OK);
}

/* All places are taken by slow clients: the deadline gives them back. Control: with a long one
 * nobody else gets in. */
static unsigned
ask_behind_slow_ones(unsigned deadline_s)
{
	struct config c = toy_config(1, SLOW, deadline_s);
	struct timeval patience = {.tv_sec = 3};
	struct toy t;
	struct slow s;
	unsigned status = 0;
	int fd = -1;

	assert_int_equal(toy_start(&t, &c), ERR_OK);
	slow_connect(&t, &s, drip_head);
	slow_drip(&s);
	toy_sleep_ms(200);
	fd = toy_connect(&t); /* waits in the backlog */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	assert_true(toy_send(fd, ask_now, sizeof ask_now - 1));
	status = toy_answer_read(fd, text, sizeof text, false);
	close(fd);
	slow_close(&s);
	assert_int_equal(toy_stop(&t), ERR_OK);
	return status;
}

static void
the_deadline_frees_the_places_that_slow_clients_hold(void **state)
{
	(void)state;
	assert_int_equal(ask_behind_slow_ones(1), 200);
	assert_int_equal(ask_behind_slow_ones(600), 0);
}

/* The answer is larger than the buffers of the kernel, so that its writing waits for the client. */
static void
a_client_that_does_not_read_its_answer_is_cut(void **state)
{
	static const char ask[] = "GET /bulk HTTP/1.1\r\nHost: x\r\n\r\n";
	struct config c = toy_config(1, 10, 1);
	struct toy t;
	int fd = -1;

	(void)state;
	assert_int_equal(toy_start(&t, &c), ERR_OK);
	fd = toy_connect(&t);
	assert_true(toy_send(fd, ask, sizeof ask - 1));
	for (int i = 0; i < 40 && metrics_get(&t.metrics, METRIC_HTTP_CONNECTIONS) != 1; i++)
		toy_sleep_ms(10);
	assert_int_equal(metrics_get(&t.metrics, METRIC_HTTP_CONNECTIONS), 1);
	for (int i = 0; i < 40 && metrics_get(&t.metrics, METRIC_HTTP_CONNECTIONS) != 0; i++)
		toy_sleep_ms(100);
	assert_int_equal(metrics_get(&t.metrics, METRIC_HTTP_CONNECTIONS), 0);
	assert_int_equal(metrics_get(&t.metrics, METRIC_HTTP_CUT), 1);
	close(fd);
	assert_int_equal(toy_stop(&t), ERR_OK);
}

static void
a_kept_connection_is_cut_and_what_a_worker_holds_is_not(void **state)
{
	struct config c = toy_config(1, 10, 1);
	struct toy t;
	int held = -1, idle = -1;

	(void)state;
	assert_int_equal(toy_start(&t, &c), ERR_OK);
	held = toy_connect(&t);
	idle = toy_connect(&t);
	assert_true(toy_send(held, ask_held, sizeof ask_held - 1));
	assert_true(toy_send(idle, ask_now, sizeof ask_now - 1));
	assert_int_equal(toy_answer_read(idle, text, sizeof text, false), 200);
	assert_false(toy_ended(idle, 500));
	assert_true(toy_ended(idle, 2000));
	/* more than two deadlines later the held one is answered */
	assert_false(toy_ended(held, 1000));
	toy_hold_until(&t, 1);
	assert_int_equal(toy_answer_read(held, text, sizeof text, false), 200);
	close(held);
	close(idle);
	assert_int_equal(toy_stop(&t), ERR_OK);
}

static void
connections_that_come_and_go_leave_nothing(void **state)
{
	struct config c = toy_config(2, 100, 5);
	struct toy t;

	(void)state;
	assert_int_equal(toy_start(&t, &c), ERR_OK);
	for (int i = 0; i < 2000; i++) {
		int fd = toy_connect(&t);

		assert_true(fd >= 0);
		if (i % 3 != 0)
			toy_send(fd, ask_now, (size_t)i % sizeof ask_now);
		close(fd);
	}
	assert_int_equal(toy_ask(&t, ask_now, sizeof ask_now - 1, text, sizeof text), 200);
	for (int i = 0; i < 200 && metrics_get(&t.metrics, METRIC_HTTP_CONNECTIONS) != 0; i++)
		toy_sleep_ms(20);
	assert_int_equal(metrics_get(&t.metrics, METRIC_HTTP_CONNECTIONS), 0);
	assert_int_equal(toy_stop(&t), ERR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_hundred_and_twenty_eight_answers_at_once_do_not_stall),
	        cmocka_unit_test(two_hundred_and_fifty_six_answers_at_once_do_not_stall),
	        cmocka_unit_test(
	                slow_heads_are_cut_at_the_deadline_and_others_are_served_meanwhile),
	        cmocka_unit_test(slow_bodies_are_cut_too),
	        cmocka_unit_test(the_deadline_frees_the_places_that_slow_clients_hold),
	        cmocka_unit_test(a_client_that_does_not_read_its_answer_is_cut),
	        cmocka_unit_test(a_kept_connection_is_cut_and_what_a_worker_holds_is_not),
	        cmocka_unit_test(connections_that_come_and_go_leave_nothing),
	};

	return cmocka_run_group_tests(tests, allow_files, NULL);
}
