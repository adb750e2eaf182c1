/* test_subtree.c - subtrees up to 130 leaves: their proofs are those of the draft, made and
 * verified, and a changed one fails. */
#include "naive_tree.h"
#include "subtree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TREE_MAX = 130, ROOM = 120 << 20 };

static struct merkle_hash leaves[TREE_MAX];
static struct naive_tree tree = {leaves, TREE_MAX};

static struct merkle_hash
hash_of(const struct subtree *s)
{
	return naive_root(leaves + s->start, (size_t)(s->end - s->start));
}

static void
path_line(struct buf *out, const struct subtree *s, uint64_t n, const struct merkle_path *path)
{
	char head[48];

	snprintf(head, sizeof head, "[%llu, %llu) %llu", (unsigned long long)s->start,
	        (unsigned long long)s->end, (unsigned long long)n);
	buf_put_text(out, head);
	for (size_t i = 0; i < path->n; i++) {
		buf_put_u8(out, ' ');
		buf_put_hex(out, bytes_of(path->hash[i].b, SHA256_BYTES));
	}
	buf_put_u8(out, '\n');
}

static void
digest_is(const struct buf *text, const char *want)
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	assert_false(text->failed);
	sha256_one(buf_bytes(text), digest);
	hex_encode(bytes_of(digest, sizeof digest), hex);
	assert_string_equal(hex, want);
}

static void
one_proof(const struct subtree *s, uint64_t n, struct buf *lines)
{
	struct naive_tree t = {leaves, (size_t)n};
	struct merkle_hash hash = hash_of(s), root = naive_root(leaves, (size_t)n);
	struct merkle_path path;

	assert_int_equal(subtree_consistency(s, n, naive_get, &t, &path), ERR_OK);
	assert_int_equal(subtree_consistency_verify(s, n, &hash, &root, &path), ERR_OK);
	path_line(lines, s, n, &path);
	/* of another hash, root or path: nothing */
	hash.b[0] ^= 1;
	assert_int_equal(subtree_consistency_verify(s, n, &hash, &root, &path), ERR_VALUE);
	hash.b[0] ^= 1;
	root.b[0] ^= 1;
	assert_int_equal(subtree_consistency_verify(s, n, &hash, &root, &path), ERR_VALUE);
	root.b[0] ^= 1;
	for (size_t i = 0; i < path.n; i++) {
		path.hash[i].b[5] ^= 8;
		assert_int_equal(subtree_consistency_verify(s, n, &hash, &root, &path), ERR_VALUE);
		path.hash[i].b[5] ^= 8;
	}
	path.n++;
	memset(&path.hash[path.n - 1], 0, sizeof path.hash[0]);
	assert_int_equal(subtree_consistency_verify(s, n, &hash, &root, &path), ERR_VALUE);
}

/* SHA-256 over one line for each subtree and tree: the draft's appendix. */
static void
every_consistency_proof_is_that_of_the_draft(void **state)
{
	struct buf lines = buf_init(malloc(ROOM), ROOM);

	(void)state;
	for (uint64_t n = 0; n <= TREE_MAX; n++)
		for (uint64_t end = 0; end <= n; end++)
			for (uint64_t start = 0; start <= end; start++) {
				const struct subtree s = {start, end};
				const struct merkle_path none = {.n = 0};

				if (start == end) /* empty ones have a line there too */
					path_line(&lines, &s, n, &none);
				else if (subtree_valid(&s))
					one_proof(&s, n, &lines);
			}
	digest_is(&lines, "10fa99b37bf9bf9ffa26b412fbd98bd75363256d0b75d61bc4538b9c9c5a0a74");
	free(lines.p);
}

static void
every_interval_is_covered_by_two(void **state)
{
	struct buf lines = buf_init(malloc(ROOM), ROOM);
	char text[128];

	(void)state;
	for (uint64_t end = 0; end <= TREE_MAX; end++)
		for (uint64_t start = 0; start <= end; start++) {
			struct subtree c[2] = {{start, end}, {end, end}};
			unsigned n = start == end ? 0 : subtree_cover(start, end, c);

			if (n > 0) {
				assert_true(subtree_valid(&c[0]) && c[0].start <= start);
				assert_true(
				        n == 1 || (subtree_valid(&c[1]) && c[0].end == c[1].start));
				assert_true(c[n - 1].end == end);
				/* no wider than it must be */
				assert_true(c[0].end - c[0].start < 2 * (end - start));
			}
			snprintf(text, sizeof text, "[%llu, %llu) [%llu, %llu)\n",
			        (unsigned long long)c[0].start, (unsigned long long)c[0].end,
			        (unsigned long long)c[1].start, (unsigned long long)c[1].end);
			buf_put_text(&lines, text);
		}
	digest_is(&lines, "7fd9c8b926e9d2b5cf831560e8ce295a5ef97ad5c5ede4ea0dea28a8c8fc8bb0");
	free(lines.p);
}

static void
an_entry_is_proved_in_its_subtree(void **state)
{
	(void)state;
	for (uint64_t end = 1; end <= TREE_MAX; end++)
		for (uint64_t start = 0; start < end; start++) {
			const struct subtree s = {start, end};
			struct merkle_hash want, root;
			struct merkle_path path;

			if (!subtree_valid(&s))
				continue;
			want = hash_of(&s);
			assert_int_equal(subtree_hash(&s, naive_get, &tree, &root), ERR_OK);
			assert_true(same_hash(&root, &want));
			for (uint64_t i = start; i < end; i++) {
				assert_int_equal(
				        subtree_inclusion(&s, i, naive_get, &tree, &path), ERR_OK);
				assert_int_equal(
				        subtree_inclusion_root(&s, i, &leaves[i], &path, &root),
				        ERR_OK);
				assert_true(same_hash(&root, &want));
			}
			assert_int_equal(
			        subtree_inclusion(&s, end, naive_get, &tree, &path), ERR_VALUE);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_consistency_proof_is_that_of_the_draft),
	        cmocka_unit_test(every_interval_is_covered_by_two),
	        cmocka_unit_test(an_entry_is_proved_in_its_subtree),
	};

	naive_byte_leaves(leaves, TREE_MAX);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
