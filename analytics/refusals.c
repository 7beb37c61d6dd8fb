/* refusals.c - see refusals.h. */
#include "analytics/refusals.h"

#include "analytics/series.h"

enum err refusals_add(struct market *m, const struct record *r, struct why *why)
{
    const uint32_t no = market_instrument(m, &r->u.refusal.symbol);
    if (no == NONE)
        return err_set(why, ERR_UNKNOWN_SYMBOL, "symbol %s has no instrument record yet",
                       r->u.refusal.symbol.s);
    struct instrument *x = &m->instruments[no];
    if (x->refused == 0) m->refused_n++;
    if (x->refused < UINT32_MAX) x->refused++;
    copy_name(x->refused_why, sizeof x->refused_why, r->u.refusal.reason);
    series_touch(m, x->first_series);
    return ERR_OK;
}

void refusals_end(struct market *m, struct instrument *x)
{
    x->refused = 0;
    x->refused_why[0] = '\0';
    m->refused_n--;
}

void refusals_restore(struct market *m)
{
    m->refused_n = 0;
    for (size_t i = 0; i < m->instruments_n; i++) m->refused_n += m->instruments[i].refused != 0;
}
