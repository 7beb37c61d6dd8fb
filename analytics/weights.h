/* weights.h - what is held, company by company: of an index its market values, of a book its
 * gross positions. */
#ifndef TOCSIN_ANALYTICS_WEIGHTS_H
#define TOCSIN_ANALYTICS_WEIGHTS_H
#include "analytics/market.h"

typedef void weight_fn(void *ctx, const struct market *m, const struct issuer *i, double value);
/* Each holding with its value in currency, in a fixed order: a company may come twice, as two
 * positions of a book. */
void weights_each(const struct market *m, const struct universe *u, weight_fn *each, void *ctx);
/* Event time of the newest price or position in it. */
int64_t weights_newest_ns(const struct market *m, const struct universe *u);
#endif
