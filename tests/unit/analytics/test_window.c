/* test_window.c - windows against a slow reference that keeps every value and looks at all of them. */
#include "analytics/window.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VALUES = 6000 };

/* All that ever was: value v from step `at` on. */
static struct {
    int64_t at;
    double v;
} all[VALUES];
static size_t n;

/* The value at the end of a step; false before the first. */
static bool value_at(int64_t step, double *out)
{
    bool known = false;
    for (size_t i = 0; i < n && all[i].at <= step; i++) *out = all[i].v, known = true;
    return known;
}

static bool slow_before(int64_t at, int64_t steps, double *out)
{
    return value_at(at - steps, out);
}

/* All values here are eighths below 2^91, so a 128-bit sum of them is exact. */
static bool slow_mean(int64_t at, int64_t steps, double *out)
{
    double v;
    __int128 sum = 0;
    for (int64_t s = at - steps + 1; s <= at; s++) {
        if (!value_at(s, &v)) return false;
        sum += (__int128)(v * 8);
    }
    *out = (double)sum / 8 / (double)steps;
    return true;
}

/* Of all values that came in the window; by the clock also the one that stood when it began. */
static bool slow_extreme(int64_t at, int64_t steps, bool clock, bool high, double *out)
{
    double v;
    int64_t first = at - steps + 1;
    if (!value_at(first, &v)) return false;
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        /* a value stands in the steps in which it came, and in those that ended with it; by the clock also in the one
         * that ended it */
        int64_t last =
            i + 1 < n ? (clock || all[i + 1].at == all[i].at ? all[i + 1].at : all[i + 1].at - 1)
                      : at;
        if (last < all[i].at) last = all[i].at;
        if (last < first) continue;
        *out = !any || (high ? all[i].v > *out : all[i].v < *out) ? all[i].v : *out;
        any = true;
    }
    return any;
}

static double small(void) { return (rand() % 2001 - 1000) / 8.0; }

/* Around the largest that is summed as it comes, and far beyond it. */
static double small_and_large(void)
{
    static const double limit[] = { WINDOW_SUMMED_MAX, WINDOW_SUMMED_MAX + 0.25, -WINDOW_SUMMED_MAX,
                                    -WINDOW_SUMMED_MAX - 0.25 };
    if (rand() % 8) return small();
    if (rand() % 2) return limit[rand() % 4];
    return ldexp(rand() - RAND_MAX / 2, 30 + rand() % 30);
}

/* As save.c does it: what is saved of a window, and the rest made anew. */
static struct window *restored(const struct window *w, struct span over)
{
    struct window *r = window_new(w->keeps, over);
    assert_non_null(r);
    r->begun = w->begun, r->first_at = w->first_at, r->last_at = w->last_at, r->last = w->last;
    r->n = r->cap = window_runs_n(w);
    r->runs = calloc(r->n + 1, sizeof *r->runs);
    assert_non_null(r->runs);
    for (size_t i = 0; i < r->n; i++) {
        const struct run run = window_run(w, i);
        r->runs[i] = (struct run){ .from = run.from, .to = run.to, .value = run.value };
    }
    assert_int_equal(window_restored(r), ERR_OK);
    return r;
}

static void run_of(enum window_keeps keeps, struct span over, double (*next)(void), unsigned seed)
{
    struct window *w = window_new(keeps, over);
    assert_non_null(w);
    srand(seed);
    n = 0;
    int64_t at = 5;
    for (int k = 0; k < VALUES; k++) {
        double v = rand() % 40 ? next() : n ? all[n - 1].v : 0;
        at += rand() % 3 ? 0 : rand() % 50 ? rand() % 3 : rand() % (2 * w->steps + 3);
        assert_int_equal(window_put(w, at, v), ERR_OK);
        if (n == 0 || all[n - 1].v != v) all[n].at = at, all[n++].v = v;
        assert_true(w->n - w->head <= (size_t)w->steps + 2);
        if (k % 7) continue;
        struct window *again = restored(w, over);
        for (int64_t later = at; later <= at + w->steps + 2; later += 1 + rand() % (w->steps + 1)) {
            double got = 0, want = 0;
            bool has, should;
            if (keeps == WINDOW_RUNS) {
                has = window_before(w, later, &got), should = slow_before(later, w->steps, &want);
                assert_true(has == should && (!has || got == want));
                has = window_mean(w, later, &got), should = slow_mean(later, w->steps, &want);
                if (has != should || (has && got != want))
                    fail_msg("seed %u, put %d: mean %.17g, wanted %.17g", seed, k, got, want);
                assert_true(window_mean(again, later, &got) == has && (!has || got == want));
            } else {
                has = window_extreme(w, later, &got);
                should = slow_extreme(later, w->steps, over.clock, keeps == WINDOW_HIGHS, &want);
                if (has != should || (has && got != want))
                    fail_msg("seed %u, put %d at %d of %d: extreme %.17g, wanted %.17g", seed, k,
                             (int)at, (int)w->steps, got, want);
            }
        }
        window_free(again);
    }
    window_free(w);
}

static void windows_say_what_a_look_at_everything_says(void **state)
{
    (void)state;
    static const enum window_keeps kinds[] = { WINDOW_RUNS, WINDOW_HIGHS, WINDOW_LOWS };
    for (unsigned seed = 1; seed <= 4; seed++)
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
            run_of(kinds[i], (struct span){ false, 1 }, small, seed);
            run_of(kinds[i], (struct span){ false, 3 }, small, seed);
            run_of(kinds[i], (struct span){ false, 20 }, small, seed);
        }
}

/* A clock window's steps are a thousandth of it: the reference gets the same steps, and no more than they is kept. */
static void clock_windows_too(void **state)
{
    (void)state;
    for (unsigned seed = 11; seed <= 12; seed++) {
        struct span five = span_of(SPAN_OF_SECONDS(300));
        run_of(WINDOW_RUNS, five, small, seed);
        run_of(WINDOW_HIGHS, five, small, seed);
        run_of(WINDOW_LOWS, five, small, seed);
    }
    struct window *w = window_new(WINDOW_RUNS, span_of(SPAN_OF_SECONDS(300)));
    assert_int_equal(w->steps, 1000);
    assert_true(w->step_ns == 300000000);
    assert_true(window_step(w, 0, 9) == 0 && window_step(w, 299999999, 9) == 0
                && window_step(w, 300000000, 9) == 1);
    assert_true(window_step(w, -1, 9) == -1 && window_step(w, -300000000, 9) == -1
                && window_step(w, -300000001, 9) == -2);
    window_free(w);
}

/* Values of which no running sum could be exact, come and go: the others keep their bits, and those too. */
static void large_values_count(void **state)
{
    (void)state;
    static const enum window_keeps kinds[] = { WINDOW_RUNS, WINDOW_HIGHS, WINDOW_LOWS };
    for (unsigned seed = 21; seed <= 24; seed++)
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
            run_of(kinds[i], (struct span){ false, 1 }, small_and_large, seed);
            run_of(kinds[i], (struct span){ false, 3 }, small_and_large, seed);
            run_of(kinds[i], (struct span){ false, 20 }, small_and_large, seed);
        }
    run_of(WINDOW_RUNS, span_of(SPAN_OF_SECONDS(300)), small_and_large, 25);
}

/* The last step before `at` at whose end the value was not beaten by `now`, by looking at the end of each. */
static struct window_since slow_since(int64_t at, double now, bool high)
{
    double v = NAN;
    for (int64_t step = at - 1; value_at(step, &v); step--)
        if (high ? v >= now : v <= now) return (struct window_since){ step, v, false };
    return (struct window_since){ all[0].at, NAN, true };
}

static void since_when_it_was_so_high(void **state)
{
    (void)state;
    for (unsigned seed = 31; seed <= 36; seed++) {
        const bool high = seed % 2;
        struct window *w = window_of_ever(high ? WINDOW_HIGH_ENDS : WINDOW_LOW_ENDS);
        struct window_since got;
        srand(seed);
        n = 0;
        int64_t at = 5;
        for (int k = 0; k < 2000; k++) {
            const double v = rand() % 60 + (seed > 33 ? k / 50 : 0); /* ties, and records */
            at += rand() % 3 ? 0 : rand() % 3;
            assert_int_equal(window_put(w, at, v), ERR_OK);
            if (n == 0 || all[n - 1].v != v) all[n].at = at, all[n++].v = v;
            struct window *again = restored(w, (struct span){ .n = w->steps });
            for (int64_t later = at; later <= at + 2; later++)
                for (double now = v - 1; now <= v + 1; now++) {
                    const bool has = window_since(w, later, now, &got);
                    assert_int_equal(has, later > all[0].at);
                    if (!has) continue;
                    const struct window_since want = slow_since(later, now, high);
                    if (got.at != want.at || got.record != want.record
                        || (!got.record && got.value != want.value))
                        fail_msg("seed %u, put %d: at %d, wanted %d", seed, k, (int)got.at,
                                 (int)want.at);
                    assert_true(window_since(again, later, now, &got) && got.at == want.at);
                }
            window_free(again);
        }
        window_free(w);
    }
}

/* Whether steps pass with a move, with several or with none, and a restart in between: the ends are those of the steps before. */
static void the_ends_of_steps(void **state)
{
    (void)state;
    for (unsigned seed = 41; seed <= 44; seed++) {
        const int64_t steps = seed == 41 ? 1 : 40;
        struct window *w = window_new(WINDOW_ENDS, (struct span){ .n = steps });
        srand(seed);
        n = 0;
        int64_t at = 5;
        for (int k = 0; k < 3000; k++) {
            const int64_t next = at + (rand() % 3 ? 0 : rand() % 30 ? 1 : rand() % 90);
            for (; at < next; at++)
                if (rand() % 2) window_close(w, at + 1); /* told of it, or not */
            window_close(w, at);
            if (rand() % 4) {
                const double v = rand() % 20 ? rand() % 50 : small();
                assert_int_equal(window_put(w, at, v), ERR_OK);
                if (n == 0 || all[n - 1].v != v) all[n].at = at, all[n++].v = v;
            }
            if (rand() % 50 == 0 && n) { /* a split, of all before this step */
                window_scale(w, at, 0.5);
                for (size_t i = 0; i < n; i++)
                    if (all[i].at < at) all[i].v *= 0.5;
                if (all[n - 1].at < at) assert_true(w->last == all[n - 1].v);
            }
            if (rand() % 20 == 0) {
                struct window *again = restored(w, (struct span){ .n = steps });
                window_close(again, at);
                window_free(w);
                w = again;
            }
            const struct ends *e = window_ends(w, at);
            const int64_t kept = n && at > all[0].at ? at - all[0].at : 0;
            assert_int_equal(e ? e->n : 0, kept < steps ? kept : steps);
            for (size_t age = 0; e && age < e->n; age++) {
                double want = 0;
                assert_true(value_at(at - 1 - (int64_t)age, &want));
                if (ends_value(e, age) != want)
                    fail_msg("seed %u, put %d: %g, wanted %g", seed, k, ends_value(e, age), want);
            }
        }
        window_free(w);
    }
}

/* The example at the head of window.c. */
static void the_worked_example_holds(void **state)
{
    (void)state;
    struct window *w = window_new(WINDOW_HIGHS, (struct span){ false, 3 });
    static const struct {
        int64_t session;
        double v;
    } puts[] = { { 1, 10 }, { 1, 12 }, { 1, 11 }, { 2, 9 }, { 2, 8 }, { 3, 10 } };
    double v = 0;
    for (size_t i = 0; i < ARRAY_LEN(puts); i++)
        assert_int_equal(window_put(w, puts[i].session, puts[i].v), ERR_OK);
    assert_true(window_extreme(w, 3, &v) && v == 12);
    assert_int_equal(w->n - w->head, 2);
    assert_true(window_extreme(w, 4, &v) && v == 10);
    assert_false(window_extreme(w, 2, &v)); /* two sessions are not three */
    window_free(w);
}

/* 10^6 values around 10^8 and a tiny one: the mean of what is left is exact, however much has come and gone. */
static void sums_do_not_drift(void **state)
{
    (void)state;
    struct window *w = window_new(WINDOW_RUNS, (struct span){ false, 2 });
    double v = 0;
    for (int64_t i = 0; i < 1000000; i++)
        assert_int_equal(window_put(w, i, 1e8 + (double)(i % 97) / 3), ERR_OK);
    assert_int_equal(window_put(w, 1000000, 1e-9), ERR_OK);
    assert_int_equal(window_put(w, 1000001, 3e-9), ERR_OK);
    assert_true(window_mean(w, 1000001, &v));
    assert_true(fabs(v - 2e-9) < 1e-18);
    window_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_say_what_a_look_at_everything_says),
        cmocka_unit_test(clock_windows_too),
        cmocka_unit_test(large_values_count),
        cmocka_unit_test(since_when_it_was_so_high),
        cmocka_unit_test(the_ends_of_steps),
        cmocka_unit_test(the_worked_example_holds),
        cmocka_unit_test(sums_do_not_drift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
