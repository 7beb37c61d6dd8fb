/* shares.c - AAPL of 1,000,000 shares, 0.9 of which float, in an index X that counts 500,000 of
 * its own, and in Y:
 *
 *   line in X   500,000 * 0.9 = 450,000      line in Y   1,000,000 * 0.9 = 900,000
 *   2,000,000   Y's line counts 1,800,000, at the level of before; X's stays. No split explains it: kept in mind as a jump */
#include "analytics/shares.h"

#include "analytics/series.h"

/* At the price that stands, and at the close that waits for its session's end. */
bool shares_fit(const struct instrument *x, int64_t shares)
{
    return value_fits(x->price_e8, shares) && value_fits(x->official_e8, shares);
}

int64_t shares_effective(const struct instrument *x, const struct line *l)
{
    int64_t shares = l->own_shares ? l->own_shares : x->shares;
    return (int64_t)((i128)shares * x->float_e8 / 100000000);
}

/* The count goes from one to another as an issue or a buy-back: kept in mind, in case a split
 * explains it. */
static void keep_jump(const struct market *m, struct instrument *x, int64_t was, int64_t is)
{
    if (!universe_jumps(was, is)) return;
    x->jump_was = was;
    x->jump_is = is;
    x->jump_day = market_day(m, x);
}

bool shares_set(struct market *m, struct instrument *x, int64_t shares, int64_t float_e8)
{
    if (!shares_fit(x, shares)) return false;
    /* The count of a split that is known already, or the same again: nothing is chained over it. */
    if (m->settings.meaning >= MEANING_SECOND && shares == x->shares && float_e8 == x->float_e8)
        return true;
    keep_jump(m, x, x->shares, shares);
    x->shares = shares;
    x->float_e8 = float_e8;
    if (x->shares > x->shares_max) x->shares_max = x->shares;
    const struct divisor_cause cause = m->store.divisors.cause;
    divisor_because(&m->store.divisors, DIVISOR_SHARES, cause.day);
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument) {
        struct line *l = &m->store.lines[no];
        if (!l->active) continue;
        struct universe *u = &m->universes[l->universe];
        universe_set_shares(&m->store, u, no, shares_effective(x, l));
        series_touch(m, u->first_series);
    }
    m->store.divisors.cause = cause;
    return true;
}
