/* ranks.c - gini, hall_tideman, names_to, tail_equivalence: what the order of an index's members
 * says of how unequal they are (metrics.md 4).
 *
 * Four companies of 50, 25, 15 and 10, T = 100. R = 1 * 50 + 2 * 25 + 3 * 15 + 4 * 10 = 185 is
 * kept with the order.
 *
 *     gini               (5 * 100 - 2 * 185) / (4 * 100) = 0.325
 *     hall_tideman       100 / (2 * 185 - 100) = 0.37037...: as 2.7 equal companies
 *     names_to(p=75)     50 + 25 is 75 %: 2
 *     tail_equivalence   10 + 15 + 25 is no more than 50: the largest weighs as much as the other 3
 *
 * All of it is integers until the one division: T and R of some thousand members of 2^56 cents
 * stay below 2^90. The first two cost the same whatever the number of members; the others look
 * at as many as they name. */
#include "analytics/measures/index_reading.h"

enum { RANKS_BY, NAMES_TO_P };

static enum by by_of(const struct series *s) { return (enum by)s->args.v[RANKS_BY]; }

static enum err ask_order(struct market *m, struct series *s)
{
    return universe_ask(&m->store, series_universe(m, s), index_order_kind(by_of(s)));
}
static void leave_order(struct market *m, struct series *s)
{
    universe_leave(series_universe(m, s), index_order_kind(by_of(s)));
}

/* The members that count, largest first: those without a value stand behind them in the order,
 * and what they add to R is 0. */
struct ranks {
    const struct market *m;
    const struct order *o;
    enum by by;
    int64_t n;
};

static struct ranks ranks_of(const struct market *m, const struct series *s,
                             const struct universe *u)
{
    const enum by by = by_of(s);
    return (struct ranks){ m, universe_kept(u, index_order_kind(by)), by, index_names(u, by) };
}

static int64_t value_at(const struct ranks *k, int64_t i)
{
    return index_order_value(k->m, k->o, k->by, i);
}

/* With i from the smallest, as the formula has it, i' = N + 1 - i: 2 * sum(i' * v) / (N * T) -
 * (N + 1) / N, where sum(i' * v) is (N + 1) * T - R. */
static void read_gini(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, false, r)) return;
    const struct ranks k = ranks_of(m, s, u);
    r->value = ratio((k.n + 1) * u->total - 2 * k.o->ranked, k.n * u->total);
    reading_finish(m, u->venue, r);
}

/* The largest member has rank 1, so R is T or more, and the denominator T or more. */
static void read_hall_tideman(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, false, r)) return;
    r->value = ratio(u->total, 2 * ranks_of(m, s, u).o->ranked - u->total);
    reading_finish(m, u->venue, r);
}

/* p is of the whole as it is, so that p=100 asks for every member with a value. */
static void read_names_to(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, false, r)) return;
    const struct ranks k = ranks_of(m, s, u);
    const i128 enough = u->total * s->args.v[NAMES_TO_P];
    i128 sum = 0;
    int64_t n = 0;
    while (n < k.n && sum * 100 < enough) sum += value_at(&k, n++);
    r->value = (double)n;
    reading_finish(m, u->venue, r);
}

/* From the smallest up. Of one member alone there is no tail: 0. */
static void read_tail_equivalence(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    if (!index_has_value(m, u, false, r)) return;
    const struct ranks k = ranks_of(m, s, u);
    const i128 largest = value_at(&k, 0);
    i128 sum = 0;
    int64_t i = k.n;
    while (i > 1 && sum + value_at(&k, i - 1) <= largest) sum += value_at(&k, --i);
    r->value = (double)(k.n - i);
    reading_finish(m, u->venue, r);
}

static void ranks_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    const struct universe *u = series_universe(m, s);
    const struct ranks k = ranks_of(m, s, u);
    json_put_real(w, "market_value", (double)u->total / 100);
    if (k.n)
        json_put_real(w, "largest_weight_pct",
                      u->total > 0 ? ratio((i128)value_at(&k, 0) * 100, u->total) : NAN);
    index_inputs(m, u, w);
}

const struct measure_kind measure_gini = {
    .name = "gini",
    .phrase = "Gini coefficient",
    .unit = "0..1",
    .range = { RANGE_FROM(0), RANGE_BELOW(1) },
    .formula = "2 * sum of rank * weight / N - (N + 1) / N, ranks from the smallest; rounded once",
    .source = "metrics.md 4: Gini",
    .version = 1,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [RANKS_BY] = BY_PARAM },
    .begin = ask_order,
    .end = leave_order,
    .read = read_gini,
    .inputs = ranks_inputs,
};

const struct measure_kind measure_hall_tideman = {
    .name = "hall_tideman",
    .phrase = "Hall-Tideman index",
    .unit = "0..1",
    .range = { RANGE_ABOVE(0), RANGE_UP_TO(1) },
    .formula = "1 / (2 * sum of rank * weight - 1), ranks from the largest; rounded once",
    .source = "metrics.md 4: Hall-Tideman",
    .version = 1,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [RANKS_BY] = BY_PARAM },
    .begin = ask_order,
    .end = leave_order,
    .read = read_hall_tideman,
    .inputs = ranks_inputs,
};

const struct measure_kind measure_names_to = {
    .name = "names_to",
    .phrase = "number of names to {p} % of the weight",
    .unit = "names",
    .range = { RANGE_FROM(1) },
    .formula = "least n of which the n largest weigh p % or more",
    .source = "metrics.md 4: names to p %",
    .version = 1,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [RANKS_BY] = BY_PARAM,
                [NAMES_TO_P] = { .name = "p",
                                 .help = "per cent of the whole",
                                 .type = PARAM_INT,
                                 .min = 1,
                                 .max = 100,
                                 .missing = 50 } },
    .page = { .decimals = NO_DECIMALS },
    .begin = ask_order,
    .end = leave_order,
    .read = read_names_to,
    .inputs = ranks_inputs,
};

const struct measure_kind measure_tail_equivalence = {
    .name = "tail_equivalence",
    .phrase = "number of smallest names that weigh as much as the largest",
    .unit = "names",
    .range = { RANGE_FROM(0) },
    .formula =
        "greatest m of which the m smallest, the largest not among them, weigh no more than the largest",
    .source = "metrics.md 4: tail equivalence",
    .version = 1,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [RANKS_BY] = BY_PARAM },
    .page = { .decimals = NO_DECIMALS },
    .begin = ask_order,
    .end = leave_order,
    .read = read_tail_equivalence,
    .inputs = ranks_inputs,
};
