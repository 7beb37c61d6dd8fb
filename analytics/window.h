/* window.h - what a measure of a measure remembers of its subject: a stretch of the past cut
 * into steps.
 *
 *     over=20d   20 steps, each a session of the market
 *     over=5m    1,000 steps of 300 ms: the resolution of a clock window is a thousandth of its length (a millisecond at least)
 *
 * The subject is a step function: a value stands until the next. A window of n steps is the step
 * now and the n - 1 before. Memory is at most one run a step, whatever the rate of ticks; a move
 * costs O(1) amortised, a read O(log n). A mean with a value beyond WINDOW_SUMMED_MAX in its
 * window, which prices hardly make, is summed run by run. `change` looks one step further back,
 * at the value that stood when the step n ago ended. Pure but for memory; thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_WINDOW_H
#define TOCSIN_ANALYTICS_WINDOW_H
#include "analytics/ends.h"
#include "core/err.h"
#include "core/param.h"

enum { WINDOW_STEPS = 1000 };
#define WINDOW_SUMMED_MAX                                                                          \
    1125899906842624.0 /* 2^50: running sums of larger values would not be exact */

enum window_keeps {
    WINDOW_RUNS,  /* every value and how long it stood: change, avg */
    WINDOW_HIGHS, /* only what may still become the highest */
    WINDOW_LOWS,
    WINDOW_HIGH_ENDS, /* of the values at the ends of steps, only what nothing later reached: since when it was so high */
    WINDOW_LOW_ENDS,
    WINDOW_ENDS /* of the steps before the one in progress, each value at its end; no runs */
};

/* Over a stretch of steps. Differences are right, from wherever it was begun. */
struct window_total {
    unsigned __int128 sum; /* of values up to WINDOW_SUMMED_MAX, at 2^-64 and modulo 2^128 */
    int64_t large;         /* steps with larger ones, which are not in it */
};

/* `value` stood at the ends of steps from..to. Of highs and lows `to` alone counts: the last
 * step in which it stood. */
struct run {
    int64_t from, to;
    double value;
    struct window_total before; /* over the steps before it (WINDOW_RUNS) */
};

struct window {
    enum window_keeps keeps;
    int64_t steps;   /* n */
    int64_t step_ns; /* 0: steps are sessions */
    bool begun;
    int64_t first_at, last_at; /* the steps of the first value and of the one that stands */
    double last;               /* the value that stands */
    struct window_total total; /* over the steps before last_at (WINDOW_RUNS) */
    struct run *runs;          /* ascending; [head, n) are in use */
    size_t head, n, cap;
    struct ends ends; /* (WINDOW_ENDS) of the steps up to `closed`, which is not among them */
    int64_t closed;
};

struct window *window_new(enum window_keeps keeps, struct span over); /* NULL: out of memory */
/* One of sessions that reaches back to the first. Of highs or lows at ends it keeps as many runs
 * as there are records on the way down from the highest: of a series that wanders, few. */
struct window *window_of_ever(enum window_keeps keeps);
void window_free(struct window *w); /* NULL is fine */

/* The step in which the market stands. */
static inline int64_t window_step(const struct window *w, int64_t now_ns, int32_t session_no)
{
    return w->step_ns
               ? (now_ns >= 0 ? now_ns / w->step_ns : -((-now_ns + w->step_ns - 1) / w->step_ns))
               : session_no;
}

/* From step `at` on the value is v, which is finite. Steps never go back. ERR_NOMEM. */
MUST_USE enum err window_put(struct window *w, int64_t at, double v);
/* The values that came before step `before` are times that from now on. In highs and lows what
 * was dropped before for being no longer the highest or lowest does not come back. */
void window_scale(struct window *w, int64_t before, double by);
/* What is saved of it, oldest first: its runs, or of ends a run each. */
size_t window_runs_n(const struct window *w);
struct run window_run(const struct window *w, size_t i);
/* After runs, first_at, last_at and last were set from a saved state. ERR_NOMEM. */
MUST_USE enum err window_restored(struct window *w);

/* Each false while the window reaches further back than what is kept. */
bool window_before(const struct window *w, int64_t at,
                   double *out); /* the value at the end of step at - n */
bool window_extreme(const struct window *w, int64_t at,
                    double *out); /* highest or lowest of the n steps */
bool window_mean(const struct window *w, int64_t at,
                 double *out); /* of the values at the ends of the n steps, `at` as it stands */

/* Of WINDOW_ENDS: steps before `at` have ended, and what stands is what they ended with. To be
 * said when a step begins, so that nothing is left to do for who looks. Without memory for it
 * all that was kept is forgotten. */
void window_close(struct window *w, int64_t at);
/* The ends of the steps before `at`, n at most; NULL: there is none. */
struct ends *window_ends(struct window *w, int64_t at);

/* Of WINDOW_HIGH_ENDS: the last step before `at` at whose end the value was as high as `now`, or
 * higher; of LOW_ENDS as low. */
struct window_since {
    int64_t at;   /* that step; of a record, the first of all */
    double value; /* at its end; of a record NAN */
    bool record;  /* there is none: it was never so high since the first */
};
/* false: no step has ended. O(log n). */
bool window_since(const struct window *w, int64_t at, double now, struct window_since *out);
#endif
