/* test_metrics.c - one table, one text that Prometheus reads. */
#include "metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

static char text[METRICS_TEXT_MAX + 1];

static const char *
text_of(const struct metrics *m)
{
	struct buf out = buf_init(text, METRICS_TEXT_MAX);

	assert_int_equal(metrics_text(m, &out), ERR_OK);
	text[out.n] = '\0';
	return text;
}

static void
the_text_shows_what_was_counted(void **state)
{
	struct metrics m;

	(void)state;
	metrics_init(&m);
	metrics_add(&m, METRIC_HTTP_4XX, 3);
	metrics_add(&m, METRIC_BATCH_TIME, 1234567);
	metrics_add(&m, METRIC_QUEUE, 5);
	metrics_sub(&m, METRIC_QUEUE, 2);
	metrics_set(&m, METRIC_LOG_SIZE, 18446744073709551615U);
	metrics_add(NULL, METRIC_ISSUED, 1);
	text_of(&m);
	assert_non_null(strstr(text, "\nzz_http_requests_total{class=\"4xx\"} 3\n"));
	assert_non_null(strstr(text, "\nzz_batch_seconds_total 1.234567\n"));
	assert_non_null(strstr(text, "\nzz_queue_requests 3\n"));
	assert_non_null(strstr(text, "\nzz_log_size 18446744073709551615\n"));
	assert_non_null(strstr(text, "\nzz_certificates_issued_total 0\n"));
}

/* The format wants each series' TYPE once and before its samples. */
static void
each_series_is_declared_once_and_before_its_samples(void **state)
{
	struct metrics m;
	char *save = NULL, *line = NULL;
	char seen[METRICS_COUNT][64];
	size_t seen_n = 0;

	(void)state;
	metrics_init(&m);
	text_of(&m);
	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		char name[64] = "";

		if (strncmp(line, "# HELP ", 7) == 0) {
			assert_non_null(strchr(line + 7, ' '));
			assert_true(strlen(strchr(line + 7, ' ')) > 3);
			continue;
		}
		if (strncmp(line, "# TYPE ", 7) == 0) {
			strncpy(seen[seen_n], line + 7, sizeof seen[0] - 1);
			seen[seen_n][strcspn(line + 7, " ")] = '\0';
			for (size_t i = 0; i < seen_n; i++)
				assert_string_not_equal(seen[i], seen[seen_n]);
			seen_n++;
			continue;
		}
		strncpy(name, line, sizeof name - 1);
		name[strcspn(name, "{ ")] = '\0';
		assert_string_equal(name, seen[seen_n - 1]);
	}
	assert_true(seen_n > 15);
}

static void *
add_many(void *arg)
{
	for (int i = 0; i < 100000; i++)
		metrics_add(arg, METRIC_ISSUED, 1);
	return NULL;
}

static void
no_count_is_lost_between_threads(void **state)
{
	struct metrics m;
	pthread_t t[4];

	(void)state;
	metrics_init(&m);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, add_many, &m), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(metrics_get(&m, METRIC_ISSUED), 400000);
}

static void
too_little_room_is_an_error(void **state)
{
	struct metrics m;
	struct buf out = buf_init(text, 100);

	(void)state;
	metrics_init(&m);
	assert_int_equal(metrics_text(&m, &out), ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_text_shows_what_was_counted),
	        cmocka_unit_test(each_series_is_declared_once_and_before_its_samples),
	        cmocka_unit_test(no_count_is_lost_between_threads),
	        cmocka_unit_test(too_little_room_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
