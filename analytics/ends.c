/* ends.c - three sessions kept, which ended at 5, 9, 7:
 *
 *     values 5 9 7    sorted 5 7 9    mean 7, deviation 2
 *     one more, 6     5 goes out of both, found in `sorted` by halves; 6 goes in at its place:
 *     values 9 7 6    sorted 6 7 9    mean 7.33..
 *     7 now           1 is below it and 1 is equal: of 3 it stands at (1 + 1/2) / 3
 *
 * Mean and deviation are made afresh whenever that changes, from exact sums: the same bits after a
 * restart, and no error that grows. An overflow of the squares leaves no deviation. */
#include "analytics/ends.h"

#include "analytics/exact_sum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void ends_release(struct ends *e)
{
    free(e->values);
    free(e->sorted);
    *e = ENDS(e->most);
}

/* The first that is not below v. */
static size_t lower(const struct ends *e, double v)
{
    size_t low = 0, high = e->n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (e->sorted[mid] < v) low = mid + 1;
        else high = mid;
    }
    return low;
}

/* The first that is above v. */
static size_t upper(const struct ends *e, double v)
{
    size_t low = 0, high = e->n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (e->sorted[mid] <= v) low = mid + 1;
        else high = mid;
    }
    return low;
}

struct ends_rank ends_rank(const struct ends *e, double v)
{
    const size_t below = lower(e, v);
    return (struct ends_rank){ below, upper(e, v) - below };
}

static void drop_oldest(struct ends *e)
{
    const size_t at = lower(e, e->values[0]);
    e->n--;
    memmove(e->sorted + at, e->sorted + at + 1, (e->n - at) * sizeof *e->sorted);
    memmove(e->values, e->values + 1, e->n * sizeof *e->values);
}

static void append(struct ends *e, double v)
{
    const size_t at = upper(e, v);
    memmove(e->sorted + at + 1, e->sorted + at, (e->n - at) * sizeof *e->sorted);
    e->sorted[at] = v;
    e->values[e->n++] = v;
}

void ends_describe(struct ends *e)
{
    const int64_t n = (int64_t)e->n;
    struct exact_sum sum = { 0 }, squares = { 0 };
    e->has_memo = false;
    e->mean = e->deviation = NAN;
    if (n == 0) return;
    for (size_t i = 0; i < e->n; i++) exact_sum_add(&sum, e->values[i], 1);
    e->mean = exact_sum_mean(&sum, n);
    if (n == 1) return;
    for (size_t i = 0; i < e->n; i++) {
        const double off = e->values[i] - e->mean;
        if (!isfinite(off * off)) return;
        exact_sum_add(&squares, off * off, 1);
    }
    e->deviation = sqrt(exact_sum_mean(&squares, n - 1));
}

/* Never to more than what is kept, and the one that comes before another goes. */
static enum err grow(struct ends *e, size_t n)
{
    if (n > e->most + 1) n = e->most + 1;
    if (n <= e->cap) return ERR_OK;
    size_t cap = e->cap ? 2 * e->cap : 16;
    if (cap > e->most + 1) cap = e->most + 1;
    if (cap < n) cap = n;
    double *values = realloc(e->values, cap * sizeof *values);
    if (!values) return ERR_NOMEM;
    e->values = values;
    double *sorted = realloc(e->sorted, cap * sizeof *sorted);
    if (!sorted) return ERR_NOMEM;
    e->sorted = sorted;
    e->cap = cap;
    return ERR_OK;
}

enum err ends_add(struct ends *e, double v, int64_t times)
{
    const size_t k = times < (int64_t)e->most ? (size_t)times : e->most;
    enum err err = grow(e, e->n + k);
    if (err) return err;
    for (size_t i = 0; i < k; i++) {
        append(e, v);
        if (e->n > e->most) drop_oldest(e);
    }
    return ERR_OK;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void ends_scale(struct ends *e, size_t k, double by)
{
    if (k > e->n) k = e->n;
    for (size_t i = 0; i < k; i++) e->values[i] *= by;
    if (e->n) memcpy(e->sorted, e->values, e->n * sizeof *e->sorted);
    if (e->n) qsort(e->sorted, e->n, sizeof *e->sorted, ascending);
}
