/* test_breadth.c - the example at the head of breadth.c; members without a close before, a split overnight. */
#include "tests/unit/analytics/stories.h"

static void end_at(int day, double a, double b, double c)
{
    trade("A", a, at(day, 15, 0));
    trade("B", b, at(day, 15, 0));
    trade("C", c, at(day, 15, 0));
    ok(end_of(day));
}

static enum reading_status status(const char *text)
{
    const uint32_t no = track(text);
    if (series_configure(engine_market(e), no)) fail_msg("%s", text);
    return engine_reading(e, no).status;
}

static void is_the_example(void)
{
    is("breadth(X)", 1);
    is("breadth(X, form=up)", 200.0 / 3);
    is("breadth(X, form=beating)", 200.0 / 3);
    is("dispersion(X)", sqrt((2.25 * 2.25 * 100 + 0.25 * 0.25 * 200 + 2.75 * 2.75 * 100) / 400));
    const double mean = 2.0 / 3;
    is("dispersion(X, weights=equal)",
       sqrt(((3 - mean) * (3 - mean) + (1 - mean) * (1 - mean) + (2 + mean) * (2 + mean)) / 3));
}

static void by_hand(void **state)
{
    (void)state;
    begin();
    member("A", 1);
    member("B", 2);
    member("C", 1);
    trade("A", 100, at(0, 15, 0));
    trade("B", 100, at(0, 15, 0));
    trade("C", 100, at(0, 15, 0));
    assert_int_equal(status("breadth(X)"), READING_NO_HISTORY);
    ok(end_of(0));
    assert_int_equal(status("dispersion(X)"), READING_NO_HISTORY);
    trade("A", 103, at(1, 15, 0));
    trade("B", 101, at(1, 15, 0));
    trade("C", 98, at(1, 15, 0));
    is_the_example();
    ok(end_of(1));
    is_the_example(); /* until the next session begins it is this one's */
    trade("A", 103, at(2, 15, 0));
    is("breadth(X)", 0); /* and none of the others has moved yet */
    is("dispersion(X)", 0);
    trade("B", 100, at(2, 15, 1));
    is("breadth(X)", -1);
    is("breadth(X, form=up)", 0);
    member("D", 5); /* it has no close before: it is left out */
    trade("D", 70, at(2, 15, 2));
    is("breadth(X)", -1);
    is("breadth(X, form=up)", 0);
    ok(end_of(2));
    end_at(3, 104, 101, 99);
    trade("D", 71, at(4, 15, 0));
    is("breadth(X, form=up)", 25); /* D, by one, of four */
}

/* 100 that becomes two at 51.5 has risen by 3 %, and weighs what it did. */
static void a_split_is_no_fall(void **state)
{
    (void)state;
    begin();
    member("A", 1);
    member("B", 2);
    member("C", 1);
    end_at(0, 100, 100, 100);
    ok(split_of("A", 2, 1, 1, at(0, 23, 0)));
    trade("A", 51.5, at(1, 15, 0));
    trade("B", 101, at(1, 15, 0));
    trade("C", 98, at(1, 15, 0));
    is_the_example();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(by_hand, done),
        cmocka_unit_test_teardown(a_split_is_no_fall, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
