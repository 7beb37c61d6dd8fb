/* test_arena.c - aligned blocks that do not overlap, stay where they are, and are used again after a clear. */
#include "core/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint32_t seed = 1;
static size_t upto(size_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

/* Each block is filled with its number; all are read again at the end, so an overlap shows. */
static void blocks_do_not_overlap(void **state)
{
    (void)state;
    struct arena a = { 0 };
    enum { N = 2000 };
    static struct {
        unsigned char *p;
        size_t n;
    } blocks[N];
    printf("seed %u\n", seed);
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < N; i++) {
            blocks[i].n = upto(50) ? upto(300) : upto(200000);
            blocks[i].p = arena_alloc(&a, blocks[i].n);
            assert_non_null(blocks[i].p);
            assert_int_equal((uintptr_t)blocks[i].p % 16, 0);
            memset(blocks[i].p, (int)(i % 251), blocks[i].n);
        }
        for (size_t i = 0; i < N; i++)
            for (size_t k = 0; k < blocks[i].n; k++)
                if (blocks[i].p[k] != i % 251) fail_msg("block %zu is overwritten", i);
        arena_clear(&a);
    }
    arena_release(&a);
    arena_release(&a);
}

static void a_cleared_arena_uses_its_chunks_again(void **state)
{
    (void)state;
    struct arena a = { 0 };
    arena_clear(&a); /* of nothing */
    char *small = arena_alloc(&a, 60000), *large = arena_alloc(&a, 1000000),
         *next = arena_alloc(&a, 60000);
    for (int i = 0; i < 3; i++) {
        arena_clear(&a);
        assert_ptr_equal(arena_alloc(&a, 60000), small);
        assert_ptr_equal(arena_alloc(&a, 1000000), large);
        assert_ptr_equal(arena_alloc(&a, 60000), next);
    }
    arena_clear(&a);
    assert_ptr_equal(arena_alloc(&a, 900000), large); /* the small chunk is passed over */
    assert_non_null(arena_alloc(&a, 2000000));
    arena_release(&a);
}

static void copies_end_with_a_nul(void **state)
{
    (void)state;
    struct arena a = { 0 };
    assert_string_equal(arena_copy(&a, "hello there", 5), "hello");
    assert_string_equal(arena_copy(&a, NULL, 0), "");
    char sixteen[17] = "0123456789abcdef";
    assert_string_equal(arena_copy(&a, sixteen, 16), sixteen);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(blocks_do_not_overlap),
                                        cmocka_unit_test(a_cleared_arena_uses_its_chunks_again),
                                        cmocka_unit_test(copies_end_with_a_nul) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
