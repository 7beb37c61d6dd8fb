/* reference.h - records that say what there is: issuers, instruments, share counts, indices, memberships. Each refuses, and
 * then has changed nothing, or is applied whole. `moved`: series_touch was called for what it moves. */
#ifndef TOCSIN_ANALYTICS_REFERENCE_H
#define TOCSIN_ANALYTICS_REFERENCE_H
#include "analytics/market.h"

MUST_USE enum err reference_issuer(struct market *m, const struct record *r, struct why *why);
/* *out: the instrument, new or changed. */
MUST_USE enum err reference_instrument(struct market *m, const struct record *r, uint32_t *out,
                                       struct why *why);
MUST_USE enum err reference_shares(struct market *m, const struct record *r, struct why *why);
MUST_USE enum err reference_index(struct market *m, const struct record *r, struct why *why);
MUST_USE enum err reference_membership(struct market *m, const struct record *r, struct why *why);
/* A trade or close: the price of an instrument, and of its lines. */
MUST_USE enum err reference_price(struct market *m, const struct symbol *symbol, int64_t price_e8,
                                  int32_t day, int64_t event_ns, struct why *why);
#endif
