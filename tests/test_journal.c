/* test_journal.c - what was synced is read again, whole and in order; a torn end is cut off, and
 * damage anywhere else stops the start. */
#include "journal.h"

#include "hash.h"
#include "temp_folder.h"

#include <sys/wait.h>

enum { ENTRIES = 7 }; /* in frames of 1, 2, 1 and 3 */

static char folder[FOLDER_BYTES];
static const size_t counts[] = {1, 2, 1, 3};
static const char file[] = "journal-000000000000";

static int
make(void **state)
{
	(void)state;
	folder_make(folder);
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	folder_remove(folder);
	return 0;
}

/* Entry i of the test's log; its views point into static memory. */
static struct signed_entry
entry_of(size_t i)
{
	static uint8_t rooms[ENTRIES][4][16];
	struct signed_entry s;

	for (size_t k = 0; k < 4; k++)
		memset(rooms[i][k], (int)(16 * k + i + 1), 16);
	s.entry = bytes_of(rooms[i][0], 3 + i);
	s.note = bytes_of(rooms[i][1], 1 + i);
	s.tag = bytes_of(rooms[i][2], ENTRY_TAG_BYTES);
	s.record = bytes_of(rooms[i][3], i % 2 == 0 ? 0 : 9);
	return s;
}

static struct merkle_hash
root_of(size_t size)
{
	struct merkle_hash h;

	memset(h.b, (int)size, sizeof h.b);
	return h;
}

struct seen {
	size_t frames, entries, stop_after;
	uint64_t first;
};

static enum err
see(void *ctx, const struct journal_frame *frame)
{
	struct seen *s = ctx;
	struct merkle_hash root = root_of((size_t)frame->size + frame->count);

	if (s->frames++ == 0)
		s->first = frame->size;
	assert_int_equal(frame->size, s->first + s->entries);
	assert_memory_equal(frame->root.b, root.b, sizeof root.b);
	for (size_t i = 0; i < frame->count; i++) {
		struct signed_entry want = entry_of((size_t)frame->size + i);

		assert_true(bytes_equal(frame->entries[i].entry, want.entry));
		assert_true(bytes_equal(frame->entries[i].note, want.note));
		assert_true(bytes_equal(frame->entries[i].tag, want.tag));
		assert_true(bytes_equal(frame->entries[i].record, want.record));
	}
	s->entries += frame->count;
	return s->frames == s->stop_after ? ERR_LIMIT : ERR_OK;
}

static struct journal *
open_from(uint64_t from, struct seen *s)
{
	struct journal *j = NULL;

	*s = (struct seen){0};
	assert_int_equal(journal_open(folder, from, see, s, &j), ERR_OK);
	return j;
}

static enum err
open_once(uint64_t from, struct seen *s)
{
	struct journal *j = NULL;
	enum err e;

	*s = (struct seen){0};
	e = journal_open(folder, from, see, s, &j);
	if (e == ERR_OK)
		journal_free(j);
	return e;
}

/* Appends frame k of the test's log. */
static void
append(struct journal *j, size_t k)
{
	struct signed_entry entries[ENTRIES];
	struct merkle_hash root;
	size_t size = 0;

	for (size_t i = 0; i < k; i++)
		size += counts[i];
	for (size_t i = 0; i < counts[k]; i++)
		entries[i] = entry_of(size + i);
	root = root_of(size + counts[k]);
	journal_append(j, size, &root, entries, counts[k]);
}

/* The whole log; ends[k]: bytes of the file after frame k. */
static void
write_all(size_t ends[4])
{
	struct seen s;
	struct journal *j = open_from(0, &s);

	assert_int_equal(s.frames, 0);
	for (size_t k = 0; k < 4; k++) {
		append(j, k);
		free(folder_get(folder, file, &ends[k]));
	}
	journal_free(j);
}

static void
what_was_appended_is_read_again_in_order(void **state)
{
	size_t ends[4];
	struct seen s;

	(void)state;
	write_all(ends);
	assert_int_equal(open_once(0, &s), ERR_OK);
	assert_int_equal(s.frames, 4);
	assert_int_equal(s.entries, ENTRIES);
	/* only frames that end above the size asked for */
	static const size_t frames[ENTRIES + 1] = {4, 3, 3, 2, 1, 1, 1, 0};
	static const size_t first[ENTRIES] = {0, 1, 1, 3, 4, 4, 4};
	for (uint64_t from = 0; from <= ENTRIES; from++) {
		assert_int_equal(open_once(from, &s), ERR_OK);
		assert_int_equal(s.frames, frames[from]);
		if (from < ENTRIES)
			assert_int_equal(s.first, first[from]);
	}
}

static void
it_goes_on_where_it_stopped(void **state)
{
	struct seen s;

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct journal *j = open_from(0, &s);

		assert_int_equal(s.frames, k);
		append(j, k);
		journal_free(j);
	}
	assert_int_equal(open_once(0, &s), ERR_OK);
	assert_int_equal(s.entries, ENTRIES);
}

static void
it_is_read_while_it_is_open(void **state)
{
	struct seen s;
	struct journal *j = open_from(0, &s);

	(void)state;
	for (size_t k = 0; k < 4; k++)
		append(j, k);
	s = (struct seen){0};
	assert_int_equal(journal_read(j, 0, see, &s), ERR_OK);
	assert_int_equal(s.entries, ENTRIES);
	s = (struct seen){.stop_after = 2}; /* enough is no error */
	assert_int_equal(journal_read(j, 1, see, &s), ERR_OK);
	assert_true(s.first == 1 && s.entries == 3);
	s = (struct seen){0};
	assert_int_equal(journal_read(j, ENTRIES, see, &s), ERR_OK);
	assert_int_equal(s.frames, 0);
	journal_free(j);
}

/* A crash leaves any number of bytes of the last frame: it is gone, all before it is there, and the
 * next start appends in its place. */
static void
a_torn_last_frame_is_cut_off_at_every_length(void **state)
{
	size_t ends[4], n;
	uint8_t *all;
	struct seen s;

	(void)state;
	write_all(ends);
	all = folder_get(folder, file, &n);
	assert_int_equal(n, ends[3]);
	for (size_t cut = 0; cut < n; cut++) {
		size_t whole = 0, left;
		struct journal *j;

		while (ends[whole] <= cut)
			whole++;
		folder_put(folder, file, bytes_of(all, cut));
		j = open_from(0, &s);
		assert_int_equal(s.frames, whole);
		free(folder_get(folder, file, &left));
		assert_int_equal(left, whole == 0 ? 0 : ends[whole - 1]);
		append(j, whole);
		journal_free(j);
		assert_int_equal(open_once(0, &s), ERR_OK);
		assert_int_equal(s.frames, whole + 1);
	}
	free(all);
}

/* Some file systems lengthen a file before its bytes are there: the rest is zeros. */
static void
zeros_after_the_last_frame_are_cut_off(void **state)
{
	size_t ends[4], n;
	uint8_t *all;
	struct seen s;

	(void)state;
	write_all(ends);
	all = folder_get(folder, file, &n);
	for (size_t zeros = 1; zeros < 9000; zeros = zeros * 2 + 1) {
		uint8_t *longer = calloc(1, n + zeros);

		memcpy(longer, all, n);
		folder_put(folder, file, bytes_of(longer, n + zeros));
		assert_int_equal(open_once(0, &s), ERR_OK);
		assert_int_equal(s.frames, 4);
		free(longer);
	}
	free(all);
}

/* Any changed bit of a frame that others follow: nothing is cut off, since that would take whole
 * frames along. A length that now points beyond the end looks like a torn frame: for it the
 * snapshot and the database stand (see the next test). */
static void
damage_before_the_last_frame_stops_the_start(void **state)
{
	size_t ends[4], n, stopped = 0;
	uint8_t *all;
	struct seen s;

	(void)state;
	write_all(ends);
	all = folder_get(folder, file, &n);
	for (size_t i = 0; i < ends[2]; i++) {
		size_t frame = 0, start, left;
		uint64_t length;
		enum err e;

		while (ends[frame] <= i)
			frame++;
		start = frame == 0 ? 0 : ends[frame - 1];
		all[i] ^= 0x40;
		folder_put(folder, file, bytes_of(all, n));
		e = open_once(0, &s);
		length = be_get(all + start, 4);
		if (start + 36 + length < n || length > FRAME_BYTES_MAX + 4096U) {
			assert_int_equal(e, ERR_ENCODING);
			free(folder_get(folder, file, &left));
			assert_int_equal(left, n);
			stopped++;
		}
		all[i] ^= 0x40;
	}
	assert_true(stopped + 12 >= ends[2]);
	folder_put(folder, file, bytes_of(all, n));
	assert_int_equal(open_once(0, &s), ERR_OK);
	free(all);
}

static void
a_journal_that_ends_below_the_snapshot_stops_the_start(void **state)
{
	size_t ends[4], n;
	uint8_t *all;
	struct seen s;

	(void)state;
	write_all(ends);
	all = folder_get(folder, file, &n);
	folder_put(folder, file, bytes_of(all, n - 1));
	assert_int_equal(open_once(ENTRIES, &s), ERR_FORK);
	assert_int_equal(open_once(ENTRIES + 1, &s), ERR_FORK);
	free(folder_get(folder, file, &n));
	assert_int_equal(n, ends[3] - 1); /* and nothing was cut off */
	assert_int_equal(open_once(4, &s), ERR_OK);
	folder_unlink(NULL, folder, file);
	assert_int_equal(open_once(1, &s), ERR_FORK);
	assert_int_equal(open_once(0, &s), ERR_OK);
	free(all);
}

/* A frame written whole that does not follow the one before it. */
static void
frames_that_do_not_follow_each_other_stop_the_start(void **state)
{
	size_t ends[4], n;
	uint8_t *all, *moved;
	struct seen s;

	(void)state;
	write_all(ends);
	all = folder_get(folder, file, &n);
	moved = malloc(2 * n);
	memcpy(moved, all, n);
	memcpy(moved + n, all + ends[1], ends[2] - ends[1]);
	folder_put(folder, file, bytes_of(moved, n + ends[2] - ends[1]));
	assert_int_equal(open_once(0, &s), ERR_FORK);
	/* a frame left out */
	memcpy(moved, all, ends[0]);
	memcpy(moved + ends[0], all + ends[1], n - ends[1]);
	folder_put(folder, file, bytes_of(moved, n - ends[1] + ends[0]));
	assert_int_equal(open_once(0, &s), ERR_FORK);
	free(moved);
	free(all);
}

/* The log in two files, cut between the second and the third frame. */
static void
files_follow_each_other(void **state)
{
	static const char second[] = "journal-000000000003";
	size_t ends[4], n;
	uint8_t *all;
	struct journal *j;
	struct seen s;

	(void)state;
	write_all(ends);
	all = folder_get(folder, file, &n);
	folder_put(folder, file, bytes_of(all, ends[1]));
	folder_put(folder, second, bytes_of(all + ends[1], ends[2] - ends[1]));
	j = open_from(0, &s);
	assert_int_equal(s.entries, 4);
	append(j, 3);
	s = (struct seen){0};
	assert_int_equal(journal_read(j, 1, see, &s), ERR_OK);
	assert_int_equal(s.entries, 6);
	journal_free(j);
	assert_int_equal(open_once(3, &s), ERR_OK);
	assert_int_equal(s.entries, 4);
	/* torn in the first file: others follow, so it is damage */
	folder_put(folder, file, bytes_of(all, ends[1] - 1));
	assert_int_equal(open_once(0, &s), ERR_ENCODING);
	/* a whole frame is missing at its end */
	folder_put(folder, file, bytes_of(all, ends[0]));
	assert_int_equal(open_once(0, &s), ERR_FORK);
	/* a file of that name without its first frame: a crash just after it was made */
	folder_put(folder, file, bytes_of(all, ends[1]));
	folder_put(folder, second, bytes_of(NULL, 0));
	j = open_from(0, &s);
	assert_int_equal(s.entries, 3);
	append(j, 2);
	journal_free(j);
	assert_int_equal(open_once(0, &s), ERR_OK);
	assert_int_equal(s.entries, 4);
	folder_put(folder, "journal-x", bytes_of(NULL, 0));
	assert_int_equal(open_once(0, &s), ERR_IO);
	free(all);
}

static enum err
count_one(void *ctx, const struct journal_frame *frame)
{
	uint64_t *next = ctx;

	if (*next == UINT64_MAX)
		*next = frame->size;
	if (frame->size != (*next)++)
		return ERR_FORK;
	return ERR_OK;
}

/* More frames than the marks hold: each size is found, by a mark or from the start of the file. */
static void
frames_are_found_by_their_size_however_many_there_are(void **state)
{
	enum { MANY = 2100 };
	struct signed_entry one = entry_of(0);
	struct merkle_hash root = root_of(0);
	struct journal *j = NULL;
	struct seen s;

	(void)state;
	j = open_from(0, &s);
	for (uint64_t i = 0; i < MANY; i++)
		journal_append(j, i, &root, &one, 1);
	for (uint64_t from = 0; from < MANY; from += from < 60 || from > 2040 ? 1 : 97) {
		uint64_t next = UINT64_MAX;

		assert_int_equal(journal_read(j, from, count_one, &next), ERR_OK);
		assert_int_equal(next, MANY);
		next = from;
		assert_int_equal(journal_read(j, from, count_one, &next), ERR_OK);
	}
	journal_free(j);
}

static enum err
refuse(void *ctx, const struct journal_frame *frame)
{
	(void)frame;
	return *(enum err *)ctx;
}

/* What a reader says of a whole frame is never taken for a torn one. */
static void
a_frame_that_its_reader_refuses_stops_the_start(void **state)
{
	static const enum err words[] = {
	        ERR_ENCODING, ERR_TRUNCATED, ERR_FORK, ERR_TAG, ERR_NOT_FOUND};
	size_t ends[4], n;
	struct seen s;

	(void)state;
	write_all(ends);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		struct journal *j = NULL;
		enum err word = words[i];

		assert_int_equal(journal_open(folder, 0, refuse, &word, &j), word);
		free(folder_get(folder, file, &n));
		assert_int_equal(n, ends[3]);
	}
	assert_int_equal(open_once(0, &s), ERR_OK);
}

/* A disk that takes no more ends the process: what was answered was synced. */
static void
a_failed_write_ends_the_process(void **state)
{
	struct seen none = {0};
	struct journal *missing = NULL;
	int status = 0;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct journal *j = NULL;
		struct seen s = {0};

		if (journal_open(folder, 0, see, &s, &j) != ERR_OK)
			_exit(1);
		folder_remove(folder); /* no place for the first file */
		append(j, 0);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 70);
	assert_int_equal(journal_open(folder, 0, see, &none, &missing), ERR_IO);
	assert_int_equal(mkdir(folder, 0700), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
	        TEST(what_was_appended_is_read_again_in_order),
	        TEST(it_goes_on_where_it_stopped),
	        TEST(it_is_read_while_it_is_open),
	        TEST(a_torn_last_frame_is_cut_off_at_every_length),
	        TEST(zeros_after_the_last_frame_are_cut_off),
	        TEST(damage_before_the_last_frame_stops_the_start),
	        TEST(a_journal_that_ends_below_the_snapshot_stops_the_start),
	        TEST(frames_that_do_not_follow_each_other_stop_the_start),
	        TEST(files_follow_each_other),
	        TEST(frames_are_found_by_their_size_however_many_there_are),
	        TEST(a_frame_that_its_reader_refuses_stops_the_start),
	        TEST(a_failed_write_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
