/* test_since.c - highest_since and lowest_since by hand: in sessions, days and years; what they say. */
#include "tests/unit/analytics/stories.h"

static void end_at(int day, double price)
{
    trade("A", price, at(day, 15, 0));
    ok(close_of("A", llround(price * E8), day, at(day, 21, 0)));
    ok(end_of(day));
}

static void says(const char *text, const char *want)
{
    AUTO_BUF struct buf inputs = { 0 };
    engine_inputs(e, track(text), &inputs);
    if (!strstr(inputs.data, want)) fail_msg("%s: %s, wanted %s", text, inputs.data, want);
}

/* 25 January 2024 is day 0; the sessions lie days apart. */
static void in_sessions_days_and_years(void **state)
{
    (void)state;
    begin();
    member("A", 1);
    static const char *const asked[] = { "highest_since(last(A))",
                                         "highest_since(last(A), unit=days)",
                                         "highest_since(last(A), unit=years)",
                                         "lowest_since(last(A))" };
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) value(asked[i]);
    end_at(0, 84);
    assert_int_equal(engine_reading(e, track("highest_since(last(A))")).status, READING_NO_HISTORY);
    end_at(1, 91);
    end_at(4, 88);
    end_at(5, 86);
    trade("A", 89, at(732, 15, 0)); /* 26 January 2026 */
    is("highest_since(last(A))", 3);
    is("highest_since(last(A), unit=days)", 731);
    is("highest_since(last(A), unit=years)", 731 / 365.25);
    is("lowest_since(last(A))", 1);
    says("highest_since(last(A))",
         "\"says\":\"A's price is 89 USD, the highest since 26 January 2024, when it was 91 USD\"");
    says("highest_since(last(A))", "\"since\":\"2024-01-26\",\"then\":91,\"sessions\":3");
    says("highest_since(last(A))", "\"provisional\":true");
    says("lowest_since(last(A))", "the lowest since 30 January 2024, when it was 86 USD");
    trade("A", 92, at(732, 15, 1));
    is("highest_since(last(A), unit=days)", 732);
    says("highest_since(last(A))",
         "A's price is 92 USD, the highest on record, which begins 25 January 2024");
    says("highest_since(last(A))", "\"record\":true");
    ok(end_of(732));
    says("highest_since(last(A))", "\"provisional\":false");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(in_sessions_days_and_years, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
