/* membership.c - index X of P, 100 shares at 40, and O, 100 at 60, stands at 1000 of a divisor
 * of 10. P lets C go, one for two, worth 20:
 *
 *     P is worth 10 less, at 30              X 9,000 of 9: a spin-off is taken out of a level (actions.c)
 *     X keeps children: C comes, 50 at 20    X 10,000 of 10: who holds P and C holds what he held
 *     C trades at 22                         X 10,100, 1010
 *     X keeps them until the close           C leaves when that session has ended: X 9,000 of 8.91.., still 1010
 *
 * Of equal weights the child takes the average, as whoever joins. */
#include "analytics/membership.h"

#include "analytics/calendars.h"
#include "analytics/shares.h"
#include "core/when.h"

uint32_t membership_line(const struct market *m, const struct instrument *x, uint32_t universe)
{
    uint32_t no = x->first_line;
    while (no != NONE && m->store.lines[no].universe != universe)
        no = m->store.lines[no].next_of_instrument;
    return no;
}

/* One that comes in with a price of half a year ago moves the level by all of it. */
bool membership_is_fresh(struct market *m, uint32_t venue, const struct instrument *x,
                         int64_t now_ns)
{
    struct trading now;
    if (!x->priced) return false;
    if (m->settings.meaning < MEANING_SECOND) return true;
    if (calendars_trading(m, venue, now_ns, &now, NULL)) now.day = day_of_ns(now_ns);
    return calendars_sessions(m, venue, instrument_index_day(x), now.day) < 2;
}

/* Its line is active and has its count; it does not count yet if it did not before. *out is the
 * line. */
static enum err enter(struct market *m, uint32_t universe, uint32_t instrument, int64_t own,
                      int64_t price_e8, uint32_t *out)
{
    struct universe *u = &m->universes[universe];
    struct instrument *x = &m->instruments[instrument];
    uint32_t no = membership_line(m, x, universe);
    enum err e = ERR_OK;
    if (no == NONE) {
        e = universe_add_line(&m->store, u, universe, instrument, x->issuer, own, &no);
        if (e) return e;
        m->store.lines[no].next_of_instrument = x->first_line;
        x->first_line = no;
    }
    if (!m->store.lines[no].active) e = universe_rejoin(&m->store, u, no, x->issuer, price_e8);
    if (e) return e;
    struct line *l = &m->store.lines[no];
    l->own_shares = own;
    l->leaves_day = 0;
    if (own > x->shares_max) x->shares_max = own;
    universe_set_shares(&m->store, u, no, shares_effective(x, l));
    *out = no;
    return ERR_OK;
}

enum err membership_begin(struct market *m, uint32_t universe, uint32_t instrument, int64_t own,
                          bool fresh)
{
    const struct instrument *x = &m->instruments[instrument];
    struct universe *u = &m->universes[universe];
    uint32_t no;
    enum err e = enter(m, universe, instrument, own, fresh ? instrument_index_e8(x) : 0, &no);
    if (e || !fresh) return e;
    universe_set_price(&m->store, u, no, instrument_index_e8(x), x->price_ns);
    if (instrument_index_day(x) >= m->venues[u->venue].fresh_day && !m->store.lines[no].fresh)
        universe_freshen(u, &m->store.lines[no]);
    return ERR_OK;
}

/* ---- children that an index keeps ---- */
/* What the parent's shares have been given, in shares that count; 0: nothing that fits. */
static int64_t given(const struct instrument *child, const struct line *parent,
                     const struct action *a, int64_t price_e8)
{
    const i128 n = (i128)parent->shares * a->a / a->b;
    const bool fits = n > 0 && n < (i128)1 << 42 && value_fits(price_e8, (int64_t)n)
                      && shares_fit(child, (int64_t)n);
    return fits ? (int64_t)n : 0;
}

static bool has_closed_since(const struct market *m, const struct instrument *x, int32_t day)
{
    return x->last_close != NONE && m->closes[x->last_close].day >= day;
}

static enum err keep(struct market *m, const struct action *a, const struct line *parent)
{
    const uint32_t universe = parent->universe;
    struct universe *u = &m->universes[universe];
    const struct instrument *x = &m->instruments[a->child];
    const bool until_close = u->spin_offs == SPIN_OFFS_CLOSE,
               traded = x->priced && instrument_index_day(x) >= a->day;
    const uint32_t line = membership_line(m, x, universe);
    const int64_t price_e8 = traded ? instrument_index_e8(x) : a->amount_e8,
                  own = x->shares ? 0 : given(x, parent, a, price_e8);
    uint32_t no;
    if ((line != NONE && m->store.lines[line].active) || x->negative_prices || price_e8 <= 0
        || (!x->shares && !own) || (x->shares && !value_fits(price_e8, x->shares_max))
        || (until_close && has_closed_since(m, x, a->day)))
        return ERR_OK;
    enum err e = traded ? membership_begin(m, universe, a->child, own, true)
                        : enter(m, universe, a->child, own, price_e8, &no);
    if (e) return e;
    if (!traded) universe_set_price(&m->store, u, no, price_e8, 0);
    if (until_close) m->store.lines[membership_line(m, x, universe)].leaves_day = a->day;
    return ERR_OK;
}

void membership_of_child(struct market *m, const struct action *a)
{
    const struct instrument *parent = &m->instruments[a->instrument];
    for (uint32_t no = parent->first_line; no != NONE; no = m->store.lines[no].next_of_instrument) {
        const struct line l = m->store.lines[no]; /* lines move when one is added */
        if (l.valued && m->universes[l.universe].spin_offs > SPIN_OFFS_LEAVE && keep(m, a, &l))
            m->said.failed = true;
    }
}

void membership_visits_end(struct market *m, uint32_t venue, int32_t day)
{
    for (uint32_t no = 0; no < m->store.lines_n; no++) {
        struct line *l = &m->store.lines[no];
        struct universe *u = &m->universes[l->universe];
        if (!l->leaves_day || u->venue != venue || l->leaves_day > day
            || !m->instruments[l->instrument].priced
            || instrument_index_day(&m->instruments[l->instrument]) < l->leaves_day)
            continue;
        divisor_because(&m->store.divisors, DIVISOR_SPIN_OFF, day);
        l->leaves_day = 0;
        universe_remove_line(&m->store, u, no);
        divisor_because_usual(&m->store.divisors);
    }
}
