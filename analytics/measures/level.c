/* level.c - level, ew_level and spread: an index by value, the same with equal weights, and how
 * far the two are apart.
 *
 * Over a window the cap-weighted level rose from 1000 to 1150, the equal-weighted from 1000 to 1300: C = 15 %, E = 30 %.
 *   arith 15 - 30 = -15    geom 100 * (1.15 / 1.30 - 1) = -11.54    log 100 * ln(1.15 / 1.30) = -12.26
 * The level at which a window starts is looked up when a session begins or ends, not on each tick.
 *
 * Rounding. While nothing is chained C and E are fractions of whole numbers (cents, and units at
 * 1e-8), and arith and geom of them are rounded once. A change of members or shares, or a
 * rebalance of E, chains: the level goes on from itself, as a double, for the whole numbers of
 * an exact chain would grow by 127 bits each time. So across c changes C' = 1 + C is off by (c +
 * 3) u of itself at most, u = 2^-53: the level at each of them, that at the start, that of now,
 * and the quotient are rounded. E' = 1 + E across e changes likewise, and
 *
 *     arith is off by at most   100 u ((c + 3) C' + (e + 3) E' + 2 |C' - E'|)
 *     geom                      100 u ((c + e + 7) R + 2 |R - 1|)                R = C' / E'
 *
 * from what whole cents and units say: tests/system/test_chained.py holds it against exact
 * fractions. Those are floored (universe.h, equal_weight.h): a weight is short by less than a
 * cent of the line's value, an equal one by less than its price / 1e10 of itself. */
#include "analytics/drivers.h"
#include "analytics/measures/index_reading.h"
#include "analytics/session.h"
#include "core/maths.h"

#include <assert.h>

enum { LEVEL_RETURN };
enum { LEVEL_EW, LEVEL_BY };
enum { SPREAD_KIND, SPREAD_WINDOW, SPREAD_EW, SPREAD_BY };
enum spread_kind { SPREAD_GEOM, SPREAD_ARITH, SPREAD_LOG, SPREAD_ANN, SPREAD_RATIO, SPREAD_POINTS };
static const char *const kind_names[] = { [SPREAD_GEOM] = "geom",
                                          [SPREAD_ARITH] = "arith",
                                          [SPREAD_LOG] = "log",
                                          [SPREAD_ANN] = "ann",
                                          [SPREAD_RATIO] = "ratio",
                                          [SPREAD_POINTS] = "points",
                                          NULL };
/* As a tile's title says them; a ratio or a difference of levels has no window. */
static const char *const kind_words[] = { [SPREAD_GEOM] = "{window}, geometric",
                                          [SPREAD_ARITH] = "{window}, arithmetic",
                                          [SPREAD_LOG] = "{window}, log",
                                          [SPREAD_ANN] = "{window}, annualised",
                                          [SPREAD_RATIO] = "ratio",
                                          [SPREAD_POINTS] = "in points" };
static_assert(ARRAY_LEN(kind_words) == ARRAY_LEN(kind_names) - 1, "words for each kind");

#define EW_PARAM                                                                                   \
    { .name = "ew",                                                                                \
      .help = "when the equal weights are restored",                                               \
      .type = PARAM_CHOICE,                                                                        \
      .choices = ew_names,                                                                         \
      .missing = EW_QUARTERLY }

extern const struct measure_kind measure_level, measure_spread; /* at the end of this file */

/* ---- level ---- */
static void read_level(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, true, r)) return;
    r->value =
        s->args.v[LEVEL_RETURN] == RETURN_TOTAL ? universe_total_return(u) : universe_level(u);
    reading_finish(m, u->venue, r);
}

/* What it rose by is the level of then times what the whole has gained on what it was; each member's part is its own gain in that.
 * Who came or went meanwhile has moved the divisor and not the level: that is in the remainder. */
static void level_drivers(const struct market *m, const struct series *s, struct drivers *d)
{
    const struct universe *u = series_universe(m, s);
    d->change_from = NAN;
    for (size_t i = 0; i < u->days_n; i++)
        if (u->days[i].day == d->since) d->change_from = u->days[i].level;
    if (s->args.v[LEVEL_RETURN] == RETURN_TOTAL) d->change_from = NAN;
    for (size_t i = 0; i < d->n; i++)
        d->of[i].part = d->change_from * ratio((i128)d->of[i].value - d->of[i].then, d->total_then);
}

/* ---- ew_level ---- */
/* The variant of equal weights: of a level its two parameters, of a spread the last two. */
static int variant_of(const struct series *s)
{
    bool spread = s->kind == &measure_spread;
    return ew_variant((enum ew)s->args.v[spread ? SPREAD_EW : LEVEL_EW],
                      (enum by)s->args.v[spread ? SPREAD_BY : LEVEL_BY]);
}

static enum err ask_variant(struct market *m, struct series *s)
{
    equal_weight_ask(&m->store, series_universe(m, s), variant_of(s), 1);
    return ERR_OK;
}

static void leave_variant(struct market *m, struct series *s)
{
    equal_weight_ask(&m->store, series_universe(m, s), variant_of(s), -1);
}

static void read_ew_level(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, true, r)) return;
    r->value = equal_weight_level(u, variant_of(s));
    reading_finish(m, u->venue, r);
}

/* ---- spread ---- */
static const char *spread_unit(const struct measure *x)
{
    switch ((enum spread_kind)x->args.v[SPREAD_KIND]) {
    case SPREAD_RATIO: return "ratio";
    case SPREAD_POINTS: return "points";
    case SPREAD_GEOM:
    case SPREAD_ARITH:
    case SPREAD_LOG:
    case SPREAD_ANN: break;
    }
    return "%";
}

/* Between what its values lie:
 *
 *     ratio             levels are above 0, and so is one by the other
 *     geom              C/E - 1 is above -1, since C/E is above 0
 *     arith, ann, log   differences of two that have no bound above: any number
 *     points            as well */
static struct range spread_range(const struct measure *x, bool negative)
{
    (void)negative; /* an index holds no such instrument */
    switch ((enum spread_kind)x->args.v[SPREAD_KIND]) {
    case SPREAD_RATIO: return (struct range){ RANGE_ABOVE(0) };
    case SPREAD_GEOM: return (struct range){ RANGE_ABOVE(-100) };
    case SPREAD_ARITH:
    case SPREAD_LOG:
    case SPREAD_ANN:
    case SPREAD_POINTS: break;
    }
    return (struct range){ 0 };
}

static void find_level(const struct market *m, struct series *s)
{
    const struct universe *u = series_universe(m, s);
    enum window_choice w = (enum window_choice)s->args.v[SPREAD_WINDOW];
    s->start = -1;
    if (u->days_n)
        s->start = window_start(&m->venues[u->venue], w,
                                &(struct days){ &u->days->day, sizeof *u->days, u->days_n });
}

/* A level now to that of the window's start: 1 + return. */
struct growth {
    bool exact;     /* it is the fraction now / then; else `factor` alone, of two levels */
    i128 now, then; /* sums */
    double factor;
};

/* A level is scale * sum. When a change of members or a rebalance moves the scale, the level is
 * chained as a double; so the growth is a fraction of two sums only where nothing was chained
 * since: the window starts at the level that the scale starts at, or the scale makes that day's
 * level of that day's sum. */
static struct growth growth_of(const struct scale *s, i128 now, double level_then, i128 sum_then)
{
    struct growth g = { .now = now };
    if (level_then == s->x) g.then = s->d;
    else if (scale_times(s, sum_then) == level_then) g.then = sum_then;
    g.exact = g.now > 0 && g.then > 0;
    g.factor = g.exact ? ratio(g.now, g.then) : scale_times(s, now) / level_then;
    return g;
}

/* What a spread is of: E of one variant, and the total. */
struct sums {
    i128 total, equal;
};

/* From a session's end to the next one's begin those of its closes, however trades go on; unless
 * members or shares have changed since, so that what levels are measured from is another. */
static inline struct sums sums_of(const struct market *m, const struct universe *u,
                                  const struct variant *v, int k)
{
    const struct sums now = { u->total, v->sum };
    const struct venue *venue = &m->venues[u->venue];
    if (venue->in_session || m->settings.meaning < MEANING_SECOND || !u->days_n || !u->refs_n)
        return now;
    const struct level_day *d = &u->days[u->days_n - 1];
    const struct session_refs *r = &u->refs[u->refs_n - 1];
    bool stands = d->day == venue->day && r->day == d->day && r->level_ref == u->level_ref
                  && r->total_ref == u->total_ref && r->ew_level_ref[k] == v->level_ref
                  && r->ew_ref[k] == v->ref;
    return stands ? (struct sums){ d->total, d->sums[k] } : now;
}

struct growths {
    struct growth cap, equal;
    double years;
};

static bool spread_growths(const struct market *m, const struct series *s, struct growths *out)
{
    const struct universe *u = series_universe(m, s);
    const int k = variant_of(s);
    if (s->start < 0) return false;
    const struct level_day *d = &u->days[s->start];
    const struct variant *v = equal_weight_of(u, k);
    const struct sums now = sums_of(m, u, v, k);
    *out = (struct growths){ growth_of(&u->scale, now.total, d->level, d->total),
                             growth_of(&v->scale, now.equal, d->ew[k], d->sums[k]),
                             window_years(&m->venues[u->venue],
                                          (enum window_choice)s->args.v[SPREAD_WINDOW], d->day) };
    return true;
}

/* 100 * (c/d - e/f), of two fractions c/d and e/f. */
static double difference_pct(i128 c, i128 d, i128 e, i128 f)
{
    return ratio_of_difference(100, (struct product){ c, f }, (struct product){ e, d },
                               (struct product){ d, f });
}

static double arith(const struct growth *c, const struct growth *e)
{
    return c->exact && e->exact ? difference_pct(c->now, c->then, e->now, e->then)
                                : 100 * (c->factor - e->factor);
}

/* C/E - 1 is (c/d) / (e/f) - 1 = ((c/d) - (e/f)) / (e/f) */
static double geom(const struct growth *c, const struct growth *e)
{
    return c->exact && e->exact ? ratio_of_difference(100, (struct product){ c->now, e->then },
                                                      (struct product){ e->now, c->then },
                                                      (struct product){ c->then, e->now })
                                : 100 * (c->factor / e->factor - 1);
}

static enum reading_status of_growths(const struct growths *g, enum spread_kind kind, double *out)
{
    switch (kind) {
    case SPREAD_GEOM: *out = geom(&g->cap, &g->equal); return READING_OK;
    case SPREAD_ARITH: *out = arith(&g->cap, &g->equal); return READING_OK;
    case SPREAD_LOG: *out = 100 * maths_log(g->cap.factor / g->equal.factor); return READING_OK;
    case SPREAD_ANN:
        if (g->years <= 0) return READING_NO_HISTORY;
        *out =
            100
            * (maths_pow(g->cap.factor, 1 / g->years) - maths_pow(g->equal.factor, 1 / g->years));
        return READING_OK;
    case SPREAD_RATIO:
    case SPREAD_POINTS: break; /* of levels, not of returns */
    }
    return READING_NO_DATA;
}

/* Two levels that start at the same one, as they do until the first change of members, differ by
 * a fraction of integers. */
static double points(const struct universe *u, const struct variant *v, struct sums now)
{
    const struct scale *c = &u->scale, *e = &v->scale;
    if (c->x != e->x) return scale_times(c, now.total) - scale_times(e, now.equal);
    return ratio_of_difference(c->x, (struct product){ now.total, e->d },
                               (struct product){ now.equal, c->d }, (struct product){ c->d, e->d });
}

static double level_ratio(const struct universe *u, const struct variant *v, struct sums now)
{
    const struct scale *c = &u->scale, *e = &v->scale;
    if (c->x != e->x || now.equal == 0)
        return scale_times(c, now.total) / scale_times(e, now.equal);
    return ratio_of_products((struct product){ now.total, e->d },
                             (struct product){ now.equal, c->d });
}

static void read_spread(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    enum spread_kind kind = (enum spread_kind)s->args.v[SPREAD_KIND];
    struct growths growths;
    if (!index_has_value(m, u, true, r)) return;
    const int k = variant_of(s);
    const struct variant *v = equal_weight_of(u, k);
    if (kind == SPREAD_POINTS) r->value = points(u, v, sums_of(m, u, v, k));
    else if (kind == SPREAD_RATIO) r->value = level_ratio(u, v, sums_of(m, u, v, k));
    else
        r->status = spread_growths(m, s, &growths) ? of_growths(&growths, kind, &r->value)
                                                   : READING_NO_HISTORY;
    reading_finish(m, u->venue, r);
}

/* ---- inputs ---- */
static void put_levels(const struct market *m, const struct universe *u, int variant,
                       struct json_writer *w)
{
    json_put_real(w, "level", universe_level(u));
    json_put_real(w, "ew_level", equal_weight_level_now(&m->store, u, variant));
}

/* Beside a level stands the equal-weighted one of the default variant, whether a series follows
 * it or not. */
static void level_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    const struct universe *u = series_universe(m, s);
    int quarterly = ew_variant(EW_QUARTERLY, BY_ISSUER);
    put_levels(m, u, s->kind == &measure_level ? quarterly : variant_of(s), w);
    index_inputs(m, u, w);
}

static void spread_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    const struct universe *u = series_universe(m, s);
    enum spread_kind kind = (enum spread_kind)s->args.v[SPREAD_KIND];
    struct growths g;
    put_levels(m, u, variant_of(s), w);
    if (kind != SPREAD_RATIO && kind != SPREAD_POINTS && spread_growths(m, s, &g)) {
        json_put_real(w, "cap_return_pct", 100.0 * (g.cap.factor - 1));
        json_put_real(w, "equal_return_pct", 100.0 * (g.equal.factor - 1));
    }
    index_inputs(m, u, w);
}

const struct measure_kind measure_level = {
    .name = "level",
    .phrase = "cap-weighted level",
    .unit = "points",
    .range = { RANGE_ABOVE(0) },
    .formula =
        "base * sum(P*Q*F) / divisor, chained so that a change of members or shares does not move it; rounded once",
    .source = "metrics.md 1: cap-weighted level, price or total return",
    .version = 2,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [LEVEL_RETURN] = RETURN_PARAM },
    .standard = (const char *const[]){ "", NULL },
    .page = { .title = "Cap-weighted level", .decimals = 2, .line = LINE_CAP },
    .read = read_level,
    .inputs = level_inputs,
    .drivers = level_drivers,
};

const struct measure_kind measure_ew_level = {
    .name = "ew_level",
    .phrase = "equal-weighted level",
    .unit = "points",
    .range = { RANGE_ABOVE(0) },
    .formula =
        "equal-weighted level: each company 1/N at every rebalance, drifting between; base as level; rounded once",
    .source = "metrics.md 1: equal-weighted level",
    .version = 2,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [LEVEL_EW] = EW_PARAM, [LEVEL_BY] = BY_PARAM },
    .standard = (const char *const[]){ "", NULL },
    .page = { .title = "Equal-weighted level", .decimals = 2, .line = LINE_EW },
    .begin = ask_variant,
    .end = leave_variant,
    .read = read_ew_level,
    .inputs = level_inputs,
};

const struct measure_kind measure_spread = {
    .name = "spread",
    .phrase = "spread of cap-weighted over equal-weighted returns, {kind},",
    .units = "%, ratio or points",
    .unit_of = spread_unit,
    .range_of = spread_range,
    .ranges = "above -100 (geom), above 0 (ratio), any number",
    .formula =
        "cap-weighted return C against equal-weighted return E over the window. arith 100*(C-E), geom 100*((1+C)/(1+E)-1), log 100*ln((1+C)/(1+E)), ann difference of annualised returns in %, ratio level/ew_level, points level - ew_level; arith, geom, ratio and points rounded once where neither level was chained since",
    .source = "metrics.md 2: spread, always named",
    .version = 2,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [SPREAD_KIND] = { .name = "kind",
                                  .help =
                                      "how the two returns, or levels, are set against each other",
                                  .type = PARAM_CHOICE,
                                  .choices = kind_names,
                                  .words = kind_words,
                                  .missing = SPREAD_GEOM },
                [SPREAD_WINDOW] = { .name = "window",
                                    .help =
                                        "sessions or calendar months back, the year so far, or all that is kept",
                                    .type = PARAM_CHOICE,
                                    .choices = window_names,
                                    .words = window_words,
                                    .missing = WINDOW_60D },
                [SPREAD_EW] = EW_PARAM,
                [SPREAD_BY] = BY_PARAM },
    .standard = (const char *const[]){ "", "window=all", NULL },
    .page = { .title = "Spread {kind}", .decimals = 3, .sign = true },
    .begin = ask_variant,
    .end = leave_variant,
    .session = find_level,
    .read = read_spread,
    .inputs = spread_inputs,
};
