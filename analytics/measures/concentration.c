/* concentration.c - hhi, adjusted_hhi, normalised_hhi, effective_number, top_weight: how much of
 * an index is in how few names (metrics.md 4). Five companies of 10 % and 495 of 0.1 %: HHI =
 * 10,000 * (5 * 0.1^2 + 495 * 0.001^2) = 504.95; 1/HHI is 19.8 names. Beside an index of another
 * number of members: 500 * 0.050495 = 25.2475 times what equal companies would make, and
 * (0.050495 - 1/500) / (1 - 1/500) = 0.0486. */
#include "analytics/drivers.h"
#include "analytics/measures/index_reading.h"

#include <stdlib.h>

enum { ONE_BY }; /* the parameter of hhi and effective_number */
enum { TOP_BY, TOP_N };
enum { TOP_N_MAX = 50 };

extern const struct measure_kind measure_top_weight; /* at the end of this file */

static enum by by_of(const struct series *s)
{
    return (enum by)s->args.v[s->kind == &measure_top_weight ? TOP_BY : ONE_BY];
}

static const struct aggregate_kind *squares_of(const struct series *s)
{
    return by_of(s) == BY_LINE ? &aggregate_squares_by_line : &aggregate_squares_by_issuer;
}

static enum err ask_squares(struct market *m, struct series *s)
{
    return universe_ask(&m->store, series_universe(m, s), squares_of(s));
}
static void leave_squares(struct market *m, struct series *s)
{
    universe_leave(series_universe(m, s), squares_of(s));
}

static i128 squares_sum(const struct universe *u, const struct series *s)
{
    return ((const struct squares *)universe_kept(u, squares_of(s)))->sum;
}

/* 10,000 * sum of squares / T^2. No sum of squares is above T^2: below 2^56 cents all fits into
 * 128 bits. */
static double hhi_of(i128 squares, i128 total)
{
    if (total < VALUE_MAX) return ratio(10000 * squares, total * total);
    return ratio_of_products((struct product){ 10000, squares }, (struct product){ total, total });
}

static void read_hhi(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, false, r)) return;
    r->value = hhi_of(squares_sum(u, s), u->total);
    reading_finish(m, u->venue, r);
}

static void read_adjusted_hhi(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, false, r)) return;
    r->value = ratio_of_products((struct product){ index_names(u, by_of(s)), squares_sum(u, s) },
                                 (struct product){ u->total, u->total });
    reading_finish(m, u->venue, r);
}

/* (S/T^2 - 1/N) / (1 - 1/N) = (N * S - T^2) / ((N - 1) * T^2). One name alone is all there can
 * be: 1. */
static void read_normalised_hhi(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, false, r)) return;
    const int64_t n = index_names(u, by_of(s));
    r->value = n == 1 ? 1
                      : ratio_of_difference(1, (struct product){ n, squares_sum(u, s) },
                                            (struct product){ u->total, u->total },
                                            (struct product){ (n - 1) * u->total, u->total });
    reading_finish(m, u->venue, r);
}

static void read_effective_number(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, false, r)) return;
    r->value = ratio_of_products((struct product){ u->total, u->total },
                                 (struct product){ 1, squares_sum(u, s) });
    reading_finish(m, u->venue, r);
}

/* The n largest lines by looking at all: up to some hundred members that is quicker than keeping
 * them in order. */
static int64_t top_lines(const struct market *m, const struct universe *u, int64_t n)
{
    int64_t top[TOP_N_MAX] = { 0 },
            sum = 0; /* ascending: top[0] is the smallest of the n largest */
    for (uint32_t no = u->first_line; no != NONE; no = m->store.lines[no].next_of_universe) {
        int64_t v = m->store.lines[no].value, j = 0;
        if (v <= top[0]) continue;
        for (; j + 1 < n && top[j + 1] < v; j++) top[j] = top[j + 1];
        top[j] = v;
    }
    for (int64_t j = 0; j < n; j++) sum += top[j];
    return sum;
}

static int64_t top_issuers(const struct market *m, const struct universe *u, int64_t n)
{
    const struct order *o = universe_kept(u, &aggregate_order);
    int64_t sum = 0;
    for (size_t j = 0; j < (size_t)n && j < o->n; j++) sum += m->store.slots[o->who[j]].value;
    return sum;
}

static void read_top_weight(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, false, r)) return;
    int64_t n = s->args.v[TOP_N],
            top = by_of(s) == BY_LINE ? top_lines(m, u, n) : top_issuers(m, u, n);
    r->value = ratio((i128)top * 100, u->total);
    reading_finish(m, u->venue, r);
}

/* An index keeps its order of companies from its first day (universe_keep_standard), so nobody
 * here asks for it. */
static void concentration_inputs(const struct market *m, const struct series *s,
                                 struct json_writer *w)
{
    const struct universe *u = series_universe(m, s);
    const struct order *o = universe_kept(u, &aggregate_order);
    if (o->n) {
        const struct slot *largest = &m->store.slots[o->who[0]];
        json_put_real(w, "market_value", (double)u->total / 100);
        json_put_text(w, "largest", m->issuers[largest->issuer].key);
        json_put_real(w, "largest_weight_pct",
                      u->total > 0 ? ratio((i128)largest->value * 100, u->total) : NAN);
    }
    index_inputs(m, u, w);
}

/* ---- who moved it ---- */

static void hhi_drivers(const struct market *m, const struct series *s, struct drivers *d)
{
    i128 squares = 0;
    (void)m, (void)s;
    for (size_t i = 0; i < d->n; i++) {
        struct driver *x = &d->of[i];
        const double now = ratio(x->value, d->total), then = ratio(x->then, d->total_then);
        x->part = 10000 * (now * now - then * then);
        squares += (i128)x->then * x->then;
    }
    d->change_from = ratio_of_products((struct product){ 10000, squares },
                                       (struct product){ d->total_then, d->total_then });
}

static int by_value(const void *a, const void *b)
{
    const struct driver *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? 1 : -1;
    return (x->who > y->who) - (x->who < y->who);
}
static int by_then(const void *a, const void *b)
{
    const struct driver *x = a, *y = b;
    if (x->then != y->then) return x->then < y->then ? 1 : -1;
    return (x->who > y->who) - (x->who < y->who);
}

/* A member counts with its whole weight while it is among the n largest, and with none else: who
 * came in has all of it for its part, who fell out lost all of it. */
static void top_drivers(const struct market *m, const struct series *s, struct drivers *d)
{
    const size_t n = (size_t)s->args.v[TOP_N];
    i128 top = 0;
    (void)m;
    qsort(d->of, d->n, sizeof *d->of, by_then);
    for (size_t i = 0; i < d->n; i++) {
        d->of[i].part = i < n ? -100 * ratio(d->of[i].then, d->total_then) : 0;
        if (i < n) top += d->of[i].then;
    }
    qsort(d->of, d->n, sizeof *d->of, by_value);
    for (size_t i = 0; i < d->n && i < n; i++)
        d->of[i].part += 100 * ratio(d->of[i].value, d->total);
    d->change_from = ratio(top * 100, d->total_then);
}

const struct measure_kind measure_hhi = {
    .name = "hhi",
    .phrase = "concentration (HHI)",
    .unit = "0-10000",
    .range = { RANGE_ABOVE(0), RANGE_UP_TO(10000) },
    .formula = "10,000 * sum of squared weights, rounded once",
    .source = "metrics.md 4: Herfindahl-Hirschman index",
    .version = 2,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [ONE_BY] = BY_PARAM },
    .standard = (const char *const[]){ "", NULL },
    .page = { .title = "Concentration (HHI)", .decimals = 1 },
    .begin = ask_squares,
    .end = leave_squares,
    .read = read_hhi,
    .inputs = concentration_inputs,
    .drivers = hhi_drivers,
};

const struct measure_kind measure_adjusted_hhi = {
    .name = "adjusted_hhi",
    .phrase = "adjusted concentration (N times HHI)",
    .unit = "ratio",
    .range = { RANGE_FROM(1) },
    .formula = "N * sum of squared weights, rounded once: 1 of equal names, whatever their number",
    .source = "metrics.md 4: adjusted HHI",
    .version = 1,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [ONE_BY] = BY_PARAM },
    .begin = ask_squares,
    .end = leave_squares,
    .read = read_adjusted_hhi,
    .inputs = concentration_inputs,
};

const struct measure_kind measure_normalised_hhi = {
    .name = "normalised_hhi",
    .phrase = "normalised concentration (HHI)",
    .unit = "0..1",
    .range = { RANGE_FROM(0), RANGE_UP_TO(1) },
    .formula =
        "(H - 1/N) / (1 - 1/N) of H the sum of squared weights, rounded once; 1 of one name alone",
    .source = "metrics.md 4: normalised HHI",
    .version = 1,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [ONE_BY] = BY_PARAM },
    .begin = ask_squares,
    .end = leave_squares,
    .read = read_normalised_hhi,
    .inputs = concentration_inputs,
};

const struct measure_kind measure_effective_number = {
    .name = "effective_number",
    .phrase = "effective number of names",
    .unit = "names",
    .range = { RANGE_FROM(1) },
    .formula = "1 / sum of squared weights, rounded once",
    .source = "metrics.md 4: Hannah-Kay of order 2",
    .version = 2,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [ONE_BY] = BY_PARAM },
    .standard = (const char *const[]){ "", NULL },
    .page = { .decimals = 1, .beside = "hhi", .words = "as {} equal companies" },
    .begin = ask_squares,
    .end = leave_squares,
    .read = read_effective_number,
    .inputs = concentration_inputs,
};

const struct measure_kind measure_top_weight = {
    .name = "top_weight",
    .phrase = "weight of the top {n}",
    .unit = "%",
    .range = { RANGE_ABOVE(0), RANGE_UP_TO(100) },
    .formula = "100 * weight of the n largest, rounded once",
    .source = "metrics.md 4: top-N weight",
    .version = 2,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [TOP_BY] = BY_PARAM,
                [TOP_N] = { .name = "n",
                            .help = "how many of the largest",
                            .type = PARAM_INT,
                            .min = 1,
                            .max = TOP_N_MAX,
                            .missing = 10 } },
    .standard = (const char *const[]){ "", NULL },
    .page = { .title = "Top {n} weight", .decimals = 2 },
    .read = read_top_weight,
    .inputs = concentration_inputs,
    .drivers = top_drivers,
};
