/* drivers.h - who moved an index's measure since a session's end: each member's part of the change.
 *
 *     hhi(X) was 3,333 at yesterday's close and is 3,800 now. By company:
 *                  weight then   now     part: 10,000 * (w * w - w0 * w0)
 *         A            33.3 %    50 %     +1,389
 *         B            33.3 %    30 %       -211
 *         C            33.3 %    20 %       -711     -> +467 in all
 *
 * The parts are fractions whose sum is the change exactly: of what weights make (hhi, top_weight)
 * always, of a level while its members stay the same. As doubles each is rounded, so the answer
 * shows what is left. A member that came or went since has a weight of 0 on the other side. As
 * far back as closes may be corrected (SESSIONS_KEPT). Thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_DRIVERS_H
#define TOCSIN_ANALYTICS_DRIVERS_H
#include "analytics/series.h"
#include "core/json_write.h"

enum { DRIVERS_MAX = 1000 };

/* A company, or with by=line an instrument. */
struct driver {
    uint32_t who;        /* slot or line */
    int64_t value, then; /* cents; 0: it did not count */
    double part;         /* in the measure's unit */
};

struct drivers {
    int32_t since;
    i128 total, total_then;
    double now, change_from; /* the measure's value; and at the end of `since` */
    struct driver *of;       /* in no order until the kind is through */
    size_t n;
};

/* The n largest of them, as members of an object that has begun, since the end of that session
 * (NO_DAY: of the one before the one in progress, or before the last that ended). Where there is
 * nothing to tell, since no session has ended yet, say, or there is no value: nulls, and the
 * `reason`. ERR_INVALID: the measure is not additive; that session is not kept. ERR_NOMEM. */
MUST_USE enum err drivers_put(const struct market *m, uint32_t series, int32_t since, size_t n,
                              struct json_writer *w, struct why *why);
#endif
