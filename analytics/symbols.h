/* symbols.h - what instruments are called, and were: looking it up.
 *
 * At any time each symbol is that of one instrument at most, and each instrument has one: so the
 * canonical text of a series, which has the symbol in it, is always that of one series. What an
 * instrument was called before is remembered with its dates, and by it old names are explained,
 * never found.
 *
 *     m->instruments[7].symbol    META, and by_symbol finds it: one look, the same for every tick
 *     m->former                   { FB, 7, until 2022-06-09 }: looked through when by_symbol finds nothing
 *     m->aliases, by_alias        { FB-US, FB }: looked up then, and only if there are any */
#ifndef TOCSIN_ANALYTICS_SYMBOLS_H
#define TOCSIN_ANALYTICS_SYMBOLS_H
#include "analytics/market.h"

/* ERR_UNKNOWN_SYMBOL, and what the instrument that had it is called now if one had. */
MUST_USE enum err symbols_unknown(const struct market *m, const struct symbol *s, struct why *why);
/* Whose symbol it was on that day, of this spelling or of what that is an alias of; NONE: nobody's. */
uint32_t symbols_on(const struct market *m, const struct symbol *s, int32_t day);
/* May a symbol begin to be that issuer's? Not when it was before: that is a feed which has not
 * heard of what became of it. */
MUST_USE enum err symbols_may_begin(const struct market *m, const struct symbol *s,
                                    struct str issuer, struct why *why);
/* A measure on an alias becomes the one on the symbol it is of; false: it is the one already. */
bool symbols_canonical(const struct market *m, struct measure *x);
/* The symbol that the instrument has now, with its dates; those of before are in m->former. */
struct dated_symbol symbols_of(const struct market *m, uint32_t instrument);
#endif
