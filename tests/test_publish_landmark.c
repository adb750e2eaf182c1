/* test_publish_landmark.c - landmarks follow from the entries alone: one where a day in Shanghai
 * has ended, whenever the publisher was started. */
#include "date.h"
#include "entry.h"
#include "publish.h"
#include "temp_folder.h"

static void
see(struct publish *p, int64_t time)
{
	const struct entry e = {.type = ENTRY_ROSTER, .sequence = 1, .time = time};
	uint8_t room[256];
	struct buf out = BUF_OF(room);

	entry_put(&e, &out);
	publish_landmark_see(p, buf_bytes(&out));
	p->tiles.size++;
}

static void
file_is(const char *dir, const char *want)
{
	size_t n;
	uint8_t *text = folder_get(dir, "log/landmarks", &n);

	assert_non_null(text);
	assert_true(bytes_equal_text(bytes_of(text, n), want));
	free(text);
}

static void
a_landmark_stands_where_a_day_ended(void **state)
{
	struct publish *p = calloc(1, sizeof *p), *again = calloc(1, sizeof *again);
	int64_t day = date_shanghai_start(20743);
	const int64_t times[] = {day + 3600, day + 86399, day + 86400 /* a new day */,
	        day + 86399 /* built before, appended after */, day + 86500,
	        day + 4 * 86400 /* three days without an entry */, day + 4 * 86400};
	char dir[FOLDER_BYTES], path[FOLDER_PATH_BYTES];

	(void)state;
	folder_make(dir);
	folder_path(dir, "log", path);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(p->dir, sizeof p->dir, "%s", dir);
	assert_int_equal(publish_landmark_write(p), ERR_OK);
	file_is(dir, "0 0\n0\n");
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
		see(p, times[i]);
	publish_landmark_see(p, BYTES_LIT("no entry")); /* a type that is not known */
	assert_int_equal(publish_landmark_write(p), ERR_OK);
	file_is(dir, "2 2\n5\n2\n0\n");
	/* who reads the log again finds the same */
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
		see(again, times[i]);
	assert_memory_equal(again->landmarks.sizes, p->landmarks.sizes, 3 * sizeof(uint64_t));
	assert_int_equal(again->landmarks.last, 2);
	free(p);
	free(again);
	folder_path(dir, "log/landmarks", path);
	assert_int_equal(unlink(path), 0);
	folder_path(dir, "log", path);
	assert_int_equal(rmdir(path), 0);
	folder_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_landmark_stands_where_a_day_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
