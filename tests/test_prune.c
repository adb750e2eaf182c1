/* test_prune.c - what leaves the public folder and when, on real files with given times: nothing
 * young, nothing that a head names, nothing that is the only copy; and a little each turn. */
#include "prune.h"
#include "tiles_world.h"

#include <fcntl.h>

enum { NOW = 1792224000, DAY = 86400, HOUR = 3600 };

static struct tiles_world w;
static struct prune *p;
static struct prune_public at;

static void
path_of(const char *name, char out[FOLDER_PATH_BYTES])
{
	folder_path(w.dir, name, out);
}

static bool
there(const char *name)
{
	char path[FOLDER_PATH_BYTES];

	path_of(name, path);
	return file_exists(path);
}

static void
aged(const char *name, int64_t time)
{
	const struct timespec times[2] = {{.tv_sec = time}, {.tv_sec = time}};
	char path[FOLDER_PATH_BYTES];

	path_of(name, path);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void
put(const char *name, struct bytes data, int64_t time)
{
	char path[FOLDER_PATH_BYTES];

	path_of(name, path);
	*strrchr(path, '/') = '\0';
	assert_int_equal(file_make_folders(path, 0755), ERR_OK);
	path_of(name, path);
	assert_int_equal(file_write(path, data, 0644), ERR_OK);
	aged(name, time);
}

static void
turns(unsigned n)
{
	while (n-- > 0)
		prune_turn(p, &at);
}

static int
make(void **state)
{
	(void)state;
	tiles_world_make(&w);
	assert_int_equal(prune_open(w.dir, &p), ERR_OK);
	at = (struct prune_public){.now = NOW, .sequence = NOW - 1};
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	prune_free(p);
	put("log/x", BYTES_LIT(""), NOW); /* the folder is never empty */
	tiles_world_free(&w);
	return 0;
}

/* ---- tiles ---- */

static void
grow_600(void)
{
	static const uint64_t sizes[] = {3, 200, 300, 512, 600};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		tiles_world_grow(&w, sizes[i]);
	aged("log/tile/0/000", NOW - DAY);
	aged("log/tile/entries/000", NOW - DAY);
	aged("log/tile/0/001", NOW - DAY + 1);
	aged("log/tile/entries/001", NOW - DAY);
}

static void
unfinished_tiles_go_a_day_after_the_full_one(void **state)
{
	(void)state;
	grow_600();
	at.size = 600;
	turns(1);
	assert_false(there("log/tile/0/000.p"));
	assert_false(there("log/tile/entries/000.p"));
	assert_true(there("log/tile/0/001.p/44")); /* a second too young */
	assert_false(there("log/tile/entries/001.p"));
	assert_true(there("log/tile/0/002.p/88")); /* there is no full one */
	assert_true(there("log/tile/entries/002.p/88"));
	assert_true(there("log/tile/1/000.p/1") && there("log/tile/1/000.p/2"));
	at.now++;
	turns(1);
	assert_false(there("log/tile/0/001.p"));
	/* every size that ever was is proved as before */
	assert_int_equal(tiles_world_prove(&w, 1, 3), ERR_OK);
	assert_int_equal(tiles_world_prove(&w, 299, 300), ERR_OK);
	assert_int_equal(tiles_world_prove(&w, 599, 600), ERR_OK);
}

static void
above_the_published_size_nothing_goes(void **state)
{
	(void)state;
	grow_600();
	at.now += 10 * DAY;
	at.size = 511;
	turns(3);
	assert_false(there("log/tile/0/000.p"));
	assert_true(there("log/tile/0/001.p/44"));
	at.size = 512;
	turns(1);
	assert_false(there("log/tile/0/001.p"));
}

static void
without_the_full_tile_the_unfinished_one_stays(void **state)
{
	(void)state;
	grow_600();
	at.now += 10 * DAY;
	at.size = 600;
	folder_unlink(NULL, w.dir, "log/tile/0/000");
	turns(3);
	assert_true(there("log/tile/0/000.p/3") && there("log/tile/0/000.p/200"));
	assert_true(there("log/tile/0/001.p/44")); /* they wait behind it */
	assert_false(there("log/tile/entries/000.p"));
}

/* Level 1 turns over at 65,536: its files by hand. */
static void
higher_levels_go_too(void **state)
{
	(void)state;
	put("log/tile/1/000", BYTES_LIT("full"), NOW - DAY);
	put("log/tile/1/000.p/255", BYTES_LIT("a"), NOW - DAY);
	put("log/tile/1/x001/234", BYTES_LIT("full"), NOW - DAY);
	put("log/tile/1/x001/234.p/7", BYTES_LIT("a"), NOW - DAY);
	put("log/tile/2/000.p/1", BYTES_LIT("a"), NOW - DAY);
	at.size = 1235 * 65536;
	turns(5000); /* more than a thousand times 256 tiles are looked for below it */
	assert_false(there("log/tile/1/000.p") || there("log/tile/1/x001/234.p"));
	assert_true(there("log/tile/2/000.p/1")); /* its full one is not there */
}

/* ---- checkpoints ---- */

static void
checkpoint_put(const struct key *log, uint64_t size, int64_t time)
{
	uint8_t protected_room[256], signature[KEY_SIGNATURE_BYTES], room[512];
	struct buf protected = BUF_OF(protected_room), out = BUF_OF(room);
	struct merkle_hash root = {{1}};
	char name[64];

	assert_int_equal(receipt_sign(log, BYTES_LIT("zz.example.gov.cn/log"), time, size, &root,
	                         &protected, signature),
	        ERR_OK);
	receipt_put(
	        &out, buf_bytes(&protected), bytes_of(signature, sizeof signature), size, 0, NULL);
	snprintf(name, sizeof name, "log/checkpoints/%llu", (unsigned long long)size);
	put(name, BYTES_LIT("note"), time);
	snprintf(name, sizeof name, "log/checkpoints/%llu.cose", (unsigned long long)size);
	put(name, buf_bytes(&out), time);
}

static bool
kept(uint64_t size)
{
	char name[64], cose[80];

	snprintf(name, sizeof name, "log/checkpoints/%llu", (unsigned long long)size);
	snprintf(cose, sizeof cose, "%s.cose", name);
	assert_int_equal(there(name), there(cose)); /* both or none */
	return there(name);
}

/* Four in one minute a day and more ago, one in the next, one of today. */
static void
checkpoints_make(struct key **log)
{
	int64_t minute = NOW - DAY - HOUR;

	minute -= minute % 60;
	assert_int_equal(key_generate(KEY_ED25519, log), ERR_OK);
	checkpoint_put(*log, 9, minute);
	checkpoint_put(*log, 10, minute + 1);
	checkpoint_put(*log, 100, minute + 20);
	checkpoint_put(*log, 101, minute + 59);
	checkpoint_put(*log, 102, minute + 60);
	checkpoint_put(*log, 2000, NOW - DAY + 1);
	checkpoint_put(*log, 2001, NOW - DAY + 1);
	checkpoint_put(*log, 2002, NOW);
	assert_int_equal(prune_keep(w.dir, 100), ERR_OK);
	at.size = 2002;
}

static void
a_day_old_only_those_of_heads_and_the_last_of_a_minute_stay(void **state)
{
	struct key *log = NULL;

	(void)state;
	checkpoints_make(&log);
	turns(1); /* the listing */
	assert_true(kept(9) && kept(10));
	turns(1);
	assert_false(kept(9) || kept(10));
	assert_true(kept(100)); /* a head names it */
	assert_true(kept(101)); /* the last of its minute */
	assert_true(kept(102) && kept(2000) && kept(2001) && kept(2002));
	/* time goes on, and a new one is told */
	at.now += 1;
	turns(1);
	assert_false(kept(2000));
	assert_true(kept(2001));
	checkpoint_put(log, 3000, NOW + 1);
	prune_checkpoint(p, 3000);
	at.now += 2 * DAY;
	turns(1);
	assert_false(kept(2002)); /* of the minute of 3000 */
	assert_true(kept(2001) && kept(3000) && kept(100) && kept(101) && kept(102));
	key_free(log);
}

static void
a_checkpoint_that_cannot_be_judged_stays(void **state)
{
	struct key *log = NULL;

	(void)state;
	checkpoints_make(&log);
	put("log/checkpoints/10.cose", BYTES_LIT("damaged"), NOW - 2 * DAY);
	aged("log/checkpoints/101", NOW - 60); /* a copied folder has new times */
	turns(5);
	assert_true(kept(9) && kept(10) && kept(101));
	at.now += 2 * DAY;
	turns(5);
	assert_true(kept(10)); /* for ever: nobody knows its minute */
	assert_false(kept(2000));
	key_free(log);
}

/* A stop between the two files of one checkpoint. */
static void
what_a_stop_left_goes_after_the_next_start(void **state)
{
	struct key *log = NULL;

	(void)state;
	checkpoints_make(&log);
	folder_unlink(NULL, w.dir, "log/checkpoints/9");
	turns(2);
	assert_false(there("log/checkpoints/9.cose"));
	key_free(log);
}

static void
one_turn_does_a_little(void **state)
{
	struct key *log = NULL;
	unsigned there_are = 0, turn = 0;

	(void)state;
	assert_int_equal(key_generate(KEY_ED25519, &log), ERR_OK);
	for (uint64_t i = 1; i <= 1000; i++)
		checkpoint_put(log, i, NOW - 2 * DAY - (NOW % 60));
	at.size = 1000;
	turns(2 * 1000 / PRUNE_STEPS + 1); /* names, two each */
	for (; turn < 10; turn++) {
		unsigned before = there_are;

		there_are = 0;
		for (uint64_t i = 1; i <= 1000; i++)
			there_are += kept(i);
		assert_true(turn == 0 || before - there_are <= PRUNE_STEPS);
		turns(1);
	}
	assert_int_equal(there_are, 1); /* the newest */
	key_free(log);
}

/* ---- tables, versions, deltas ---- */

static void
status_put(const char *format, int64_t a, int64_t b)
{
	char name[80];

	snprintf(name, sizeof name, format, (long long)a, (long long)b);
	put(name, BYTES_LIT("x"), NOW);
}

static bool
status_there(const char *format, int64_t a, int64_t b)
{
	char name[80];

	snprintf(name, sizeof name, format, (long long)a, (long long)b);
	return there(name);
}

#define TABLE "status/table/%lld.cwt"
#define VERSION "status/version/%lld-%lld.cwt"
#define DELTA "status/delta/%lld-%lld.cwt"

static void
status_make(void)
{
	status_put(TABLE, NOW - 25 * HOUR, 0);
	status_put(TABLE, NOW - 25 * HOUR + 1, 0);
	status_put(TABLE, NOW - 1, 0);
	status_put(VERSION, 0, NOW - 60 * HOUR);
	status_put(VERSION, 0, NOW - 50 * HOUR); /* was in force until the next, 26 h ago */
	status_put(VERSION, 0, NOW - 26 * HOUR); /* until an hour ago */
	status_put(VERSION, 0, NOW - HOUR);
	status_put(VERSION, 1, NOW - 80 * HOUR); /* still in force */
	status_put(DELTA, NOW - 9 * HOUR, NOW - PRUNE_DELTA_S);
	status_put(DELTA, NOW - 9 * HOUR, NOW - PRUNE_DELTA_S + 1);
	status_put(DELTA, NOW - 9 * HOUR, NOW - 1);
	put("status/version/readme.txt", BYTES_LIT("x"), NOW);
	at.size = 1;
}

/* Twice through the folders: the first reading tells which version replaced which. */
static void
sweeps(void)
{
	turns(3);
	at.now += PRUNE_SWEEP_S;
	turns(3);
	at.now -= PRUNE_SWEEP_S;
}

static void
what_no_living_head_names_goes(void **state)
{
	(void)state;
	status_make();
	sweeps();
	assert_false(status_there(TABLE, NOW - 25 * HOUR, 0));
	assert_true(status_there(TABLE, NOW - 1, 0));
	assert_false(status_there(VERSION, 0, NOW - 60 * HOUR));
	assert_false(status_there(VERSION, 0, NOW - 50 * HOUR));
	assert_true(status_there(VERSION, 0, NOW - 26 * HOUR));
	assert_true(status_there(VERSION, 0, NOW - HOUR));
	assert_true(status_there(VERSION, 1, NOW - 80 * HOUR));
	assert_false(status_there(DELTA, NOW - 9 * HOUR, NOW - PRUNE_DELTA_S));
	assert_true(status_there(DELTA, NOW - 9 * HOUR, NOW - 1));
	assert_true(there("status/version/readme.txt"));
}

static void
while_no_head_is_renewed_nothing_goes(void **state)
{
	(void)state;
	status_make();
	at.sequence = NOW - PRUNE_STATUS_S;
	sweeps();
	assert_true(status_there(TABLE, NOW - 25 * HOUR, 0));
	assert_true(status_there(VERSION, 0, NOW - 60 * HOUR));
	at.sequence = 0;
	sweeps();
	assert_true(status_there(VERSION, 0, NOW - 60 * HOUR));
	at.sequence = NOW - 1; /* negative control */
	sweeps();
	assert_false(status_there(VERSION, 0, NOW - 60 * HOUR));
}

/* ---- files cut off ---- */

static void
what_was_being_written_goes_at_the_next_start(void **state)
{
	(void)state;
	put("log/checkpoints/7.tmp-Xy12Zz", BYTES_LIT("half"), NOW);
	put("log/checkpoints/7.tmp-Xy12Z", BYTES_LIT("no such name"), NOW);
	prune_free(p);
	assert_int_equal(prune_open(w.dir, &p), ERR_OK);
	assert_false(there("log/checkpoints/7.tmp-Xy12Zz"));
	assert_true(there("log/checkpoints/7.tmp-Xy12Z")); /* negative control */
}

#define T(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(unfinished_tiles_go_a_day_after_the_full_one),
	        T(above_the_published_size_nothing_goes),
	        T(without_the_full_tile_the_unfinished_one_stays),
	        T(higher_levels_go_too),
	        T(a_day_old_only_those_of_heads_and_the_last_of_a_minute_stay),
	        T(a_checkpoint_that_cannot_be_judged_stays),
	        T(what_a_stop_left_goes_after_the_next_start),
	        T(one_turn_does_a_little),
	        T(what_no_living_head_names_goes),
	        T(what_was_being_written_goes_at_the_next_start),
	        T(while_no_head_is_renewed_nothing_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
