/* membership.h - an instrument comes to be a member of an index: by a membership record, or as
 * the child of a spin-off that the index keeps. Thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_MEMBERSHIP_H
#define TOCSIN_ANALYTICS_MEMBERSHIP_H
#include "analytics/market.h"

/* Its line in that index, whether active or not; NONE: it has none. */
uint32_t membership_line(const struct market *m, const struct instrument *x, uint32_t universe);
/* It is a member from now on, or is one already and has another count: own_shares, 0 for the
 * instrument's. It counts at the price that stands if that is `fresh`, else from its next one
 * on. The caller has checked that it fits. ERR_NOMEM. */
MUST_USE enum err membership_begin(struct market *m, uint32_t universe, uint32_t instrument,
                                   int64_t own_shares, bool fresh);
/* Has it a member's price, no older than a session of the index at that time? */
bool membership_is_fresh(struct market *m, uint32_t venue, const struct instrument *x,
                         int64_t now_ns);

/* A spin-off has taken effect: in each index that keeps children and has the parent, the child
 * is a member from now on, with its own count of shares or, where none was said, with what the
 * parent's have been given; at its price, or at that value while it has none of that session or
 * a later one. Memory that is out is said by m->said.failed. */
void membership_of_child(struct market *m, const struct action *a);
/* A session of the venue has ended with its levels: children that were kept until the close of
 * their first session leave. */
void membership_visits_end(struct market *m, uint32_t venue, int32_t day);
#endif
