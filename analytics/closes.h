/* closes.h - the official close, a state of its own beside `last`, and what is kept of closes
 * when a session has ended.
 *
 *   20:59:58  trade 101             last 101
 *   21:00:05  official close 101.2  kept aside: rules do not see one close of 470 before the others
 *   21:00:09  trade 100.9           last 100.9, an extended trade: it leaves the close alone
 *   21:01:00  the session ends      its close is 101.2; last stays 100.9: a trade of that evening is newer than any close
 *   next day  official close 101.3  of that session: a correction. Windows start from 101.3 from now on; last, levels of now
 *                                   and what was said stay as they are
 *
 * Without an official close the last regular price before the end stands in. An index of New
 * York with a member of Frankfurt counts it at Frankfurt's close of that date; one of Frankfurt
 * counts a member of New York, where that session goes on, at its last regular price. Thread:
 * the engine's. */
#ifndef TOCSIN_ANALYTICS_CLOSES_H
#define TOCSIN_ANALYTICS_CLOSES_H
#include "analytics/market.h"

/* The official close of the session in progress: waits for its end. */
void closes_keep(struct market *m, struct instrument *x, int64_t price_e8, int32_t day,
                 int64_t event_ns);
/* Of a session that has ended: corrects its close, its levels as far as they are kept
 * (SESSIONS_KEPT), and weights that were made equal at its end while that end was only presumed;
 * and `last`, where nothing newer stands. ERR_INVALID: no session of that day has ended.
 * ERR_NOMEM. */
MUST_USE enum err closes_correct(struct market *m, struct instrument *x, int64_t price_e8,
                                 int32_t day, int64_t event_ns, struct why *why);

/* A session of a venue ends (the caller touches all series): official closes become `last` where
 * they are newer, and universes count at closes ... */
void closes_settle(struct market *m, uint32_t venue, int32_t day);
/* ... until they are kept as the session's, and universes count at `last` again. ERR_NOMEM. */
MUST_USE enum err closes_kept(struct market *m, uint32_t venue, int32_t day);
#endif
