/* test_drivers.c - each member's part of the change: by hand, and that they sum to it over random sessions with members who come
 * and go. */
#include "tests/unit/analytics/stories.h"

#include "core/json.h"

static json_t *drivers(const char *measure, int day, size_t n)
{
    AUTO_BUF struct buf b = { 0 };
    struct why why = { .text = "" };
    json_t *j = NULL;
    const uint32_t no = track(measure);
    if (series_configure(engine_market(e), no)) fail_msg("%s", measure);
    if (engine_drivers(e, no, day < 0 ? NO_DAY : DAY0 + day, n, &b, &why))
        fail_msg("%s: %s", measure, why.text);
    assert_int_equal(json_load_strict(b.data, b.len, &j, &why), ERR_OK);
    return j;
}

static double number_of(const json_t *j, const char *key)
{
    const json_t *v = json_object_get(j, key);
    assert_true(json_is_number(v));
    return json_number_value(v);
}

static void part_is(const json_t *j, size_t i, const char *who, double part)
{
    const json_t *x = json_array_get(json_object_get(j, "drivers"), i);
    assert_string_equal(json_string_value(json_object_get(x, "issuer")), who);
    if (fabs(number_of(x, "part") - part) > 1e-9) fail_msg("%s: %g", who, number_of(x, "part"));
}

static void end_at(int day, double a, double b, double c)
{
    trade("A", a, at(day, 15, 0));
    trade("B", b, at(day, 15, 0));
    trade("C", c, at(day, 15, 0));
    ok(end_of(day));
}

static void refused(const char *measure, int day, const char *because)
{
    AUTO_BUF struct buf b = { 0 };
    struct why why = { .text = "" };
    const uint32_t no = track(measure);
    if (series_configure(engine_market(e), no)) fail_msg("%s", measure);
    assert_int_equal(engine_drivers(e, no, day < 0 ? NO_DAY : DAY0 + day, 9, &b, &why),
                     ERR_INVALID);
    if (!strstr(why.text, because)) fail_msg("%s: %s", measure, why.text);
    assert_int_equal(b.len, 0);
}

static void nothing(const char *measure, const char *because)
{
    AUTO_JSON json_t *j = drivers(measure, -1, 9);
    assert_string_equal(json_string_value(json_object_get(j, "reason")), because);
    assert_true(json_is_null(json_object_get(j, "change")));
    assert_int_equal(json_array_size(json_object_get(j, "drivers")), 0);
}

/* The example at the head of drivers.h: thirds, then 50, 30 and 20 %. */
static void by_hand(void **state)
{
    (void)state;
    begin();
    member("A", 10);
    member("B", 10);
    member("C", 10);
    nothing("hhi(X)", "no session has ended before this one");
    end_at(0, 10, 10, 10);
    trade("A", 15, at(1, 15, 0));
    trade("B", 9, at(1, 15, 0));
    trade("C", 6, at(1, 15, 0));
    AUTO_JSON json_t *j = drivers("hhi(X)", -1, 2);
    part_is(j, 0, "A", 2500 - 10000.0 / 9);
    part_is(j, 1, "C", 400 - 10000.0 / 9);
    assert_int_equal(json_array_size(json_object_get(j, "drivers")), 2);
    assert_int_equal(number_of(j, "others"), 1);
    assert_true(fabs(number_of(j, "others_part") - (900 - 10000.0 / 9)) < 1e-9);
    assert_true(fabs(number_of(j, "then") - 10000.0 / 3) < 1e-9);
    assert_true(fabs(number_of(j, "now") - 3800) < 1e-9);
    assert_true(fabs(number_of(j, "remainder")) < 1e-11);

    AUTO_JSON json_t *top =
        drivers("top_weight(X, n=1)", 0, 9); /* A is the largest then too: the first of equals */
    part_is(top, 0, "A", 50 - 100.0 / 3);
    assert_true(number_of(top, "change") == number_of(top, "now") - number_of(top, "then"));

    AUTO_JSON json_t *level = drivers("level(X)", -1, 9);
    part_is(level, 0, "A", 1000.0 / 6); /* 50 of 300 cents more */
    part_is(level, 1, "C", -1000.0 * 4 / 30);
    assert_true(fabs(number_of(level, "change")) < 1e-9);

    refused("hhi(X)", 1, "no session end that is kept");
    refused("gini(X)", -1, "is not a sum of its members' parts");
    nothing("level(X, return=total)", "what it was at that session's end is not kept");
}

/* A member that goes: its part is all that it was. By line and by company. */
static void who_came_and_who_went(void **state)
{
    (void)state;
    begin();
    member("A", 10);
    member("B", 10);
    member("C", 20);
    end_at(0, 10, 10, 10);
    ok((struct record){ .kind = RECORD_MEMBERSHIP,
                        .event_ns = at(1, 1, 0),
                        .u.membership = { str_of("X"), symbol("C"), false, 0 } });
    trade("A", 10, at(1, 15, 0));
    AUTO_JSON json_t *j = drivers("hhi(X)", 0, 9);
    part_is(j, 0, "C", -2500);
    part_is(j, 1, "A", 2500 - 625);
    assert_true(fabs(number_of(j, "now") - 5000) < 1e-9 && number_of(j, "remainder") == 0);
    AUTO_JSON json_t *lines = drivers("hhi(X, by=line)", 0, 9);
    const json_t *first = json_array_get(json_object_get(lines, "drivers"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "symbol")), "C");
    assert_int_equal(number_of(first, "value_cents"), 0);
    assert_int_equal(number_of(first, "value_then_cents"), 20000);
}

/* 60 sessions of 12 names: parts as written and the remainder are the change, and the remainder is rounding alone. */
static void they_sum_to_the_change(void **state)
{
    (void)state;
    static const char *const measures[] = { "hhi(X)", "hhi(X, by=line)", "top_weight(X, n=3)",
                                            "top_weight(X, n=3, by=line)", "level(X)" };
    begin();
    srand(5);
    for (int i = 0; i < 12; i++) {
        const char name[] = { (char)('A' + i), '\0' };
        member(name, 1 + rand() % 1000);
    }
    for (int day = 0; day < 60; day++) {
        for (int i = 0; i < 12; i++) {
            const char name[] = { (char)('A' + i), '\0' };
            trade(name, 1 + rand() % 100000 / 100.0, at(day, 15, i));
        }
        for (size_t k = 0; day && k < ARRAY_LEN(measures); k++) {
            const int since = day - 1 - (day > 9 ? rand() % 9 : 0);
            AUTO_JSON json_t *j = drivers(measures[k], since, 5);
            double parts = number_of(j, "others_part") + number_of(j, "remainder");
            const json_t *all = json_object_get(j, "drivers");
            for (size_t i = 0; i < json_array_size(all); i++)
                parts += number_of(json_array_get(all, i), "part");
            const double change = number_of(j, "change"), size = fabs(number_of(j, "now"));
            if (fabs(parts - change) > 1e-12 * size
                || fabs(number_of(j, "remainder")) > 1e-12 * size)
                fail_msg("day %d, %s: %.17g in parts, %.17g in all", day, measures[k], parts,
                         change);
        }
        ok(end_of(day));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(by_hand, done),
        cmocka_unit_test_teardown(who_came_and_who_went, done),
        cmocka_unit_test_teardown(they_sum_to_the_change, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
