/* test_arena.c - pieces are aligned, do not overlap, and end at the limit. */
#include "arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

enum { PIECES = 2000 };

static void
pieces_are_aligned_and_do_not_overlap(void **state)
{
	struct arena a;
	uint8_t *at[PIECES];
	size_t n[PIECES];

	(void)state;
	arena_init(&a, 64 * 1024 * 1024);
	for (size_t i = 0; i < PIECES; i++) {
		n[i] = i * 37 % 6000;
		at[i] = arena_alloc(&a, n[i]);
		assert_non_null(at[i]);
		assert_int_equal((uintptr_t)at[i] % _Alignof(max_align_t), 0);
		memset(at[i], (int)(i & 255), n[i]);
	}
	for (size_t i = 0; i < PIECES; i++)
		for (size_t k = 0; k < n[i]; k++)
			assert_int_equal(at[i][k], i & 255);
	arena_free(&a);
	assert_null(a.blocks);
}

static void
the_limit_holds_at_its_edge(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1024);
	assert_null(arena_alloc(&a, 1025));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 8));
	assert_non_null(arena_alloc(&a, 512));
	assert_non_null(arena_alloc(&a, 512 - 16));
	assert_non_null(arena_alloc(&a, 16));
	assert_null(arena_alloc(&a, 1));
	arena_free(&a);
	assert_non_null(arena_alloc(&a, 1)); /* usable again */
	arena_free(&a);
}

static void
a_copy_has_a_nul_after_it_and_text_refuses_one_inside(void **state)
{
	struct arena a;
	struct bytes v = {NULL, 0};

	(void)state;
	arena_init(&a, 4096);
	v = arena_copy(&a, BYTES_LIT("a\0b"));
	assert_int_equal(v.n, 3);
	assert_memory_equal(v.p, "a\0b\0", 4);
	assert_null(arena_text(&a, BYTES_LIT("a\0b")));
	assert_string_equal(arena_text(&a, BYTES_LIT("ab")), "ab");
	assert_string_equal(arena_text(&a, (struct bytes){NULL, 0}), "");
	v = arena_copy(&a, (struct bytes){NULL, 0});
	assert_non_null(v.p);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
	        cmocka_unit_test(the_limit_holds_at_its_edge),
	        cmocka_unit_test(a_copy_has_a_nul_after_it_and_text_refuses_one_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
