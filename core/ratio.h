/* ratio.h - an exact fraction of integers as the double nearest to it: rounded once, ties to even.
 *
 *     40.00 rose to 46.00: the rise is 100 * 6 / 40 per cent
 *         ratio(100 * 600000000, 4000000000)    15
 *         100 * (46.0 / 40.0 - 1)               14.999999999999991: rounded three times
 *
 * A threshold that a person writes in decimal is the double nearest to that decimal. So a value
 * and a threshold that are equal in decimal are equal here, and `>= 15` holds where `> 15` does
 * not.
 *
 * All integers may be any that their type holds; denominators are greater than 0. Nothing
 * overflows, and no result is too large or too small for a double of full precision. Pure; thread:
 * any. */
#ifndef TOCSIN_CORE_RATIO_H
#define TOCSIN_CORE_RATIO_H
#include <stdint.h>

typedef __int128 i128;

struct product { /* a * b, neither below 0 */
    i128 a, b;
};

/* n / d where one of the two is 2^53 or more. */
double ratio_large(i128 n, i128 d);

/* n / d. Both below 2^53 are doubles as they stand, and the processor's division rounds once. */
static inline double ratio(i128 n, i128 d)
{
    const i128 exact = (i128)1 << 53;
    if (n >= -exact && n <= exact && d <= exact) return (double)(int64_t)n / (double)(int64_t)d;
    return ratio_large(n, d);
}

/* n.a * n.b / (d.a * d.b) */
double ratio_of_products(struct product n, struct product d);

/* x / d, prepared for many n. It follows from x and d: nothing to save. All 0: none. */
struct scale {
    double x;
    i128 d;
    uint64_t m; /* x / d is about m * 2^e */
    int e;
};
/* A double is a fraction of integers too. x is greater than 0 and finite. */
struct scale scale_of(double x, i128 d);

/* x * n / d: one multiplication, one rounding. Below 2^-800 or above 2^800 it may not fit. NaN of no scale. */
double scale_times(const struct scale *s, i128 n);

/* x * (plus - minus) / d, for the difference of two fractions: a/b - c/d = (ad - cb) / bd. x as above. */
double ratio_of_difference(double x, struct product plus, struct product minus, struct product d);
#endif
