/* test_tiles.c - the files of a log at every size where something turns over: exactly those that
 * C2SP tlog-tiles asks for, each with its bytes, and every proof can be made from them. */
#include "tiles_world.h"

#include <ftw.h>

static const uint64_t sizes[] = {
        0, 1, 2, 3, 255, 256, 257, 511, 512, 65535, 65536, 65537}; /* rising */
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static struct tiles_world w;
static size_t files; /* counted by nftw, which has no context */

static int
count_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)path;
	(void)st;
	(void)at;
	files += type == FTW_F;
	return 0;
}

static size_t
files_there(void)
{
	char path[FOLDER_PATH_BYTES];

	folder_path(w.dir, "log/tile", path);
	files = 0;
	if (file_exists(path))
		assert_int_equal(nftw(path, count_one, 8, FTW_PHYS), 0);
	return files;
}

static void
file_name(char out[128], int level, uint64_t n, unsigned width)
{
	struct buf b = buf_init(out, 127);

	buf_put_text(&b, "log/");
	tile_path_put(&b, level, n, width);
	out[b.n] = '\0';
}

/* One tile against the definition: hash i is MTH of its 256^level entries. */
static void
tile_check(unsigned level, uint64_t n, unsigned width)
{
	size_t got, span = (size_t)1 << (8 * level);
	char name[128];
	uint8_t *p;

	file_name(name, (int)level, n, width);
	p = folder_get(w.dir, name, &got);
	assert_non_null(p);
	assert_int_equal(got, width * SHA256_BYTES);
	for (unsigned i = 0; i < width; i++) {
		struct merkle_hash h = naive_root(w.leaves + (n * 256 + i) * span, span);

		assert_memory_equal(h.b, p + i * SHA256_BYTES, SHA256_BYTES);
	}
	free(p);
}

/* u16 length, entry, …, nothing after. */
static void
bundle_check(uint64_t n, unsigned width)
{
	char name[128], text[32];
	size_t got, at = 0;
	uint8_t *p;

	file_name(name, -1, n, width);
	p = folder_get(w.dir, name, &got);
	assert_non_null(p);
	for (unsigned i = 0; i < width; i++) {
		size_t length;

		snprintf(text, sizeof text, "leaf %llu", (unsigned long long)(n * 256 + i));
		length = strlen(text);
		assert_true(at + 2 + length <= got);
		assert_int_equal(be_get(p + at, 2), length);
		assert_memory_equal(p + at + 2, text, length);
		at += 2 + length;
	}
	assert_int_equal(at, got);
	free(p);
}

/* The unfinished tile of a level at that size, and the full ones that the size before lacked.
 * Gives how many files are new. */
static size_t
level_check(int level, uint64_t before, uint64_t size)
{
	unsigned up = 8 * (unsigned)(level < 0 ? 0 : level), width = (size >> up) % 256;
	size_t count = 0;

	for (uint64_t n = (before >> up) / 256; n < (size >> up) / 256; n++, count++) {
		if (level < 0)
			bundle_check(n, 256);
		else
			tile_check((unsigned)level, n, 256);
	}
	if (width == 0)
		return count;
	if (level < 0)
		bundle_check(size / 256, width);
	else
		tile_check((unsigned)level, (size >> up) / 256, width);
	return (before >> up) == (size >> up) ? count : count + 1;
}

static void
each_size_has_exactly_its_files(void **state)
{
	size_t want = 0;

	(void)state;
	for (size_t i = 0; i < SIZES; i++) {
		tiles_world_grow(&w, sizes[i]);
		for (int level = -1; level < 4; level++)
			want += level_check(level, i == 0 ? 0 : sizes[i - 1], sizes[i]);
		if (files_there() != want)
			fail_msg("size %d: %zu files, not %zu", (int)sizes[i], files, want);
	}
}

static void
what_is_written_again_is_the_same(void **state)
{
	struct tiles again;
	char text[32];
	size_t before = files_there();

	(void)state;
	assert_int_equal(tiles_init(&again, w.dir), ERR_OK);
	for (unsigned i = 0; i < 600; i++) {
		snprintf(text, sizeof text, "leaf %u", i);
		assert_int_equal(tiles_append(&again, bytes_of_text(text), true), ERR_OK);
		if (i == 254 || i == 256 || i == 510)
			assert_int_equal(tiles_flush(&again), ERR_OK);
	}
	assert_int_equal(files_there(), before);
	tiles_end(&again);
	/* and another log in the same place is fatal */
	assert_int_equal(tiles_init(&again, w.dir), ERR_OK);
	assert_int_equal(tiles_append(&again, BYTES_LIT("leaf X"), true), ERR_OK);
	assert_int_equal(tiles_flush(&again), ERR_FORK);
	tiles_end(&again);
}

static void
every_size_proves_entries_and_growth(void **state)
{
	(void)state;
	for (size_t i = 1; i < SIZES; i++) {
		uint64_t s = sizes[i], ask[] = {0, s / 2, s / 2 + 1, s - 2, s - 1};
		struct merkle_hash root = naive_root(w.leaves, (size_t)s);

		for (size_t k = 0; k < sizeof ask / sizeof ask[0]; k++)
			if (ask[k] < s)
				assert_int_equal(tiles_world_prove(&w, ask[k], s), ERR_OK);
		for (size_t k = 1; k <= i; k++) {
			struct tiles_reader reader = {.public_dir = w.dir, .size = s};
			struct merkle_hash old = naive_root(w.leaves, (size_t)sizes[k]);
			struct merkle_path path;

			assert_int_equal(
			        merkle_consistency(sizes[k], s, tiles_get, &reader, &path), ERR_OK);
			assert_int_equal(
			        merkle_consistency_verify(sizes[k], s, &old, &root, &path), ERR_OK);
		}
	}
}

/* Made with Go's golang.org/x/mod and with Python. */
static void
another_implementation_wrote_the_same_files(void **state)
{
	static const struct {
		const char *file, *sha256;
	} known[] = {
	        {"log/tile/0/000.p/3",
	                "f0a42bbb6294f2b6b003f44c6194a44778334cef83f4b87dc04486b38a641b5a"},
	        {"log/tile/0/000",
	                "3658d44ebeb979b996b87ac966392dffbe9a628e34cb70bbff0ba844e74c31c6"},
	        {"log/tile/entries/000",
	                "a14c635e736c61c708522df30dabd9606ebc7bc14b9de94ead044c9530e2fac5"},
	};
	uint8_t hash[SHA256_BYTES], *p;
	char hex[2 * SHA256_BYTES + 1];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		p = folder_get(w.dir, known[i].file, &n);
		assert_non_null(p);
		sha256_one(bytes_of(p, n), hash);
		hex_encode(bytes_of(hash, sizeof hash), hex);
		assert_string_equal(hex, known[i].sha256);
		free(p);
	}
	p = folder_get(w.dir, "log/tile/entries/000.p/3", &n);
	assert_int_equal(n, 24);
	assert_memory_equal(p, "\0\006leaf 0\0\006leaf 1\0\006leaf 2", 24);
	free(p);
	p = folder_get(w.dir, "log/tile/1/000.p/1", &n);
	hex_encode(bytes_of(p, n), hex);
	assert_string_equal(
	        hex, "cf5effdb11d0927a2edf53b0e73c7837f659414e00537da5d90eb5c4c49ff274");
	free(p);
}

static int
make(void **state)
{
	(void)state;
	tiles_world_make(&w);
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	tiles_world_free(&w);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_size_has_exactly_its_files),
	        cmocka_unit_test(another_implementation_wrote_the_same_files),
	        cmocka_unit_test(every_size_proves_entries_and_growth),
	        cmocka_unit_test(what_is_written_again_is_the_same),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
