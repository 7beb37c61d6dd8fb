/* actions.c - see actions.h. AAPL, 4,275 shares at 499.23 on Friday, four for one on Monday, which is said three weeks before:
 *
 *   said      an action of the instrument, waiting: its waits_day, and the market's, are Monday
 *   Monday    the first regular price of its venue opens the session, or a trade of its own comes before that: shares 17,100;
 *             carried 499.23, standing 124.8075; based_day Monday, action applied
 *   129.04    ret is 100 * (129.04 * 4 - 499.23 * 1) / (499.23 * 1), rounded once: of the close as it is stored, and of the
 *             basis between the two sessions, 4 to 1
 *
 * Bases are fractions of integers, so that five splits in a window are one multiplication, not five roundings. */
#include "analytics/actions.h"

#include "analytics/past.h"
#include "analytics/series.h"
#include "analytics/shares.h"
#include "analytics/window.h"
#include "core/vec.h"
#include "core/when.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static const int64_t SHARES_MAX = (int64_t)1 << 42;

/* ---- finding ---- */
static struct action *next_of(const struct market *m, uint32_t no)
{
    return no == NONE ? NULL : &m->actions[no];
}
#define EACH_ACTION(a, m, x)                                                                       \
    (struct action *a = next_of(m, (x)->first_action); a; a = next_of(m, a->next))

/* Of one kind and session there is one: a second is the same again, or corrects it while it waits. */
static struct action *find(const struct market *m, const struct instrument *x,
                           enum action_kind kind, int32_t day)
{
    for
        EACH_ACTION(a, m, x)
    if (a->kind == kind && a->day == day) return a;
    return NULL;
}

static enum err add(struct market *m, struct instrument *x, struct action a)
{
    if (!VEC_GROW(&m->actions, &m->actions_cap, m->actions_n + 1)) return ERR_NOMEM;
    a.instrument = (uint32_t)(x - m->instruments);
    a.next = x->first_action;
    x->first_action = (uint32_t)m->actions_n;
    m->actions[m->actions_n++] = a;
    if (!a.applied && a.day < x->waits_day) x->waits_day = a.day;
    if (!a.applied && a.day < m->waits_day) m->waits_day = a.day;
    return ERR_OK;
}

/* ---- bases ---- */
static i128 common(i128 a, i128 b)
{
    while (b) {
        const i128 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* 100 bits hold splits of a million for one five times over; beyond that the last bits go. */
static void multiply(struct basis *b, int64_t to, int64_t from)
{
    const i128 bound = (i128)1 << 100;
    b->to *= to;
    b->from *= from;
    const i128 n = common(b->to, b->from);
    b->to /= n;
    b->from /= n;
    while (b->to > bound || b->from > bound) {
        b->to = b->to / 2 + b->to % 2;
        b->from = b->from / 2 + b->from % 2;
    }
}

struct basis actions_between(const struct market *m, const struct instrument *x, int32_t after,
                             int32_t until)
{
    struct basis b = { 1, 1 };
    for
        EACH_ACTION(a, m, x)
    if (a->kind == ACTION_SPLIT && a->applied && a->day > after && a->day <= until)
        multiply(&b, a->a, a->b);
    return b;
}

/* To the nearest, and never nothing. */
static int64_t per_share(int64_t price_e8, struct basis b)
{
    while (b.from > (i128)1 << 62 || b.to > (i128)1 << 62) b.from /= 2, b.to /= 2;
    if (b.to < 1) b.to = 1;
    const i128 price = ((i128)price_e8 * b.from + b.to / 2) / b.to;
    return price < 1 ? 1 : (int64_t)price;
}

int64_t actions_per_share(const struct market *m, const struct instrument *x, int64_t price_e8,
                          int32_t day)
{
    return per_share(price_e8, actions_between(m, x, day, x->based_day));
}

int64_t actions_carry(const struct market *m, struct instrument *x, int64_t price_e8, int32_t day)
{
    x->carried_e8 = price_e8;
    return actions_per_share(m, x, price_e8, day);
}

/* ---- counts ---- */
static int64_t times(int64_t count, int64_t to, int64_t from)
{
    const i128 n = (i128)count * to / from;
    return n > SHARES_MAX ? 0 : n < 1 ? 1 : (int64_t)n;
}

/* is = was * to / from, up to a per cent. */
static bool explains(int64_t to, int64_t from, int64_t was, int64_t is)
{
    const i128 a = (i128)was * to, b = (i128)is * from;
    return was > 0 && is > 0 && a * 99 <= b * 100 && b * 99 <= a * 100;
}

bool actions_split_explains(const struct market *m, const struct instrument *x, int64_t was,
                            int64_t is)
{
    for
        EACH_ACTION(a, m, x)
    if (a->kind == ACTION_SPLIT && explains(a->a, a->b, was, is)) return true;
    return false;
}

/* ---- a split ---- */
enum { NEAR_DAYS = 31 }; /* so near to its session a count that it explains is taken for it */

static bool has_jumped(const struct instrument *x, const struct action *a)
{
    return x->jump_is && explains(a->a, a->b, x->jump_was, x->jump_is)
           && x->jump_day >= a->day - NEAR_DAYS && x->jump_day <= a->day + NEAR_DAYS;
}

/* The price that stands is of before the split: nobody has traded at the new basis. */
static bool carries(const struct instrument *x, const struct action *a)
{
    return x->priced && x->price_day < a->day;
}

/* Each line's count afterwards, with the price that then stands. */
static bool split_fits(const struct market *m, const struct instrument *x, const struct action *a)
{
    const bool jumped = has_jumped(x, a);
    int64_t most = jumped ? x->shares : times(x->shares, a->a, a->b);
    bool fits = x->shares == 0 || most > 0;
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument) {
        const int64_t own = m->store.lines[no].own_shares, is = times(own, a->a, a->b);
        fits &= own == 0 || is > 0;
        if (own && is > most) most = is;
    }
    const int64_t price_e8 =
        carries(x, a) ? per_share(x->price_e8, (struct basis){ a->a, a->b }) : x->price_e8;
    return fits && value_fits(price_e8, most) && value_fits(x->official_e8, most);
}

/* An index's own count of shares is divided with the instrument's: it is as old as the lines are. */
static void split_lines(struct market *m, struct instrument *x, const struct action *a, bool jumped,
                        bool carried)
{
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument) {
        struct line *l = &m->store.lines[no];
        const bool own = l->own_shares != 0;
        if (own) l->own_shares = times(l->own_shares, a->a, a->b);
        if (l->own_shares > x->shares_max) x->shares_max = l->own_shares;
        if (!l->active) continue;
        past_split(&m->store, &m->universes[l->universe], no,
                   &(struct split){ .to = a->a,
                                    .from = a->b,
                                    .day = a->day,
                                    .carried_e8 = carried ? x->price_e8 : 0,
                                    .shares = shares_effective(x, l),
                                    .jumped = jumped && !own });
    }
}

/* ---- windows over prices: max(last(A), over=20d), change(last(A), over=5m) ---- */
/* A move in dollars is as old as its price; one in per cent is nobody's share. */
static bool holds_prices(const struct market *m, const struct series *s, const struct instrument *x)
{
    if (!s->window) return false;
    const struct series *of = &m->series[s->subject], *bottom = of;
    while (bottom->subject_type == SUBJECT_SERIES) bottom = &m->series[bottom->subject];
    return bottom->kind->exact_e8 && bottom->subject == (uint32_t)(x - m->instruments)
           && strcmp(of->unit, bottom->unit) == 0;
}

/* The step of windows over sessions at which that session stands, or would if it came next. */
static int32_t first_session_no(const struct venue *v, int32_t day)
{
    int32_t no = v->no + (v->in_session && v->day >= day ? 0 : 1);
    for (size_t i = v->ended_n; i-- > 0 && v->ended[i] >= day;) no--;
    return no;
}

/* What they keep of before its session is per share of then, as closes are. */
static void split_windows(struct market *m, const struct instrument *x, const struct action *a)
{
    const int32_t session = first_session_no(&m->venues[x->venue], a->day);
    for (size_t i = 0; i < m->series_n; i++)
        if (holds_prices(m, &m->series[i], x))
            window_scale(m->series[i].window,
                         window_step(m->series[i].window, a->day * NS_PER_DAY, session),
                         (double)a->b / (double)a->a);
}

/* It takes effect. One that does not fit any more, since prices and counts have changed while it waited, never does. */
static void split_now(struct market *m, struct instrument *x, struct action *a)
{
    const bool carried = carries(x, a), jumped = has_jumped(x, a);
    a->applied = split_fits(m, x, a);
    a->refused = !a->applied;
    if (a->refused) return;
    if (carried && x->price_day >= x->based_day) x->carried_e8 = x->price_e8;
    if (a->day > x->based_day) x->based_day = a->day;
    if (x->has_regular && x->regular_day < a->day)
        x->regular_e8 = per_share(x->regular_e8, (struct basis){ a->a, a->b });
    if (carried) x->price_e8 = actions_carry(m, x, x->carried_e8, x->price_day);
    if (jumped) x->jump_is = 0;
    else if (x->shares) x->shares = times(x->shares, a->a, a->b);
    if (x->shares > x->shares_max) x->shares_max = x->shares;
    split_lines(m, x, a, jumped, carried);
    split_windows(m, x, a);
}

bool actions_presume(struct market *m, struct instrument *x, int64_t to, int64_t from, int32_t day)
{
    const struct action a = {
        .kind = ACTION_SPLIT, .day = day, .a = to, .b = from, .presumed = true
    };
    if (find(m, x, ACTION_SPLIT, day) || !split_fits(m, x, &a) || add(m, x, a)) return false;
    split_now(m, x, &m->actions[m->actions_n - 1]);
    series_session(m);
    series_touch_all(m);
    return true;
}

/* It was presumed when its price came: now somebody says so. */
static bool was_presumed(const struct market *m, const struct instrument *x,
                         const struct action *said)
{
    for
        EACH_ACTION(a, m, x)
    if (a->kind == ACTION_SPLIT && a->presumed && explains(a->a, a->b, said->b, said->a)
        && a->day >= said->day - NEAR_DAYS && a->day <= said->day + NEAR_DAYS) {
        a->presumed = false;
        return true;
    }
    return false;
}

enum err actions_split(struct market *m, const struct record *r, struct why *why)
{
    const uint32_t no = market_instrument(m, &r->u.split.symbol);
    if (no == NONE)
        return err_set(why, ERR_UNKNOWN_SYMBOL, "symbol %.15s has no instrument record yet",
                       r->u.split.symbol.s);
    struct instrument *x = &m->instruments[no];
    struct action *known = find(m, x, ACTION_SPLIT, r->u.split.day);
    struct action a = {
        .kind = ACTION_SPLIT, .day = r->u.split.day, .a = r->u.split.to, .b = r->u.split.from
    };
    char day[DATE_TEXT_MAX];
    date_format(a.day, day);
    if (a.a == a.b)
        return err_set(why, ERR_INVALID, "a split of %" PRId64 " for %" PRId64 " changes nothing",
                       a.a, a.b);
    if (was_presumed(m, x, &a)) return ERR_OK;
    if (known && (known->applied || (known->a == a.a && known->b == a.b)))
        return err_set(why, ERR_INVALID,
                       "a split of %.15s of %s is known, %" PRId64 " for %" PRId64
                       ": nothing has changed",
                       x->symbol.s, day, known->a, known->b);
    if (x->negative_prices)
        return err_set(
            why, ERR_INVALID,
            "%.15s may have prices of 0 and below (negative_prices): it is no share to be split",
            x->symbol.s);
    if (!split_fits(m, x, &a))
        return err_set(why, ERR_INVALID,
                       "a split of %" PRId64 " for %" PRId64
                       " makes more shares of %.15s than there can be, or too valuable ones",
                       a.a, a.b, x->symbol.s);
    if (known) { /* it waits, and was said wrong */
        known->a = a.a;
        known->b = a.b;
        return ERR_OK;
    }
    const enum err e = add(m, x, a);
    if (e || a.day > market_day(m, x)) return e;
    split_now(m, x, &m->actions[m->actions_n - 1]);
    series_session(m);
    series_touch_all(m);
    return ERR_OK;
}

/* ---- counts of a session to come ---- */
/* The session with which a count takes effect, when that has not begun. A count that a waiting split explains, or that is said
 * on its day or later, is the one after the split. */
static int32_t waits_for(const struct market *m, const struct instrument *x, const struct record *r)
{
    const int32_t said = day_of_ns(r->event_ns);
    if (r->u.shares.day != NO_DAY)
        return r->u.shares.day > market_day(m, x) ? r->u.shares.day : NO_DAY;
    for
        EACH_ACTION(a, m, x)
    if (a->kind == ACTION_SPLIT && !a->applied && !a->refused && a->day > market_day(m, x)
        && (said >= a->day || explains(a->a, a->b, x->shares, r->u.shares.shares)))
        return a->day;
    return NO_DAY;
}

enum err actions_shares(struct market *m, struct instrument *x, const struct record *r, bool *waits)
{
    const int32_t day = waits_for(m, x, r);
    *waits = day != NO_DAY;
    if (!*waits) return ERR_OK;
    struct action *known = find(m, x, ACTION_SHARES, day);
    if (!known || known->applied || known->refused)
        return add(m, x,
                   (struct action){ .kind = ACTION_SHARES,
                                    .day = day,
                                    .a = r->u.shares.shares,
                                    .b = r->u.shares.float_e8 });
    known->a = r->u.shares.shares;
    known->b = r->u.shares.float_e8;
    return ERR_OK;
}

/* ---- sessions ---- */
static void take_effect(struct market *m, struct instrument *x, struct action *a)
{
    if (a->kind == ACTION_SPLIT) split_now(m, x, a);
    if (a->kind != ACTION_SHARES) return;
    a->applied = shares_set(m, x, a->a, a->b);
    a->refused = !a->applied;
}

static bool waits(const struct action *a) { return !a->applied && !a->refused; }

static int32_t first_day(const struct market *m, const struct instrument *x)
{
    int32_t day = INT32_MAX;
    for
        EACH_ACTION(a, m, x)
    if (waits(a) && a->day < day) day = a->day;
    return day;
}

/* Earlier sessions first; of one session splits before counts, which are those after them. */
static void take_all(struct market *m, struct instrument *x, int32_t day)
{
    for (; x->waits_day <= day; x->waits_day = first_day(m, x))
        for (int64_t kind = ACTION_SPLIT; kind <= ACTION_SHARES; kind++)
            for
                EACH_ACTION(a, m, x)
    if (waits(a) && a->kind == kind && a->day == x->waits_day) take_effect(m, x, a);
    series_touch_all(m);
}

void actions_due(struct market *m, struct instrument *x, int32_t day)
{
    take_all(m, x, day);
    series_session(m);
}

void actions_open(struct market *m, uint32_t venue, int32_t day)
{
    if (day < m->waits_day) return;
    int32_t next = INT32_MAX;
    for (size_t i = 0; i < m->instruments_n; i++) {
        struct instrument *x = &m->instruments[i];
        if (x->venue == venue && x->waits_day <= day) take_all(m, x, day);
        if (x->waits_day < next) next = x->waits_day;
    }
    m->waits_day = next;
}

void actions_restore(struct market *m)
{
    m->waits_day = INT32_MAX;
    for (size_t i = 0; i < m->instruments_n; i++) {
        m->instruments[i].first_action = NONE;
        m->instruments[i].based_day = NO_DAY;
        m->instruments[i].waits_day = INT32_MAX;
    }
    for (uint32_t i = 0; i < m->actions_n; i++) {
        struct action *a = &m->actions[i];
        struct instrument *x = &m->instruments[a->instrument];
        a->next = x->first_action;
        x->first_action = i;
        if (a->applied && a->kind == ACTION_SPLIT && a->day > x->based_day) x->based_day = a->day;
        if (waits(a) && a->day < x->waits_day) x->waits_day = a->day;
        if (waits(a) && a->day < m->waits_day) m->waits_day = a->day;
    }
}
