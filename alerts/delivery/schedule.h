/* schedule.h - what an attempt's outcome means: the retry delays, when to give up, how long a
 * channel rests. Pure; knows outcomes and nothing of how they came about. */
#ifndef TOCSIN_ALERTS_DELIVERY_SCHEDULE_H
#define TOCSIN_ALERTS_DELIVERY_SCHEDULE_H
#include "alerts/delivery/channel.h"

enum { SCHEDULE_ATTEMPTS = 11 }; /* over 75 h 35 min 35 s */
/* A channel that nothing has reached for so long is turned off. */
#define SCHEDULE_GIVE_UP_S (120 * 3600)
#define SCHEDULE_WAIT_MAX_S 86400 /* of what a receiver asks for */
#define SCHEDULE_REST_UNIT_MS 5000

/* How long attempt `attempt` (1 .. SCHEDULE_ATTEMPTS) waits after the one before it: the table's
 * delay +-20 %, by a hash of alert and attempt, so endpoints that fail together are not retried
 * together and a replayed decision is the same. */
int64_t schedule_delay_ms(struct uuid alert, int attempt);

struct attempt {
    int number; /* 1 for the first */
    enum outcome outcome;
    int64_t wait_s;    /* THROTTLED: what the receiver asks for; 0: nothing */
    int64_t failing_s; /* how long the channel had been failing before this attempt */
    const char *gone;  /* GONE: what the channel's owner is told */
};

struct verdict {
    enum delivery_status status;
    int64_t delay_ms;    /* waiting: until the next attempt */
    const char *disable; /* turn the channel off, and why; else NULL */
};

/* Of an attempt that was cut off nothing is to be judged: it was none. */
struct verdict schedule_judge(struct uuid alert, const struct attempt *a);

/* How long the whole channel rests after its `failures`-th failure in a row (1 ..): not at all
 * for the first two, then unit, 2 unit, 4 unit ... 60 unit, at once after a timeout, and after a
 * throttling answer as long as it asked (at most 1 h). So endpoints that hang cannot hold all
 * workers, one turn each, for ever. `unit_ms`: SCHEDULE_REST_UNIT_MS outside tests. */
int64_t schedule_rest_ms(const struct attempt *a, const struct verdict *v, unsigned failures,
                         int64_t unit_ms);
#endif
