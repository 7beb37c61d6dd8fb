/* prices.c - CL, which may have prices of 0 and below and is in no index, at 0.50, then at -5:
 *
 *     priced, price_e8 = -500000000      a price of 0 is one too: that there is none is said by `priced`
 *     its lines                          none that is active: an index holds what is above 0 alone
 *     its series last(CL), ret(CL)       touched, and read by who looks at them
 *
 * NVDA, a member of SOX, at 130.20 when New York closes, and at 118 in the evening, after its
 * figures: last(NVDA) is 118; SOX, its spread and its HHI stay at 130.20, as every index does
 * overnight, until the first trade of the next morning's regular hours. */
#include "analytics/prices.h"

#include "analytics/quality.h"
#include "analytics/refusals.h"
#include "analytics/series.h"

static inline void move_lines(struct market *m, const struct instrument *x, const struct price *p,
                              bool touch)
{
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument) {
        struct line *l = &m->store.lines[no];
        struct universe *u = &m->universes[l->universe];
        universe_set_price(&m->store, u, no, p->price_e8, p->event_ns);
        if (!l->fresh && l->active && p->day >= m->venues[u->venue].fresh_day)
            universe_freshen(u, l);
        if (touch) series_touch(m, u->first_series);
    }
}

/* The one place where `last` changes. A trade of 101.50 in regular hours, A in two indices: A
 * stands at 101.50, its two lines are valued at it (members.h), and the series of A and of both
 * indices are touched, which computes none of them. */
static inline void stand(struct market *m, struct instrument *x, const struct price *p, bool touch)
{
    const int32_t day =
        x->held.no ? quality_price_comes(m, x, p->price_e8, p->day, p->regular) : p->day;
    if (x->price_e8 && quality_is_jump(x->price_e8, p->price_e8) && !x->negative_prices)
        quality_price_jumps(m, x, p->price_e8, p->event_ns);
    if (x->refused) refusals_end(m, x);
    x->price_e8 = p->price_e8;
    x->priced = true;
    x->price_day = day;
    x->extended = !p->regular;
    if (p->regular) {
        x->regular_e8 = p->price_e8;
        x->regular_day = day;
        x->has_regular = true;
    }
    /* The value and the time shown with it are of one record; what came before that was said keeps the newest time of all. */
    if (m->settings.meaning >= MEANING_SECOND || p->event_ns > x->price_ns)
        x->price_ns = p->event_ns;
    if (p->regular || !x->has_regular) move_lines(m, x, p, touch); /* instrument_held_at_last */
    if (touch) series_touch(m, x->first_series);
}

void prices_stand(struct market *m, struct instrument *x, const struct price *p)
{
    stand(m, x, p, false);
}

void prices_move(struct market *m, struct instrument *x, const struct price *p)
{
    stand(m, x, p, true);
}
