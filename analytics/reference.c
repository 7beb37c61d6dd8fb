/* reference.c - what records say of issuers, instruments, shares and indices; and prices, since a
 * price is a fact of an instrument too. In the order in which a feed says it:
 *
 *     issuer      APPLE                          made, named "APPLE"
 *     instrument  AAPL of APPLE                  number 0; its price is 0, it counts nowhere
 *     shares      AAPL 1,000,000, float 0.9      effective 900,000
 *     index       X, base 1000                   with the measures that every index has; no level yet
 *     membership  AAPL in X                      a line, active, not valued: coverage 0 of 1
 *     close       AAPL 200.00                    valued at 180,000,000.00: coverage 1 of 1
 *     clock       session ends                   X stands at 1000
 *     membership  AAPL in X, shares 500,000      own shares go before the instrument's, float applies
 *     instrument  AAPL of OTHER                  its line is OTHER's: HHI by company is anew, the level stays
 *     membership  AAPL leaves X                  the line stays and may be rejoined; X has no level
 *
 * Everything is checked before anything is changed, so a record that is refused leaves no trace. */
#include "analytics/reference.h"

#include "analytics/actions.h"
#include "analytics/calendars.h"
#include "analytics/closes.h"
#include "analytics/identity.h"
#include "analytics/issuers.h"
#include "analytics/membership.h"
#include "analytics/prices.h"
#include "analytics/quality.h"
#include "analytics/series.h"
#include "analytics/session.h"
#include "analytics/shares.h"
#include "analytics/symbols.h"
#include "core/decimal.h"
#include "core/vec.h"
#include "core/when.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum err find_instrument(struct market *m, const struct symbol *s, struct instrument **out,
                                struct why *why)
{
    uint32_t no = market_instrument(m, s);
    if (no == NONE) return symbols_unknown(m, s, why);
    *out = &m->instruments[no];
    return ERR_OK;
}

static enum err too_valuable(const struct symbol *s, struct why *why)
{
    return err_set(why, ERR_INVALID, "price times shares of %.15s is above %" PRId64 " cents", s->s,
                   VALUE_MAX);
}

/* ---- prices ---- */
static bool may_have(const struct instrument *x, int64_t price_e8)
{
    return price_e8 > 0 || x->negative_prices;
}

static enum err not_above_0(const struct symbol *s, int64_t price_e8, struct why *why)
{
    char price[DECIMAL_TEXT_MAX];
    decimal_format(price_e8, price);
    return err_set(
        why, ERR_INVALID,
        "price %s of %.15s: prices of 0 and below are data once an instrument record of it says \"negative_prices\":true",
        price, s->s);
}

static enum err find_priced(struct market *m, const struct symbol *symbol, int64_t price_e8,
                            struct instrument **out, struct why *why)
{
    enum err e = find_instrument(m, symbol, out, why);
    if (e) return e;
    if (!may_have(*out, price_e8)) return not_above_0(symbol, price_e8, why);
    return value_fits(price_e8, (*out)->shares_max) ? ERR_OK : too_valuable(symbol, why);
}

bool reference_takes(const struct market *m, const struct record *r)
{
    const uint32_t no = market_instrument(m, &r->u.symbol);
    const int64_t price_e8 = r->kind == RECORD_CLOSE ? r->u.close.price_e8 : r->u.trade.price_e8;
    return no != NONE && may_have(&m->instruments[no], price_e8)
           && value_fits(price_e8, m->instruments[no].shares_max);
}

enum err reference_trade(struct market *m, const struct record *r, enum trade_place *place,
                         struct why *why)
{
    struct instrument *x = NULL;
    struct trading at;
    enum err e = find_priced(m, &r->u.trade.symbol, r->u.trade.price_e8, &x, why);
    if (e) return e;
    if (m->settings.meaning >= MEANING_SECOND && x->priced && r->event_ns < x->price_ns) {
        *place = TRADE_LATE; /* it was paid, all the same */
        if (!calendars_trading(m, x->venue, r->event_ns, &at, NULL) && at.regular
            && at.day == x->range_day)
            quality_traded(x, r->u.trade.price_e8, at.day);
        return ERR_OK;
    }
    e = calendars_trading(m, x->venue, r->event_ns, &at, why);
    if (!e && !at.regular) *place = TRADE_EXTENDED;
    if (!e && at.regular) e = session_price(m, x->venue, at.day);
    if (e) return e;
    int64_t price_e8 = r->u.trade.price_e8;
    if (at.day >= x->waits_day) actions_due(m, x, at.day); /* it trades before the open */
    if (at.day < x->based_day) price_e8 = actions_carry(m, x, price_e8, at.day);
    prices_move(m, x, &(struct price){ price_e8, r->event_ns, at.day, at.regular });
    if (m->awaited_n) actions_children(m);
    if (at.regular) quality_traded(x, r->u.trade.price_e8, at.day);
    return ERR_OK;
}

enum err reference_close(struct market *m, const struct record *r, bool *corrects, struct why *why)
{
    struct instrument *x = NULL;
    int64_t price_e8 = r->u.close.price_e8;
    int32_t day = r->u.close.day;
    enum err e = find_priced(m, &r->u.close.symbol, price_e8, &x, why);
    *corrects = false;
    if (!e) e = calendars_has(m, x->venue, day, why);
    if (!e) e = session_price(m, x->venue, day);
    if (e) return e;
    const struct venue *v = &m->venues[x->venue];
    if (m->settings.meaning < MEANING_SECOND)
        prices_move(m, x, &(struct price){ price_e8, r->event_ns, day, .regular = true });
    else if (day == v->day && v->in_session) closes_keep(m, x, price_e8, day, r->event_ns);
    else {
        *corrects = true;
        e = closes_correct(m, x, price_e8, day, r->event_ns, why);
    }
    return e;
}

/* ---- issuers and instruments ---- */
enum err reference_issuer(struct market *m, const struct record *r, struct why *why)
{
    /* Of a key that was given up it is what the company was called then. */
    uint32_t no = market_issuer_entry(m, r->u.issuer.issuer);
    (void)why;
    enum err e = no == NONE ? market_issuer(m, r->u.issuer.issuer, &no) : ERR_OK;
    if (!e && r->u.issuer.name.n)
        copy_name(m->issuers[no].name, sizeof m->issuers[no].name, r->u.issuer.name);
    return e;
}

static bool is_member(const struct market *m, const struct instrument *x)
{
    for (uint32_t no = x->first_line; no != NONE; no = m->store.lines[no].next_of_instrument)
        if (m->store.lines[no].active) return true;
    return false;
}

static bool is_of(const struct market *m, const struct instrument *x, struct str issuer)
{
    return market_find_issuer(m, issuer) == x->issuer;
}

/* Of an instrument that has traded or been a member something is known that is not the other
 * company's. */
static bool has_history(const struct market *m, const struct instrument *x)
{
    return m->settings.meaning >= MEANING_SECOND && (x->priced || x->first_line != NONE);
}

/* What the registries' numbers say of it: 1 it is the one that is there, -1 it is another, 0
 * nothing. */
static int same_by(const char *known, struct str said)
{
    return !*known || !said.n ? 0 : str_is(said, known) ? 1 : -1;
}

/* Is it still the same instrument, and only its company another? A feed that gives a symbol to
 * another instrument ends the memberships of the one that had it; so a member is the same,
 * unless its number says otherwise. */
static bool stays_itself(const struct market *m, const struct instrument *x, const struct record *r)
{
    const int isin = same_by(x->isin, r->u.instrument.isin),
              by = isin ? isin : same_by(x->figi, r->u.instrument.figi);
    return m->settings.meaning >= MEANING_SECOND && (by ? by > 0 : is_member(m, x));
}

/* Its symbol goes to another company: what comes is another instrument. */
static bool retires(const struct market *m, const struct instrument *x, const struct record *r)
{
    return !is_of(m, x, r->u.instrument.issuer) && has_history(m, x) && !stays_itself(m, x, r);
}

static enum err may_have_issuer(const struct market *m, const struct instrument *x,
                                const struct record *r, struct why *why)
{
    const struct symbol *said = &r->u.instrument.symbol;
    const struct str issuer = r->u.instrument.issuer;
    if (is_of(m, x, issuer) || stays_itself(m, x, r)) return ERR_OK;
    if (is_member(m, x))
        return err_set(
            why, ERR_INVALID,
            "symbol %.15s is in an index as a line of issuer \"%s\"; end its memberships before it moves to another",
            x->symbol.s, m->issuers[x->issuer].key);
    if (m->settings.meaning < MEANING_SECOND) return ERR_OK;
    if (memcmp(said, &x->symbol, sizeof *said) != 0)
        return err_set(
            why, ERR_INVALID,
            "%.15s is an alias of %.15s, of issuer \"%s\"; take it back before it is another's symbol",
            said->s, x->symbol.s, m->issuers[x->issuer].key);
    return symbols_may_begin(m, said, issuer, why);
}

/* A weight is a part of a sum of what is above 0. */
static enum err no_member(const struct instrument *x, struct why *why)
{
    return err_set(
        why, ERR_INVALID,
        "symbol %.15s may have prices of 0 and below (negative_prices): it can be in no index, whose weights are of values above 0",
        x->symbol.s);
}

static enum err may_have_negative(const struct market *m, const struct instrument *x,
                                  struct why *why)
{
    if (!is_member(m, x)) return ERR_OK;
    return err_set(
        why, ERR_INVALID,
        "symbol %.15s is in an index, whose weights are of values above 0: end its memberships before negative_prices",
        x->symbol.s);
}

/* What stands or waits to stand is of those that it may have no more. */
static enum err may_lose_negative(const struct instrument *x, struct why *why)
{
    const int64_t *standing = x->priced && x->price_e8 <= 0                      ? &x->price_e8
                              : x->has_regular && x->regular_e8 <= 0             ? &x->regular_e8
                              : x->official_day != NO_DAY && x->official_e8 <= 0 ? &x->official_e8
                                                                                 : NULL;
    char price[DECIMAL_TEXT_MAX];
    if (!standing || !x->negative_prices) return ERR_OK;
    decimal_format(*standing, price);
    return err_set(
        why, ERR_INVALID,
        "the price of %.15s stands at %s: negative_prices can be taken back when it is above 0",
        x->symbol.s, price);
}

static enum err add_instrument(struct market *m, const struct symbol *s, uint32_t *out)
{
    uint64_t h = map_hash(s->s, sizeof s->s);
    if (!VEC_GROW(&m->instruments, &m->instruments_cap, m->instruments_n + 1)
        || !map_add(&m->by_symbol, h, (uint32_t)m->instruments_n))
        return ERR_NOMEM;
    *out = (uint32_t)m->instruments_n++;
    m->instruments[*out] = (struct instrument){ .symbol = *s,
                                                .float_e8 = 100000000,
                                                .first_line = NONE,
                                                .first_series = NONE,
                                                .official_day = NO_DAY,
                                                .last_close = NONE,
                                                .first_action = NONE,
                                                .based_day = NO_DAY,
                                                .waits_day = INT32_MAX,
                                                .range_day = NO_DAY,
                                                .twin = NONE };
    return ERR_OK;
}

static void describe(struct instrument *x, const struct record *r, uint32_t venue)
{
    if (r->u.instrument.venue.n) x->venue = venue; /* said again without one: it keeps its own */
    if (r->u.instrument.negative_prices) x->negative_prices = r->u.instrument.negative_prices > 0;
    if (r->u.instrument.name.n) copy_name(x->name, sizeof x->name, r->u.instrument.name);
    if (r->u.instrument.isin.n) copy_name(x->isin, sizeof x->isin, r->u.instrument.isin);
    if (r->u.instrument.figi.n) copy_name(x->figi, sizeof x->figi, r->u.instrument.figi);
}

/* FB of META Inc. left its indices, and now FB is of FIRST BANK: another instrument, and the
 * first goes on as FB:20220609. */
enum err reference_instrument(struct market *m, const struct record *r,
                              struct instrument_change *out, struct why *why)
{
    const struct symbol *symbol = market_symbol(m, &r->u.instrument.symbol);
    const struct str key = r->u.instrument.issuer;
    uint32_t issuer, venue, no = market_instrument(m, symbol);
    enum err e = no == NONE ? symbols_may_begin(m, symbol, key, why)
                            : may_have_issuer(m, &m->instruments[no], r, why);
    if (!e && no != NONE && r->u.instrument.negative_prices > 0)
        e = may_have_negative(m, &m->instruments[no], why);
    if (!e && no != NONE && r->u.instrument.negative_prices < 0
        && !retires(m, &m->instruments[no], r))
        e = may_lose_negative(&m->instruments[no], why);
    if (!e) e = calendars_find(m, r->u.instrument.venue, &venue, why);
    if (e) return e;
    *out = (struct instrument_change){ .retired = NONE };
    if (no != NONE && retires(m, &m->instruments[no], r)) out->retired = no;
    out->named = no == NONE || out->retired != NONE;
    const struct symbol mine = *symbol;
    if (out->retired != NONE) e = identity_retire(m, no, day_of_ns(r->event_ns), r->seq, why);
    if (!e) e = market_issuer(m, key, &issuer);
    if (!e && out->named) e = add_instrument(m, &mine, &no);
    if (!e && m->instruments[no].issuer != issuer) {
        if (!out->named) series_touch_all(m);
        e = issuers_give(m, no, issuer);
    }
    if (e) return e;
    describe(&m->instruments[no], r, venue);
    out->instrument = no;
    return ERR_OK;
}

/* ---- shares ---- */
enum err reference_shares(struct market *m, const struct record *r, struct why *why)
{
    struct instrument *x = NULL;
    bool waits;
    enum err e = find_instrument(m, &r->u.shares.symbol, &x, why);
    if (!e && !shares_fit(x, r->u.shares.shares)) e = too_valuable(&x->symbol, why);
    if (!e) e = actions_shares(m, x, r, &waits);
    if (e || waits) return e;
    return quality_count(m, x, r->u.shares.shares, r->u.shares.float_e8)
               ? ERR_OK
               : too_valuable(&x->symbol, why);
}

/* ---- indices ---- */
/* Every index comes with the measures that say by themselves that they are standard. */
static enum err track_standard(struct market *m, const char *index)
{
    for (size_t i = 0; i < measure_kinds_n; i++)
        for (const char *const *args = measure_kinds[i]->standard; args && *args; args++) {
            char text[MEASURE_TEXT_MAX];
            struct measure x;
            uint32_t no;
            const int n = snprintf(text, sizeof text, "%s(%s%s%s)", measure_kinds[i]->name, index,
                                   **args ? ", " : "", *args);
            assert(n > 0 && (size_t)n < sizeof text); /* an index has a short name */
            enum err e = measure_parse(text, strlen(text), &x, NULL);
            if (!e) e = series_track(m, (struct uuid){ { 0 } }, &x, &no, NULL);
            if (!e) e = series_configure(m, no);
            if (e) return e;
        }
    return ERR_OK;
}

enum err reference_index(struct market *m, const struct record *r, struct why *why)
{
    struct universe *u = market_index(m, r->u.index.index);
    uint32_t venue;
    enum err e = calendars_find(m, r->u.index.calendar, &venue, why);
    if (e) return e;
    if (u) { /* said again: the title may change, the base of a running level may not */
        if (r->u.index.calendar.n && venue != u->venue) {
            if (u->days_n)
                return err_set(
                    why, ERR_INVALID,
                    "index %s counts the sessions of another calendar since it has a level: make a new index",
                    u->name);
            u->venue = venue;
        }
        copy_name(u->title, sizeof u->title, r->u.index.name);
        if (r->u.index.spin_offs) u->spin_offs = (uint32_t)r->u.index.spin_offs;
        return ERR_OK;
    }
    if (!VEC_GROW(&m->universes, &m->universes_cap, m->universes_n + 1)) return ERR_NOMEM;
    u = &m->universes[m->universes_n++];
    *u = (struct universe){ .base = (double)r->u.index.base_e8 / 1e8,
                            .venue = venue,
                            .spin_offs = (uint32_t)r->u.index.spin_offs,
                            .first_line = NONE,
                            .first_slot = NONE,
                            .first_series = NONE };
    copy_name(u->name, sizeof u->name, r->u.index.index);
    copy_name(u->title, sizeof u->title, r->u.index.name);
    e = universe_keep_standard(&m->store, u);
    return e ? e : track_standard(m, m->universes[m->universes_n - 1].name);
}

enum err reference_membership(struct market *m, const struct record *r, struct why *why)
{
    struct instrument *x = NULL;
    struct universe *u = market_index(m, r->u.membership.index);
    if (!u)
        return err_set(why, ERR_UNKNOWN_INDEX, "index %.*s has no index record yet",
                       (int)r->u.membership.index.n, r->u.membership.index.p);
    enum err e = find_instrument(m, &r->u.membership.symbol, &x, why);
    if (e) return e;
    uint32_t universe = (uint32_t)(u - m->universes), no = membership_line(m, x, universe);
    int64_t own = r->u.membership.shares;
    if (!r->u.membership.member) {
        if (no != NONE) universe_remove_line(&m->store, u, no);
    } else {
        if (x->negative_prices) return no_member(x, why);
        if (!shares_fit(x, own)) return too_valuable(&x->symbol, why);
        e = membership_begin(m, universe, (uint32_t)(x - m->instruments), own,
                             membership_is_fresh(m, u->venue, x, r->event_ns));
    }
    if (!e) series_touch(m, m->universes[universe].first_series);
    return e;
}
