#include "alerts/delivery/schedule.h"

#include <assert.h>

/* The delays of Standard Webhooks 1.0.0 with one more short one: most outages are over within a minute. */
static const int64_t delay_s[SCHEDULE_ATTEMPTS] = {
    0, 5, 30, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600,
};

/* First match wins. Redirects are not followed: they are failures like any other, and are retried. */
static const struct {
    int from, to;
    enum outcome outcome;
} statuses[] = {
    { 200, 299, OUTCOME_DELIVERED },
    { 410, 410, OUTCOME_GONE }, /* the receiver says: never again */
    { 429, 429, OUTCOME_THROTTLE },
    { 502, 504, OUTCOME_THROTTLE }, /* 503 because RFC 9110 defines Retry-After for it */
};

enum outcome outcome_of_status(int http_status)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (http_status >= statuses[i].from && http_status <= statuses[i].to)
            return statuses[i].outcome;
    return OUTCOME_RETRY;
}

int64_t schedule_delay_ms(struct uuid alert, int attempt)
{
    assert(attempt >= 1 && attempt <= SCHEDULE_ATTEMPTS);
    struct uuid h = uuid_derive(alert, (uint64_t)attempt, 0);
    int64_t ms = delay_s[attempt - 1] * 1000, spread = 2 * ms / 5; /* 0.8 ms .. 1.2 ms */
    uint32_t r = (uint32_t)h.b[0] << 24 | (uint32_t)h.b[1] << 16 | (uint32_t)h.b[2] << 8 | h.b[3];
    return ms - spread / 2 + (int64_t)(((uint64_t)spread * r) >> 32);
}

struct verdict schedule_judge(struct uuid alert, const struct attempt *a)
{
    struct verdict v = { .outcome = outcome_of_status(a->http_status), .status = DELIVERY_WAITING };

    if (a->hopeless) {
        v.status = DELIVERY_FAILED;
    } else if (v.outcome == OUTCOME_DELIVERED) {
        v.status = DELIVERY_DELIVERED;
    } else if (v.outcome == OUTCOME_GONE) {
        v.status = DELIVERY_FAILED;
        v.disable = "the endpoint answered 410 Gone";
    } else if (a->failing_s >= SCHEDULE_GIVE_UP_S) {
        v.status = DELIVERY_FAILED;
        v.disable = "no delivery has succeeded for 120 hours";
    } else if (a->number >= SCHEDULE_ATTEMPTS) {
        v.status = DELIVERY_EXPIRED;
    } else {
        v.delay_ms = schedule_delay_ms(alert, a->number + 1);
        int64_t asked_s = a->retry_after_s < SCHEDULE_RETRY_AFTER_MAX_S
                              ? a->retry_after_s
                              : SCHEDULE_RETRY_AFTER_MAX_S;
        if (v.outcome == OUTCOME_THROTTLE && v.delay_ms < asked_s * 1000)
            v.delay_ms = asked_s * 1000;
    }
    return v;
}

int64_t schedule_rest_ms(const struct attempt *a, const struct verdict *v, unsigned failures,
                         int64_t unit_ms)
{
    enum { PATIENCE = 3, REST_MAX_UNITS = 60, RETRY_AFTER_REST_MAX_S = 3600 };
    if (v->outcome == OUTCOME_DELIVERED || a->hopeless || v->disable) return 0;

    int64_t rest = 0;
    if (a->timed_out || v->outcome == OUTCOME_THROTTLE || failures >= PATIENCE) {
        unsigned doublings = failures > PATIENCE ? failures - PATIENCE : 0;
        rest = doublings < 6 ? unit_ms << doublings : REST_MAX_UNITS * unit_ms;
        if (rest > REST_MAX_UNITS * unit_ms) rest = REST_MAX_UNITS * unit_ms;
    }
    if (v->outcome == OUTCOME_THROTTLE && a->retry_after_s > 0) {
        int64_t asked = 1000
                        * (a->retry_after_s < RETRY_AFTER_REST_MAX_S ? a->retry_after_s
                                                                     : RETRY_AFTER_REST_MAX_S);
        if (rest < asked) rest = asked;
    }
    return rest;
}
