/* test_maths.c - log, exp and pow against mpmath's values, and their special values as C defines
 * them. The largest errors are printed. */
#include "core/maths.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { LOG, EXP, POW, FUNCTIONS };
static const struct row {
    int function;
    double x, y, nearest, left; /* the value is nearest + left ulps of it */
} rows[] = {
#define ROW(...) { __VA_ARGS__ },
#include "maths_table.def"
#undef ROW
};

static double value(const struct row *r)
{
    return r->function == LOG   ? maths_log(r->x)
           : r->function == EXP ? maths_exp(r->x)
                                : maths_pow(r->x, r->y);
}

static double ulp(double x)
{
    x = fabs(x);
    return nextafter(x, INFINITY) - x;
}

static void errors_are_below_one_ulp(void **state)
{
    (void)state;
    double worst[FUNCTIONS] = { 0 };
    int n[FUNCTIONS] = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        const double error = fabs((value(r) - r->nearest) / ulp(r->nearest) - r->left);
        if (!(error < 1))
            fail_msg("row %zu: %a, %a: %a, nearest %a, off by %g ulp", i, r->x, r->y, value(r),
                     r->nearest, error);
        if (error > worst[r->function]) worst[r->function] = error;
        n[r->function]++;
    }
    printf("largest errors, in ulps: log %.3f, exp %.3f, pow %.3f\n", worst[LOG], worst[EXP],
           worst[POW]);
    assert_true(n[LOG] > 1000 && n[EXP] > 1000 && n[POW] > 1500);
}

/* C17 F.10.3 and F.10.4; a negative base is not wanted here. */
static void special_values_are_as_c_has_them(void **state)
{
    (void)state;
    static const struct row special[] = {
        { LOG, 1, 0, 0, 0 },
        { LOG, 0, 0, -INFINITY, 0 },
        { LOG, -0.0, 0, -INFINITY, 0 },
        { LOG, -1, 0, NAN, 0 },
        { LOG, -INFINITY, 0, NAN, 0 },
        { LOG, INFINITY, 0, INFINITY, 0 },
        { LOG, NAN, 0, NAN, 0 },
        { LOG, 0x1p-1074, 0, -0x1.74385446d71c3p+9, 0 },
        { EXP, 0, 0, 1, 0 },
        { EXP, -0.0, 0, 1, 0 },
        { EXP, INFINITY, 0, INFINITY, 0 },
        { EXP, -INFINITY, 0, 0, 0 },
        { EXP, NAN, 0, NAN, 0 },
        { EXP, 710, 0, INFINITY, 0 },
        { EXP, -746, 0, 0, 0 },
        { EXP, 0x1p-60, 0, 1, 0 },
        { EXP, -745, 0, 0x1p-1074, 0 },
        { POW, 0, 0, 1, 0 },
        { POW, NAN, 0, 1, 0 },
        { POW, 1, NAN, 1, 0 },
        { POW, 1, INFINITY, 1, 0 },
        { POW, NAN, 1, NAN, 0 },
        { POW, 2, NAN, NAN, 0 },
        { POW, -8, 1.0 / 3, NAN, 0 },
        { POW, -2, 2, NAN, 0 },
        { POW, 2, INFINITY, INFINITY, 0 },
        { POW, 2, -INFINITY, 0, 0 },
        { POW, 0.5, INFINITY, 0, 0 },
        { POW, 0.5, -INFINITY, INFINITY, 0 },
        { POW, 0, 3.5, 0, 0 },
        { POW, 0, -3.5, INFINITY, 0 },
        { POW, INFINITY, 0.5, INFINITY, 0 },
        { POW, INFINITY, -2, 0, 0 },
        { POW, 3, 1, 3, 0 },
        { POW, 4, -1, 0.25, 0 },
        { POW, 3, 2, 9, 0 },
        { POW, 2, 0.5, 0x1.6a09e667f3bcdp+0, 0 },
        { POW, 2, 1024, INFINITY, 0 },
        { POW, 2, -1074, 0x1p-1074, 0 },
        { POW, 2, -1080, 0, 0 },
        { POW, 2, 1e300, INFINITY, 0 },
        { POW, 0.5, 1e300, 0, 0 },
        { POW, 0.5, -1e300, INFINITY, 0 },
        { POW, 2, -1e300, 0, 0 },
        { POW, 0x1.fffffp-1, 0x1p40, 0, 0 },
        { POW, 0x1.fffffp-1, -0x1p40, INFINITY, 0 },
        { POW, 0x1.00001p+0, 0x1p40, INFINITY, 0 },
        { POW, 0x1p-1074, 0x1p-1, 0x1p-537, 0 },
        { POW, 10, 22, 1e22, 0 },
    };
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
        const double got = value(&special[i]), want = special[i].nearest;
        if (isnan(want) ? !isnan(got) : memcmp(&got, &want, sizeof got) != 0)
            fail_msg("row %zu: %a, %a: %a, should be %a", i, special[i].x, special[i].y, got, want);
    }
}

/* What was said stays said: a digest of all bits of the table's results, on every machine. */
static void bits_are_fixed(void **state)
{
    (void)state;
    uint64_t digest = 14695981039346656037u;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const double v = value(&rows[i]);
        uint64_t bits;
        memcpy(&bits, &v, sizeof bits);
        digest = (digest ^ bits) * 1099511628211u;
    }
    printf("digest %#" PRIx64 "\n", digest);
    assert_true(digest == UINT64_C(0x9024079ecdf07ff5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_below_one_ulp),
        cmocka_unit_test(special_values_are_as_c_has_them),
        cmocka_unit_test(bits_are_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
