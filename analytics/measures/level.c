/* level.c - level, ew_level and spread: an index by value, the same with equal weights, and how far the two are apart.
 *
 * Over a window the cap-weighted level rose from 1000 to 1150, the equal-weighted from 1000 to 1300: C = 15 %, E = 30 %.
 *   arith 15 - 30 = -15    geom 100 * (1.15 / 1.30 - 1) = -11.54    log 100 * ln(1.15 / 1.30) = -12.26
 * The level at which a window starts is looked up when a session begins or ends, not on each tick. */
#include "analytics/measures/index_reading.h"
#include "analytics/session.h"

#include <assert.h>

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
#define BY_PARAM                                                                                   \
    { .name = "by",                                                                                \
      .help = "a company counts once, or each of its lines does",                                  \
      .type = PARAM_CHOICE,                                                                        \
      .choices = by_names,                                                                         \
      .missing = BY_ISSUER }

extern const struct measure_kind measure_level, measure_spread; /* at the end of this file */

/* ---- level ---- */
static void read_level(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, true, r)) return;
    r->value = universe_level(u);
    reading_finish(m, r);
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
    reading_finish(m, r);
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

static void find_level(const struct market *m, struct series *s)
{
    const struct universe *u = series_universe(m, s);
    enum window_choice w = (enum window_choice)s->args.v[SPREAD_WINDOW];
    s->start = -1;
    if (u->days_n)
        s->start = window_start(m, w, &(struct days){ &u->days->day, sizeof *u->days, u->days_n });
}

struct returns {
    double cap, equal, years;
};

static bool spread_returns(const struct market *m, const struct series *s, struct returns *out)
{
    const struct universe *u = series_universe(m, s);
    int k = variant_of(s);
    if (s->start < 0) return false;
    const struct level_day *d = &u->days[s->start];
    *out =
        (struct returns){ universe_level(u) / d->level - 1, equal_weight_level(u, k) / d->ew[k] - 1,
                          window_years(m, (enum window_choice)s->args.v[SPREAD_WINDOW], d->day) };
    return true;
}

static enum reading_status of_returns(const struct returns *r, enum spread_kind kind, double *out)
{
    switch (kind) {
    case SPREAD_GEOM: *out = 100 * ((1 + r->cap) / (1 + r->equal) - 1); return READING_OK;
    case SPREAD_ARITH: *out = 100 * (r->cap - r->equal); return READING_OK;
    case SPREAD_LOG: *out = 100 * log((1 + r->cap) / (1 + r->equal)); return READING_OK;
    case SPREAD_ANN:
        if (r->years <= 0) return READING_NO_HISTORY;
        *out = 100 * (pow(1 + r->cap, 1 / r->years) - pow(1 + r->equal, 1 / r->years));
        return READING_OK;
    case SPREAD_RATIO:
    case SPREAD_POINTS: break; /* of levels, not of returns */
    }
    return READING_NO_DATA;
}

static void read_spread(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    enum spread_kind kind = (enum spread_kind)s->args.v[SPREAD_KIND];
    struct returns returns;
    if (!index_has_value(m, u, true, r)) return;
    if (kind == SPREAD_POINTS) r->value = universe_level(u) - equal_weight_level(u, variant_of(s));
    else if (kind == SPREAD_RATIO)
        r->value = universe_level(u) / equal_weight_level(u, variant_of(s));
    else
        r->status = spread_returns(m, s, &returns) ? of_returns(&returns, kind, &r->value)
                                                   : READING_NO_HISTORY;
    reading_finish(m, r);
}

/* ---- inputs ---- */
static void put_levels(const struct market *m, const struct universe *u, int variant,
                       struct json_writer *w)
{
    json_put_real(w, "level", universe_level(u));
    json_put_real(w, "ew_level", equal_weight_level_now(&m->store, u, variant));
}

/* Beside a level stands the equal-weighted one of the default variant, whether a series follows it or not. */
static void level_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    const struct universe *u = series_universe(m, s);
    int quarterly = ew_variant(EW_QUARTERLY, BY_ISSUER);
    put_levels(m, u, s->kind == &measure_level ? quarterly : variant_of(s), w);
    index_inputs(u, w);
}

static void spread_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    const struct universe *u = series_universe(m, s);
    enum spread_kind kind = (enum spread_kind)s->args.v[SPREAD_KIND];
    struct returns r;
    put_levels(m, u, variant_of(s), w);
    if (kind != SPREAD_RATIO && kind != SPREAD_POINTS && spread_returns(m, s, &r)) {
        json_put_real(w, "cap_return", r.cap);
        json_put_real(w, "equal_return", r.equal);
    }
    index_inputs(u, w);
}

const struct measure_kind measure_level = {
    .name = "level",
    .unit = "points",
    .formula =
        "base * sum(P*Q*F) / divisor, chained so that a change of members or shares does not move it",
    .source = "metrics.md 1: cap-weighted level, price return",
    .version = 1,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .standard = (const char *const[]){ "", NULL },
    .page = { .title = "Cap-weighted level", .decimals = 2, .line = LINE_CAP },
    .read = read_level,
    .inputs = level_inputs,
};

const struct measure_kind measure_ew_level = {
    .name = "ew_level",
    .unit = "points",
    .formula =
        "equal-weighted level: each company 1/N at every rebalance, drifting between; base as level",
    .source = "metrics.md 1: equal-weighted level",
    .version = 1,
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
    .units = "%, ratio or points",
    .unit_of = spread_unit,
    .formula =
        "cap-weighted return C against equal-weighted return E over the window. arith 100*(C-E), geom 100*((1+C)/(1+E)-1), log 100*ln((1+C)/(1+E)), ann difference of annualised returns in %, ratio level/ew_level, points level - ew_level",
    .source = "metrics.md 2: spread, always named",
    .version = 1,
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
