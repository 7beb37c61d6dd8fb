/* shares.h - an instrument's count of shares, and what its lines in indices count with: an
 * index's own count goes before the instrument's, and the float factor applies to both. Thread:
 * the engine's. */
#ifndef TOCSIN_ANALYTICS_SHARES_H
#define TOCSIN_ANALYTICS_SHARES_H
#include "analytics/market.h"

/* Is it worth no more than fits, at its price and at the official close that waits? */
bool shares_fit(const struct instrument *x, int64_t shares);
int64_t shares_effective(const struct instrument *x, const struct line *l);
/* The count stands from now on in all lines, as an issue or buy-back: no level moves. A count
 * that stands already changes nothing. False: it does not fit, and nothing has changed. */
MUST_USE bool shares_set(struct market *m, struct instrument *x, int64_t shares, int64_t float_e8);
#endif
