/* prices.h - where an instrument's price comes to stand, and who moves with it. Thread: the
 * engine's. */
#ifndef TOCSIN_ANALYTICS_PRICES_H
#define TOCSIN_ANALYTICS_PRICES_H
#include "analytics/market.h"

struct price {
    int64_t price_e8, event_ns;
    int32_t day; /* the session that it is of */
    bool
        regular; /* in regular hours, or a close: it stands in where an official close is missing */
};

/* From now on `last` is this price: its lines move, its series and those of its universes are
 * touched. The caller has checked value_fits. */
void prices_move(struct market *m, struct instrument *x, const struct price *p);
/* The same, touching nobody: whoever moves several in one record touches all of them himself. */
void prices_stand(struct market *m, struct instrument *x, const struct price *p);
#endif
