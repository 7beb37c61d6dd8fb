/* prices.h - where an instrument's price comes to stand, and who moves with it. Thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_PRICES_H
#define TOCSIN_ANALYTICS_PRICES_H
#include "analytics/market.h"

/* From now on `last` is this price, of a record of that time and session: its lines move, its series and those of its universes are
 * touched. The caller has checked value_fits. */
void prices_move(struct market *m, struct instrument *x, int64_t price_e8, int64_t event_ns,
                 int32_t day);
/* The same, touching nobody: whoever moves several in one record touches all of them himself. */
void prices_stand(struct market *m, struct instrument *x, int64_t price_e8, int64_t event_ns,
                  int32_t day);
/* Its lines alone count at another price, for a sum at closes; back again with the price that stands. Nobody is touched. */
void prices_suppose(struct market *m, const struct instrument *x, int64_t price_e8);
#endif
