/* test_http.c - bodies and their limits, problems, the listening socket, and the end of the server.
 * The spelling of requests is in test_http_strict.c, load and deadlines in test_http_load.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http_toy.h"

#include <sys/stat.h>
#include <sys/un.h>

static struct toy toy;
static char text[64 * 1024];

static int
set_up(void **state)
{
	struct config c = toy_config(2, 200, 30);

	(void)state;
	return toy_start(&toy, &c) == ERR_OK ? 0 : 1;
}

static int
tear_down(void **state)
{
	(void)state;
	return toy_stop(&toy) == ERR_OK ? 0 : 1;
}

#define GET "GET /now HTTP/1.1\r\nHost: x\r\n"

static void
a_problem_says_what_and_which_request(void **state)
{
	static const char ask[] = "GET /post HTTP/1.1\r\nHost: x\r\n\r\n",
	                  absent[] = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
	const char *id = NULL;
	char first[17] = "";

	(void)state;
	assert_int_equal(toy_ask(&toy, ask, sizeof ask - 1, text, sizeof text), 405);
	assert_non_null(strstr(text, "\r\nAllow: POST\r\n"));
	assert_non_null(strstr(text, "\r\nContent-Type: application/problem+json\r\n"));
	assert_non_null(strstr(text, "\r\nCache-Control: no-store\r\n"));
	assert_non_null(strstr(text, "\"type\":\"urn:zz:error:method_not_allowed\""));
	assert_non_null(strstr(text, "\"status\":405"));
	assert_non_null(strstr(text, "\"title_zh\":\""));
	id = strstr(text, "\"request_id\":\"");
	assert_non_null(id);
	memcpy(first, id + 14, 16);
	assert_int_equal(strspn(first, "0123456789abcdef"), 16);
	assert_int_equal(toy_ask(&toy, absent, sizeof absent - 1, text, sizeof text), 404);
	assert_null(strstr(text, first));
}

static void
head_answers_as_get_without_the_body(void **state)
{
	static const char ask[] = "HEAD /later HTTP/1.1\r\nHost: x\r\n\r\n" GET "\r\n";
	int fd = toy_connect(&toy);

	(void)state;
	assert_true(toy_send(fd, ask, sizeof ask - 1));
	assert_int_equal(toy_answer_read(fd, text, sizeof text, true), 200);
	assert_non_null(strstr(text, "\r\nContent-Length: 5\r\n"));
	/* what comes next is the next answer, not a body */
	assert_int_equal(toy_answer_read(fd, text, sizeof text, false), 200);
	assert_int_equal(strncmp(text, "HTTP/1.1 200", 12), 0);
	close(fd);
}

static unsigned
post_of(const char *path, size_t n, const char *more, char *out)
{
	static char request[TOY_BIG + 4096];
	int head = snprintf(request, 4096,
	        "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n%s\r\n", path, n, more);

	memset(request + head, 'a', n);
	return toy_ask(&toy, request, (size_t)head + n, out, sizeof text);
}

static void
the_body_limit_holds_at_its_edge(void **state)
{
	(void)state;
	assert_int_equal(post_of("/small", 10, "", text), 200);
	assert_non_null(strstr(text, "\r\n\r\n10 970 0"));
	assert_int_equal(post_of("/small", 11, "", text), 413);
	assert_non_null(strstr(text, "urn:zz:error:body_too_large"));
	/* read over to the end, so the answer arrives although we send before we read */
	for (int i = 0; i < 20; i++)
		assert_int_equal(post_of("/small", 1000 * 1000, "", text), 413);
	assert_int_equal(post_of("/big", TOY_BIG, "", text), 200);
	assert_non_null(strstr(text, "\r\n\r\n6291456 "));
	assert_int_equal(post_of("/absent", 1000, "", text), 404);
}

static void
a_refused_body_leaves_the_connection_in_step(void **state)
{
	static const char both[] =
	        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n12345678901" GET
	        "\r\n";
	int fd = toy_connect(&toy);

	(void)state;
	assert_true(toy_send(fd, both, sizeof both - 1));
	assert_int_equal(toy_answer_read(fd, text, sizeof text, false), 413);
	assert_int_equal(toy_answer_read(fd, text, sizeof text, false), 200);
	close(fd);
}

static void
expect_is_answered_before_the_body_comes(void **state)
{
	static const char head[] = "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: "
	                           "3\r\nExpect: 100-continue\r\n\r\n";
	int fd = toy_connect(&toy);

	(void)state;
	assert_true(toy_send(fd, head, sizeof head - 1));
	assert_int_equal(toy_answer_read(fd, text, sizeof text, true), 100);
	assert_true(toy_send(fd, "abc", 3));
	assert_int_equal(toy_answer_read(fd, text, sizeof text, false), 200);
	assert_non_null(strstr(text, "\r\n\r\n3 294 0"));
	close(fd);
}

static void
a_body_in_dribbles_arrives_whole(void **state)
{
	char chunk[500];
	int fd = toy_connect(&toy);

	(void)state;
	memset(chunk, 'b', sizeof chunk);
	assert_true(toy_send(
	        fd, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", 57));
	for (int i = 0; i < 200; i++) {
		assert_true(toy_send(fd, chunk, sizeof chunk));
		if (i % 10 == 0)
			toy_sleep_ms(1);
	}
	assert_int_equal(toy_answer_read(fd, text, sizeof text, false), 200);
	assert_non_null(strstr(text, "\r\n\r\n100000 9800000 0"));
	close(fd);
}

/* The rule of line ends looks at addresses in the library's buffer: it must hold while that buffer
 * grows. */
static void
a_long_head_in_dribbles_is_taken_and_a_longer_one_refused(void **state)
{
	char part[50];

	(void)state;
	memset(part, 'c', sizeof part);
	for (int parts = 20; parts <= 240; parts += 20) {
		int fd = toy_connect(&toy);
		unsigned status = 0;

		assert_true(
		        toy_send(fd, GET "Accept: a/b\r\nAuthorization: ", sizeof GET - 1 + 28));
		for (int i = 0; i < parts; i++) {
			if (!toy_send(fd, part, sizeof part))
				break;
			if (i % 8 == 0)
				toy_sleep_ms(1);
		}
		toy_send(fd, "\r\nX: y\r\n\r\n", 10);
		status = toy_answer_read(fd, text, sizeof text, false);
		if (parts <= 100)
			assert_int_equal(status, 200);
		if (parts >= 180)
			assert_true(status == 431 || status == 413 || status == 0);
		close(fd);
	}
}

static void
many_headers_and_long_paths_are_refused(void **state)
{
	static char request[80 * 1024];
	size_t n = 0;
	unsigned status = 0;

	(void)state;
	n = (size_t)snprintf(request, sizeof request, GET);
	for (int i = 0; i < 60; i++)
		n += (size_t)snprintf(request + n, sizeof request - n, "A%d: b\r\n", i);
	n += (size_t)snprintf(request + n, sizeof request - n, "\r\n");
	assert_int_equal(toy_ask(&toy, request, n, text, sizeof text), 400);
	n = (size_t)snprintf(request, sizeof request, GET);
	for (int i = 0; i < 9000; i++)
		n += (size_t)snprintf(request + n, sizeof request - n, "A: b\r\n");
	n += (size_t)snprintf(request + n, sizeof request - n, "\r\n");
	status = toy_ask(&toy, request, n, text, sizeof text);
	assert_true(status == 0 || (status >= 400 && status < 500));
	memset(request, 'a', sizeof request);
	memcpy(request, "GET /", 5);
	memcpy(request + 5 + 600, " HTTP/1.1\r\nHost: x\r\n\r\n", 23);
	assert_int_equal(toy_ask(&toy, request, 605 + 22, text, sizeof text), 400);
	memset(request, 'a', sizeof request);
	memcpy(request, "GET /", 5);
	status = toy_ask(&toy, request, 64 * 1024, text, sizeof text);
	assert_true(status == 0 || (status >= 400 && status < 500));
}

static void
counters_follow_the_answers(void **state)
{
	static const char ask[] = GET "\r\n", bad_ask[] = "GET /now HTTP/1.1\r\n\r\n";
	uint64_t ok = metrics_get(&toy.metrics, METRIC_HTTP_2XX), refused = 0;

	(void)state;
	refused = metrics_get(&toy.metrics, METRIC_HTTP_REFUSED);
	assert_int_equal(toy_ask(&toy, ask, sizeof ask - 1, text, sizeof text), 200);
	toy_ask(&toy, bad_ask, sizeof bad_ask - 1, text, sizeof text);
	assert_int_equal(metrics_get(&toy.metrics, METRIC_HTTP_2XX), ok + 1);
	assert_true(metrics_get(&toy.metrics, METRIC_HTTP_REFUSED) <= refused + 1);
	for (int i = 0; i < 100 && metrics_get(&toy.metrics, METRIC_HTTP_CONNECTIONS) != 0; i++)
		toy_sleep_ms(20);
	assert_int_equal(metrics_get(&toy.metrics, METRIC_HTTP_CONNECTIONS), 0);
	assert_int_equal(metrics_get(&toy.metrics, METRIC_HTTP_BUSY), 0);
}

/* --- listening and ending: each with its own server --- */

static void
only_loopback_is_listened_on(void **state)
{
	static const struct {
		const char *listen;
		bool any;
		enum err want;
	} rows[] = {
	        {"127.0.0.1:0", false, ERR_OK},
	        {"127.9.9.9:0", false, ERR_OK},
	        {"0.0.0.0:0", false, ERR_CONFIG},
	        {"0.0.0.0:0", true, ERR_OK},
	        {"[::]:0", false, ERR_CONFIG},
	        {"192.0.2.1:0", false, ERR_CONFIG},
	        {"localhost:0", false, ERR_CONFIG},
	        {"127.0.0.1", false, ERR_CONFIG},
	        {"127.0.0.1:65536", false, ERR_CONFIG},
	        {"127.0.0.1:", false, ERR_CONFIG},
	        {"127.0.0.1:080", false, ERR_CONFIG},
	        {":0", false, ERR_CONFIG},
	        {"[::1:0", false, ERR_CONFIG},
	        {"unix:", false, ERR_CONFIG},
	        {"", false, ERR_CONFIG},
	};
	const struct http_callbacks calls = {toy_admit, toy_serve, NULL};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct config c = toy_config(1, 10, 5);
		struct http *h = NULL;

		snprintf(c.listen, sizeof c.listen, "%s", rows[i].listen);
		c.listen_any = rows[i].any;
		if (http_open(&c, &calls, &toy, &h) != rows[i].want)
			fail_msg("%s: not the answer wanted", rows[i].listen);
		http_free(h);
	}
}

static unsigned
ask_unix(const char *path)
{
	static const char ask[] = GET "\r\n";
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	unsigned status = 0;

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && toy_send(fd, ask, sizeof ask - 1))
		status = toy_answer_read(fd, text, sizeof text, false);
	close(fd);
	return status;
}

static void
a_unix_socket_is_served_replaced_when_stale_and_never_taken_over(void **state)
{
	char folder[] = "/tmp/zz-http-XXXXXX", path[64];
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct config c = toy_config(2, 10, 5);
	struct toy one, two;
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/h.sock", folder);
	snprintf(c.listen, sizeof c.listen, "unix:%s", path);
	/* what a killed process leaves */
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	close(fd);
	assert_int_equal(toy_start(&one, &c), ERR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(ask_unix(path), 200);
	assert_int_equal(toy_start(&two, &c), ERR_EXISTS);
	assert_int_equal(ask_unix(path), 200);
	assert_int_equal(toy_stop(&one), ERR_OK);
	assert_int_not_equal(stat(path, &st), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void
stop_waits_for_what_a_worker_holds(void **state)
{
	static const char ask[] = "GET /held HTTP/1.1\r\nHost: x\r\n\r\n";
	struct config c = toy_config(2, 10, 5);
	struct toy t;
	int fd = -1, idle = -1;

	(void)state;
	assert_int_equal(toy_start(&t, &c), ERR_OK);
	idle = toy_connect(&t);
	fd = toy_connect(&t);
	assert_true(toy_send(fd, ask, sizeof ask - 1));
	while (t.served == 0)
		toy_sleep_ms(5);
	assert_int_equal(http_stop(t.http, 100), ERR_DEADLINE);
	assert_true(toy_ended(idle, 1000));
	toy_hold_until(&t, 1);
	assert_int_equal(toy_answer_read(fd, text, sizeof text, false), 200);
	assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
	assert_true(toy_ended(fd, 1000));
	assert_int_equal(toy_stop(&t), ERR_OK);
	close(fd);
	close(idle);
}

static void
clients_that_leave_while_a_worker_holds_them_do_no_harm(void **state)
{
	static const char ask[] = "POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
	                  next[] = GET "\r\n";
	struct config c = toy_config(2, 100, 5);
	struct toy t;

	(void)state;
	assert_int_equal(toy_start(&t, &c), ERR_OK);
	for (int i = 0; i < 50; i++) {
		int fd = toy_connect(&t);

		assert_true(toy_send(fd, ask, sizeof ask - 1));
		while (t.served != (unsigned)i + 1)
			toy_sleep_ms(1);
		close(fd);
	}
	assert_int_equal(metrics_get(&t.metrics, METRIC_HTTP_BUSY), 50);
	toy_hold_until(&t, 1);
	assert_int_equal(toy_ask(&t, next, sizeof next - 1, text, sizeof text), 200);
	assert_int_equal(toy_stop(&t), ERR_OK);
	assert_int_equal(metrics_get(&t.metrics, METRIC_HTTP_BUSY), 0);
	assert_int_equal(metrics_get(&t.metrics, METRIC_HTTP_CONNECTIONS), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_problem_says_what_and_which_request),
	        cmocka_unit_test(head_answers_as_get_without_the_body),
	        cmocka_unit_test(the_body_limit_holds_at_its_edge),
	        cmocka_unit_test(a_refused_body_leaves_the_connection_in_step),
	        cmocka_unit_test(expect_is_answered_before_the_body_comes),
	        cmocka_unit_test(a_body_in_dribbles_arrives_whole),
	        cmocka_unit_test(a_long_head_in_dribbles_is_taken_and_a_longer_one_refused),
	        cmocka_unit_test(many_headers_and_long_paths_are_refused),
	        cmocka_unit_test(counters_follow_the_answers),
	        cmocka_unit_test(only_loopback_is_listened_on),
	        cmocka_unit_test(a_unix_socket_is_served_replaced_when_stale_and_never_taken_over),
	        cmocka_unit_test(stop_waits_for_what_a_worker_holds),
	        cmocka_unit_test(clients_that_leave_while_a_worker_holds_them_do_no_harm),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
