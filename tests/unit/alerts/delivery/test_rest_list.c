/* Channels at rest: who fails waits, who succeeds is forgotten, and the list stays within its
 * bounds. */
#include "alerts/delivery/rest_list.h"
#include "core/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { UNIT_MS = 5000 };
static struct rest_list list;

static struct uuid channel_id(int c) { return uuid_derive((struct uuid){ { 2 } }, (uint64_t)c, 0); }

static void note(int channel, enum outcome outcome, int64_t now_ms)
{
    const struct attempt a = { .number = 1, .outcome = outcome, .gone = "gone" };
    const struct verdict v = schedule_judge((struct uuid){ { 1 } }, &a);
    rest_list_note(&list, channel_id(channel), &a, &v, now_ms * NS_PER_MS, UNIT_MS);
}

/* How many rest, and until when the dispatcher may sleep at most. */
static size_t resting(int64_t now_ms, int64_t *wait_ms)
{
    static struct uuid out[RESTS_MAX];
    *wait_ms = 60000;
    return rest_list_now(&list, now_ms * NS_PER_MS, out, wait_ms);
}

static int set_up(void **state)
{
    (void)state;
    list.n = 0;
    return 0;
}

static void the_third_failure_brings_a_rest_and_a_success_ends_it(void **state)
{
    (void)state;
    int64_t wait_ms;
    note(1, OUTCOME_RETRY, 1000);
    note(1, OUTCOME_RETRY, 1100);
    assert_int_equal(resting(1100, &wait_ms), 0);
    note(1, OUTCOME_RETRY, 1200);
    assert_int_equal(resting(1200, &wait_ms), 1);
    assert_int_equal(wait_ms, 5001); /* a millisecond after the end, not before it */
    assert_int_equal(resting(6199, &wait_ms), 1);
    assert_int_equal(resting(6200, &wait_ms), 0);
    assert_int_equal(wait_ms, 60000);
    note(1, OUTCOME_RETRY, 6200); /* the fourth: twice as long */
    assert_int_equal(resting(16199, &wait_ms), 1);
    assert_int_equal(resting(16200, &wait_ms), 0);
    note(1, OUTCOME_DELIVERED, 16200);
    assert_int_equal(list.n, 0);
    note(1, OUTCOME_RETRY, 16300); /* counted anew */
    assert_int_equal(resting(16300, &wait_ms), 0);
}

static void a_timeout_brings_one_at_once_and_what_is_over_brings_none(void **state)
{
    (void)state;
    int64_t wait_ms;
    note(1, OUTCOME_TIMED_OUT, 0);
    assert_int_equal(resting(0, &wait_ms), 1);
    note(2, OUTCOME_HOPELESS, 0); /* about the alert */
    assert_int_equal(list.n, 1);
    note(1, OUTCOME_GONE, 0); /* turned off: nothing more is claimed for it */
    assert_int_equal(list.n, 0);
}

static void the_one_that_is_over_soonest_makes_room(void **state)
{
    (void)state;
    int64_t wait_ms;
    for (int c = 0; c < RESTS_MAX; c++) note(c, OUTCOME_TIMED_OUT, c == 500 ? 0 : 10 + c);
    assert_int_equal(resting(2000, &wait_ms), RESTS_MAX);
    note(RESTS_MAX, OUTCOME_TIMED_OUT, 3000);
    assert_int_equal(resting(3000, &wait_ms), RESTS_MAX);
    for (size_t i = 0; i < list.n; i++)
        assert_false(uuid_equal(list.at[i].channel, channel_id(500)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_third_failure_brings_a_rest_and_a_success_ends_it, set_up),
        cmocka_unit_test_setup(a_timeout_brings_one_at_once_and_what_is_over_brings_none, set_up),
        cmocka_unit_test_setup(the_one_that_is_over_soonest_makes_room, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
