/* window.c - max(last(X), over=3d), session by session, n = 3:
 *
 *   session 1: 10, 12, 11     a value is pushed when the next replaces it. 10 stood until session 1 and is dropped again by
 *                             12, which is higher and stood later:            highs (1: 12)            stands 11
 *   session 2: 9, 8           11 stood until the end of session 1, but 12 is there already; 9 stood until 2:
 *                                                                             highs (1: 12) (2: 9)     stands 8
 *   session 3: 10             8 goes the way of 9, ...                        highs (1: 12) (2: 9)     stands 10
 *                             the window is sessions 1-3: max(12, 10) = 12
 *   session 4: 10             sessions 2-4: the 12 is out: max(9, 10) = 10
 *
 * Highs are kept descending, so the first that is still inside is the highest: a monotone deque.
 * Runs are kept all.
 *
 * Highs at the ends alone are 11, 8 and 10 there: (1: 11) (3: 10) before session 4. Standing at
 * 10 it was as high at the end of 3, at 10.5 at that of 1, and at 12 it never was: the last of
 * the descending that is not below. */
#include "analytics/window.h"

#include "analytics/exact_sum.h"
#include "core/vec.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct window *window_new(enum window_keeps keeps, struct span over)
{
    struct window *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->keeps = keeps;
    w->steps = over.n;
    w->ends = ENDS((size_t)over.n);
    if (!over.clock) return w;
    w->step_ns = over.n / WINDOW_STEPS;
    w->steps = over.n / w->step_ns;
    return w;
}

struct window *window_of_ever(enum window_keeps keeps)
{
    return window_new(keeps, (struct span){ .n = INT64_MAX / 4 });
}

void window_free(struct window *w)
{
    if (!w) return;
    ends_release(&w->ends);
    free(w->runs);
    free(w);
}

/* Runs that no window of now or later sees go; what is left moves to the front when half is
 * gone. `change` sees the run that covers step at - n, so that one stays. */
static void prune(struct window *w, int64_t at)
{
    while (w->head < w->n && w->runs[w->head].to < at - w->steps) w->head++;
    if (w->head < 32 || w->head < w->n / 2) return;
    memmove(w->runs, w->runs + w->head, (w->n - w->head) * sizeof *w->runs);
    w->n -= w->head;
    w->head = 0;
}

static bool beats(const struct window *w, double a, double b)
{
    return w->keeps == WINDOW_HIGHS || w->keeps == WINDOW_HIGH_ENDS ? a >= b : a <= b;
}

/* What stood at the ends of steps, and not what came and went within one. */
static bool at_ends(const struct window *w)
{
    return w->keeps == WINDOW_RUNS || w->keeps == WINDOW_HIGH_ENDS || w->keeps == WINDOW_LOW_ENDS;
}

/* At 2^-64, where every double from 2^-12 to 2^50 is whole: sums are exact in any order. */
static unsigned __int128 fixed(double v)
{
    return (unsigned __int128)(__int128)(v * 18446744073709551616.0);
}

/* A value over so many steps. */
static struct window_total total_of(double v, int64_t steps)
{
    if (fabs(v) > WINDOW_SUMMED_MAX) return (struct window_total){ .large = steps };
    return (struct window_total){ .sum = fixed(v) * (unsigned __int128)steps };
}

static struct window_total plus(struct window_total a, struct window_total b)
{
    return (struct window_total){ a.sum + b.sum, a.large + b.large };
}

static struct window_total total_of_run(const struct run *r)
{
    return total_of(r->value, r->to - r->from + 1);
}

static enum err push(struct window *w, struct run r)
{
    r.before = w->total;
    if (w->keeps != WINDOW_RUNS) {
        while (w->n > w->head && beats(w, r.value, w->runs[w->n - 1].value)) w->n--;
        if (w->n > w->head && w->runs[w->n - 1].to >= r.to)
            return ERR_OK; /* a better one stood as late */
    }
    if (!VEC_GROW(&w->runs, &w->cap, w->n + 1)) return ERR_NOMEM;
    w->runs[w->n++] = r;
    if (w->keeps == WINDOW_RUNS) w->total = plus(w->total, total_of_run(&r));
    return ERR_OK;
}

static enum err close_steps(struct window *w, int64_t at)
{
    if (!w->begun || at <= w->closed) return ERR_OK;
    enum err e = ends_add(&w->ends, w->last, at - w->closed);
    if (e) return e;
    w->closed = at;
    ends_describe(&w->ends);
    return ERR_OK;
}

void window_close(struct window *w, int64_t at)
{
    if (!close_steps(w, at)) return;
    w->begun = false;
    ends_release(&w->ends);
}

struct ends *window_ends(struct window *w, int64_t at)
{
    return w->begun && w->closed == at && w->ends.n ? &w->ends : NULL;
}

/* What stood until now is history: at the ends of the steps since it came, if there were any.
 * For highs and lows of clock windows it stood in step `at` too; a session is not begun by the
 * value of the one before. */
static enum err retire(struct window *w, int64_t at)
{
    if (w->keeps == WINDOW_ENDS) return close_steps(w, at);
    struct run r = { .from = w->last_at, .to = at - 1, .value = w->last };
    if (at_ends(w)) return at > w->last_at ? push(w, r) : ERR_OK;
    if (w->step_ns || at == w->last_at) r.to = at;
    return push(w, r);
}

enum err window_put(struct window *w, int64_t at, double v)
{
    assert(isfinite(v));
    if (!w->begun) {
        w->begun = true;
        w->first_at = w->closed = at;
    } else {
        if (v == w->last) return ERR_OK;
        enum err e = retire(w, at);
        if (e) return e;
    }
    prune(w, at);
    w->last = v;
    w->last_at = at;
    return ERR_OK;
}

/* The first run that ends at or after `step`; w->n: none, the value that stands covers it. */
static size_t run_at(const struct window *w, int64_t step)
{
    size_t low = w->head, high = w->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (w->runs[mid].to < step) low = mid + 1;
        else high = mid;
    }
    return low;
}

static bool reaches(const struct window *w, int64_t step)
{
    return w->begun && w->first_at <= step;
}

bool window_before(const struct window *w, int64_t at, double *out)
{
    int64_t step = at - w->steps;
    if (!reaches(w, step)) return false;
    size_t i = run_at(w, step);
    *out = i < w->n ? w->runs[i].value : w->last;
    return true;
}

bool window_extreme(const struct window *w, int64_t at, double *out)
{
    int64_t first = at - w->steps + 1;
    if (!reaches(w, first)) return false;
    size_t i = run_at(w, first);
    *out = i < w->n && beats(w, w->runs[i].value, w->last) ? w->runs[i].value : w->last;
    return true;
}

/* The mean from sums up to two places, so that it takes one look-up however many runs lie
 * between. 10 for two steps, 13 since: runs (1-2: 10, before 0), sum 20, stands 13 since step 3.
 * At step 4 over the last 3: up to the end of 4 it is 20 + 2 * 13 = 46, before step 2 it is 10,
 * and (46 - 10) / 3 = 12. */
static struct window_total total_before(const struct window *w, int64_t step)
{
    size_t i = run_at(w, step);
    return i == w->n ? plus(w->total, total_of(w->last, step - w->last_at))
                     : plus(w->runs[i].before, total_of(w->runs[i].value, step - w->runs[i].from));
}

/* The same by looking at each run from step `first` on. */
static double walked_mean(const struct window *w, int64_t first, int64_t at)
{
    struct exact_sum sum = { 0 };
    for (size_t i = run_at(w, first); i < w->n; i++) {
        const struct run *r = &w->runs[i];
        exact_sum_add(&sum, r->value, r->to - (r->from > first ? r->from : first) + 1);
    }
    exact_sum_add(&sum, w->last, at - (w->last_at > first ? w->last_at : first) + 1);
    return exact_sum_mean(&sum, w->steps);
}

bool window_mean(const struct window *w, int64_t at, double *out)
{
    int64_t first = at - w->steps + 1;
    if (!reaches(w, first)) return false;
    const struct window_total to = total_before(w, at + 1), from = total_before(w, first);
    *out = to.large != from.large
               ? walked_mean(w, first, at)
               : (double)(__int128)(to.sum - from.sum) / 18446744073709551616.0 / (double)w->steps;
    return true;
}

/* One behind the last run that is not below: they descend. */
static size_t reached(const struct window *w, double now)
{
    size_t low = w->head, high = w->n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (beats(w, w->runs[mid].value, now)) low = mid + 1;
        else high = mid;
    }
    return low;
}

bool window_since(const struct window *w, int64_t at, double now, struct window_since *out)
{
    if (!w->begun || at <= w->first_at) return false;
    const size_t n = reached(w, now);
    if (at > w->last_at && beats(w, w->last, now))
        *out = (struct window_since){ at - 1, w->last, false };
    else if (n == w->head) *out = (struct window_since){ w->first_at, NAN, true };
    else *out = (struct window_since){ w->runs[n - 1].to, w->runs[n - 1].value, false };
    return true;
}

size_t window_runs_n(const struct window *w)
{
    return w->keeps == WINDOW_ENDS ? w->ends.n : w->n - w->head;
}

struct run window_run(const struct window *w, size_t i)
{
    if (w->keeps != WINDOW_ENDS) return w->runs[w->head + i];
    const int64_t step = w->closed - (int64_t)(w->ends.n - i);
    return (struct run){ .from = step, .to = step, .value = w->ends.values[i] };
}

static enum err ends_restored(struct window *w)
{
    enum err e = ERR_OK;
    ends_release(&w->ends);
    w->closed = w->first_at;
    for (size_t i = w->head; i < w->n && !e; i++) {
        e = ends_add(&w->ends, w->runs[i].value, w->runs[i].to - w->runs[i].from + 1);
        w->closed = w->runs[i].to + 1;
    }
    ends_describe(&w->ends);
    free(w->runs);
    w->runs = NULL;
    w->head = w->n = w->cap = 0;
    return e;
}

static void sum_runs(struct window *w)
{
    w->total = (struct window_total){ 0 };
    for (size_t i = w->head; i < w->n; i++) {
        w->runs[i].before = w->total;
        w->total = plus(w->total, total_of_run(&w->runs[i]));
    }
}

enum err window_restored(struct window *w)
{
    if (w->keeps == WINDOW_ENDS) return ends_restored(w);
    sum_runs(w);
    return ERR_OK;
}

/* Of highs and lows who is now beaten by a later one goes. */
static void keep_best(struct window *w)
{
    size_t at = w->n;
    for (size_t i = w->n; i-- > w->head;)
        if (at == w->n || !beats(w, w->runs[at].value, w->runs[i].value))
            w->runs[--at] = w->runs[i];
    w->head = at;
}

void window_scale(struct window *w, int64_t before, double by)
{
    for (size_t i = w->head; i < w->n && w->runs[i].from < before; i++) w->runs[i].value *= by;
    if (w->begun && w->last_at < before) w->last *= by;
    if (w->keeps == WINDOW_ENDS) {
        const int64_t k = before - (w->closed - (int64_t)w->ends.n);
        ends_scale(&w->ends, k > 0 ? (size_t)k : 0, by);
        ends_describe(&w->ends);
    } else if (w->keeps == WINDOW_RUNS) sum_runs(w);
    else keep_best(w);
}
