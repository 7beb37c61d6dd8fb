/* returns.h - what an instrument has returned, for those who look at all members of an index. */
#ifndef TOCSIN_ANALYTICS_MEASURES_RETURNS_H
#define TOCSIN_ANALYTICS_MEASURES_RETURNS_H
#include "analytics/market.h"

/* In per cent since its close before the session in progress, or before the one that ended last; its price counts as ret has it,
 * splits and all. 0 of one that has no price of that session. false: there is no such close above 0. */
bool returns_of_session(const struct market *m, const struct instrument *x, double *pct);
#endif
