/* quality.c - see quality.h. A split of 2 for 1 that nobody said, of A with 100 shares at 400:
 *
 *   Monday    trade 201      split_like_price, 400 -> 201: half, within 2 %. The cap was 40,000 before it
 *   Monday    shares 200     shares_jump, 100 -> 200; and the cap is back at 40,200: cap_spike
 */
#include "analytics/quality.h"

#include "analytics/actions.h"
#include "analytics/calendars.h"
#include "analytics/shares.h"
#include "core/decimal.h"
#include "core/vec.h"
#include "core/when.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

NAMES(quality_reason, QUALITY_REASONS);
NAMES(quality_state, QUALITY_STATES);

struct uuid quality_id(uint64_t no)
{
    const uint64_t what = 0x7175616c697479; /* "quality" */
    return uuid_derive((struct uuid){ { 0 } }, no, what);
}

/* ---- raising ---- */
/* Memory that is out shows in m->flags.failed: the engine gives up over it. */
static PRINTF_LIKE(3, 0) void put_flag(struct market *m, const struct quality_flag *flag,
                                       const char *fmt, va_list args)
{
    if (!VEC_GROW(&m->flags.of, &m->flags.cap, m->flags.n + 1)) {
        m->flags.failed = true;
        return;
    }
    struct quality_flag *f = &m->flags.of[m->flags.n++];
    *f = *flag;
    vsnprintf(f->detail, sizeof f->detail, fmt, args); /* cut, were it ever too long */
}

static PRINTF_LIKE(6, 7) void raise_flag(struct market *m, const struct instrument *x,
                                         enum quality_reason reason, double before, double after,
                                         const char *fmt, ...)
{
    const struct quality_flag flag = { .no = ++m->flags.made,
                                       .instrument = (uint32_t)(x - m->instruments),
                                       .reason = reason,
                                       .state = QUALITY_FLAGGED,
                                       .before = before,
                                       .after = after };
    va_list args;
    va_start(args, fmt);
    put_flag(m, &flag, fmt, args);
    va_end(args);
}

static bool looks(const struct market *m) { return m->settings.meaning >= MEANING_SECOND; }
static double price_of(int64_t e8) { return (double)e8 / 1e8; }

/* ---- jumps ---- */
static bool within(int64_t a, int64_t b, int pct)
{
    const i128 x = a > b ? a : b, y = a > b ? b : a;
    return x * 100 <= y * (100 + pct);
}

/* 2 and its like, within 2 %; 0: none. */
static int split_ratio(int64_t was, int64_t is)
{
    static const int ratios[] = { 2, 3, 4, 5, 10, 20 };
    const i128 large = was > is ? was : is, small = was > is ? is : was;
    for (size_t i = 0; i < ARRAY_LEN(ratios); i++)
        if (large * 100 >= small * ratios[i] * 98 && large * 100 <= small * ratios[i] * 102)
            return ratios[i];
    return 0;
}

/* 0: not known. */
static int64_t cap_of(int64_t price_e8, int64_t shares)
{
    return price_e8 && shares && value_fits(price_e8, shares) ? line_value(price_e8, shares) : 0;
}

/* The cap goes from one to another; is it back where it was before it jumped the last time? */
static void cap_jumps(struct market *m, struct instrument *x, int64_t was, int64_t is, int64_t ns)
{
    const int64_t from = x->cap_before_jump;
    x->cap_before_jump = 0;
    if (was == 0 || is == 0) return;
    if (from && ns - x->jump_ns <= 7 * NS_PER_DAY && within(from, is, 5)) {
        raise_flag(m, x, QUALITY_CAP_SPIKE, (double)was / 100, (double)is / 100,
                   "the cap of %s jumped from %" PRId64 " to %" PRId64 " and is back at %" PRId64,
                   x->symbol.s, from / 100, was / 100, is / 100);
        return;
    }
    x->cap_before_jump = was;
    x->jump_ns = ns;
}

void quality_price_jumps(struct market *m, struct instrument *x, int64_t price_e8, int64_t event_ns)
{
    if (!looks(m)) return;
    const int ratio = split_ratio(x->price_e8, price_e8);
    char was[DECIMAL_TEXT_MAX], is[DECIMAL_TEXT_MAX];
    decimal_format(x->price_e8, was);
    decimal_format(price_e8, is);
    if (ratio && !actions_split_explains(m, x, price_e8, x->price_e8))
        raise_flag(m, x, QUALITY_SPLIT_LIKE_PRICE, price_of(x->price_e8), price_of(price_e8),
                   "the price of %s went from %s to %s, about %s%d, and no split is known",
                   x->symbol.s, was, is, price_e8 < x->price_e8 ? "1/" : "times ", ratio);
    cap_jumps(m, x, cap_of(x->price_e8, x->shares), cap_of(price_e8, x->shares), event_ns);
}

/* ---- one cap, two lines ----
 * Said when they come within 1 per cent, and again only when they were 10 apart meanwhile: two lines whose caps happen to be near
 * one another would else be said each time that they cross. */
static void twins(struct market *m, uint32_t a, uint32_t b)
{
    struct instrument *x = &m->instruments[a], *y = &m->instruments[b];
    const int64_t cap = cap_of(x->price_e8, x->shares), other = cap_of(y->price_e8, y->shares);
    const bool same = cap && other && within(cap, other, 1), known = x->twin == b && y->twin == a;
    if (same && !known) {
        raise_flag(m, x, QUALITY_SAME_CAP, (double)other / 100, (double)cap / 100,
                   "%s and %s of %s have the same cap: has the company's been entered twice?",
                   y->symbol.s, x->symbol.s, m->issuers[x->issuer].key);
        x->twin = b;
        y->twin = a;
    } else if (known && !within(cap, other, 10)) x->twin = y->twin = NONE;
}

/* Of the line's company in its universe. */
static void look_for_twins(struct market *m, uint32_t line, bool all)
{
    const struct line *l = &m->store.lines[line];
    if (!l->valued || m->store.slots[l->slot].lines_n < 2) return;
    uint32_t no = all ? m->universes[l->universe].first_line : l->next_of_universe;
    for (; no != NONE; no = m->store.lines[no].next_of_universe) {
        const struct line *k = &m->store.lines[no];
        if (no != line && k->valued && k->slot == l->slot) twins(m, l->instrument, k->instrument);
    }
}

/* ---- share counts ---- */
static void count_jumps(struct market *m, struct instrument *x, int64_t was)
{
    if (!looks(m)) return;
    if (was && quality_is_jump(was, x->shares)) {
        raise_flag(m, x, QUALITY_SHARES_JUMP, (double)was, (double)x->shares,
                   "the shares of %s went from %" PRId64 " to %" PRId64
                   ", and no corporate action says so",
                   x->symbol.s, was, x->shares);
        cap_jumps(m, x, cap_of(x->price_e8, was), cap_of(x->price_e8, x->shares), m->hand_ns);
    }
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument)
        look_for_twins(m, no, true);
}

/* ---- counts that are held ---- */
static PRINTF_LIKE(5, 6) void say_state(struct market *m, const struct instrument *x,
                                        const struct held *h, enum quality_state state,
                                        const char *fmt, ...)
{
    const struct quality_flag flag = { .no = h->no,
                                       .seq = h->seq,
                                       .event_ns = h->event_ns,
                                       .instrument = (uint32_t)(x - m->instruments),
                                       .reason = QUALITY_SHARES_JUMP,
                                       .state = state,
                                       .before = (double)h->was,
                                       .after = (double)h->shares };
    va_list args;
    va_start(args, fmt);
    put_flag(m, &flag, fmt, args);
    va_end(args);
}

#define COUNT "%" PRId64 " shares of %s in place of %" PRId64
#define COUNT_OF(h, x) (h)->shares, (x)->symbol.s, (h)->was

/* The price has moved by the inverse of the count, within 10 %. */
static bool price_confirms(const struct held *h, int64_t price_e8)
{
    const i128 was = (i128)h->price_e8 * h->was, is = (i128)price_e8 * h->shares;
    return h->price_e8 && is * 10 >= was * 9 && is * 10 <= was * 11;
}

/* It counts, as an issue at the price that stands; whether it fits was asked when it came, and
 * may no longer be so. */
static bool take(struct market *m, struct instrument *x)
{
    const struct held h = x->held;
    if (!shares_set(m, x, h.shares, h.float_e8)) return false;
    x->held.no = 0;
    return true;
}

void quality_action(struct market *m, struct instrument *x)
{
    const struct held h = x->held;
    if (!h.no) return;
    if (x->shares == h.was) return;
    if (quality_is_jump(x->shares, h.shares)) { /* another one: the count waits still */
        x->held.was = x->shares;
        x->held.price_e8 = x->price_e8;
        return;
    }
    if (x->shares != h.shares && !take(m, x)) return;
    x->held.no = 0;
    say_state(m, x, &h, QUALITY_CONFIRMED_BY_ACTION, COUNT ": a corporate action says so",
              COUNT_OF(&h, x));
}

/* As a split that nobody said: of 4 for 1 where the count is four times what it was within a per
 * cent, else of the one count for the other; what is left of the count is an issue. */
static bool take_as_split(struct market *m, struct instrument *x, int32_t day)
{
    const struct held h = x->held;
    const int ratio = split_ratio(h.was, h.shares);
    const int64_t to = h.shares > h.was ? ratio : 1, from = h.shares > h.was ? 1 : ratio;
    x->held.no = 0;
    if (ratio && within(h.was * to, h.shares * from, 1)
            ? actions_presume(m, x, to, from, day)
            : actions_presume(m, x, h.shares, h.was, day))
        if (shares_set(m, x, h.shares, h.float_e8)) return true;
    x->held.no = h.no;
    return false;
}

/* The session from whose open on a split stands that a price of that day tells of. A price of
 * the evening tells of the next one's: the session that it is of closes, or has closed, as it
 * was. */
static int32_t split_day(const struct market *m, const struct instrument *x, int32_t day,
                         bool regular)
{
    const bool evening = !regular && x->has_regular && x->regular_day >= day;
    return evening || venue_has_ended(&m->venues[x->venue], day) ? day + 1 : day;
}

/* Also true when it has been settled with that. */
static bool holds(struct market *m, struct instrument *x, int64_t shares, int64_t float_e8)
{
    const bool held = x->held.no != 0;
    if (!looks(m) || !m->settings.hold_shares) return false;
    if (held && shares == x->held.shares && float_e8 == x->held.float_e8) return true;
    if (held)
        say_state(m, x, &x->held, QUALITY_SUPERSEDED, COUNT ": another count has come, %" PRId64,
                  COUNT_OF(&x->held, x), shares);
    x->held.no = 0;
    if (!x->shares || x->price_e8 <= 0 || !quality_is_jump(x->shares, shares)
        || actions_split_explains(m, x, x->shares, shares))
        return false;
    const struct close *before = x->last_close == NONE ? NULL : &m->closes[x->last_close];
    x->held = (struct held){ .shares = shares,
                             .float_e8 = float_e8,
                             .was = x->shares,
                             .no = ++m->flags.made,
                             .seq = m->hand_seq,
                             .event_ns = m->hand_ns };
    /* The price may have moved first. */
    x->held.price_e8 = before ? actions_per_share(m, x, before->price_e8, before->day) : 0;
    const struct held h = x->held;
    const int32_t day_was = x->price_day, day = split_day(m, x, day_was, !x->extended);
    const bool confirms = price_confirms(&h, x->price_e8);
    if (confirms) x->price_day = day;
    if (confirms && take_as_split(m, x, day)) {
        say_state(m, x, &h, QUALITY_CONFIRMED_BY_PRICE,
                  COUNT ": the price had moved by the inverse", COUNT_OF(&h, x));
        return true;
    }
    x->price_day = day_was;
    x->held.price_e8 = x->price_e8;
    say_state(m, x, &x->held, QUALITY_HELD,
              COUNT " are held until a corporate action, the price or a person confirms it",
              COUNT_OF(&x->held, x));
    return true;
}

bool quality_count(struct market *m, struct instrument *x, int64_t shares, int64_t float_e8)
{
    const int64_t was = x->shares;
    if (holds(m, x, shares, float_e8)) return true;
    if (!shares_set(m, x, shares, float_e8)) return false;
    count_jumps(m, x, was);
    return true;
}

int32_t quality_price_comes(struct market *m, struct instrument *x, int64_t price_e8, int32_t day,
                            bool regular)
{
    const struct held h = x->held;
    if (x->shares != h.was) {
        quality_action(m, x);
        return day;
    }
    const int32_t from = split_day(m, x, day, regular);
    if (!price_confirms(&h, price_e8) || !value_fits(price_e8, h.shares)
        || !take_as_split(m, x, from))
        return day;
    say_state(m, x, &h, QUALITY_CONFIRMED_BY_PRICE, COUNT ": the price has moved by the inverse",
              COUNT_OF(&h, x));
    return from;
}

enum err quality_release(struct market *m, const struct uuid *id, struct why *why)
{
    for (size_t i = 0; i < m->instruments_n; i++) {
        struct instrument *x = &m->instruments[i];
        if (!x->held.no || !uuid_equal(quality_id(x->held.no), *id)) continue;
        const struct held h = x->held;
        if (!take(m, x))
            return err_set(why, ERR_INVALID, "price times shares of %s is above what fits",
                           x->symbol.s);
        say_state(m, x, &h, QUALITY_RELEASED, COUNT ": a person says so", COUNT_OF(&h, x));
        return ERR_OK;
    }
    return err_set(why, ERR_NOT_FOUND, "no share count is held under that id");
}

/* ---- closes ---- */
void quality_close(struct market *m, const struct instrument *x, int64_t close_e8, int32_t day)
{
    if (!looks(m) || x->range_day != day || x->low_e8 == 0) return;
    if (close_e8 >= x->low_e8 && close_e8 <= x->high_e8) return;
    char low[DECIMAL_TEXT_MAX], high[DECIMAL_TEXT_MAX], close[DECIMAL_TEXT_MAX];
    decimal_format(x->low_e8, low);
    decimal_format(x->high_e8, high);
    decimal_format(close_e8, close);
    raise_flag(m, x, QUALITY_CLOSE_OUTSIDE_RANGE,
               price_of(close_e8 < x->low_e8 ? x->low_e8 : x->high_e8), price_of(close_e8),
               "the close of %s is %s, and it was traded from %s to %s", x->symbol.s, close, low,
               high);
}

static bool is_member(const struct market *m, const struct instrument *x)
{
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument)
        if (m->store.lines[no].active) return true;
    return false;
}

/* Kept until it comes. Closes that never come do not fill the memory: of very many the older
 * half is forgotten, and stays flagged. */
enum { MISSING_MAX = 20000 };

static void keep_missing(struct market *m, const struct instrument *x, int32_t day)
{
    if (m->missing_n == MISSING_MAX) {
        m->missing_n = MISSING_MAX / 2;
        memmove(m->missing, m->missing + MISSING_MAX / 2, m->missing_n * sizeof *m->missing);
    }
    if (!VEC_GROW(&m->missing, &m->missing_cap, m->missing_n + 1)) {
        m->flags.failed = true;
        return;
    }
    m->missing[m->missing_n++] =
        (struct missing_close){ .no = m->flags.made,
                                .seq = m->hand_seq,
                                .event_ns = m->hand_ns,
                                .instrument = (uint32_t)(x - m->instruments),
                                .day = day };
}

static PRINTF_LIKE(4, 5) void say_withdrawn(struct market *m, const struct missing_close *c,
                                            double close, const char *fmt, ...)
{
    const struct quality_flag flag = { .no = c->no,
                                       .seq = c->seq,
                                       .event_ns = c->event_ns,
                                       .instrument = c->instrument,
                                       .reason = QUALITY_NO_CLOSE,
                                       .state = QUALITY_WITHDRAWN,
                                       .before = (double)NAN,
                                       .after = close };
    va_list args;
    va_start(args, fmt);
    put_flag(m, &flag, fmt, args);
    va_end(args);
}

void quality_late_close(struct market *m, const struct instrument *x, int64_t close_e8, int32_t day)
{
    const uint32_t instrument = (uint32_t)(x - m->instruments);
    char date[DATE_TEXT_MAX];
    date_format(day, date);
    for (size_t i = m->missing_n; i-- > 0;) {
        const struct missing_close c = m->missing[i];
        if (c.instrument != instrument || c.day != day) continue;
        m->missing_n--;
        memmove(m->missing + i, m->missing + i + 1, (m->missing_n - i) * sizeof *m->missing);
        say_withdrawn(m, &c, price_of(close_e8),
                      "the session %s had ended without a close of %s, which has come since", date,
                      x->symbol.s);
        return;
    }
}

static void no_close(struct market *m, const struct instrument *x, int32_t day)
{
    char date[DATE_TEXT_MAX];
    date_format(day, date);
    raise_flag(m, x, QUALITY_NO_CLOSE,
               x->last_close == NONE ? (double)NAN : price_of(m->closes[x->last_close].price_e8),
               NAN, "the session %s has ended without a close of %s", date, x->symbol.s);
    keep_missing(m, x, day);
}

static bool has_close(const struct instrument *x, int32_t day)
{
    return x->official_e8 && x->official_day == day;
}

static bool some_close(const struct market *m, uint32_t venue, int32_t day)
{
    for (size_t i = 0; i < m->instruments_n; i++)
        if (m->instruments[i].venue == venue && has_close(&m->instruments[i], day)) return true;
    return false;
}

void quality_session_ends(struct market *m, uint32_t venue, int32_t day)
{
    if (!looks(m)) return;
    const bool some = some_close(m, venue, day);
    for (size_t i = 0; i < m->instruments_n; i++) {
        const struct instrument *x = &m->instruments[i];
        if (x->venue != venue) continue;
        if (has_close(x, day)) quality_close(m, x, x->official_e8, day);
        else if ((some || x->range_day != day) && is_member(m, x)) no_close(m, x, day);
    }
    for (size_t i = 0; i < m->universes_n; i++) {
        if (m->universes[i].venue != venue) continue;
        for (uint32_t no = m->universes[i].first_line; no != NONE;
             no = m->store.lines[no].next_of_universe)
            look_for_twins(m, no, false);
    }
}

/* Once, at the end of the session in which it took effect. */
void quality_children(struct market *m, uint32_t venue, int32_t day)
{
    if (!looks(m)) return;
    for (size_t i = 0; i < m->actions_n; i++) {
        const struct action *a = &m->actions[i];
        const struct instrument *x = &m->instruments[a->instrument];
        if (!a->awaits || a->day != day || x->venue != venue) continue;
        raise_flag(m, x, QUALITY_SPIN_OFF_UNPRICED, price_of(x->price_e8), NAN,
                   "%s has had no price since %s spun it off: until it has, or the spin_off says "
                   "its \"value\", %s has fallen by it",
                   m->instruments[a->child].symbol.s, x->symbol.s, x->symbol.s);
    }
}
