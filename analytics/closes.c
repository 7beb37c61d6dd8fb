#include "analytics/closes.h"

#include "analytics/actions.h"
#include "analytics/calendars.h"
#include "analytics/prices.h"
#include "analytics/quality.h"
#include "analytics/series.h"
#include "core/vec.h"
#include "core/when.h"

void closes_keep(struct market *m, struct instrument *x, int64_t price_e8, int32_t day,
                 int64_t event_ns)
{
    struct venue *v = &m->venues[x->venue];
    if (event_ns > v->official_ns) v->official_ns = event_ns;
    venues_set_due(m);
    x->official_e8 = price_e8;
    x->official_ns = event_ns;
    x->official_day = day;
}

/* What the session of that day leaves of it, as far as is known now; false: nothing. Its
 * official close; the close that it ended with, when its venue was earlier than who asks; else
 * its last regular price, of that session or carried from one before. */
static bool close_of(const struct market *m, const struct instrument *x, int32_t day, int64_t *out)
{
    if (x->official_day == day) *out = x->official_e8;
    else if (x->last_close != NONE && m->closes[x->last_close].day == day)
        *out = m->closes[x->last_close].price_e8;
    else if (x->has_regular) *out = x->regular_e8;
    else return false;
    return true;
}

/* Is a close of that day the newest that is known of it? A trade of that evening is newer,
 * however late the close is published. */
static bool is_newest(const struct instrument *x, int32_t day, int64_t event_ns)
{
    return !x->priced
           || (event_ns >= x->price_ns && day >= x->price_day
               && !(x->extended && day == x->price_day));
}

/* An official close becomes `last` where nothing newer is. */
static void settle_last(struct market *m, struct instrument *x, int32_t day)
{
    if (x->official_day == day && is_newest(x, day, x->official_ns))
        prices_stand(m, x, &(struct price){ x->official_e8, x->official_ns, day, .regular = true });
}

/* One line of an index counts at a close, or again at the price that stands. */
static void suppose(struct market *m, struct universe *u, uint32_t no, int64_t price_e8)
{
    if (m->store.lines[no].valued) universe_set_price(&m->store, u, no, price_e8, 0);
}

/* Who counts already, and then who begins to: so one enters at the weights of this end, whatever
 * its number. */
void closes_settle(struct market *m, uint32_t venue, int32_t day)
{
    for (int begins = 0; begins < 2; begins++)
        for (size_t i = 0; i < m->instruments_n; i++) {
            struct instrument *x = &m->instruments[i];
            if (x->venue == venue && !x->priced == begins) settle_last(m, x, day);
        }
    for (size_t i = 0; i < m->universes_n; i++) {
        struct universe *u = &m->universes[i];
        if (u->book || u->venue != venue) continue;
        int64_t close;
        for (uint32_t no = u->first_line; no != NONE; no = m->store.lines[no].next_of_universe)
            if (close_of(m, &m->instruments[m->store.lines[no].instrument], day, &close))
                suppose(m, u, no, close);
    }
}

static enum err keep_closes(struct market *m, uint32_t venue, int32_t day)
{
    for (size_t i = 0; i < m->instruments_n; i++) {
        struct instrument *x = &m->instruments[i];
        int64_t close;
        if (x->venue != venue || !close_of(m, x, day, &close)) continue;
        enum err e = market_add_close(m, x, day, close);
        if (e) return e;
        x->regular_e8 = close;
        x->has_regular = true;
        if (x->official_day == day) x->regular_day = day;
        x->official_day = NO_DAY;
        x->official_e8 = 0;
    }
    return ERR_OK;
}

enum err closes_kept(struct market *m, uint32_t venue, int32_t day)
{
    enum err e = keep_closes(m, venue, day);
    if (e) return e;
    for (size_t i = 0; i < m->universes_n; i++) {
        struct universe *u = &m->universes[i];
        if (u->book || u->venue != venue) continue;
        for (uint32_t no = u->first_line; no != NONE; no = m->store.lines[no].next_of_universe) {
            struct line *l = &m->store.lines[no];
            const struct instrument *x = &m->instruments[l->instrument];
            l->close_e8 = l->valued ? l->price_e8 : 0;
            if (x->priced) suppose(m, u, no, instrument_index_e8(x)); /* else a child's value */
        }
    }
    return ERR_OK;
}

/* ---- corrections ---- */
/* The chain runs from the newest to the oldest; days only fall along it. */
static enum err put_in_chain(struct market *m, struct instrument *x, int32_t day, int64_t price_e8,
                             int64_t *was_e8)
{
    uint32_t after = NONE, at = x->last_close;
    while (at != NONE && m->closes[at].day > day) after = at, at = m->closes[at].previous;
    if (at != NONE && m->closes[at].day == day) {
        *was_e8 = m->closes[at].price_e8;
        market_set_close(m, at, (struct close){ day, m->closes[at].previous, price_e8 });
        return ERR_OK;
    }
    uint32_t newest = x->last_close;
    x->last_close = at;
    enum err e = market_add_close(m, x, day, price_e8);
    if (!e && after != NONE) {
        market_set_close(
            m, after,
            (struct close){ m->closes[after].day, x->last_close, m->closes[after].price_e8 });
        x->last_close = newest;
    }
    for (uint32_t no = x->first_series; !e && no != NONE; no = m->series[no].next_of_subject)
        if (m->series[no].live
            && m->series[no].kind->session) /* a session more: its window is found anew */
            m->series[no].kind->session(m, &m->series[no]);
    return e;
}

/* In an index of another venue it is that close only where that is what it was counted at. */
static void correct_line(struct market *m, const struct instrument *x, uint32_t no, int32_t day,
                         int64_t was_e8, int64_t price_e8, int64_t per_share)
{
    struct line *l = &m->store.lines[no];
    struct universe *u = &m->universes[l->universe];
    const struct venue *v = &m->venues[u->venue];
    const bool own = u->venue == x->venue;
    if (!own && !universe_closed_at(u, no, day, was_e8)) return;
    universe_correct_close(u, no, day, price_e8);
    if (!v->ended_n || day != v->ended[v->ended_n - 1] || !l->close_e8) return;
    l->close_e8 = per_share;
    if (v->in_session && v->said_day < day && !u->recomposed)
        for (int ew = 0; ew < EW_COUNT; ew++)
            if (v->rebalanced & 1u << ew) universe_rebalance(&m->store, u, (enum ew)ew, true);
}

enum err closes_correct(struct market *m, struct instrument *x, int64_t price_e8, int32_t day,
                        int64_t event_ns, struct why *why)
{
    if (!venue_has_ended(&m->venues[x->venue], day)) {
        char text[DATE_TEXT_MAX];
        date_format(day, text);
        return err_set(why, ERR_INVALID,
                       "no session of %s has ended, and a later one has begun: nothing to correct",
                       text);
    }
    int64_t was = 0;
    enum err e = put_in_chain(m, x, day, price_e8, &was);
    if (e) return e;
    const int64_t per_share =
        day < x->based_day ? actions_per_share(m, x, price_e8, day) : price_e8;
    quality_close(m, x, price_e8, day);
    quality_late_close(m, x, price_e8, day);
    /* What a session without a regular price would carry on was this close. */
    if (x->has_regular && x->regular_day <= day && m->closes[x->last_close].day == day
        && x->regular_e8 == (day < x->based_day ? actions_per_share(m, x, was, day) : was))
        x->regular_e8 = per_share;
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument)
        correct_line(m, x, no, day, was, price_e8, per_share);
    /* Where it has not traded since, the close that comes late is also its newest price. */
    if (is_newest(x, day, event_ns)) {
        x->carried_e8 = price_e8;
        prices_move(m, x, &(struct price){ per_share, event_ns, day, .regular = true });
        return ERR_OK;
    }
    if (!instrument_held_at_last(x))
        for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument) {
            struct universe *u = &m->universes[m->store.lines[no].universe];
            universe_set_price(&m->store, u, no, x->regular_e8, 0);
            series_touch(m, u->first_series);
        }
    series_touch(m, x->first_series);
    return ERR_OK;
}
