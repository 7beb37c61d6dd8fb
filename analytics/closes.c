#include "analytics/closes.h"

#include "analytics/prices.h"
#include "analytics/series.h"
#include "core/vec.h"
#include "core/when.h"

void closes_keep(struct instrument *x, int64_t price_e8, int32_t day, int64_t event_ns)
{
    x->official_e8 = price_e8;
    x->official_ns = event_ns;
    x->official_day = day;
}

/* What the session that ends is kept with. */
static int64_t close_of(const struct instrument *x, int32_t day)
{
    return x->official_e8 && x->official_day == day ? x->official_e8 : x->price_e8;
}

static void settle_one(struct market *m, struct instrument *x, int32_t day)
{
    const bool official = x->official_e8 && x->official_day == day;
    const int64_t close = close_of(x, day);
    if (close == 0) return;
    if (official && x->official_ns >= x->price_ns) prices_stand(m, x, close, x->official_ns, day);
    else if (close != x->price_e8) prices_suppose(m, x, close);
}

/* Who counts already, and then who begins to: so one enters at the weights of this end, whatever its number. */
void closes_settle(struct market *m, int32_t day)
{
    for (int begins = 0; begins < 2; begins++)
        for (size_t i = 0; i < m->instruments_n; i++)
            if ((m->instruments[i].price_e8 == 0) == begins) settle_one(m, &m->instruments[i], day);
}

static enum err add_close(struct market *m, struct instrument *x, int32_t day, int64_t price_e8)
{
    if (!VEC_GROW(&m->closes, &m->closes_cap, m->closes_n + 1)) return ERR_NOMEM;
    m->closes[m->closes_n] =
        (struct close){ .day = day, .previous = x->last_close, .price_e8 = price_e8 };
    x->last_close = (uint32_t)m->closes_n++;
    return ERR_OK;
}

static void set_line_closes(struct market *m, const struct instrument *x, int64_t close)
{
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument) {
        struct line *l = &m->store.lines[no];
        l->close_e8 = l->valued ? close : 0;
    }
}

enum err closes_kept(struct market *m, int32_t day)
{
    for (size_t i = 0; i < m->instruments_n; i++) {
        struct instrument *x = &m->instruments[i];
        int64_t close = close_of(x, day);
        if (close == 0) continue;
        enum err e = add_close(m, x, day, close);
        if (e) return e;
        set_line_closes(m, x, close);
        if (close != x->price_e8) prices_suppose(m, x, x->price_e8);
        x->official_e8 = 0;
    }
    return ERR_OK;
}

/* ---- corrections ---- */
/* The chain runs from the newest to the oldest; days only fall along it. */
static enum err put_in_chain(struct market *m, struct instrument *x, int32_t day, int64_t price_e8)
{
    uint32_t after = NONE, at = x->last_close;
    while (at != NONE && m->closes[at].day > day) after = at, at = m->closes[at].previous;
    if (at != NONE && m->closes[at].day == day) {
        m->closes[at].price_e8 = price_e8;
        return ERR_OK;
    }
    uint32_t newest = x->last_close;
    x->last_close = at;
    enum err e = add_close(m, x, day, price_e8);
    if (!e && after != NONE) {
        m->closes[after].previous = x->last_close;
        x->last_close = newest;
    }
    for (uint32_t no = x->first_series; !e && no != NONE; no = m->series[no].next_of_subject)
        if (m->series[no].live
            && m->series[no].kind->session) /* a session more: its window is found anew */
            m->series[no].kind->session(m, &m->series[no]);
    return e;
}

enum err closes_correct(struct market *m, struct instrument *x, int64_t price_e8, int32_t day,
                        int64_t event_ns, struct why *why)
{
    if (!session_has_ended(m, day)) {
        char text[DATE_TEXT_MAX];
        date_format(day, text);
        return err_set(why, ERR_INVALID,
                       "no session of %s has ended, and a later one has begun: nothing to correct",
                       text);
    }
    enum err e = put_in_chain(m, x, day, price_e8);
    if (e) return e;
    bool last_ended = day == m->ended[m->ended_n - 1];
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument) {
        struct line *l = &m->store.lines[no];
        struct universe *u = &m->universes[l->universe];
        universe_correct_close(u, no, day, price_e8);
        if (!last_ended || !l->close_e8) continue;
        l->close_e8 = price_e8;
        if (m->in_session && m->said_day < day && !u->recomposed)
            for (int ew = 0; ew < EW_COUNT; ew++)
                if (m->rebalanced & 1u << ew) universe_rebalance(&m->store, u, (enum ew)ew, true);
    }
    /* Where it has not traded since, the close that comes late is also its newest price. */
    if (event_ns >= x->price_ns && (x->price_e8 == 0 || day >= x->price_day))
        prices_move(m, x, price_e8, event_ns, day);
    else series_touch(m, x->first_series);
    return ERR_OK;
}
