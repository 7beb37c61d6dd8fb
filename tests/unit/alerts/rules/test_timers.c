/* test_timers.c - timers against a plain list: told in order of (time, number), never too
 * late, and no more than there are. */
#include "alerts/rules/timers.h"

#include "core/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { RULES = 50 };

static uint64_t seed;
static uint32_t upto(uint32_t n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % n;
}

/* The plain list: when each rule is to be told; 0: never. */
static int64_t wanted[RULES];
static uint64_t number[RULES];

static void in_the_order_of_time_and_number(void **state)
{
    (void)state;
    struct timers t = { 0 };
    int64_t now = 1;
    size_t told = 0;
    seed = 42;
    assert_true(timers_reserve(&t, RULES));
    for (uint32_t i = 0; i < RULES; i++) number[i] = 1000 - i;
    for (int step = 0; step < 100000; step++) {
        const uint32_t rule = upto(RULES);
        if (upto(50) == 0) { /* made anew under another number: what was wanted is forgotten */
            number[rule] = 2000 + (uint64_t)step;
            wanted[rule] = now + 1 + upto(30);
            timers_want(&t, (struct timer){ wanted[rule], number[rule], rule });
        } else if (upto(2)) {
            const int64_t due = now + 1 + upto(30);
            if (!wanted[rule] || due < wanted[rule]) wanted[rule] = due;
            timers_want(&t, (struct timer){ due, number[rule], rule });
        }
        now += upto(3);
        for (struct timer got; timers_next(&t, now, &got); told++) {
            uint32_t first = RULES;
            for (uint32_t i = 0; i < RULES; i++)
                if (wanted[i] && wanted[i] <= now
                    && (first == RULES || wanted[i] < wanted[first]
                        || (wanted[i] == wanted[first] && number[i] < number[first])))
                    first = i;
            assert_int_equal(got.rule, first);
            assert_int_equal(got.due_ns, wanted[first]);
            assert_int_equal(got.no, number[first]);
            wanted[first] = 0;
        }
        for (uint32_t i = 0; i < RULES; i++) assert_true(!wanted[i] || wanted[i] > now);
        assert_true(t.n <= t.cap && t.cap < 4 * RULES); /* it is as large as it was */
    }
    assert_true(told > 1000);
    timers_release(&t);
}

/* A rule that goes in and out of its condition has one entry, however often it asks. */
static void one_entry_a_rule(void **state)
{
    (void)state;
    struct timers t = { 0 };
    struct timer got;
    assert_true(timers_reserve(&t, 2));
    for (int64_t i = 0; i < 1000; i++) timers_want(&t, (struct timer){ 70 + i, 1, 0 });
    assert_int_equal(t.n, 1);
    assert_false(timers_any(&t, 69));
    assert_false(timers_next(&t, 69, &got));
    assert_true(timers_any(&t, 70));
    assert_true(timers_next(&t, 70, &got)); /* too early, which the owner sees */
    assert_int_equal(got.due_ns, 70);
    assert_false(timers_next(&t, INT64_MAX, &got));
    timers_release(&t);
}

/* Each wish is earlier than the last, so that each has an entry of its own; the overtaken ones go when there is no more room. */
static void overtaken_entries_go(void **state)
{
    (void)state;
    struct timers t = { 0 };
    struct timer got;
    assert_true(timers_reserve(&t, 5));
    timers_want(&t, (struct timer){ 50, 0, 0 });
    for (int64_t i = 0; i < 1000; i++) {
        const uint32_t rule = 1 + (uint32_t)i % 4;
        timers_want(&t, (struct timer){ 100000 - i, rule, rule });
        assert_true(t.n <= t.cap);
    }
    assert_true(timers_next(&t, 100000, &got));
    assert_int_equal(got.rule, 0);
    for (int64_t i = 999; i >= 996; i--) {
        assert_true(timers_next(&t, 100000, &got));
        assert_int_equal(got.due_ns, 100000 - i);
        assert_int_equal(got.rule, 1 + i % 4);
    }
    assert_false(timers_next(&t, INT64_MAX, &got));
    timers_release(&t);
}

static uint32_t named[RULES];
static void name(void *ctx, uint32_t rule)
{
    (void)ctx;
    named[rule]++;
}

static void whoever_is_due_is_named(void **state)
{
    (void)state;
    struct timers t = { 0 };
    assert_true(timers_reserve(&t, RULES));
    seed = 7;
    for (uint32_t i = 0; i < RULES; i++) {
        wanted[i] = 1 + upto(100);
        timers_want(&t, (struct timer){ wanted[i], i, i });
    }
    for (int64_t now = 0; now <= 101; now++) {
        memset(named, 0, sizeof named);
        timers_due(&t, now, name, NULL);
        for (uint32_t i = 0; i < RULES; i++) assert_int_equal(named[i], wanted[i] <= now);
    }
    timers_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_order_of_time_and_number),
        cmocka_unit_test(one_entry_a_rule),
        cmocka_unit_test(overtaken_entries_go),
        cmocka_unit_test(whoever_is_due_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
