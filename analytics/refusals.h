/* refusals.h - instruments whose prices are being refused: what stands as their price may not be
 * what the feed means.
 *
 *     trade A 10.00          last(A) is 10, ok
 *     trade A "10,50"        a dead letter; last(A) is 10, refused: 1, with the reason; rules on it are stale
 *     trade A 10.50          last(A) is 10.5, ok
 *
 * The next price that is taken ends it: prices.c. Indices go on: for them a member's price ages
 * as if nothing had come. Thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_REFUSALS_H
#define TOCSIN_ANALYTICS_REFUSALS_H
#include "analytics/market.h"

/* One more of it. ERR_UNKNOWN_SYMBOL: nobody has that symbol. */
MUST_USE enum err refusals_add(struct market *m, const struct record *r, struct why *why);
/* A price has come that is taken. */
void refusals_end(struct market *m, struct instrument *x);
/* After a load: how many there are. */
void refusals_restore(struct market *m);
#endif
