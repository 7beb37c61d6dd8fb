/* test_ratio.c - one rounding: against Python's fractions, and against long division bit by bit. */
#include "core/ratio.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define V(high, low) ((i128)((unsigned __int128)(uint64_t)(high) << 64 | (low)))

/* ---- what ratio_table.py says ---- */
enum kind { RATIO, PRODUCTS, TIMES, DIFFERENCE };
static const struct row {
    enum kind kind;
    double want, x;
    i128 v[6];
} rows[] = {
#define ROW(kind, want, x, ...) { kind, want, x, { __VA_ARGS__ } },
#include "ratio_table.def"
#undef ROW
};

static double result(const struct row *r)
{
    const i128 *v = r->v;
    switch (r->kind) {
    case RATIO: return ratio(v[0], v[1]);
    case PRODUCTS:
        return ratio_of_products((struct product){ v[0], v[1] }, (struct product){ v[2], v[3] });
    case TIMES: {
        const struct scale s = scale_of(r->x, v[1]);
        return scale_times(&s, v[0]);
    }
    case DIFFERENCE:
        return ratio_of_difference(r->x, (struct product){ v[0], v[1] },
                                   (struct product){ v[2], v[3] }, (struct product){ v[4], v[5] });
    }
    return NAN;
}

static void fractions_are_as_python_has_them(void **state)
{
    (void)state;
    int n[4] = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const double got = result(&rows[i]);
        n[rows[i].kind]++;
        if (memcmp(&got, &rows[i].want, sizeof got))
            fail_msg("row %zu: %a, should be %a", i, got, rows[i].want);
    }
    assert_true(n[RATIO] > 2000 && n[PRODUCTS] >= 100 && n[TIMES] >= 100 && n[DIFFERENCE] >= 100);
}

/* ---- bit by bit ---- */
static uint64_t seed;
static uint64_t draw(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

/* Of at most so many bits, and now and then one beside a power of two. */
static unsigned __int128 number(unsigned bits)
{
    const unsigned n = 1 + (unsigned)(draw() >> 20) % bits;
    unsigned __int128 v = (unsigned __int128)draw() << 64 | draw();
    if (draw() % 4 == 0) v = (unsigned __int128)(draw() % 3) - 1; /* all ones, none, one */
    v &= ~(unsigned __int128)0 >> (128 - n);
    return v | (unsigned __int128)1 << (n - 1);
}

/* The first 54 bits of n / d from the first that is set on, one compare and one subtraction each; n and d below 2^127. */
static double slowly(unsigned __int128 n, unsigned __int128 d)
{
    unsigned __int128 rest = 0;
    uint64_t m = 0;
    int taken = 0, at = 127;
    for (; taken < 54; at--) {
        rest = rest << 1 | (at >= 0 ? n >> at & 1 : 0);
        const bool bit = rest >= d;
        if (bit) rest -= d;
        if (bit || taken) {
            m = m << 1 | bit;
            taken++;
        }
    }
    const bool half = m & 1;
    m >>= 1;
    if (half && (rest || (at >= 0 && n << (127 - at)) || (m & 1))) m++;
    return ldexp((double)m, at + 2);
}

static void fractions_are_as_long_division_has_them(void **state)
{
    (void)state;
    seed = 0x9E3779B97F4A7C15ull;
    printf("seed %#" PRIx64 "\n", seed);
    for (int i = 0; i < 300000; i++) {
        const uint64_t began = seed;
        const unsigned __int128 n = number(127), d = number(i % 2 ? 127 : 70);
        const double want = slowly(n, d), got = ratio((i128)n, (i128)d);
        if (memcmp(&got, &want, sizeof got))
            fail_msg("seed %#" PRIx64 ": %a, not %a", began, got, want);
        assert_true(ratio(-(i128)n, (i128)d) == -want);
    }
}

/* Whatever way it is written, it is the same number. */
static void the_same_fraction_is_the_same_double(void **state)
{
    (void)state;
    seed = 0xD1B54A32D192ED03ull;
    printf("seed %#" PRIx64 "\n", seed);
    for (int i = 0; i < 100000; i++) {
        const uint64_t began = seed;
        const i128 n = (i128)number(60), d = (i128)number(60), k = (i128)number(60),
                   j = (i128)number(127);
        const double want = ratio(n, d);
        const struct product one = { 1, 1 };
        const struct scale small = scale_of(1, d * k), large = scale_of(0x1p40, d);
        const double got[] = {
            ratio(n * k, d * k),
            ratio_of_products((struct product){ n * k, j }, (struct product){ j, d * k }),
            scale_times(&small, n * k),
            scale_times(&large, n) * 0x1p-40,
            ratio_of_difference(1, (struct product){ n, k }, (struct product){ 0, j },
                                (struct product){ k, d }),
            -ratio_of_difference(1, (struct product){ d, j }, (struct product){ n + d, j },
                                 (struct product){ j, d }),
        };
        for (size_t g = 0; g < sizeof got / sizeof got[0]; g++)
            if (memcmp(&got[g], &want, sizeof want))
                fail_msg("seed %#" PRIx64 ", way %zu: %a, not %a", began, g, got[g], want);
        assert_true(
            ratio_of_difference(100, (struct product){ n, j }, (struct product){ j, n }, one) == 0);
        assert_false(signbit(
            ratio_of_difference(100, (struct product){ n, j }, (struct product){ j, n }, one)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fractions_are_as_python_has_them),
        cmocka_unit_test(fractions_are_as_long_division_has_them),
        cmocka_unit_test(the_same_fraction_is_the_same_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
