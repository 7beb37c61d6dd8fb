/* test_near.c - how many slips lie between two words. */
#include "core/near.h"

#include "core/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void slips_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *word, *name;
        int slips;
    } rows[] = {
        { "hhi", "hhi", 0 },
        { "HHI", "hhi", 0 },
        { "hii", "hhi", 1 },    /* another letter */
        { "hh", "hhi", 1 },     /* one too few */
        { "lasst", "last", 1 }, /* one too many */
        { "lsat", "last", 1 },  /* two exchanged */
        { "effective_nubmre", "effective_number", 2 },
        { "mean", "min", NEAR_NOT }, /* two slips are too many for a short word */
        { "spraed", "spread", 1 },
        { "sentment", "ai_sentiment", NEAR_NOT },
        { "n", "n", NEAR_NOT }, /* one letter is near everything */
        { "", "hhi", NEAR_NOT },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a", NEAR_NOT },
        { "window", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NEAR_NOT },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const int got = near_slips(str_of(rows[i].word), rows[i].name);
        if (got != rows[i].slips)
            fail_msg("%s, %s: %d, not %d", rows[i].word, rows[i].name, got, rows[i].slips);
    }
}

/* The first of the nearest. */
static void the_nearest_is_kept(void **state)
{
    (void)state;
    static const char *const names[] = { "spread", "max", "min", "mix" };
    struct near n = { .word = str_of("mxi"), .slips = NEAR_NOT };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) near_try(&n, names[i]);
    assert_string_equal(n.best, "mix");
    n = (struct near){ .word = str_of("mux"), .slips = NEAR_NOT };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) near_try(&n, names[i]);
    assert_string_equal(n.best, "max");
    n = (struct near){ .word = str_of("volume"), .slips = NEAR_NOT };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) near_try(&n, names[i]);
    assert_null(n.best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slips_are_counted),
        cmocka_unit_test(the_nearest_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
