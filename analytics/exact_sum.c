/* exact_sum.c - a number with a limb of 32 bits for every place that a double can have: limb i
 * stands for limb[i] * 2^(32 i - UNIT).
 *
 *     3 * 2^40 has its lowest bit at 2^40; with UNIT at 0, for short, limb 1 and a shift of 8: limb[1] += 3 << 8
 *
 * A limb has room to spare and a sign of its own, so nothing is carried while adding. */
#include "analytics/exact_sum.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

/* The smallest double is 2^-1074 = 2^52 * 2^-1126 as a mantissa of 53 bits; two limbs below it,
 * so that a first limb has two after it. */
enum { MANTISSA = 53, UNIT = 1126 + 64, LIMB = 32 };

void exact_sum_add(struct exact_sum *s, double v, int64_t times)
{
    int e;
    const double fraction = frexp(v, &e);
    assert(isfinite(v) && times >= 0 && times <= EXACT_SUM_TIMES_MAX);
    const int64_t mantissa = (int64_t)ldexp(fraction, MANTISSA);
    const int bit = e - MANTISSA + UNIT, at = bit / LIMB;
    __int128 part = (__int128)mantissa * times * ((int64_t)1 << bit % LIMB); /* 53 + 31 + 31 bits */
    for (int i = 0; i < 3; i++, part >>= LIMB) s->limb[at + i] += (int64_t)(uint32_t)part;
    s->limb[at + 3] += (int64_t)part;
}

/* Carries done, as an amount and a sign. True: it is below zero. */
static bool amount(const struct exact_sum *s, uint32_t out[EXACT_SUM_LIMBS])
{
    int64_t carry = 0;
    for (int i = 0; i < EXACT_SUM_LIMBS; i++) {
        carry += s->limb[i];
        out[i] = (uint32_t)carry;
        carry >>= LIMB;
    }
    if (carry >= 0) return false;
    uint64_t more = 1; /* two's complement */
    for (int i = 0; i < EXACT_SUM_LIMBS; i++, more >>= LIMB) {
        more += (uint32_t)~out[i];
        out[i] = (uint32_t)more;
    }
    return true;
}

double exact_sum_mean(const struct exact_sum *s, int64_t n)
{
    uint32_t limb[EXACT_SUM_LIMBS];
    const bool negative = amount(s, limb);
    int top = EXACT_SUM_LIMBS - 1;
    while (top > 2 && !limb[top]) top--;
    /* Three limbs are 65 bits at least, unless that is all there is; what lies below them counts as one bit, for the rounding. */
    unsigned __int128 first =
        (unsigned __int128)limb[top] << 64 | (uint64_t)limb[top - 1] << LIMB | limb[top - 2];
    for (int i = 0; i < top - 2; i++) first |= limb[i] != 0;
    const double mean = ldexp((double)first / (double)n, (top - 2) * LIMB - UNIT);
    return negative ? -mean : mean;
}
