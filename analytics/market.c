/* market.c - from names to numbers. The symbol AAPL of issuer "Apple Inc.":
 *
 *     by_symbol   hash of the 16 bytes "AAPL\0\0..."   -> 7, the place in `instruments`
 *     by_issuer   hash of "Apple Inc."                 -> 3, the place in `issuers`
 *
 * The maps hold numbers alone and look into the arrays to compare, so they are rebuilt from them
 * after a load. An issuer is made by the first record that names it, with its key for a name until
 * a record says another: facts and instruments may come in any order. */
#include "analytics/market.h"

#include "core/utf8.h"
#include "core/vec.h"
#include "core/when.h"

#include <string.h>

static bool symbol_matches(const void *ctx, uint32_t v, const void *key)
{
    return memcmp(((const struct market *)ctx)->instruments[v].symbol.s, key, SYMBOL_MAX + 1) == 0;
}

static bool issuer_matches(const void *ctx, uint32_t v, const void *key)
{
    return strcmp(((const struct market *)ctx)->issuers[v].key, key) == 0;
}

static bool alias_matches(const void *ctx, uint32_t v, const void *key)
{
    return memcmp(((const struct market *)ctx)->aliases[v].alias.s, key, SYMBOL_MAX + 1) == 0;
}

/* An alias that was taken back is its own: to ask for it costs what it cost before, and changes
 * nothing. */
const struct symbol *market_symbol(const struct market *m, const struct symbol *s)
{
    const uint32_t no = map_find(&m->by_alias, map_hash(s->s, sizeof s->s), alias_matches, m, s->s);
    return no == MAP_NONE ? s : &m->aliases[no].symbol;
}

static uint32_t instrument_called(const struct market *m, const struct symbol *s)
{
    return map_find(&m->by_symbol, map_hash(s->s, sizeof s->s), symbol_matches, m, s->s);
}

/* A symbol is looked for first: who writes it needs no alias. */
uint32_t market_instrument(const struct market *m, const struct symbol *s)
{
    const uint32_t no = instrument_called(m, s);
    return no != NONE || !m->aliases_n ? no : instrument_called(m, market_symbol(m, s));
}

struct universe *market_index(const struct market *m, struct str name)
{
    for (size_t i = 0; i < m->universes_n; i++) /* a handful: no map */
        if (!m->universes[i].book && str_is(name, m->universes[i].name)) return &m->universes[i];
    return NULL;
}

void copy_name(char *out, size_t cap, struct str s)
{
    size_t n = s.n < cap ? s.n : utf8_valid_prefix(s.p, cap - 1);
    memset(out, 0, cap);
    if (n) memcpy(out, s.p, n);
}

uint32_t market_issuer_entry(const struct market *m, struct str text)
{
    char key[NAME_MAX_BYTES + 1];
    copy_name(key, sizeof key, text);
    return map_find(&m->by_issuer, map_hash(key, strlen(key)), issuer_matches, m, key);
}

uint32_t market_find_issuer(const struct market *m, struct str text)
{
    const uint32_t no = market_issuer_entry(m, text);
    return no != NONE && m->issuers[no].became ? m->issuers[no].became - 1 : no;
}

enum err market_issuer(struct market *m, struct str text, uint32_t *out)
{
    *out = market_find_issuer(m, text);
    if (*out != NONE) return ERR_OK;
    struct issuer x = { .first_exposure = NONE };
    copy_name(x.key, sizeof x.key, text);
    memcpy(x.name, x.key, sizeof x.name);
    if (!VEC_GROW(&m->issuers, &m->issuers_cap, m->issuers_n + 1)
        || !map_add(&m->by_issuer, map_hash(x.key, strlen(x.key)), (uint32_t)m->issuers_n))
        return ERR_NOMEM;
    *out = (uint32_t)m->issuers_n++;
    m->issuers[*out] = x;
    return ERR_OK;
}

int32_t market_day(const struct market *m, const struct instrument *x)
{
    const int32_t day = m->venues[x->venue].day;
    if (x->priced && x->price_day > day) return x->price_day; /* before the open */
    return day != NO_DAY ? day : day_of_ns(m->now_ns);
}

enum err market_add_close(struct market *m, struct instrument *x, int32_t day, int64_t price_e8)
{
    if (!VEC_GROW(&m->closes, &m->closes_cap, m->closes_n + 1)) return ERR_NOMEM;
    ((struct close *)m->closes)[m->closes_n] =
        (struct close){ .day = day, .previous = x->last_close, .price_e8 = price_e8 };
    x->last_close = (uint32_t)m->closes_n++;
    return ERR_OK;
}

void market_set_close(struct market *m, uint32_t no, struct close c)
{
    ((struct close *)m->closes)[no] = c;
    state_mark(&m->closes_marks, no);
}
