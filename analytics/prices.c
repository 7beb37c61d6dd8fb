#include "analytics/prices.h"

#include "analytics/series.h"

static inline void stand(struct market *m, struct instrument *x, int64_t price_e8, int64_t event_ns,
                         int32_t day, bool touch)
{
    x->price_e8 = price_e8;
    x->price_day = day;
    /* The value and the time shown with it are of one record; what came before that was said keeps the newest time of all. */
    if (m->settings.meaning >= MEANING_SECOND || event_ns > x->price_ns) x->price_ns = event_ns;
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument) {
        struct universe *u = &m->universes[m->store.lines[no].universe];
        universe_set_price(&m->store, u, no, price_e8, event_ns);
        if (touch) series_touch(m, u->first_series);
    }
    if (touch) series_touch(m, x->first_series);
}

void prices_stand(struct market *m, struct instrument *x, int64_t price_e8, int64_t event_ns,
                  int32_t day)
{
    stand(m, x, price_e8, event_ns, day, false);
}

void prices_move(struct market *m, struct instrument *x, int64_t price_e8, int64_t event_ns,
                 int32_t day)
{
    stand(m, x, price_e8, event_ns, day, true);
}

void prices_suppose(struct market *m, const struct instrument *x, int64_t price_e8)
{
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument)
        if (m->store.lines[no].valued)
            universe_set_price(&m->store, &m->universes[m->store.lines[no].universe], no, price_e8,
                               0);
}
