/* test_zz_client.c - the tools' HTTP client against a server that misbehaves. */
#include "client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "test_zz_toy.h"

static void
answer(void *ctx, const struct toy_request *in, struct toy_reply *out)
{
	char *seen = ctx;

	snprintf(seen, 4096, "%.4000s", in->head);
	if (!strcmp(in->path, "/echo")) {
		out->status = 200;
		out->body = malloc(in->body.n + 1);
		assert_non_null(out->body);
		memcpy(out->body, in->body.p, in->body.n);
		out->n = in->body.n;
	} else if (!strcmp(in->path, "/redirect")) {
		toy_say(out, 302, "");
		out->headers = "Location: /echo\r\n";
	} else if (!strcmp(in->path, "/ten")) {
		toy_say(out, 200, "0123456789");
	} else if (!strcmp(in->path, "/chunked")) {
		out->raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
		           "chunked\r\n\r\nb\r\n0123456789a\r\n0\r\n\r\n";
	} else if (!strcmp(in->path, "/cut")) {
		out->raw = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234";
	} else if (!strcmp(in->path, "/closed")) {
		out->raw = "";
	} else if (!strcmp(in->path, "/garbage")) {
		out->raw = "SMTP ready\r\n\r\n";
	} else {
		toy_say(out, 503, "{}");
		out->type = "Application/Problem+JSON; charset=utf-8";
	}
}

static void
only_http_urls_without_tricks_are_taken(void **state)
{
	static const struct {
		const char *url;
		enum err want;
	} table[] = {{"http://127.0.0.1:8080", ERR_OK}, {"https://zz.example.gov.cn/", ERR_OK},
	        {"http://zz.example/under/a/path", ERR_OK}, {"ftp://zz.example", ERR_VALUE},
	        {"zz.example", ERR_VALUE}, {"file:///etc/passwd", ERR_VALUE},
	        {"http://", ERR_VALUE}, {"https://", ERR_VALUE},
	        {"http://user@zz.example", ERR_VALUE}, {"http://zz.example?q", ERR_VALUE},
	        {"http://zz.example#f", ERR_VALUE}, {"http://zz.example\r\nX: y", ERR_VALUE},
	        {"http://zz example", ERR_VALUE}, {"", ERR_VALUE}};
	struct client *c;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		c = NULL;
		assert_int_equal(client_open(table[i].url, &c), table[i].want);
		client_free(c);
	}
}

static void
every_status_is_an_answer_and_the_connection_is_kept(void **state)
{
	char seen[4096];
	struct client_reply r;
	struct client *c;
	struct toy toy;

	(void)state;
	toy_start(&toy, answer, seen);
	assert_int_equal(client_open(toy.url, &c), ERR_OK);
	assert_int_equal(client_get(c, "/x", "Bearer token", 100, &r), ERR_OK);
	assert_int_equal(r.status, 503);
	assert_string_equal(r.type, "application/problem+json");
	assert_non_null(strstr(seen, "Authorization: Bearer token\r\n"));
	assert_int_equal(
	        client_post(c, "/echo", "application/jose", BYTES_LIT("a.b.c"), 100, &r), ERR_OK);
	assert_int_equal(r.status, 200);
	assert_true(bytes_equal_text(r.body, "a.b.c"));
	assert_non_null(strstr(seen, "Content-Type: application/jose\r\n"));
	assert_null(strstr(seen, "Authorization"));
	assert_int_equal(client_get(c, "/ten", NULL, 100, &r), ERR_OK);
	assert_true(bytes_equal_text(r.body, "0123456789"));
	assert_int_equal(client_send(c,
	                         &(struct client_send){
	                                 "/echo", "application/json", "Bearer x", BYTES_LIT("{}")},
	                         1000, &r),
	        ERR_OK);
	assert_int_equal(client_send(c,
	                         &(struct client_send){"/echo", "application/json",
	                                 "Bearer x\r\nX: y", BYTES_LIT("{}")},
	                         1000, &r),
	        ERR_VALUE);
	assert_int_equal(client_post(c, "/echo", "text/plain", bytes_of(NULL, 0), 100, &r), ERR_OK);
	assert_int_equal(r.body.n, 0);
	client_free(c);
	toy_stop(&toy);
	assert_int_equal(toy.connections, 1);
}

static void
a_large_body_is_sent_whole_without_waiting(void **state)
{
	static uint8_t body[3 * 1024 * 1024];
	char seen[4096];
	struct client_reply r;
	struct client *c;
	struct toy toy;

	(void)state;
	memset(body, 'z', sizeof body);
	toy_start(&toy, answer, seen);
	assert_int_equal(client_open(toy.url, &c), ERR_OK);
	assert_int_equal(
	        client_post(c, "/echo", "x/y", bytes_of(body, sizeof body), sizeof body, &r),
	        ERR_OK);
	assert_true(bytes_equal(r.body, bytes_of(body, sizeof body)));
	assert_null(strcasestr(seen, "Expect:"));
	client_free(c);
	toy_stop(&toy);
}

static void
a_body_above_the_limit_is_refused_at_its_edge(void **state)
{
	char seen[4096];
	struct client_reply r;
	struct client *c;
	struct toy toy;

	(void)state;
	toy_start(&toy, answer, seen);
	assert_int_equal(client_open(toy.url, &c), ERR_OK);
	assert_int_equal(client_get(c, "/ten", NULL, 10, &r), ERR_OK);
	assert_int_equal(client_get(c, "/ten", NULL, 9, &r), ERR_LIMIT);
	assert_int_equal(client_get(c, "/chunked", NULL, 11, &r), ERR_OK);
	assert_int_equal(client_get(c, "/chunked", NULL, 10, &r), ERR_LIMIT);
	assert_int_equal(client_get(c, "/ten", NULL, 10, &r), ERR_OK);
	client_free(c);
	toy_stop(&toy);
}

static void
redirects_are_answers_and_broken_answers_are_failures(void **state)
{
	char seen[4096];
	struct client_reply r = {0};
	struct client *c;
	struct toy toy;

	(void)state;
	toy_start(&toy, answer, seen);
	assert_int_equal(client_open(toy.url, &c), ERR_OK);
	assert_int_equal(client_get(c, "/redirect", NULL, 10, &r), ERR_OK);
	assert_int_equal(r.status, 302);
	assert_int_equal(client_get(c, "/cut", NULL, 100, &r), ERR_IO);
	assert_int_equal(client_get(c, "/closed", NULL, 100, &r), ERR_IO);
	assert_int_equal(client_get(c, "/garbage", NULL, 100, &r), ERR_HTTP);
	assert_true(client_why(c)[0] != 0);
	assert_int_equal(client_get(c, "no-slash", NULL, 100, &r), ERR_VALUE);
	assert_int_equal(client_get(c, "/a b", NULL, 100, &r), ERR_VALUE);
	assert_int_equal(client_get(c, "/ten", "Bearer a\r\nX: y", 100, &r), ERR_VALUE);
	client_free(c);
	toy_stop(&toy);
	assert_int_equal(client_open(toy.url, &c), ERR_OK);
	assert_int_equal(client_get(c, "/ten", NULL, 100, &r), ERR_IO);
	client_free(c);
}

static void
a_proxy_of_the_environment_is_not_used_for_loopback(void **state)
{
	char seen[4096];
	struct client_reply r;
	struct client *c;
	struct toy toy;

	(void)state;
	toy_start(&toy, answer, seen);
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(client_open(toy.url, &c), ERR_OK);
	assert_int_equal(client_get(c, "/ten", NULL, 100, &r), ERR_OK);
	client_free(c);
	unsetenv("http_proxy");
	/* negative control: for another host the same variable is followed, here to the toy */
	setenv("http_proxy", toy.url, 1);
	assert_int_equal(client_open("http://zz.example.invalid", &c), ERR_OK);
	assert_int_equal(client_get(c, "/x", NULL, 100, &r), ERR_OK);
	assert_int_equal(r.status, 503);
	client_free(c);
	unsetenv("http_proxy");
	toy_stop(&toy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(only_http_urls_without_tricks_are_taken),
	        cmocka_unit_test(every_status_is_an_answer_and_the_connection_is_kept),
	        cmocka_unit_test(a_large_body_is_sent_whole_without_waiting),
	        cmocka_unit_test(a_body_above_the_limit_is_refused_at_its_edge),
	        cmocka_unit_test(redirects_are_answers_and_broken_answers_are_failures),
	        cmocka_unit_test(a_proxy_of_the_environment_is_not_used_for_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
