/* test_merkle_vectors.c - good and bad proofs made by others (tests/vectors/merkle, origin in its
 * README): our verdict is theirs in every case but two, which are named. */
#include "base64.h"
#include "merkle.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static json_t *
rows_load(const char *name)
{
	char path[512];
	json_t *rows;

	assert_true(
	        snprintf(path, sizeof path, SOURCE_DIR "/tests/vectors/merkle/%s.json", name) > 0);
	rows = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(rows);
	return rows;
}

/* Numbers are decimal text there: some are above what JSON readers hold. */
static uint64_t
number(const json_t *row, const char *name)
{
	uint64_t v;

	assert_int_equal(
	        decimal_decode(bytes_of_text(json_string_value(json_object_get(row, name))),
	                UINT64_MAX, &v),
	        ERR_OK);
	return v;
}

/* Some roots there are words in place of hashes: the hash of the word stands for it. Nothing is no
 * hash. */
static bool
hash_read(const json_t *text, struct merkle_hash *out)
{
	struct bytes parts[2] = {BYTES_LIT("word")};
	uint8_t room[64];
	struct buf b = BUF_OF(room);

	if (base64_get(bytes_of_text(json_string_value(text)), &b) != ERR_OK || b.n == 0)
		return false;
	if (b.n == sizeof out->b)
		memcpy(out->b, room, sizeof out->b);
	parts[1] = buf_bytes(&b);
	if (b.n != sizeof out->b)
		sha256(parts, 2, out->b);
	return true;
}

static bool
path_read(const json_t *row, struct merkle_path *out)
{
	const json_t *proof = json_object_get(row, "proof");

	out->n = json_array_size(proof);
	if (out->n > MERKLE_PATH_MAX + 1)
		return false;
	for (size_t i = 0; i < out->n; i++) {
		if (!hash_read(json_array_get(proof, i), &out->hash[i]))
			return false;
	}
	return true;
}

static bool
inclusion_holds(const json_t *row, uint64_t index, uint64_t size)
{
	struct merkle_hash leaf, root, got;
	struct merkle_path path;

	return hash_read(json_object_get(row, "leafHash"), &leaf) &&
	       hash_read(json_object_get(row, "root"), &root) && path_read(row, &path) &&
	       merkle_inclusion_root(index, size, &leaf, &path, &got) == ERR_OK &&
	       memcmp(&got, &root, sizeof got) == 0;
}

static bool
consistency_holds(const json_t *row, uint64_t size1, uint64_t size2)
{
	struct merkle_hash root1, root2;
	struct merkle_path path;

	return hash_read(json_object_get(row, "root1"), &root1) &&
	       hash_read(json_object_get(row, "root2"), &root2) && path_read(row, &path) &&
	       merkle_consistency_verify(size1, size2, &root1, &root2, &path) == ERR_OK;
}

/* Where our verdict is another, by choice: the empty tree is extended by any tree, and has one
 * root. */
static const struct {
	const char *name;
	bool holds;
} ours[] = {
        {"additional/size1-is-zero-and-size2-is-not-zero", true},
        {"additional/"
         "subtree-is-empty-sizes-are-equal-zero-subtree-root-valid-tree-root-random-proof-is-empty",
                false},
};

static void
verdict_check(const json_t *row, bool holds)
{
	const char *name = json_string_value(json_object_get(row, "case"));
	bool want = !json_is_true(json_object_get(row, "wantErr"));

	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
		if (strcmp(name, ours[i].name) == 0)
			want = ours[i].holds;
	}
	if (holds != want)
		fail_msg("%s", name);
}

static void
inclusion_verdicts_are_theirs(void **state)
{
	json_t *rows = rows_load("inclusion"), *row;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(rows), 98);
	json_array_foreach(rows, i, row) verdict_check(
	        row, inclusion_holds(row, number(row, "leafIdx"), number(row, "treeSize")));
	json_decref(rows);
}

static void
consistency_verdicts_are_theirs(void **state)
{
	json_t *rows = rows_load("consistency"), *row;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(rows), 98);
	json_array_foreach(rows, i, row) verdict_check(
	        row, consistency_holds(row, number(row, "size1"), number(row, "size2")));
	json_decref(rows);
}

/* A subtree starts at a multiple of the least power of two that covers it. */
static bool
subtree_valid(uint64_t start, uint64_t end)
{
	uint64_t cover = 1;

	while (start < end && cover < end - start && cover < 1ULL << 63)
		cover *= 2;
	return start < end && end <= INT64_MAX && start % cover == 0;
}

static void
subtree_inclusion_verdicts_are_theirs(void **state)
{
	json_t *rows = rows_load("subtree_inclusion"), *row;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(rows), 204);
	json_array_foreach(rows, i, row)
	{
		uint64_t index = number(row, "leafIdx"), start = number(row, "start"),
		         end = number(row, "end");

		verdict_check(row, subtree_valid(start, end) && index >= start &&
		                           inclusion_holds(row, index - start, end - start));
	}
	json_decref(rows);
}

/* From a subtree that starts at 0 they are consistency proofs. */
static void
subtree_consistency_verdicts_are_theirs(void **state)
{
	json_t *rows = rows_load("subtree_consistency"), *row;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(rows), 102);
	json_array_foreach(rows, i, row)
	{
		assert_int_equal(number(row, "start"), 0);
		verdict_check(row, consistency_holds(row, number(row, "end"), number(row, "size")));
	}
	json_decref(rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(inclusion_verdicts_are_theirs),
	        cmocka_unit_test(consistency_verdicts_are_theirs),
	        cmocka_unit_test(subtree_inclusion_verdicts_are_theirs),
	        cmocka_unit_test(subtree_consistency_verdicts_are_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
