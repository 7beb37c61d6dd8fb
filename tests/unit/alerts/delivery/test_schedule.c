/* The retry schedule: Standard Webhooks' delays, what each outcome leads to, and when we stop. */
#include "alerts/delivery/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

static struct uuid alert_number(uint64_t i) { return uuid_derive((struct uuid){ { 1 } }, i, 7); }

static void delays_are_the_tables_with_a_fifth_either_way(void **state)
{
    (void)state;
    static const int64_t table_ms[] = { 0,        5000,     30000,    300000,   1800000, 7200000,
                                        18000000, 36000000, 50400000, 72000000, 86400000 };
    assert_int_equal(ARRAY_LEN(table_ms), SCHEDULE_ATTEMPTS);
    for (int n = 1; n <= SCHEDULE_ATTEMPTS; n++) {
        int64_t t = table_ms[n - 1], least = INT64_MAX, most = 0, sum = 0;
        for (uint64_t i = 0; i < 2000; i++) {
            int64_t d = schedule_delay_ms(alert_number(i), n);
            assert_true(d >= t - t / 5 && d <= t + t / 5);
            assert_true(d == schedule_delay_ms(alert_number(i), n)); /* the same for ever */
            least = d < least ? d : least;
            most = d > most ? d : most;
            sum += d;
        }
        assert_true(least <= t - t * 19 / 100
                    && most >= t + t * 19 / 100);     /* the whole width is used */
        assert_true(llabs(sum / 2000 - t) <= t / 50); /* and its middle is the table's */
    }
    assert_true(schedule_delay_ms(alert_number(1), 4) != schedule_delay_ms(alert_number(2), 4));
}

static void an_outcome_becomes_a_verdict(void **state)
{
    (void)state;
    const struct uuid id = alert_number(1);
    const int64_t five = schedule_delay_ms(id, 2);
    static const struct {
        const char *why;
        struct attempt a;
        enum delivery_status status;
        bool disable;
    } rows[] = {
        { "taken", { .number = 1, .outcome = OUTCOME_DELIVERED }, DELIVERY_DELIVERED, false },
        { "taken at the last try",
          { .number = 11, .outcome = OUTCOME_DELIVERED },
          DELIVERY_DELIVERED,
          false },
        { "taken after 120 h of failing",
          { .number = 4, .outcome = OUTCOME_DELIVERED, .failing_s = 432000 },
          DELIVERY_DELIVERED,
          false },
        { "no answer", { .number = 1, .outcome = OUTCOME_RETRY }, DELIVERY_WAITING, false },
        { "not the last", { .number = 10, .outcome = OUTCOME_RETRY }, DELIVERY_WAITING, false },
        { "the last", { .number = 11, .outcome = OUTCOME_RETRY }, DELIVERY_EXPIRED, false },
        { "past the last", { .number = 12, .outcome = OUTCOME_RETRY }, DELIVERY_EXPIRED, false },
        { "the last, throttled",
          { .number = 11, .outcome = OUTCOME_THROTTLED, .wait_s = 5 },
          DELIVERY_EXPIRED,
          false },
        { "gone", { .number = 1, .outcome = OUTCOME_GONE, .gone = "gone" }, DELIVERY_FAILED, true },
        { "redirect", { .number = 1, .outcome = OUTCOME_RETRY }, DELIVERY_WAITING, false },
        { "failing just under 120 h",
          { .number = 2, .outcome = OUTCOME_RETRY, .failing_s = 431999 },
          DELIVERY_WAITING,
          false },
        { "failing 120 h",
          { .number = 2, .outcome = OUTCOME_RETRY, .failing_s = 432000 },
          DELIVERY_FAILED,
          true },
        { "too large", { .number = 1, .outcome = OUTCOME_HOPELESS }, DELIVERY_FAILED, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct verdict v = schedule_judge(id, &rows[i].a);
        if (v.status != rows[i].status || (v.disable != NULL) != rows[i].disable)
            fail_msg("%s", rows[i].why);
        if (v.status == DELIVERY_WAITING)
            assert_true(v.delay_ms == schedule_delay_ms(id, rows[i].a.number + 1));
    }

    static const struct {
        enum outcome outcome;
        int64_t asked_s, delay_ms; /* -1: the table's own */
    } after[] = {
        { OUTCOME_THROTTLED, 60, 60000 }, { OUTCOME_THROTTLED, 999999, 86400000 },
        { OUTCOME_THROTTLED, 1, -1 },     { OUTCOME_THROTTLED, 0, -1 },
        { OUTCOME_RETRY, 60, -1 },        { OUTCOME_REFUSED, 60, -1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(after); i++) {
        const struct attempt a = { .number = 1,
                                   .outcome = after[i].outcome,
                                   .wait_s = after[i].asked_s };
        assert_int_equal(schedule_judge(id, &a).delay_ms,
                         after[i].delay_ms < 0 ? five : after[i].delay_ms);
    }
}

static void a_channel_rests_longer_the_more_it_fails(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        struct attempt a;
        unsigned failures;
        int64_t rest_ms;
    } rows[] = {
        { "delivered", { .number = 1, .outcome = OUTCOME_DELIVERED }, 9, 0 },
        { "once", { .number = 1, .outcome = OUTCOME_RETRY }, 1, 0 },
        { "twice", { .number = 1, .outcome = OUTCOME_RETRY }, 2, 0 },
        { "three times", { .number = 1, .outcome = OUTCOME_RETRY }, 3, 5000 },
        { "four times", { .number = 1, .outcome = OUTCOME_RETRY }, 4, 10000 },
        { "eight times", { .number = 1, .outcome = OUTCOME_RETRY }, 8, 160000 },
        { "nine times: the most", { .number = 1, .outcome = OUTCOME_RETRY }, 9, 300000 },
        { "for ever", { .number = 1, .outcome = OUTCOME_RETRY }, 4000000000u, 300000 },
        { "hangs, first time", { .number = 1, .outcome = OUTCOME_TIMED_OUT }, 1, 5000 },
        { "throttled", { .number = 1, .outcome = OUTCOME_THROTTLED }, 1, 5000 },
        { "throttled for a minute",
          { .number = 1, .outcome = OUTCOME_THROTTLED, .wait_s = 60 },
          1,
          60000 },
        { "throttled for a day",
          { .number = 1, .outcome = OUTCOME_THROTTLED, .wait_s = 86400 },
          1,
          3600000 },
        { "an alert too large", { .number = 1, .outcome = OUTCOME_HOPELESS }, 5, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct verdict v = schedule_judge(alert_number(1), &rows[i].a);
        if (schedule_rest_ms(&rows[i].a, &v, rows[i].failures, SCHEDULE_REST_UNIT_MS)
            != rows[i].rest_ms)
            fail_msg("%s", rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_are_the_tables_with_a_fifth_either_way),
        cmocka_unit_test(an_outcome_becomes_a_verdict),
        cmocka_unit_test(a_channel_rests_longer_the_more_it_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
