/* actions.c - see actions.h. AAPL, 4,275 shares at 499.23 on Friday, four for one on Monday,
 * which is said three weeks before:
 *
 *   said      an action of the instrument, waiting: its waits_day, and the market's, are Monday
 *   Monday    the first regular price of its venue opens the session, or a trade of its own comes before that: shares 17,100;
 *             carried 499.23, standing 124.8075; based_day Monday, action applied
 *   129.04    ret is 100 * (129.04 * 4 - 499.23 * 1) / (499.23 * 1), rounded once: of the close as it is stored, and of the
 *             basis between the two sessions, 4 to 1
 *
 * A special dividend of 20 at a close of 400 is a split in all but the count: prices of before
 * are multiplied by 380 / 400. So is a spin-off, whose child's value is what is paid; until the
 * child has a price the action waits on, though its session has begun. A dividend that is not
 * special divides nothing. An index notes it in cents for the session in progress (universe.h),
 * an instrument's total return looks it up: measures/price.c.
 *
 * A delisting sets the price, by which everything moves, and then takes the lines out, by which
 * nothing does.
 *
 * Bases are fractions of integers, so that five splits in a window are one multiplication, not
 * five roundings. */
#include "analytics/actions.h"

#include "analytics/calendars.h"
#include "analytics/membership.h"
#include "analytics/past.h"
#include "analytics/series.h"
#include "analytics/shares.h"
#include "analytics/symbols.h"
#include "analytics/window.h"
#include "core/decimal.h"
#include "core/vec.h"
#include "core/when.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

NAMES(action_kind, ACTION_KINDS);
NAMES(action_state, ACTION_STATES);

static const int64_t SHARES_MAX = (int64_t)1 << 42;

/* ---- saying what becomes of them ----
 *
 * What a record changes is told when it has been applied, by the engine's output. A special
 * dividend that is said on its ex-day is added, which says it waits, and takes effect at once,
 * which says it is applied: the second takes the place of the first, as it does in the table. */
static enum action_state state_of(const struct action *a)
{
    if (a->refused) return ACTION_REFUSED;
    if (a->applied) return a->presumed ? ACTION_PRESUMED : ACTION_APPLIED;
    return a->awaits ? ACTION_AWAITS_PRICE : ACTION_WAITING;
}

/* Of one that has been said by this record already, the last counts. Counts of shares are told
 * by their own records. */
static void say_as(struct market *m, const struct action *a, enum action_state state)
{
    struct action_log *log = &m->said;
    size_t i = 0;
    if (a->kind == ACTION_SHARES) return;
    while (i < log->n && log->of[i].of.no != a->no) i++;
    if (i == log->n && !VEC_GROW(&log->of, &log->cap, ++log->n)) {
        log->n--;
        log->failed = true;
        return;
    }
    log->of[i] = (struct action_note){ *a, state };
}

static void say(struct market *m, const struct action *a) { say_as(m, a, state_of(a)); }

void actions_say_rename(struct market *m, uint32_t instrument, int32_t day)
{
    say(m, &(struct action){ .kind = ACTION_RENAME,
                             .no = ++m->said.made,
                             .instrument = instrument,
                             .day = day,
                             .seq = m->hand_seq,
                             .event_ns = m->hand_ns,
                             .applied = true,
                             .child = NONE });
}

/* The record in hand says the action anew: from now on it is the one that says it. */
static void say_anew(struct market *m, struct action *a)
{
    say_as(m, a, ACTION_SUPERSEDED);
    a->no = ++m->said.made;
    a->seq = m->hand_seq;
    a->event_ns = m->hand_ns;
}

/* It waits, and was said wrong. */
static void correct(struct market *m, struct action *a, const struct action *right)
{
    say_anew(m, a);
    a->kind = right->kind;
    a->a = right->a;
    a->b = right->b;
    a->amount_e8 = right->amount_e8;
    a->child = right->child;
    say(m, a);
}

/* ---- finding ---- */
/* An instrument's actions, the one that was said last first. */
static struct action *next_of(const struct market *m, uint32_t no)
{
    return no == NONE ? NULL : &m->actions[no];
}

/* Of one kind and session there is one: a second is the same again, or corrects it while it waits. */
static struct action *find(const struct market *m, const struct instrument *x,
                           enum action_kind kind, int32_t day)
{
    for (struct action *a = next_of(m, x->first_action); a; a = next_of(m, a->next))
        if (a->kind == kind && a->day == day) return a;
    return NULL;
}

static enum err add(struct market *m, struct instrument *x, struct action a)
{
    if (!VEC_GROW(&m->actions, &m->actions_cap, m->actions_n + 1)) return ERR_NOMEM;
    a.instrument = (uint32_t)(x - m->instruments);
    a.seq = m->hand_seq;
    a.event_ns = m->hand_ns;
    if (a.kind != ACTION_SHARES) a.no = ++m->said.made;
    if (a.kind != ACTION_SPIN_OFF && a.kind != ACTION_MERGER) a.child = NONE;
    a.next = x->first_action;
    x->first_action = (uint32_t)m->actions_n;
    m->actions[m->actions_n++] = a;
    if (!a.applied && a.day < x->waits_day) x->waits_day = a.day;
    if (!a.applied && a.day < m->waits_day) m->waits_day = a.day;
    say(m, &a);
    return ERR_OK;
}

static bool waits(const struct action *a) { return !a->applied && !a->refused; }

static enum err add_and_take(struct market *m, struct instrument *x, struct action a);
static enum err take_waiting(struct market *m, struct instrument *x);
static void take_effect(struct market *m, struct instrument *x, uint32_t no);
static void take_all(struct market *m, struct instrument *x, int32_t day);

/* ---- closes ---- */
/* The newest close of a session before that day; NONE: there is none. */
static uint32_t close_before(const struct market *m, const struct instrument *x, int32_t day)
{
    uint32_t c = x->last_close;
    while (c != NONE && m->closes[c].day >= day) c = m->closes[c].previous;
    return c;
}

static int64_t close_before_e8(const struct market *m, const struct instrument *x, int32_t day)
{
    const uint32_t c = close_before(m, x, day);
    return c == NONE ? 0 : m->closes[c].price_e8;
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
/* Of a fraction in lowest terms, so that a split and its opposite leave nothing. */
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
    for (struct action *a = next_of(m, x->first_action); a; a = next_of(m, a->next))
        if (a->applied && a->to && a->day > after && a->day <= until) multiply(&b, a->to, a->from);
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
    for (struct action *a = next_of(m, x->first_action); a; a = next_of(m, a->next))
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

/* So is what indices hold it at, where that is not the price that stands: it has but traded
 * outside regular hours since. */
static bool lines_carry(const struct instrument *x, const struct action *a)
{
    return x->priced && instrument_index_day(x) < a->day;
}

/* Each line's count afterwards, with the price that then stands.
 *
 * A record is refused when it does not fit as things are when it comes. Once it waits there is
 * nobody left to refuse it to: what does not fit when its session opens stays without effect,
 * and is marked so. */
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
                        int64_t carried_e8)
{
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument) {
        struct line *l = &m->store.lines[no];
        const bool own = l->own_shares != 0;
        if (own) l->own_shares = times(l->own_shares, a->a, a->b);
        if (l->own_shares > x->shares_max) x->shares_max = l->own_shares;
        past_split(&m->store, &m->universes[l->universe], no,
                   &(struct split){ .to = a->a,
                                    .from = a->b,
                                    .day = a->day,
                                    .carried_e8 = carried_e8,
                                    .close_before_e8 = close_before_e8(m, x, a->day),
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
static void adjust_windows(struct market *m, const struct instrument *x, const struct action *a)
{
    const int32_t session = first_session_no(&m->venues[x->venue], a->day);
    for (size_t i = 0; i < m->series_n; i++)
        if (holds_prices(m, &m->series[i], x))
            window_scale(m->series[i].window,
                         window_step(m->series[i].window, a->day * NS_PER_DAY, session),
                         (double)a->from / (double)a->to);
}

/* The prices that stand, of before it, become those of after it: a->to and a->from are set. */
static void stand_divided(const struct market *m, struct instrument *x, const struct action *a,
                          bool carried)
{
    if (carried && x->price_day >= x->based_day) x->carried_e8 = x->price_e8;
    if (a->day > x->based_day) x->based_day = a->day;
    if (x->has_regular && x->regular_day < a->day)
        x->regular_e8 = per_share(x->regular_e8, (struct basis){ a->to, a->from });
    if (carried) x->price_e8 = actions_carry(m, x, x->carried_e8, x->price_day);
}

/* It takes effect. One that does not fit any more, since prices and counts have changed while it
 * waited, never does. */
static void split_now(struct market *m, struct instrument *x, struct action *a)
{
    const bool carried = carries(x, a), lines = lines_carry(x, a), jumped = has_jumped(x, a);
    a->applied = split_fits(m, x, a);
    a->refused = !a->applied;
    if (a->refused) return;
    a->to = a->a;
    a->from = a->b;
    stand_divided(m, x, a, carried);
    if (jumped) x->jump_is = 0;
    else if (x->shares) x->shares = times(x->shares, a->a, a->b);
    if (x->shares > x->shares_max) x->shares_max = x->shares;
    split_lines(m, x, a, jumped, lines ? instrument_index_e8(x) : 0);
    adjust_windows(m, x, a);
}

static enum err find_instrument(struct market *m, const struct symbol *s, struct instrument **out,
                                struct why *why)
{
    const uint32_t no = market_instrument(m, s);
    if (no == NONE) return symbols_unknown(m, s, why);
    *out = &m->instruments[no];
    return ERR_OK;
}

/* Whose action it is; ERR_INVALID when its venue has no session of that day, at whose open it
 * could take effect. */
static enum err find_acting(struct market *m, const struct symbol *s, int32_t day,
                            struct instrument **out, struct why *why)
{
    enum err e = find_instrument(m, s, out, why);
    return e ? e : calendars_has(m, (*out)->venue, day, why);
}

bool actions_presume(struct market *m, struct instrument *x, int64_t to, int64_t from, int32_t day)
{
    const struct action a = {
        .kind = ACTION_SPLIT, .day = day, .a = to, .b = from, .presumed = true
    };
    if (find(m, x, ACTION_SPLIT, day) || !split_fits(m, x, &a) || add(m, x, a)) return false;
    take_effect(m, x, (uint32_t)m->actions_n - 1);
    series_session(m);
    series_touch_all(m);
    return true;
}

/* It was presumed when its price came: now somebody says so. */
static bool was_presumed(struct market *m, const struct instrument *x, const struct action *said)
{
    for (struct action *a = next_of(m, x->first_action); a; a = next_of(m, a->next))
        if (a->kind == ACTION_SPLIT && a->presumed && explains(a->a, a->b, said->b, said->a)
            && a->day >= said->day - NEAR_DAYS && a->day <= said->day + NEAR_DAYS) {
            say_anew(m, a);
            a->presumed = false;
            say(m, a);
            return true;
        }
    return false;
}

enum err actions_split(struct market *m, const struct record *r, struct why *why)
{
    struct instrument *x = NULL;
    enum err e = find_acting(m, &r->u.split.symbol, r->u.split.day, &x, why);
    if (e) return e;
    struct action *known = find(m, x, ACTION_SPLIT, r->u.split.day);
    struct action a = { .kind = ACTION_SPLIT,
                        .day = r->u.split.day,
                        .a = r->u.split.to,
                        .b = r->u.split.from,
                        .child = NONE };
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
    if (!known) return add_and_take(m, x, a);
    correct(m, known, &a);
    return ERR_OK;
}

/* ---- payments: dividends, and parts that are spun off ----
 *
 * What is paid is held against the close before the ex-session, as exchanges do when they
 * adjust: with 400 before and 20 paid the price that stands, of whatever time after that close,
 * becomes 380 / 400 of it. */
/* What a share was worth before the open of that session, per share of after its splits; 0:
 * nobody knows. */
static int64_t worth_before(const struct market *m, const struct instrument *x, int32_t day)
{
    const uint32_t c = close_before(m, x, day);
    if (c == NONE) return x->price_day < day ? x->price_e8 : 0;
    if (m->closes[c].price_e8 <= 0) return 0; /* of when it might have such */
    return per_share(m->closes[c].price_e8, actions_between(m, x, m->closes[c].day, day));
}

/* What is paid for a share: of a spin-off the child's value, as far as it is known. */
static int64_t paid(const struct market *m, const struct action *a)
{
    int64_t value = a->amount_e8;
    if (a->kind != ACTION_SPIN_OFF) return value;
    const struct instrument *child = &m->instruments[a->child];
    if (!value && child->price_e8 > 0 && child->price_day >= a->day) value = child->price_e8;
    const i128 each = ((i128)value * a->a + a->b / 2) / a->b;
    return each > INT64_MAX ? INT64_MAX : (int64_t)each;
}

/* Levels and price returns do not fall by it: the price that stands is lowered and chained over,
 * or it came lowered. */
static void adjust_for(struct market *m, struct instrument *x, struct action *a, int64_t amount_e8)
{
    const bool carried = carries(x, a), lines = lines_carry(x, a);
    const int64_t worth = worth_before(m, x, a->day);
    if (worth <= 0) return; /* it has no price of before */
    a->to = worth;
    a->from = worth - amount_e8;
    stand_divided(m, x, a, carried);
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument) {
        const struct line *l = &m->store.lines[no];
        past_pay(&m->store, &m->universes[l->universe], no,
                 &(struct split){ .to = a->to,
                                  .from = a->from,
                                  .day = a->day,
                                  .carried_e8 = lines ? instrument_index_e8(x) : 0,
                                  .close_before_e8 = close_before_e8(m, x, a->day) },
                 amount_e8);
    }
    adjust_windows(m, x, a);
}

/* Price returns fall by it; total returns have it. */
static void reinvest(struct market *m, struct instrument *x, const struct action *a)
{
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument) {
        const struct line *l = &m->store.lines[no];
        struct universe *u = &m->universes[l->universe];
        const struct venue *v = &m->venues[u->venue];
        if (v->day > a->day || (v->day == a->day && !v->in_session))
            past_reinvest(&m->store, u, no, a->day, a->amount_e8);
        else if (l->valued && u->based) u->dividends += line_value(a->amount_e8, l->shares);
    }
}

/* False: a spin-off whose child has no price yet goes on waiting for it. */
static bool pay_now(struct market *m, struct instrument *x, struct action *a)
{
    const int64_t amount_e8 = paid(m, a), worth = worth_before(m, x, a->day);
    if (amount_e8 == 0) return false;
    a->refused = worth > 0 && amount_e8 >= worth;
    a->applied = !a->refused;
    if (a->refused) return true;
    if (a->kind == ACTION_DIVIDEND) reinvest(m, x, a);
    else adjust_for(m, x, a, amount_e8);
    if (a->kind == ACTION_SPIN_OFF) membership_of_child(m, a);
    return true;
}

static enum err too_much(const struct instrument *x, int64_t amount_e8, int64_t worth_e8,
                         struct why *why)
{
    char amount[DECIMAL_TEXT_MAX], worth[DECIMAL_TEXT_MAX];
    decimal_format(amount_e8, amount);
    decimal_format(worth_e8, worth);
    return err_set(why, ERR_INVALID, "%s for a share of %.15s, which is worth %s: it must be less",
                   amount, x->symbol.s, worth);
}

/* Said twice: a dead letter says so, since of two that differ after the fact only a person knows
 * which is right. */
static enum err known_already(const struct instrument *x, const char *what, int32_t day,
                              struct why *why)
{
    char text[DATE_TEXT_MAX];
    date_format(day, text);
    return err_set(why, ERR_INVALID, "%s of %.15s of %s is known: nothing has changed", what,
                   x->symbol.s, text);
}

enum err actions_dividend(struct market *m, const struct record *r, struct why *why)
{
    struct instrument *x = NULL;
    enum err e = find_acting(m, &r->u.dividend.symbol, r->u.dividend.day, &x, why);
    if (e) return e;
    const struct action a = { .kind = r->u.dividend.special ? ACTION_SPECIAL : ACTION_DIVIDEND,
                              .day = r->u.dividend.day,
                              .amount_e8 = r->u.dividend.amount_e8,
                              .child = NONE };
    const int64_t worth = worth_before(m, x, a.day);
    if (worth && a.amount_e8 >= worth) return too_much(x, a.amount_e8, worth, why);
    struct action *known = find(m, x, (enum action_kind)a.kind, a.day);
    if (known && (!waits(known) || known->amount_e8 == a.amount_e8))
        return known_already(x, "a dividend", a.day, why);
    if (!known) return add_and_take(m, x, a);
    correct(m, known, &a);
    return ERR_OK;
}

/* One that waits for its child's price may still be told what that is worth. */
enum err actions_spin_off(struct market *m, const struct record *r, struct why *why)
{
    struct instrument *x = NULL, *child = NULL;
    enum err e = find_acting(m, &r->u.spin_off.parent, r->u.spin_off.day, &x, why);
    if (!e) e = find_instrument(m, &r->u.spin_off.child, &child, why);
    if (e) return e;
    if (x == child) return err_set(why, ERR_INVALID, "parent and child are %.15s", x->symbol.s);
    const struct action a = { .kind = ACTION_SPIN_OFF,
                              .day = r->u.spin_off.day,
                              .a = r->u.spin_off.to,
                              .b = r->u.spin_off.from,
                              .amount_e8 = r->u.spin_off.value_e8,
                              .child = (uint32_t)(child - m->instruments) };
    const int64_t worth = worth_before(m, x, a.day), amount = paid(m, &a);
    if (worth && amount >= worth) return too_much(x, amount, worth, why);
    struct action *known = find(m, x, ACTION_SPIN_OFF, a.day);
    if (known
        && (!waits(known)
            || (known->child == a.child && known->a == a.a && known->b == a.b
                && known->amount_e8 == a.amount_e8)))
        return known_already(x, "a spin-off", a.day, why);
    if (!known) return add_and_take(m, x, a);
    correct(m, known, &a);
    return take_waiting(m, x);
}

/* ---- the end of an instrument ---- */
/* What a share gets: cash, and shares of the acquirer at its close before, after splits of its
 * own that take effect with the merger. LLTC of 2017-03-10: 46 and 0.2321 of ADI, which closed
 * at 82.25, is 65.090225. 0: nobody knows, as nobody knows what the acquirer is worth. */
static int64_t terms_of(const struct market *m, const struct action *a)
{
    if (a->child == NONE) return a->amount_e8;
    const int64_t each = worth_before(m, &m->instruments[a->child], a->day);
    const i128 value = a->amount_e8 + ((i128)each * a->a + a->b / 2) / a->b;
    return each <= 0 ? 0 : value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* Its price becomes what a share is then worth, by which levels move; then its lines go, by
 * which they do not. Said late, as of then. */
static void leave_now(struct market *m, struct instrument *x, struct action *a)
{
    const int64_t terms_e8 = terms_of(m, a), price_e8 = terms_e8 ? terms_e8 : x->price_e8;
    a->applied = value_fits(price_e8, x->shares_max);
    a->refused = !a->applied;
    if (a->refused) return;
    if ((terms_e8 || x->priced) && x->price_day <= a->day) {
        x->priced = x->has_regular = true;
        const int64_t open_ns = a->day * NS_PER_DAY;
        x->price_e8 = x->regular_e8 = price_e8;
        x->price_day = x->regular_day = a->day;
        if (open_ns > x->price_ns) x->price_ns = open_ns;
        for (uint32_t c = x->last_close; c != NONE && m->closes[c].day >= a->day;
             c = m->closes[c].previous)
            /* said late: they carried its last price on */
            market_set_close(m, c,
                             (struct close){ m->closes[c].day, m->closes[c].previous, price_e8 });
    }
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument) {
        struct universe *u = &m->universes[m->store.lines[no].universe];
        past_leave(&m->store, u, no, a->day, price_e8);
    }
}

/* Of one session there is one end. */
static struct action *find_end(const struct market *m, const struct instrument *x, int32_t day)
{
    struct action *a = find(m, x, ACTION_DELISTING, day);
    return a ? a : find(m, x, ACTION_MERGER, day);
}

/* Of shares of an acquirer, which is then an instrument and not but a name. */
static enum err find_acquirer(struct market *m, const struct record *r, const struct instrument *x,
                              uint32_t *out, struct why *why)
{
    const struct str of = r->u.delisting.acquirer;
    struct symbol s = { { 0 } };
    *out = NONE;
    if (!r->u.delisting.to && !r->u.delisting.from && r->u.delisting.price_e8) return ERR_OK;
    if (!r->u.delisting.to || !r->u.delisting.from || !of.n)
        return err_set(
            why, ERR_INVALID,
            "a merger says what a share of %.15s gets: a price, or new shares of the acquirer for old ones, or both",
            x->symbol.s);
    if (of.n > SYMBOL_MAX)
        return err_set(why, ERR_UNKNOWN_SYMBOL, "acquirer \"%.*s\" is no symbol", (int)of.n, of.p);
    memcpy(s.s, of.p, of.n);
    struct instrument *acquirer = NULL;
    enum err e = find_instrument(m, &s, &acquirer, why);
    if (e) return e;
    if (acquirer == x)
        return err_set(why, ERR_INVALID, "%.15s cannot take over itself", x->symbol.s);
    *out = (uint32_t)(acquirer - m->instruments);
    return ERR_OK;
}

static bool same_end(const struct action *a, const struct action *b)
{
    return a->kind == b->kind && a->amount_e8 == b->amount_e8 && a->a == b->a && a->b == b->b
           && a->child == b->child;
}

/* A merger too, whose terms are its price. */
enum err actions_delisting(struct market *m, const struct record *r, struct why *why)
{
    struct instrument *x = NULL;
    enum err e = find_acting(m, &r->u.delisting.symbol, r->u.delisting.day, &x, why);
    uint32_t acquirer = NONE;
    if (!e && r->kind == RECORD_MERGER) e = find_acquirer(m, r, x, &acquirer, why);
    if (e) return e;
    const struct action a = { .kind = r->kind == RECORD_MERGER ? ACTION_MERGER : ACTION_DELISTING,
                              .day = r->u.delisting.day,
                              .a = r->u.delisting.to,
                              .b = r->u.delisting.from,
                              .amount_e8 = r->u.delisting.price_e8,
                              .child = acquirer };
    if (!value_fits(a.amount_e8, x->shares_max))
        return err_set(why, ERR_INVALID, "price times shares of %.15s is too large", x->symbol.s);
    struct action *known = find_end(m, x, a.day);
    if (known && (!waits(known) || same_end(known, &a)))
        return known_already(x, "the end", a.day, why);
    if (!known) return add_and_take(m, x, a);
    correct(m, known, &a);
    return ERR_OK;
}

/* ---- counts of a session to come ---- */
/* The session with which a count takes effect, when that has not begun. A count that a waiting
 * split explains, or that is said on its day or later, is the one after the split. */
static int32_t waits_for(const struct market *m, const struct instrument *x, const struct record *r)
{
    const int32_t said = day_of_ns(r->event_ns);
    if (r->u.shares.day != NO_DAY)
        return r->u.shares.day > market_day(m, x) ? r->u.shares.day : NO_DAY;
    for (struct action *a = next_of(m, x->first_action); a; a = next_of(m, a->next))
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
                                    .b = r->u.shares.float_e8,
                                    .child = NONE });
    known->a = r->u.shares.shares;
    known->b = r->u.shares.float_e8;
    return ERR_OK;
}

/* ---- sessions ---- */
static enum divisor_reason reason_of(const struct action *a)
{
    static const enum divisor_reason reasons[ACTION_KIND_COUNT] = {
        [ACTION_SPLIT] = DIVISOR_SPLIT,
        [ACTION_SHARES] = DIVISOR_SHARES,
        [ACTION_SPECIAL] = DIVISOR_SPECIAL_DIVIDEND,
        [ACTION_SPIN_OFF] = DIVISOR_SPIN_OFF,
        [ACTION_DELISTING] = DIVISOR_DELISTING,
        [ACTION_MERGER] = DIVISOR_MERGER,
    };
    return reasons[a->kind]; /* a dividend that is not special moves no divisor */
}

/* A count may turn out to be a split that nobody said, which is one action more: no pointer to
 * one lasts over it. */
static void count_now(struct market *m, struct instrument *x, uint32_t no)
{
    const bool taken = m->take_count(m, x, m->actions[no].a, m->actions[no].b);
    m->actions[no].applied = taken;
    m->actions[no].refused = !taken;
}

/* Who takes another over comes first: what its shares have become counts in the terms. Of two
 * who take over one another the first is in force by then. */
static void take_acquirer(struct market *m, uint32_t no)
{
    struct action *a = &m->actions[no];
    if (a->kind != ACTION_MERGER || a->child == NONE) return;
    a->applied = true;
    if (m->instruments[a->child].waits_day <= a->day)
        take_all(m, &m->instruments[a->child], a->day);
}

static void take_effect(struct market *m, struct instrument *x, uint32_t no)
{
    take_acquirer(m, no);
    struct action *a = &m->actions[no];
    divisor_because(&m->store.divisors, reason_of(a), a->day);
    switch ((enum action_kind)a->kind) {
    case ACTION_SPLIT: split_now(m, x, a); break;
    case ACTION_SHARES: count_now(m, x, no); break;
    case ACTION_DIVIDEND:
    case ACTION_SPECIAL: (void)pay_now(m, x, a); break;
    case ACTION_SPIN_OFF:
        if (pay_now(m, x, a)) break;
        a->awaits = true;
        m->awaited_n++;
        break;
    case ACTION_DELISTING:
    case ACTION_MERGER: leave_now(m, x, a); break;
    case ACTION_NONE:
    case ACTION_RENAME:
    case ACTION_KIND_COUNT: break;
    }
    divisor_because_usual(&m->store.divisors);
    say(m, &m->actions[no]);
}

/* What the instrument waits for next. A child's price is no session: actions_children looks
 * after those. */
static int32_t first_day(const struct market *m, const struct instrument *x)
{
    int32_t day = INT32_MAX;
    for (struct action *a = next_of(m, x->first_action); a; a = next_of(m, a->next))
        if (waits(a) && !a->awaits && a->day < day) day = a->day;
    return day;
}

/* Earlier sessions first, and of one session kind by kind. */
static void take_all(struct market *m, struct instrument *x, int32_t day)
{
    for (; x->waits_day <= day; x->waits_day = first_day(m, x))
        for (int64_t kind = ACTION_SPLIT; kind < ACTION_KIND_COUNT; kind++)
            for (uint32_t no = x->first_action; no != NONE; no = m->actions[no].next) {
                const struct action *a = &m->actions[no];
                if (waits(a) && !a->awaits && a->kind == kind && a->day == x->waits_day)
                    take_effect(m, x, no);
            }
    series_touch_all(m);
}

static enum err take_waiting(struct market *m, struct instrument *x)
{
    const int32_t day = market_day(m, x);
    if (x->waits_day > day) return ERR_OK;
    take_all(m, x, day);
    series_session(m);
    return ERR_OK;
}

/* In its place at once when its session has begun. */
static enum err add_and_take(struct market *m, struct instrument *x, struct action a)
{
    const enum err e = add(m, x, a);
    return e ? e : take_waiting(m, x);
}

/* A child has its first price: what its parents' shares have lost is known. */
void actions_children(struct market *m)
{
    for (size_t i = 0; m->awaited_n && i < m->actions_n; i++) {
        struct action *a = &m->actions[i];
        if (!a->awaits) continue;
        divisor_because(&m->store.divisors, DIVISOR_SPIN_OFF, a->day);
        const bool paid = pay_now(m, &m->instruments[a->instrument], a);
        divisor_because_usual(&m->store.divisors);
        if (!paid) continue;
        a->awaits = false;
        say(m, a);
        m->awaited_n--;
        series_session(m);
        series_touch_all(m);
    }
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
    m->awaited_n = 0;
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
        if (a->applied && a->to && a->day > x->based_day) x->based_day = a->day;
        m->awaited_n += a->awaits;
        if (waits(a) && !a->awaits && a->day < x->waits_day) x->waits_day = a->day;
        if (waits(a) && !a->awaits && a->day < m->waits_day) m->waits_day = a->day;
    }
}
