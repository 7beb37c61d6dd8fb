/* identity.c - records that say who an instrument is. Instrument 0 is FB, with the series 4
 * last(FB):
 *
 *     seq 9    rename FB to META      symbols.c remembers { FB, 0, until 2022-06-09, seq 9 }; 0 is META, 4 is last(META)
 *     seq 12   alias FB of META       for a feed that will never hear of it: a trade of FB is one of META
 *     seq 13   alias FB of FB         taken back; it stays in the list, where it means nothing
 *     seq 20   META leaves its indices
 *     seq 21   instrument META of     1 is META; 0 is META:20230103, 4 is last(META:20230103), and has ended:
 *              META MATERIALS         rules on it are stale, and go on as they are if 0 is renamed
 *
 * A symbol is free when no instrument has it, it is no alias and none is of it. All that can be
 * refused is refused before anything changes; what can fail after that is memory, and the end of
 * the process. */
#include "analytics/identity.h"

#include "analytics/histories.h"
#include "analytics/series.h"
#include "analytics/symbols.h"
#include "core/vec.h"
#include "core/when.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static bool same_symbol(const struct symbol *a, const struct symbol *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* ---- another symbol ---- */
/* A gets B's name and B gets A's, both on that day: then nobody could say whose a price of that
 * day is. One that goes back on a later day is a rename like any other. */
static bool goes_back(const struct market *m, uint32_t no, const struct symbol *to, int32_t day)
{
    for (size_t i = 0; i < m->former_n; i++) {
        const struct dated_symbol *f = &m->former[i];
        if (f->instrument == no && same_symbol(&f->symbol, to) && f->until_day >= day) return true;
    }
    return false;
}

static enum err may_rename(const struct market *m, const struct record *r, uint32_t no,
                           struct why *why)
{
    const struct symbol *from = &m->instruments[no].symbol, *to = &r->u.rename.to;
    const int32_t day = r->u.rename.effective_day;
    char date[DATE_TEXT_MAX];
    if (same_symbol(from, to))
        return err_set(why, ERR_INVALID, "%.15s is renamed to itself", to->s);
    if (!same_symbol(market_symbol(m, to), to))
        return err_set(why, ERR_INVALID, "%.15s cannot become %.15s, which is an alias of %.15s",
                       from->s, to->s, market_symbol(m, to)->s);
    const uint32_t user = market_instrument(m, to);
    if (user != NONE)
        return err_set(
            why, ERR_INVALID,
            "%.15s cannot become %.15s, which is in use by an instrument of issuer \"%s\"", from->s,
            to->s, m->issuers[m->instruments[user].issuer].key);
    if (day > day_of_ns(r->event_ns) + 1) { /* in Sydney it is tomorrow */
        date_format(day, date);
        return err_set(
            why, ERR_INVALID,
            "effective %s is more than a day after ts: send the rename when its day has come",
            date);
    }
    const int32_t begin = symbols_of(m, no).from_day;
    date_format(begin == NO_DAY ? day : begin, date);
    if (begin != NO_DAY && day < begin)
        return err_set(why, ERR_INVALID, "effective is before %.15s itself began on %s", from->s,
                       date);
    if (goes_back(m, no, to, day))
        return err_set(why, ERR_INVALID,
                       "a circle: %.15s was %.15s until %s, and may be again on a later day only",
                       from->s, to->s, date);
    return ERR_OK;
}

/* The map has room: one goes before the other comes. */
static void set_symbol(struct market *m, uint32_t no, const struct symbol *to)
{
    struct symbol *s = &m->instruments[no].symbol;
    map_remove(&m->by_symbol, map_hash(s->s, sizeof s->s), no);
    *s = *to;
    const bool had_room = map_add(&m->by_symbol, map_hash(s->s, sizeof s->s), no);
    assert(had_room);
}

static enum err give_symbol(struct market *m, uint32_t no, const struct symbol *to, int32_t day,
                            uint64_t seq)
{
    if (!VEC_GROW(&m->former, &m->former_cap, m->former_n + 1)) return ERR_NOMEM;
    struct dated_symbol was = symbols_of(m, no);
    was.until_day = day;
    was.until_seq = seq;
    m->former[m->former_n++] = was;
    histories_rename(m, &m->instruments[no].symbol, to);
    set_symbol(m, no, to);
    return series_rename(m, no);
}

enum err identity_rename(struct market *m, const struct record *r, uint32_t *out, struct why *why)
{
    const uint32_t no = market_instrument(m, &r->u.rename.symbol);
    if (no == NONE) return symbols_unknown(m, &r->u.rename.symbol, why);
    enum err e = may_rename(m, r, no, why);
    if (!e) e = give_symbol(m, no, &r->u.rename.to, r->u.rename.effective_day, r->seq);
    if (e) return e;
    struct instrument *x = &m->instruments[no];
    if (r->u.rename.name.n) copy_name(x->name, sizeof x->name, r->u.rename.name);
    *out = no;
    return ERR_OK;
}

/* ---- other spellings, and what is free ---- */
static bool is_alias(const struct market *m, const struct symbol *s)
{
    return !same_symbol(market_symbol(m, s), s);
}

static bool has_aliases(const struct market *m, const struct symbol *s)
{
    for (size_t i = 0; i < m->aliases_n; i++)
        if (same_symbol(&m->aliases[i].symbol, s) && !same_symbol(&m->aliases[i].alias, s))
            return true;
    return false;
}

/* ---- a symbol that goes to another ---- */
/* FB of 2022-06-09 is FB:20220609, and where that is in use FB:12, by the instrument's number;
 * of a long symbol the begin. */
static struct symbol dated_name(const struct symbol *s, const char *ending)
{
    struct symbol name = { { 0 } };
    const size_t n = strlen(ending);
    assert(n < SYMBOL_MAX);
    const size_t kept = strnlen(s->s, SYMBOL_MAX - n);
    memcpy(name.s, s->s, kept);
    memcpy(name.s + kept, ending, n);
    return name;
}

static bool is_free(const struct market *m, const struct symbol *s)
{
    return market_instrument(m, s) == NONE && !is_alias(m, s) && !has_aliases(m, s);
}

enum err identity_retire(struct market *m, uint32_t no, int32_t day, uint64_t seq, struct why *why)
{
    const struct symbol *s = &m->instruments[no].symbol;
    const int32_t begin = symbols_of(m, no).from_day;
    char date[DATE_TEXT_MAX], ending[40];
    if (day < begin) day = begin;
    date_format(day, date);
    snprintf(ending, sizeof ending, ":%.4s%.2s%.2s", date, date + 5, date + 8);
    struct symbol name = dated_name(s, ending);
    if (!is_free(m, &name)) {
        snprintf(ending, sizeof ending, ":%u", no);
        name = dated_name(s, ending);
    }
    if (!is_free(m, &name))
        return err_set(
            why, ERR_INVALID,
            "symbol %.15s had another issuer, and %.15s is in use: rename the old one first", s->s,
            name.s);
    m->instruments[no].ended = true;
    enum err e = give_symbol(m, no, &name, day, seq);
    if (!e) series_touch(m, m->instruments[no].first_series);
    return e;
}

/* ---- aliases ---- */
static bool is_symbol(const struct market *m, const struct symbol *s)
{
    const uint32_t no = market_instrument(m, s);
    return no != NONE && same_symbol(&m->instruments[no].symbol, s);
}

static enum err may_be_alias(const struct market *m, const struct symbol *a,
                             const struct symbol *of, struct why *why)
{
    if (same_symbol(a, of)) return ERR_OK; /* taken back */
    if (is_symbol(m, a))
        return err_set(why, ERR_INVALID, "%.15s is the symbol of an instrument, and no alias",
                       a->s);
    if (has_aliases(m, a))
        return err_set(why, ERR_INVALID, "%.15s has aliases itself: point them at %.15s first",
                       a->s, of->s);
    if (is_alias(m, of))
        return err_set(why, ERR_INVALID, "%.15s is an alias itself, of %.15s", of->s,
                       market_symbol(m, of)->s);
    return ERR_OK;
}

enum err identity_alias(struct market *m, const struct record *r, struct why *why)
{
    const struct symbol *a = &r->u.alias.alias;
    const enum err e = may_be_alias(m, a, &r->u.alias.symbol, why);
    if (e) return e;
    m->generation++; /* pictures know them */
    for (size_t i = 0; i < m->aliases_n; i++)
        if (same_symbol(&m->aliases[i].alias, a)) {
            m->aliases[i].symbol = r->u.alias.symbol;
            return ERR_OK;
        }
    if (!VEC_GROW(&m->aliases, &m->aliases_cap, m->aliases_n + 1)
        || !map_add(&m->by_alias, map_hash(a->s, sizeof a->s), (uint32_t)m->aliases_n))
        return ERR_NOMEM;
    m->aliases[m->aliases_n++] = (struct alias){ *a, r->u.alias.symbol };
    return ERR_OK;
}
