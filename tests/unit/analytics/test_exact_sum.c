/* test_exact_sum.c - sums rounded once: published cases, integers that a 128-bit sum holds too, and means whose sum is no double. */
#include "analytics/exact_sum.h"

#include "core/err.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double sum_of(const double *v, size_t n)
{
    struct exact_sum s = { 0 };
    for (size_t i = 0; i < n; i++) exact_sum_add(&s, v[i], 1);
    return exact_sum_mean(&s, 1);
}

/* The cases of CPython's Lib/test/test_math.py, testFsum. */
static void says_what_fsum_says(void **state)
{
    (void)state;
    static const struct {
        double v[8];
        size_t n;
        double sum;
    } cases[] = {
        { { 0 }, 0, 0.0 },
        { { 0.0 }, 1, 0.0 },
        { { 1e100, 1.0, -1e100, 1e-100, 1e50, -1.0, -1e50 }, 7, 1e-100 },
        { { 0x1p53, -0.5, -0x1p-54 }, 3, 0x1p53 - 1.0 },
        { { 0x1p53, 1.0, 0x1p-100 }, 3, 0x1p53 + 2.0 },
        { { 0x1p53 + 10.0, 1.0, 0x1p-100 }, 3, 0x1p53 + 12.0 },
        { { 0x1p53 - 4.0, 0.5, 0x1p-54 }, 3, 0x1p53 - 3.0 },
        { { 1e16, 1., 1e-16 }, 3, 10000000000000002.0 },
        { { 1e16 - 2., 1. - 0x1p-53, -(1e16 - 2.), -(1. - 0x1p-53) }, 4, 0.0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (sum_of(cases[i].v, cases[i].n) != cases[i].sum)
            fail_msg("case %zu: %a, wanted %a", i, sum_of(cases[i].v, cases[i].n), cases[i].sum);

    double v[1100];
    for (int n = 1; n <= 1000; n++) v[n - 1] = 1.0 / n;
    assert_true(sum_of(v, 1000) == 0x1.df11f45f4e61ap+2);
    for (int n = 1; n <= 1000; n++) v[n - 1] = (n % 2 ? -1.0 : 1.0) / n;
    assert_true(sum_of(v, 1000) == -0x1.62a2af1bd3624p-1);
    size_t k = 0;
    for (int n = -1074; n < 972; n += 2) v[k++] = ldexp(1, n) - ldexp(1, n + 50) + ldexp(1, n + 52);
    v[k++] = -0x1p1022;
    assert_true(sum_of(v, k) == 0x1.5555555555555p+970);
}

/* Integers below 2^100 and how often: summed as integers, in two orders. */
static void order_does_not_show(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 500; seed++) {
        enum { TERMS = 40 };
        double v[TERMS];
        int64_t times[TERMS];
        struct exact_sum up = { 0 }, down = { 0 };
        __int128 want = 0;
        srand(seed);
        for (int i = 0; i < TERMS; i++) {
            v[i] = ldexp(rand() - RAND_MAX / 2, rand() % 64);
            times[i] = rand() % 1000;
            want += (__int128)v[i] * times[i];
        }
        for (int i = 0; i < TERMS; i++) exact_sum_add(&up, v[i], times[i]);
        for (int i = TERMS; i-- > 0;) exact_sum_add(&down, v[i], times[i]);
        if (exact_sum_mean(&up, 7) != (double)want / 7)
            fail_msg("seed %u: %.17g, wanted %.17g", seed, exact_sum_mean(&up, 7),
                     (double)want / 7);
        assert_true(exact_sum_mean(&down, 7) == exact_sum_mean(&up, 7));
    }
}

static void ends_of_the_range(void **state)
{
    (void)state;
    struct exact_sum s = { 0 };
    exact_sum_add(&s, DBL_MAX, 1024);
    assert_true(exact_sum_mean(&s, 1024) == DBL_MAX);
    assert_true(exact_sum_mean(&s, 2) == INFINITY);
    exact_sum_add(&s, -DBL_MAX, EXACT_SUM_TIMES_MAX);
    exact_sum_add(&s, DBL_MAX, EXACT_SUM_TIMES_MAX - 1024);
    assert_true(exact_sum_mean(&s, 1) == 0);
    exact_sum_add(&s, -DBL_TRUE_MIN, 3);
    assert_true(exact_sum_mean(&s, 1) == -3 * DBL_TRUE_MIN);
    assert_true(exact_sum_mean(&s, 3) == -DBL_TRUE_MIN);
    exact_sum_add(&s, 1.5, 0);
    exact_sum_add(&s, 0, 5);
    assert_true(exact_sum_mean(&s, 1) == -3 * DBL_TRUE_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_fsum_says),
        cmocka_unit_test(order_does_not_show),
        cmocka_unit_test(ends_of_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
