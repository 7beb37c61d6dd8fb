/* test_key.c - keys have the order of the numbers, neighbours are neighbours, and each key has
 * its way back. */
#include "alerts/rules/key.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed = 0x9E3779B97F4A7C15ull;
static uint64_t random64(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

static double random_double(void)
{
    static const double special[] = { 0.0,           -0.0,         DBL_MIN,  -DBL_MIN, DBL_TRUE_MIN,
                                      -DBL_TRUE_MIN, DBL_MAX,      -DBL_MAX, 1,        -1,
                                      DBL_MIN / 2,   -DBL_MIN / 2, INFINITY, -INFINITY };
    for (;;) {
        uint64_t bits = random64();
        if (bits % 8 == 0) return special[(bits >> 8) % (sizeof special / sizeof *special)];
        if (bits % 8 == 1) bits &= 0x800FFFFFFFFFFFFFull; /* denormals */
        double v;
        memcpy(&v, &bits, sizeof v);
        if (bits % 8 == 2) v = (double)(int64_t)bits / 1e15;
        if (!isnan(v)) return v;
    }
}

static void keys_have_the_order_of_numbers(void **state)
{
    (void)state;
    printf("seed %" PRIu64 "\n", seed);
    for (int i = 0; i < 2000000; i++) {
        double a = random_double(), b = i % 4 == 0 ? nextafter(a, INFINITY) : random_double();
        int64_t x = key_of_double(a), y = key_of_double(b);
        if ((a < b) != (x < y) || (a == b) != (x == y))
            fail_msg("%a %a: %" PRId64 " %" PRId64, a, b, x, y);
        if (key_to_double(x) != a) fail_msg("%a comes back as %a", a, key_to_double(x));
        if (i % 4 == 0 && isfinite(a) && b != a && y != x + 1)
            fail_msg("%a and its neighbour %a: keys are no neighbours", a, b);
    }
    assert_int_equal(key_of_double(-0.0), 0);
    assert_int_equal(key_of_double(0.0), 0);
    assert_false(signbit(key_to_double(key_of_double(-0.0))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_have_the_order_of_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
