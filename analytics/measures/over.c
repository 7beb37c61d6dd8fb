/* over.c - change, max, min, avg, drawdown: measures of a measure over a window of sessions or
 * clock time (window.h).
 *
 *     change(last(NVDA), over=5m, unit=pct)          how far it moved in five minutes
 *     max(change(last(NVDA), over=5m), over=20d)     the largest such move of 20 sessions
 *
 * last(NVDA) was 120 when the step of five minutes ago ended, and is 123: change is 3, with
 * unit=pct 100 * 3 / 120 = 2.5. By |then|: from -120 to -117 it is +2.5 too, since it rose. From 0
 * there is no per cent, and so no data.
 *
 * Prices are multiples of 1e-8, so how far last(X) moved is a fraction of integers, rounded
 * once: 100.1 less 100 is 0.1, which as doubles it is not (0.09999999999999432). Every other
 * subject has been rounded where it was read: what it moved is then off by what two such
 * roundings and the difference's own make, 2^-53 * (|now| + |then| + |change|) at most, and so
 * is a price of then that a split divided into less than 1e-8ths.
 *
 * The window begins to fill when the first asks for it; until it reaches back far enough there is
 * no history. Where the subject has no value its last one stands in the window, and the reading has
 * the subject's status: stale and coverage travel up. */
#include "analytics/series.h"
#include "analytics/window.h"
#include "core/ratio.h"

#include <math.h>

enum { OVER, CHANGE_UNIT };
enum { UNIT_ABSOLUTE, UNIT_PCT };
static const char *const unit_names[] = { [UNIT_ABSOLUTE] = "absolute", [UNIT_PCT] = "pct", NULL };

static const char *unit_of_subject(const struct measure *x)
{
    struct measure inner = measure_inner(x);
    return measure_unit(&inner);
}

static const char *change_unit(const struct measure *x)
{
    return x->args.v[CHANGE_UNIT] == UNIT_PCT ? "%" : unit_of_subject(x);
}

static struct range range_of_subject(const struct measure *x, bool negative)
{
    const struct measure inner = measure_inner(x);
    return measure_range(&inner, negative);
}

static struct range_end difference(struct range_end from, struct range_end less)
{
    if (!from.kind || !less.kind) return (struct range_end){ END_NONE, 0 };
    const bool both = from.kind == END_INCLUDED && less.kind == END_INCLUDED;
    return (struct range_end){ both ? END_INCLUDED : END_EXCLUDED, from.at - less.at };
}

/* From the one end to the other, and back. Of per cent, what is never below 0 cannot fall by
 * more than all of it:
 *
 *     hhi(X) above 0, at most 10000    change above -10000 and below 10000    unit=pct above -100
 *     sentiment(A) above -1, below 1   change above -2 and below 2            unit=pct any number
 *     ret(A) above -100                change any number                      unit=pct any number */
static struct range change_range(const struct measure *x, bool negative)
{
    const struct range r = range_of_subject(x, negative);
    if (x->args.v[CHANGE_UNIT] == UNIT_ABSOLUTE)
        return (struct range){ difference(r.low, r.high), difference(r.high, r.low) };
    if (!r.low.kind || r.low.at < 0) return (struct range){ 0 };
    return r.low.at > 0 || r.low.kind == END_EXCLUDED ? (struct range){ RANGE_ABOVE(-100) }
                                                      : (struct range){ RANGE_FROM(-100) };
}

static int64_t step_now(const struct market *m, const struct series *s)
{
    return window_step(s->window, m->now_ns, m->venues[series_venue(m, s)].no);
}

static enum err put_reading(const struct market *m, struct series *s, const struct reading *r)
{
    if (!reading_has_value(r->status)) return ERR_OK;
    return window_put(s->window, step_now(m, s), r->value);
}

static enum err begin_window(struct market *m, struct series *s, enum window_keeps keeps)
{
    s->window = window_new(keeps, span_of(s->args.v[OVER]));
    if (!s->window) return ERR_NOMEM;
    return put_reading(m, s, series_reading(m, s->subject));
}

static enum err begin_runs(struct market *m, struct series *s)
{
    return begin_window(m, s, WINDOW_RUNS);
}
static enum err begin_highs(struct market *m, struct series *s)
{
    return begin_window(m, s, WINDOW_HIGHS);
}
static enum err begin_lows(struct market *m, struct series *s)
{
    return begin_window(m, s, WINDOW_LOWS);
}

/* The subject's reading with another value: its coverage, age and status travel up. */
static void of_subject(const struct market *m, const struct series *s, bool reaches, double value,
                       struct reading *out)
{
    *out = *series_reading(m, s->subject);
    if (!reading_has_value(out->status)) return;
    out->value = reaches && isfinite(value) ? value : NAN;
    if (!reaches) out->status = READING_NO_HISTORY;
    else if (!isfinite(value)) out->status = READING_NO_DATA;
}

/* The price that this is the double of; false: of none, or of several (above some 67 million a
 * double's step is wider). */
static bool price_of(double v, int64_t *e8)
{
    if (fabs(v) >= 67108864) return false; /* 2^26 */
    *e8 = llround(v * 1e8);
    return (double)*e8 / 1e8 == v;
}

static double change_from(const struct market *m, const struct series *s, double then, double now)
{
    const bool relative = s->args.v[CHANGE_UNIT] == UNIT_PCT,
               prices =
                   m->settings.meaning >= MEANING_SECOND && m->series[s->subject].kind->exact_e8;
    int64_t from, to;
    if (!prices || !price_of(then, &from) || !price_of(now, &to) || (relative && from == 0))
        return relative ? 100 * (now - then) / fabs(then) : now - then;
    const i128 change = (i128)to - from;
    return relative ? ratio(100 * change, from < 0 ? -from : from) : ratio(change, 100000000);
}

static void read_change(const struct market *m, const struct series *s, struct reading *out)
{
    double before = 0, now = series_reading(m, s->subject)->value;
    bool reaches = s->window && window_before(s->window, step_now(m, s), &before);
    of_subject(m, s, reaches, change_from(m, s, before, now), out);
}

static void read_extreme(const struct market *m, const struct series *s, struct reading *out)
{
    double v = 0;
    bool reaches = s->window && window_extreme(s->window, step_now(m, s), &v);
    of_subject(m, s, reaches, v, out);
}

/* From the highest, which is above 0 or there is no per cent of it. */
static void read_drawdown(const struct market *m, const struct series *s, struct reading *out)
{
    double high = 0, now = series_reading(m, s->subject)->value;
    bool reaches = s->window && window_extreme(s->window, step_now(m, s), &high);
    of_subject(m, s, reaches, high > 0 ? 100 * (now - high) / high : NAN, out);
}

static void read_mean(const struct market *m, const struct series *s, struct reading *out)
{
    double v = 0;
    bool reaches = s->window && window_mean(s->window, step_now(m, s), &v);
    of_subject(m, s, reaches, v, out);
}

static void over_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    const struct series *inner = &m->series[s->subject];
    json_put_text(w, "of", inner->text);
    json_put_real(w, "now", series_reading(m, s->subject)->value);
    json_put_object(w, "inputs");
    inner->kind->inputs(m, inner, w);
    json_put_end(w);
}

#define OVER_PARAM(by_default)                                                                                            \
    { .name = "over",                                                                                                     \
      .help =                                                                                                             \
          "sessions (20d) or clock time (5m); clock time is kept in steps of a thousandth of it, a millisecond at least", \
      .type = PARAM_SPAN,                                                                                                 \
      .missing = by_default }

const struct measure_kind measure_change = {
    .name = "change",
    .units = "that of its subject, or %",
    .unit_of = change_unit,
    .range_of = change_range,
    .ranges = "what its subject can move; in % of what is above 0, above -100",
    .formula =
        "x now less x at the end of the session, or clock step, that long ago; unit=pct: 100 times that by the absolute value of then; of prices (last) rounded once",
    .source = "performance.md 2: % change",
    .version = 1,
    .subjects = SUBJECT_SERIES,
    .moved_by = CAUSE_SUBJECT,
    .params = { [OVER] = OVER_PARAM(SPAN_OF_SESSIONS(1)),
                [CHANGE_UNIT] = { .name = "unit",
                                  .help = "in the unit of x, or in per cent of what it was",
                                  .type = PARAM_CHOICE,
                                  .choices = unit_names,
                                  .missing = UNIT_ABSOLUTE } },
    .begin = begin_runs,
    .end = series_drop_window,
    .subject_moved = put_reading,
    .read = read_change,
    .inputs = over_inputs,
};

const struct measure_kind measure_max = {
    .name = "max",
    .units = "that of its subject",
    .unit_of = unit_of_subject,
    .range_of = range_of_subject,
    .ranges = "those of its subject",
    .formula = "highest x in the window, this session or step included",
    .source = "performance.md 2: rolling max, a monotone deque",
    .version = 1,
    .subjects = SUBJECT_SERIES,
    .moved_by = CAUSE_SUBJECT,
    .params = { [OVER] = OVER_PARAM(SPAN_OF_SESSIONS(20)) },
    .begin = begin_highs,
    .end = series_drop_window,
    .subject_moved = put_reading,
    .read = read_extreme,
    .inputs = over_inputs,
};

const struct measure_kind measure_min = {
    .name = "min",
    .units = "that of its subject",
    .unit_of = unit_of_subject,
    .range_of = range_of_subject,
    .ranges = "those of its subject",
    .formula = "lowest x in the window, this session or step included",
    .source = "performance.md 2: rolling min, a monotone deque",
    .version = 1,
    .subjects = SUBJECT_SERIES,
    .moved_by = CAUSE_SUBJECT,
    .params = { [OVER] = OVER_PARAM(SPAN_OF_SESSIONS(20)) },
    .begin = begin_lows,
    .end = series_drop_window,
    .subject_moved = put_reading,
    .read = read_extreme,
    .inputs = over_inputs,
};

const struct measure_kind measure_avg = {
    .name = "avg",
    .units = "that of its subject",
    .unit_of = unit_of_subject,
    .range_of = range_of_subject,
    .ranges = "those of its subject",
    .formula =
        "mean of x at the ends of the window's sessions, or clock steps, the one in progress as x stands",
    .source = "performance.md 2: rolling sum, exact integers",
    .version = 1,
    .subjects = SUBJECT_SERIES,
    .moved_by = CAUSE_SUBJECT,
    .params = { [OVER] = OVER_PARAM(SPAN_OF_SESSIONS(20)) },
    .begin = begin_runs,
    .end = series_drop_window,
    .subject_moved = put_reading,
    .read = read_mean,
    .inputs = over_inputs,
};

const struct measure_kind measure_drawdown = {
    .name = "drawdown",
    .unit = "%",
    .range = { RANGE_UP_TO(0) },
    .formula =
        "100 times x less the highest x in the window, this session or step included, by that; none when that is 0 or below",
    .source = "metrics.md 8: drawdown",
    .version = 1,
    .subjects = SUBJECT_SERIES,
    .moved_by = CAUSE_SUBJECT,
    .params = { [OVER] = OVER_PARAM(SPAN_OF_SESSIONS(SESSIONS_A_YEAR)) },
    .page = { .words = "{} % from its high of {over}", .decimals = 2 },
    .begin = begin_highs,
    .end = series_drop_window,
    .subject_moved = put_reading,
    .read = read_drawdown,
    .inputs = over_inputs,
};
