/* symbols.c - see symbols.h. Instruments 0, of META Inc., and 1:
 *
 *     seq 3    instrument FB of META       0 is FB
 *     seq 9    rename FB to META           former: { FB, 0, until 2022-06-09, seq 9 }; 0 is META; ret(FB) is ret(META)
 *     seq 10   trade FB                    refused: symbol FB is META since 2022-06-09
 *     seq 11   instrument FB of META       refused, the same: that feed is late
 *     seq 12   instrument FB of FIRST B.   1 is FB, since 2022-06-09 */
#include "analytics/symbols.h"

#include "core/when.h"

#include <string.h>

static bool same_symbol(const struct symbol *a, const struct symbol *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* The newest; NULL: there is none. */
static const struct dated_symbol *former_of(const struct market *m, uint32_t instrument)
{
    for (size_t i = m->former_n; i-- > 0;)
        if (m->former[i].instrument == instrument) return &m->former[i];
    return NULL;
}

static const struct dated_symbol *former_named(const struct market *m, const struct symbol *s)
{
    for (size_t i = m->former_n; i-- > 0;)
        if (same_symbol(&m->former[i].symbol, s)) return &m->former[i];
    return NULL;
}

struct dated_symbol symbols_of(const struct market *m, uint32_t instrument)
{
    const struct symbol *s = &m->instruments[instrument].symbol;
    struct dated_symbol d = { .symbol = *s,
                              .instrument = instrument,
                              .from_day = NO_DAY,
                              .until_day = DAY_OPEN,
                              .until_seq = INT64_MAX };
    const struct dated_symbol *own = former_of(m, instrument), *other = former_named(m, s);
    if (own) d.from_day = own->until_day, d.from_seq = own->until_seq;
    else if (other) d.from_day = other->until_day;
    return d;
}

/* The newest that had it then: on the day of a rename there and back two had. */
static uint32_t former_on(const struct market *m, const struct symbol *s, int32_t day)
{
    for (size_t i = m->former_n; i-- > 0;) {
        const struct dated_symbol *f = &m->former[i];
        if (same_symbol(&f->symbol, s) && f->from_day <= day && day < f->until_day)
            return f->instrument;
    }
    return NONE;
}

uint32_t symbols_on(const struct market *m, const struct symbol *s, int32_t day)
{
    const uint32_t no = market_instrument(m, s);
    if (no != NONE && symbols_of(m, no).from_day <= day) return no;
    const uint32_t was = former_on(m, s, day);
    return was != NONE ? was : former_on(m, market_symbol(m, s), day);
}

enum err symbols_unknown(const struct market *m, const struct symbol *s, struct why *why)
{
    const struct symbol *of = market_symbol(m, s);
    const struct dated_symbol *f = former_named(m, of);
    if (!f && !same_symbol(of, s))
        return err_set(why, ERR_UNKNOWN_SYMBOL,
                       "symbol %.15s is an alias of %.15s, which has no instrument record yet",
                       s->s, of->s);
    if (!f)
        return err_set(why, ERR_UNKNOWN_SYMBOL, "symbol %.15s has no instrument record yet", s->s);
    char date[DATE_TEXT_MAX];
    date_format(former_of(m, f->instrument)->until_day, date);
    return err_set(why, ERR_UNKNOWN_SYMBOL, "symbol %.15s is %.15s since %s", of->s,
                   m->instruments[f->instrument].symbol.s, date);
}

enum err symbols_may_begin(const struct market *m, const struct symbol *s, struct str issuer,
                           struct why *why)
{
    for (size_t i = m->former_n; i-- > 0;) {
        const struct instrument *x = &m->instruments[m->former[i].instrument];
        char date[DATE_TEXT_MAX];
        if (!same_symbol(&m->former[i].symbol, s) || market_find_issuer(m, issuer) != x->issuer)
            continue;
        date_format(former_of(m, m->former[i].instrument)->until_day, date);
        return err_set(why, ERR_INVALID, "symbol %.15s of issuer \"%s\" is %.15s since %s", s->s,
                       m->issuers[x->issuer].key, x->symbol.s, date);
    }
    return ERR_OK;
}

/* Of max(last(BRK-B)) the symbol at the bottom is looked at, once, when somebody asks for the
 * measure. */
bool symbols_canonical(const struct market *m, struct measure *x)
{
    struct symbol s = { { 0 } };
    char name[SYMBOL_SUBJECT_MAX + 1];
    if (!m->aliases_n || !measure_symbol(x, name)) return false;
    memcpy(s.s, name, strlen(name));
    const struct symbol *of = market_symbol(m, &s);
    if (of == &s || same_symbol(of, &s)) return false;
    measure_set_symbol(x, of->s);
    return true;
}
