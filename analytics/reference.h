/* reference.h - records that say what there is: issuers, instruments, share counts, indices,
 * memberships. Each refuses, and then has changed nothing, or is applied whole. `moved`:
 * series_touch was called for what it moves. */
#ifndef TOCSIN_ANALYTICS_REFERENCE_H
#define TOCSIN_ANALYTICS_REFERENCE_H
#include "analytics/market.h"

MUST_USE enum err reference_issuer(struct market *m, const struct record *r, struct why *why);
struct instrument_change {
    uint32_t instrument; /* new or changed */
    bool named;          /* new: it has a symbol that it had not */
    uint32_t
        retired; /* the one that had that symbol until now, of another issuer; NONE: none had */
};
MUST_USE enum err reference_instrument(struct market *m, const struct record *r,
                                       struct instrument_change *out, struct why *why);
MUST_USE enum err reference_shares(struct market *m, const struct record *r, struct why *why);
MUST_USE enum err reference_index(struct market *m, const struct record *r, struct why *why);
MUST_USE enum err reference_membership(struct market *m, const struct record *r, struct why *why);
/* A trade: the price of its instrument, and of its lines. One that happened before the newest is
 * late: nothing moves. */
MUST_USE enum err reference_trade(struct market *m, const struct record *r, enum trade_place *place,
                                  struct why *why);
/* Of a trade or close: has it an instrument, and a price that fits? */
bool reference_takes(const struct market *m, const struct record *r);
/* An official close: see closes.h. *corrects: of a session that had ended. */
MUST_USE enum err reference_close(struct market *m, const struct record *r, bool *corrects,
                                  struct why *why);
#endif
