/* test_ends.c - ends against a slow reference: all that ever came, sorted and summed each time. */
#include "analytics/ends.h"

#include "core/err.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { STEPS = 4000 };

static double all[STEPS];

static double deviation(const double *v, size_t n, long double *mean)
{
    long double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += v[i];
    *mean = sum / (long double)n;
    for (size_t i = 0; i < n; i++) squares += (v[i] - *mean) * (v[i] - *mean);
    return n > 1 ? (double)sqrtl(squares / (long double)(n - 1)) : NAN;
}

static void holds(const struct ends *e, const double *v, size_t n, double now)
{
    long double mean;
    const double want = deviation(v, n, &mean);
    size_t below = 0, equal = 0;
    assert_int_equal(e->n, n);
    assert_true(e->cap <= e->most + 1); /* 16 bytes a session kept */
    for (size_t i = 0; i < n; i++) {
        below += v[i] < now, equal += v[i] == now;
        assert_true(e->values[i] == v[i]);
        assert_true(i == 0 || e->sorted[i - 1] <= e->sorted[i]);
    }
    const struct ends_rank r = ends_rank(e, now);
    assert_int_equal(r.below, below);
    assert_int_equal(r.equal, equal);
    assert_true(e->mean == (double)mean);
    assert_true(n == 1 ? isnan(e->deviation) : fabs(e->deviation - want) <= 1e-14 * want);
}

/* Eighths, with ties: their sums are exact in a long double. */
static void the_same_as_all_of_them(void **state)
{
    (void)state;
    static const size_t most[] = { 1, 2, 7, 252 };
    for (size_t k = 0; k < ARRAY_LEN(most); k++) {
        struct ends e = ENDS(most[k]);
        size_t n = 0;
        srand(7 + (unsigned)k);
        while (n < STEPS - 5) {
            const double v = (rand() % 401 - 200) / 8.0;
            const int times = rand() % 10 ? 1 : 1 + rand() % 4;
            assert_int_equal(ends_add(&e, v, times), ERR_OK);
            for (int i = 0; i < times; i++) all[n++] = v;
            size_t from = n > most[k] ? n - most[k] : 0;
            if (rand() % 100 == 0) { /* some of the older ones, by a power of two */
                const size_t first = (size_t)rand() % (n - from + 1);
                ends_scale(&e, first, 0.5);
                for (size_t i = 0; i < first; i++) all[from + i] *= 0.5;
            }
            ends_describe(&e);
            if (n % 17 == 0) holds(&e, all + from, n - from, v + (rand() % 3 - 1) / 8.0);
        }
        ends_release(&e);
        assert_int_equal(e.n, 0);
    }
}

/* More of the same than is kept takes no more memory, and what is too large to square has no deviation. */
static void at_the_edges(void **state)
{
    (void)state;
    struct ends e = ENDS(3);
    ends_describe(&e);
    assert_true(isnan(e.mean) && isnan(e.deviation));
    assert_int_equal(ends_add(&e, 4, INT64_MAX), ERR_OK);
    ends_describe(&e);
    assert_true(e.n == 3 && e.cap <= 4 && e.mean == 4 && e.deviation == 0);
    assert_int_equal(ends_add(&e, 1e300, 1), ERR_OK);
    ends_describe(&e);
    assert_true(e.mean > 3e299 && isnan(e.deviation));
    assert_int_equal(ends_rank(&e, 1e301).below, 3);
    ends_release(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_as_all_of_them),
        cmocka_unit_test(at_the_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
