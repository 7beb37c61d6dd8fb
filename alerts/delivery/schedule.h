/* schedule.h - what an attempt's outcome means: the retry delays, the table of statuses, when to give up. Pure. */
#ifndef TOCSIN_ALERTS_DELIVERY_SCHEDULE_H
#define TOCSIN_ALERTS_DELIVERY_SCHEDULE_H
#include "alerts/delivery/outbox.h"

enum { SCHEDULE_ATTEMPTS = 11 }; /* over 75 h 35 min 35 s */
#define SCHEDULE_GIVE_UP_S                                                                         \
    (120 * 3600) /* a channel that nothing reached for so long is turned off */
#define SCHEDULE_RETRY_AFTER_MAX_S 86400
#define SCHEDULE_REST_UNIT_MS 5000

enum outcome { OUTCOME_DELIVERED, OUTCOME_RETRY, OUTCOME_THROTTLE, OUTCOME_GONE };

/* 0 (no answer at all) is a retry. */
enum outcome outcome_of_status(int http_status);

/* How long attempt `attempt` (1 .. SCHEDULE_ATTEMPTS) waits after the one before it: the table's delay +-20 %, by a hash of alert
 * and attempt, so endpoints that fail together are not retried together and a replayed decision is the same. */
int64_t schedule_delay_ms(struct uuid alert, int attempt);

struct attempt {
    int number;            /* 1 for the first */
    int http_status;       /* 0: no answer */
    int64_t retry_after_s; /* what the answer asked for; 0: nothing */
    int64_t failing_s;     /* how long the channel had been failing before this attempt */
    bool timed_out;
    bool hopeless; /* can never succeed: body over the limit */
};

struct verdict {
    enum outcome outcome;
    enum delivery_status status;
    int64_t delay_ms;    /* waiting: until the next attempt */
    const char *disable; /* turn the channel off, and why; else NULL */
};

struct verdict schedule_judge(struct uuid alert, const struct attempt *a);

/* How long the whole channel rests after its `failures`-th failure in a row (1 ..): not at all for the first two, then
 * unit, 2 unit, 4 unit ... 60 unit, at once after a timeout, and after a throttling answer as long as it asked (at most 1 h).
 * So endpoints that hang cannot hold all workers, one turn each, for ever. `unit_ms`: SCHEDULE_REST_UNIT_MS outside tests. */
int64_t schedule_rest_ms(const struct attempt *a, const struct verdict *v, unsigned failures,
                         int64_t unit_ms);
#endif
