/* context.c - a measure against its own past: percentile, rank, zscore, vol, streak (metrics.md 3).
 *
 *     the last five sessions ended at   84 91 88 86 88      and now it is 88
 *     percentile(x, over=5d)   two are below and two are equal: 100 * (2 + 2/2) / 5 = 60
 *     rank(x, over=5d)         one is above: the 2nd of 6
 *     zscore(x, over=5d)       mean 87.4, deviation 2.61: (88 - 87.4) / 2.61 = 0.23
 *     vol(x, over=5d)          of the returns 91/84, 88/91 ... 88/88: their deviation, for a year
 *     streak(x)                it has not moved since the session before: 0; at 89 it has risen in 2 sessions
 *
 * Now against the ends of sessions: it is no part of what it is held against, and before its own
 * end provisional. Until there are as many sessions as asked for there is no history; `kept` says
 * how many there are. The past is that of the series since somebody first asked for it.
 *
 * A year is 252 sessions here, whatever the calendar. */
#include "analytics/measures/sentence.h"
#include "analytics/series.h"
#include "analytics/session.h"
#include "analytics/window.h"
#include "core/maths.h"

#include <math.h>
#include <stdlib.h>

enum { OVER };
enum { STREAK_MAX = 1260 };

/* ---- what is kept ----
 *
 * The subject's value goes into the window with each move, and stands there for the session in
 * progress. When the next session begins, close_session makes it the end of the one before; so a
 * session in which it did not move ended where it stood. */
static enum err put_reading(const struct market *m, struct series *s, const struct reading *r)
{
    const struct venue *v = series_sessions(m, s);
    if (!reading_has_value(r->status) || !session_has_moves(m, v)) return ERR_OK;
    return window_put(s->window, v->no, r->value);
}

static enum err begin_ends(struct market *m, struct series *s)
{
    const int64_t over = s->kind->params[OVER].type ? s->args.v[OVER] : STREAK_MAX;
    s->window = window_new(WINDOW_ENDS, span_of(over));
    if (!s->window) return ERR_NOMEM;
    const struct reading *r = series_reading(m, s->subject);
    return reading_has_value(r->status) ? window_put(s->window, series_sessions(m, s)->no, r->value)
                                        : ERR_OK;
}

static void close_session(const struct market *m, struct series *s)
{
    if (s->window) window_close(s->window, series_sessions(m, s)->no);
}

/* The ends that it is held against; NULL: none yet. */
static struct ends *ends_of(const struct market *m, const struct series *s)
{
    return s->window ? window_ends(s->window, series_sessions(m, s)->no) : NULL;
}

/* ---- values ----
 *
 * Each is a function of the ends and of now alone, so that the same is said live, in a back-test
 * and after a restart. A look costs O(log n), a streak its length; what costs O(n) is done once a
 * session. */

/* Coverage, age and status are the subject's: of what is stale or low in coverage it is no
 * better. NAN: there is none. */
static void read_with(const struct market *m, const struct series *s, size_t needs,
                      double (*value)(struct ends *e, double now), struct reading *out)
{
    *out = *series_reading(m, s->subject);
    if (!reading_has_value(out->status)) return;
    struct ends *e = ends_of(m, s);
    const bool reaches = e && e->n >= needs;
    out->value = reaches ? value(e, out->value) : NAN;
    if (!reaches) out->status = READING_NO_HISTORY;
    else if (!isfinite(out->value)) out->status = READING_NO_DATA;
}

static void read_whole(const struct market *m, const struct series *s,
                       double (*value)(struct ends *e, double now), struct reading *out)
{
    read_with(m, s, (size_t)s->args.v[OVER], value, out);
}

/* "mean": the mean of the share below and the share at or below. Twice the count is whole, and
 * divided once. */
static double percentile(struct ends *e, double now)
{
    const struct ends_rank r = ends_rank(e, now);
    return (double)(100 * (2 * r.below + r.equal)) / (double)(2 * e->n);
}

/* Ties share the better place: as high as the highest is 1 too. */
static double rank(struct ends *e, double now)
{
    const struct ends_rank r = ends_rank(e, now);
    return (double)(1 + e->n - r.below - r.equal);
}

/* Of a past that never moved there is no deviation to count in. */
static double zscore(struct ends *e, double now)
{
    return e->deviation > 0 ? (now - e->mean) / e->deviation : NAN;
}

/* Welford's recurrence: the k-th return into mean and sum of squares. */
struct spread_of {
    double mean, squares;
};
static struct spread_of with_return(struct spread_of of, size_t k, double from, double to)
{
    const double r = from > 0 && to > 0 ? maths_log(to / from) : NAN, off = r - of.mean;
    const double mean = of.mean + off / (double)k;
    return (struct spread_of){ mean, of.squares + off * (r - mean) };
}

/* Those between ended sessions once a session, that up to now at each look. */
static double vol(struct ends *e, double now)
{
    if (!e->has_memo) {
        struct spread_of past = { 0 };
        for (size_t i = 1; i < e->n; i++)
            past = with_return(past, i, e->values[i - 1], e->values[i]);
        e->memo[0] = past.mean, e->memo[1] = past.squares;
        e->has_memo = true;
    }
    const struct spread_of all =
        with_return((struct spread_of){ e->memo[0], e->memo[1] }, e->n, ends_value(e, 0), now);
    return 100 * sqrt(all.squares / (double)(e->n - 1) * SESSIONS_A_YEAR);
}

/* Sessions in a row, up to now, in which it rose: above 0. Fell: below. */
static double streak(struct ends *e, double now)
{
    double after = now;
    int rose = 0, n = 0;
    for (size_t age = 0; age < e->n; age++) {
        const double before = ends_value(e, age);
        const int moved = (after > before) - (after < before);
        if (age == 0) rose = moved;
        if (moved == 0 || moved != rose) break;
        n += moved;
        after = before;
    }
    return n;
}

static void read_percentile(const struct market *m, const struct series *s, struct reading *out)
{
    read_whole(m, s, percentile, out);
}
static void read_rank(const struct market *m, const struct series *s, struct reading *out)
{
    read_whole(m, s, rank, out);
}
static void read_zscore(const struct market *m, const struct series *s, struct reading *out)
{
    read_whole(m, s, zscore, out);
}
static void read_vol(const struct market *m, const struct series *s, struct reading *out)
{
    read_whole(m, s, vol, out);
}
static void read_streak(const struct market *m, const struct series *s, struct reading *out)
{
    read_with(m, s, 1, streak, out);
}

/* ---- where it came from ---- */

/* Of how many it is said, between what they lie, and whether it may still change before the
 * session's end. NULL: there are none. */
static const struct ends *put_past(const struct market *m, const struct series *s,
                                   struct json_writer *w)
{
    const struct ends *e = ends_of(m, s);
    json_put_text(w, "of", m->series[s->subject].text);
    json_put_real(w, "now", series_reading(m, s->subject)->value);
    json_put_int(w, "kept", e ? (int64_t)e->n : 0);
    if (!e) return NULL;
    json_put_real(w, "lowest", e->sorted[0]);
    json_put_real(w, "highest", e->sorted[e->n - 1]);
    json_put_real(w, "mean", e->mean);
    json_put_bool(w, "provisional", series_sessions(m, s)->in_session);
    return e;
}

static void put_subject(const struct market *m, const struct series *s, const struct buf *tail,
                        struct json_writer *w)
{
    const struct series *inner = &m->series[s->subject];
    sentence_put(inner, series_reading(m, s->subject)->value, tail, w);
    json_put_object(w, "inputs");
    inner->kind->inputs(m, inner, w);
    json_put_end(w);
}

/* Where it stands among its past: percentile, rank and zscore say the same of it. */
static void place_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    AUTO_BUF struct buf tail = { 0 };
    const struct ends *e = put_past(m, s, w);
    const double now = series_reading(m, s->subject)->value;
    if (e && isfinite(now)) {
        const struct ends_rank r = ends_rank(e, now);
        const size_t above = e->n - r.below - r.equal;
        json_put_int(w, "below", (int64_t)r.below);
        json_put_int(w, "equal", (int64_t)r.equal);
        json_put_int(w, "above", (int64_t)above);
        if (above == 0) buf_printf(&tail, "at or above all of its last %zu session ends", e->n);
        else if (r.below == 0)
            buf_printf(&tail, "at or below all of its last %zu session ends", e->n);
        else buf_printf(&tail, "above %zu of its last %zu session ends", r.below, e->n);
    }
    put_subject(m, s, &tail, w);
}

static void vol_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    const struct buf nothing = { 0 };
    put_past(m, s, w);
    put_subject(m, s, &nothing, w);
}

static void streak_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    AUTO_BUF struct buf tail = { 0 };
    struct ends *e = ends_of(m, s);
    const double now = series_reading(m, s->subject)->value;
    const int n = e && isfinite(now) ? (int)streak(e, now) : 0;
    if (n)
        buf_printf(&tail, "%s for %d session%s in a row", n > 0 ? "higher" : "lower", abs(n),
                   abs(n) == 1 ? "" : "s");
    put_past(m, s, w);
    put_subject(m, s, &tail, w);
}

#define OVER_PARAM(least, by_default)                                                              \
    { .name = "over",                                                                              \
      .help = "sessions (60d), or years of 252 sessions (10y)",                                    \
      .type = PARAM_SESSIONS,                                                                      \
      .min = (least),                                                                              \
      .max = 25 * SESSIONS_A_YEAR,                                                                 \
      .missing = (by_default) }
#define CONTEXT                                                                                    \
    .version = 1, .subjects = SUBJECT_SERIES, .moved_by = CAUSE_SUBJECT, .begin = begin_ends,      \
    .session = close_session, .end = series_drop_window, .subject_moved = put_reading

const struct measure_kind measure_percentile = {
    .name = "percentile",
    .unit = "%",
    .range = { RANGE_FROM(0), RANGE_UP_TO(100) },
    .formula =
        "100 times the mean of the share of the last n session ends below x and the share at or below it",
    .source = "metrics.md 3: percentile, the mean kind",
    .params = { [OVER] = OVER_PARAM(1, SESSIONS_A_YEAR) },
    .page = { .words = "percentile {} of {over}", .decimals = 1 },
    .read = read_percentile,
    .inputs = place_inputs,
    CONTEXT,
};

const struct measure_kind measure_rank = {
    .name = "rank",
    .unit = "place",
    .range = { RANGE_FROM(1) },
    .formula = "1 and how many of the last n session ends are above x: 1 is the highest",
    .source = "metrics.md 3: rank of n",
    .params = { [OVER] = OVER_PARAM(1, SESSIONS_A_YEAR) },
    .page = { .words = "place {} of {over}", .decimals = NO_DECIMALS },
    .read = read_rank,
    .inputs = place_inputs,
    CONTEXT,
};

const struct measure_kind measure_zscore = {
    .name = "zscore",
    .unit = "deviations",
    .formula =
        "x less the mean of the last n session ends, by their standard deviation (of n - 1); none when they are all the same",
    .source = "metrics.md 3: z-score",
    .params = { [OVER] = OVER_PARAM(2, SESSIONS_A_YEAR) },
    .page = { .words = "{} deviations off its mean of {over}", .decimals = 2, .sign = true },
    .read = read_zscore,
    .inputs = place_inputs,
    CONTEXT,
};

const struct measure_kind measure_vol = {
    .name = "vol",
    .unit = "%",
    .range = { RANGE_FROM(0) },
    .formula =
        "100 * sqrt(252) times the standard deviation (of n - 1) of ln(x / x before) over n sessions, the one in progress as x stands; none when x was 0 or below",
    .source = "metrics.md 8: volatility, sample, 252 periods a year",
    .params = { [OVER] = OVER_PARAM(2, 20) },
    .read = read_vol,
    .inputs = vol_inputs,
    CONTEXT,
};

const struct measure_kind measure_streak = {
    .name = "streak",
    .unit = "sessions",
    .formula =
        "sessions in a row, the one in progress as x stands, at whose end x was above that before; below 0: below it; of at most 1260",
    .source = "issue 10: context as measures of measures",
    .page = { .words = "streak {}", .decimals = NO_DECIMALS, .sign = true },
    .read = read_streak,
    .inputs = streak_inputs,
    CONTEXT,
};
