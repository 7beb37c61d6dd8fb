/* exact_sum.h - a sum of doubles that is rounded once, when it is asked for: the order of its
 * terms does not show.
 *
 * For the whole range of finite doubles, at some 20 ns a term. What stays small is better summed
 * as a 128-bit integer (window.c). Pure; thread: the caller's. */
#ifndef TOCSIN_ANALYTICS_EXACT_SUM_H
#define TOCSIN_ANALYTICS_EXACT_SUM_H
#include <stdint.h>

enum { EXACT_SUM_LIMBS = 74, EXACT_SUM_TIMES_MAX = INT32_MAX };

struct exact_sum { /* all zero: the empty sum */
    int64_t limb[EXACT_SUM_LIMBS];
};

/* v, finite, so many times: 0 to EXACT_SUM_TIMES_MAX. At most 2^30 calls a sum. */
void exact_sum_add(struct exact_sum *s, double v, int64_t times);

/* The sum as the nearest double, even between two, divided by n >= 1: as (double)sum / n, but
 * the sum itself may be beyond all doubles. */
double exact_sum_mean(const struct exact_sum *s, int64_t n);
#endif
