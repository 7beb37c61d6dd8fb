/* identity.h - records that say who an instrument is: a number that stays, under symbols that
 * are dated (symbols.h).
 *
 *     rename   FB is META from a day on          the same instrument: all that is its own goes on
 *     retire   FB is another company's           the first goes on under a name with the date in it, and has ended
 *     alias    BRK-B is written for BRK.B        nothing is stored under it, nothing is called so
 *
 * A refusal leaves the market as it was, and says what a sender needs to mend. */
#ifndef TOCSIN_ANALYTICS_IDENTITY_H
#define TOCSIN_ANALYTICS_IDENTITY_H
#include "analytics/market.h"

/* A rename: number, history, lines, positions, series go on under the new symbol, *out says of
 * which instrument. Refused are an unknown symbol, one that is in use, the same one, one that
 * goes back to where it was on the same day, a day before the symbol's own, or more than one
 * after the record's. m->renamed: the series whose text is another now. ERR_NOMEM: give up the
 * process. */
MUST_USE enum err identity_rename(struct market *m, const struct record *r, uint32_t *out,
                                  struct why *why);
/* Its symbol goes to another instrument: it keeps number, history and series under a dated
 * symbol (FB:20220609), and has ended. Refused when each such symbol is in use. */
MUST_USE enum err identity_retire(struct market *m, uint32_t instrument, int32_t day, uint64_t seq,
                                  struct why *why);
/* An alias comes, means another symbol, or goes: records, rules and questions that write it mean
 * what it is of, which need not be there yet. Refused are one that is an instrument's symbol,
 * one of another alias, and one that others are aliases of. ERR_NOMEM. */
MUST_USE enum err identity_alias(struct market *m, const struct record *r, struct why *why);
#endif
