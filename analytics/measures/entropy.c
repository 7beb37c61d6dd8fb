/* entropy.c - entropy, theil, hannah_kay: concentration by how evenly the weights lie, with
 * small names counting more or less (metrics.md 4).
 *
 * Four companies of 50, 25, 15 and 10 of 100:
 *
 *     entropy                 -(.5 ln .5 + .25 ln .25 + .15 ln .15 + .1 ln .1) = 1.2080
 *     theil                   ln 4 - 1.2080 = 0.1783: 0 of equal names
 *     hannah_kay(alpha=1)     e^1.2080 = 3.347 names, all by their weight
 *     hannah_kay(alpha=2)     1 / (.25 + .0625 + .0225 + .01) = 2.899: as effective_number
 *     hannah_kay(alpha=inf)   1 / .5 = 2: the largest alone
 *
 * -sum(w ln w) is ln T - sum(v ln v) / T, whose sum is kept by terms.c. What is lost where the
 * two differ by little lies below 1e-14. */
#include "analytics/measures/index_reading.h"
#include "core/maths.h"

enum { ENTROPY_BY, HANNAH_KAY_ALPHA };
enum alpha { ALPHA_HALF, ALPHA_ONE, ALPHA_THREE_HALVES, ALPHA_TWO, ALPHA_INFINITE };
static const char *const alpha_names[] = { "0.5", "1", "1.5", "2", "inf", NULL };

extern const struct measure_kind measure_hannah_kay; /* at the end of this file */

static enum by by_of(const struct series *s) { return (enum by)s->args.v[ENTROPY_BY]; }
static enum alpha alpha_of(const struct series *s)
{
    return s->kind == &measure_hannah_kay ? (enum alpha)s->args.v[HANNAH_KAY_ALPHA] : ALPHA_ONE;
}

/* What is kept for it, moved price by price: so a reading costs the same of 500 names and of
 * 10,000. The largest is the first of the order, and of alpha 2 the squares are those of HHI. */
static const struct aggregate_kind *kept_for(const struct series *s)
{
    static const struct aggregate_kind *const kinds[][BY_COUNT] = {
        [ALPHA_HALF] = { &aggregate_root_by_issuer, &aggregate_root_by_line },
        [ALPHA_ONE] = { &aggregate_log_by_issuer, &aggregate_log_by_line },
        [ALPHA_THREE_HALVES] = { &aggregate_power_by_issuer, &aggregate_power_by_line },
        [ALPHA_TWO] = { &aggregate_squares_by_issuer, &aggregate_squares_by_line },
        [ALPHA_INFINITE] = { &aggregate_order, &aggregate_order_by_line },
    };
    return kinds[alpha_of(s)][by_of(s)];
}

static enum err ask_terms(struct market *m, struct series *s)
{
    return universe_ask(&m->store, series_universe(m, s), kept_for(s));
}
static void leave_terms(struct market *m, struct series *s)
{
    universe_leave(series_universe(m, s), kept_for(s));
}

/* Of one name alone 0, and not what rounding leaves of it. */
static double entropy_of(const struct universe *u, const struct series *s)
{
    if (index_names(u, by_of(s)) == 1) return 0;
    const double total = (double)u->total;
    return maths_log(total) - terms_sum(universe_kept(u, kept_for(s)), TERM_LOG_BITS) / total;
}

/* (sum w^a)^(1/(1-a)), with w = v / T, so that T leaves the sum:
 *
 *     0.5    (sum v^.5 / T^.5)^2            (sum v^.5)^2 / T
 *     1.5    (sum v^1.5 / T^1.5)^-2         T^3 / (sum v^1.5)^2
 *     2      1 / (sum v^2 / T^2)            T^2 / sum v^2, rounded once
 *     inf    the limit: 1 / the largest w   T / the largest v, rounded once
 *
 * T^3 of 2^70 cents is 2^210: a double holds it. */
static double hannah_kay_of(const struct market *m, const struct universe *u,
                            const struct series *s)
{
    const void *kept = universe_kept(u, kept_for(s));
    const double total = (double)u->total;
    double sum;
    switch (alpha_of(s)) {
    case ALPHA_HALF: sum = terms_sum(kept, TERM_ROOT_BITS); return sum * sum / total;
    case ALPHA_ONE: return maths_exp(entropy_of(u, s));
    case ALPHA_THREE_HALVES:
        sum = terms_sum(kept, TERM_POWER_BITS);
        return total * total * total / (sum * sum);
    case ALPHA_TWO:
        return ratio_of_products((struct product){ u->total, u->total },
                                 (struct product){ 1, ((const struct squares *)kept)->sum });
    case ALPHA_INFINITE: return ratio(u->total, index_order_value(m, kept, by_of(s), 0));
    }
    return NAN;
}

static void read_entropy(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, false, r)) return;
    r->value = entropy_of(u, s);
    reading_finish(m, u->venue, r);
}

/* Rounding may say that equal names are a little less than equal. */
static void read_theil(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, false, r)) return;
    r->value = fmax(maths_log((double)index_names(u, by_of(s))) - entropy_of(u, s), 0);
    reading_finish(m, u->venue, r);
}

static void read_hannah_kay(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, false, r)) return;
    r->value = fmax(hannah_kay_of(m, u, s), 1);
    reading_finish(m, u->venue, r);
}

static void entropy_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    const struct universe *u = series_universe(m, s);
    json_put_real(w, "market_value", (double)u->total / 100);
    index_inputs(m, u, w);
}

const struct measure_kind measure_entropy = {
    .name = "entropy",
    .phrase = "entropy of weights",
    .unit = "nats",
    .range = { RANGE_FROM(0) },
    .formula = "-sum(w * ln w)",
    .source = "metrics.md 4: entropy",
    .version = 1,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [ENTROPY_BY] = BY_PARAM },
    .begin = ask_terms,
    .end = leave_terms,
    .read = read_entropy,
    .inputs = entropy_inputs,
};

const struct measure_kind measure_theil = {
    .name = "theil",
    .phrase = "Theil index",
    .unit = "nats",
    .range = { RANGE_FROM(0) },
    .formula = "ln N + sum(w * ln w): 0 of equal names",
    .source = "metrics.md 4: Theil",
    .version = 1,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [ENTROPY_BY] = BY_PARAM },
    .begin = ask_terms,
    .end = leave_terms,
    .read = read_theil,
    .inputs = entropy_inputs,
};

const struct measure_kind measure_hannah_kay = {
    .name = "hannah_kay",
    .phrase = "Hannah-Kay number (alpha {alpha})",
    .unit = "names",
    .range = { RANGE_FROM(1) },
    .formula = "sum(w^alpha)^(1 / (1 - alpha)); 1: e^entropy; inf: 1 / the largest weight",
    .source = "metrics.md 4: Hannah-Kay",
    .version = 1,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [ENTROPY_BY] = BY_PARAM,
                [HANNAH_KAY_ALPHA] = { .name = "alpha",
                                       .help = "how much more large names count",
                                       .type = PARAM_CHOICE,
                                       .choices = alpha_names,
                                       .missing = ALPHA_ONE } },
    .begin = ask_terms,
    .end = leave_terms,
    .read = read_hannah_kay,
    .inputs = entropy_inputs,
};
