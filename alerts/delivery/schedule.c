/* schedule.c - from an outcome to what happens next.
 *
 * One alert on a receiver that is overwhelmed, then down, then well:
 *
 *     attempt 1   THROTTLED, wait_s 60     waiting, 60 s (its own delay would have been about 5)
 *                                          and the whole channel rests for 60 s
 *     attempt 2   RETRY                    waiting, 30 s +-20 %; the second failure: no rest
 *     attempt 3   RETRY                    waiting, 5 min +-20 %; the third: the channel rests 5 s
 *     attempt 4   DELIVERED                delivered; the channel's failures are forgotten */
#include "alerts/delivery/schedule.h"

#include <assert.h>

/* The delays of Standard Webhooks 1.0.0 with one more short one: most outages are over in a
 * minute. */
static const int64_t delay_s[SCHEDULE_ATTEMPTS] = {
    0, 5, 30, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600,
};

int64_t schedule_delay_ms(struct uuid alert, int attempt)
{
    assert(attempt >= 1 && attempt <= SCHEDULE_ATTEMPTS);
    struct uuid h = uuid_derive(alert, (uint64_t)attempt, 0);
    int64_t ms = delay_s[attempt - 1] * 1000, spread = 2 * ms / 5; /* 0.8 ms .. 1.2 ms */
    uint32_t r = (uint32_t)h.b[0] << 24 | (uint32_t)h.b[1] << 16 | (uint32_t)h.b[2] << 8 | h.b[3];
    return ms - spread / 2 + (int64_t)(((uint64_t)spread * r) >> 32);
}

static int64_t at_most(int64_t v, int64_t most) { return v < most ? v : most; }

/* A failure like any other: again later, unless it has gone on for too long. */
static struct verdict judge_failure(struct uuid alert, const struct attempt *a)
{
    if (a->failing_s >= SCHEDULE_GIVE_UP_S)
        return (struct verdict){ .status = DELIVERY_FAILED,
                                 .disable = "no delivery has succeeded for 120 hours" };
    if (a->number >= SCHEDULE_ATTEMPTS) return (struct verdict){ .status = DELIVERY_EXPIRED };

    struct verdict v = { .status = DELIVERY_WAITING,
                         .delay_ms = schedule_delay_ms(alert, a->number + 1) };
    int64_t asked_ms = 1000 * at_most(a->wait_s, SCHEDULE_WAIT_MAX_S);
    if (a->outcome == OUTCOME_THROTTLED && v.delay_ms < asked_ms) v.delay_ms = asked_ms;
    return v;
}

struct verdict schedule_judge(struct uuid alert, const struct attempt *a)
{
    switch (a->outcome) {
    case OUTCOME_DELIVERED: return (struct verdict){ .status = DELIVERY_DELIVERED };
    case OUTCOME_HOPELESS: return (struct verdict){ .status = DELIVERY_FAILED };
    case OUTCOME_GONE: return (struct verdict){ .status = DELIVERY_FAILED, .disable = a->gone };
    case OUTCOME_CUT_OFF: return (struct verdict){ .status = DELIVERY_WAITING };
    case OUTCOME_RETRY:
    case OUTCOME_THROTTLED:
    case OUTCOME_TIMED_OUT:
    case OUTCOME_REFUSED: break;
    }
    return judge_failure(alert, a);
}

int64_t schedule_rest_ms(const struct attempt *a, const struct verdict *v, unsigned failures,
                         int64_t unit_ms)
{
    enum { PATIENCE = 3, REST_MAX_UNITS = 60, WAIT_REST_MAX_S = 3600 };
    if (a->outcome == OUTCOME_DELIVERED || a->outcome == OUTCOME_HOPELESS || v->disable) return 0;

    int64_t rest = 0;
    if (a->outcome == OUTCOME_TIMED_OUT || a->outcome == OUTCOME_THROTTLED
        || failures >= PATIENCE) {
        unsigned doublings = failures > PATIENCE ? failures - PATIENCE : 0;
        rest = doublings < 6 ? unit_ms << doublings : REST_MAX_UNITS * unit_ms;
        rest = at_most(rest, REST_MAX_UNITS * unit_ms);
    }
    int64_t asked_ms = 1000 * at_most(a->wait_s, WAIT_REST_MAX_S);
    return a->outcome == OUTCOME_THROTTLED && rest < asked_ms ? asked_ms : rest;
}
