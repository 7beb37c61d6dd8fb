/* weights.c - what is held, in money, by issuer. A book of 10 A at 100.00 and -5 B at 40.00
 * holds A with 1000 and B with 200, gross: a short position is as exposed to what is said of B
 * as a long one, and so is one at a price below 0, whose money is owed: 2 CL at -30.00 are 60.
 * Of an index it is each company's value. The order is that of the chains, which a replay has as
 * well, so sums of doubles over it come out the same. */
#include "analytics/weights.h"

#include <math.h>

static void each_position(const struct market *m, const struct universe *u, weight_fn *each,
                          void *ctx)
{
    for (uint32_t l = u->first_line; l != NONE; l = m->store.lines[l].next_of_universe) {
        const struct instrument *i = &m->instruments[m->store.lines[l].instrument];
        double gross = fabs((double)m->store.lines[l].quantity_e8 * (double)i->price_e8) / 1e16;
        each(ctx, m, &m->issuers[i->issuer], gross);
    }
}

static int64_t newest_of_book(const struct market *m, const struct universe *u)
{
    int64_t newest = u->last_ns;
    for (uint32_t l = u->first_line; l != NONE; l = m->store.lines[l].next_of_universe) {
        const struct instrument *i = &m->instruments[m->store.lines[l].instrument];
        if (i->price_ns > newest) newest = i->price_ns;
    }
    return newest;
}

void weights_each(const struct market *m, const struct universe *u, weight_fn *each, void *ctx)
{
    if (u->book) {
        each_position(m, u, each, ctx);
        return;
    }
    for (uint32_t k = u->first_slot; k != NONE; k = m->store.slots[k].next_of_universe)
        each(ctx, m, &m->issuers[m->store.slots[k].issuer], (double)m->store.slots[k].value / 100);
}

int64_t weights_newest_ns(const struct market *m, const struct universe *u)
{
    return u->book ? newest_of_book(m, u) : u->last_ns;
}
