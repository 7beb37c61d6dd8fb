/* inequality.c - how unequal the companies of an index are: 0 when all are worth the same, towards 1 when one is worth all.
 *
 * Of n companies with values x, in ascending order x1 <= x2 <= ...: G = sum((2i - n - 1) * x_i) / (n * sum(x)). Four
 * companies worth 1, 1, 1 and 5: (-3 - 1 + 1 + 15) / (4 * 8) = 0.375. */
#include "analytics/measures/index_reading.h"

static void read_inequality(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    const struct order *o = universe_kept(u, &aggregate_order); /* largest first */
    if (!index_has_value(m, u, false, r)) return;
    const int64_t n = u->issuers_n;
    i128 sum = 0; /* below 2^15 companies * 2^16 * 2^56 cents */
    for (int64_t j = 0; j < n; j++) sum += (i128)(n - 1 - 2 * j) * m->store.slots[o->who[j]].value;
    r->value = (double)sum / (double)(n * u->total);
    reading_finish(m, u->venue, r);
}

static void inequality_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    index_inputs(m, series_universe(m, s), w);
}

const struct measure_kind measure_inequality = {
    .name = "inequality",
    .unit = "0..1",
    .range = { RANGE_FROM(0), RANGE_BELOW(1) },
    .formula = "sum of the differences of all pairs / (2 * n * sum of values)",
    .source = "Gini 1912",
    .version = 1,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .page = { .title = "Inequality (Gini)", .decimals = 4 },
    .read = read_inequality,
    .inputs = inequality_inputs,
};
