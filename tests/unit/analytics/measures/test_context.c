/* test_context.c - a measure against its own past, by hand: the example at the head of context.c, session by session; the example
 * that scipy.stats.percentileofscore gives of its kind "mean"; what has no history yet, and what is none. */
#include "tests/unit/analytics/stories.h"

/* A session a price, from session `first` on. */
static void sessions(int first, const double *prices, int n)
{
    for (int i = 0; i < n; i++) {
        trade("A", prices[i], at(first + i, 15, 0));
        ok(close_of("A", llround(prices[i] * E8), first + i, at(first + i, 21, 0)));
        ok(end_of(first + i));
    }
}

static enum reading_status status(const char *text)
{
    return engine_reading(e, track(text)).status;
}

static void the_worked_example(void **state)
{
    (void)state;
    static const double past[] = { 84, 91, 88, 86, 88 };
    begin();
    member("A", 1);
    static const char *const asked[] = {
        "percentile(last(A), over=5d)", "rank(last(A), over=5d)", "zscore(last(A), over=5d)",
        "vol(last(A), over=5d)",        "streak(last(A))",        "drawdown(last(A), over=5d)"
    };
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) value(asked[i]);
    sessions(0, past, 4);
    assert_int_equal(status("percentile(last(A), over=5d)"), READING_NO_HISTORY);
    is("streak(last(A))", -2);
    sessions(4, past + 4, 1);
    assert_int_equal(status("percentile(last(A), over=5d)"), READING_NO_HISTORY); /* 4 before it */
    trade("A", 88, at(5, 15, 0));
    is("percentile(last(A), over=5d)", 60);
    is("rank(last(A), over=5d)", 2);
    const double mean = 437.0 / 5;
    double squares = 0, returns[5], sum = 0;
    for (int i = 0; i < 5; i++) squares += (past[i] - mean) * (past[i] - mean);
    is("zscore(last(A), over=5d)", (88 - mean) / sqrt(squares / 4));
    for (int i = 0; i < 5; i++) sum += returns[i] = log((i < 4 ? past[i + 1] : 88) / past[i]);
    squares = 0;
    for (int i = 0; i < 5; i++) squares += (returns[i] - sum / 5) * (returns[i] - sum / 5);
    is("vol(last(A), over=5d)", 100 * sqrt(squares / 4 * 252));
    is("streak(last(A))", 0);
    is("drawdown(last(A), over=5d)", 100 * (88.0 - 91) / 91);
    trade("A", 89, at(5, 16, 0));
    is("streak(last(A))", 2);
    is("percentile(last(A), over=5d)", 80);
    trade("A", 92, at(5, 16, 1));
    is("percentile(last(A), over=5d)", 100);
    is("rank(last(A), over=5d)", 1);
    is("drawdown(last(A), over=5d)", 0);
    ok(end_of(5));
    trade("A", 70, at(5, 22, 0)); /* after hours it is no session's */
    trade("A", 85, at(6, 15, 0)); /* 91 88 86 88 92 and now 85 */
    is("percentile(last(A), over=5d)", 0);
    is("rank(last(A), over=5d)", 6);
    is("streak(last(A))", -1);
    trade("A", 92, at(6, 15, 1));
    is("percentile(last(A), over=5d)", 90); /* four below, one equal */
}

/* percentileofscore([1, 2, 3, 3, 4], 3, kind="mean") is 60.0 in its documentation. */
static void as_scipy_has_it(void **state)
{
    (void)state;
    static const double past[] = { 1, 2, 3, 3, 4 };
    begin();
    member("A", 1);
    value("percentile(last(A), over=5d)");
    sessions(0, past, 5);
    trade("A", 3, at(5, 15, 0));
    is("percentile(last(A), over=5d)", 60);
}

/* Prices of before a split are per share of after it, as in every other history. */
static void a_split_is_no_move(void **state)
{
    (void)state;
    static const double past[] = { 100, 104, 102 }, after[] = { 52, 53 };
    begin();
    member("A", 1);
    value("percentile(last(A), over=3d)");
    value("streak(last(A))");
    sessions(0, past, 3);
    ok(split_of("A", 2, 1, 3, at(2, 23, 0)));
    sessions(3, after, 2);
    trade("A", 52, at(5, 15, 0)); /* 51 52 53 */
    is("percentile(last(A), over=3d)", 50);
    is("streak(last(A))", -1);
    trade("A", 54, at(5, 15, 1));
    is("streak(last(A))", 3); /* 52 -> 51, then up */
}

static void what_is_no_number(void **state)
{
    (void)state;
    static const double flat[] = { 7, 7, 7, 7 };
    begin();
    member("A", 1);
    value("zscore(last(A), over=3d)");
    value("vol(last(A), over=3d)");
    value("vol(change(last(A)), over=2d)");
    value("drawdown(change(last(A)), over=2d)");
    sessions(0, flat, 4);
    trade("A", 8, at(4, 15, 0));
    assert_int_equal(status("zscore(last(A), over=3d)"), READING_NO_DATA);      /* no deviation */
    assert_int_equal(status("vol(change(last(A)), over=2d)"), READING_NO_DATA); /* of 0 */
    assert_int_equal(status("drawdown(change(last(A)), over=2d)"), READING_OK);
    ok(end_of(4));
    trade("A", 7, at(5, 15, 0));
    is("vol(last(A), over=3d)",
       100 * sqrt(252 * log(8.0 / 7) * log(8.0 / 7))); /* 0, r, -r: mean 0, squares 2 r^2 */
}

static void refused(const char *text, const char *because)
{
    struct measure x;
    struct why why = { .text = "" };
    assert_int_not_equal(measure_parse(text, strlen(text), &x, &why), ERR_OK);
    if (!strstr(why.text, because)) fail_msg("%s: %s", text, why.text);
}

static void spans_of_sessions_and_years(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        { "percentile(hhi(X), over=252d)", "percentile(hhi(X))" },
        { "percentile(hhi(X), over=1y)", "percentile(hhi(X))" },
        { "percentile(hhi(X), over=2520d)", "percentile(hhi(X), over=10y)" },
        { "vol(level(X), over=60d)", "vol(level(X), over=60d)" },
        { "vol(level(X), over=20d)", "vol(level(X))" },
    };
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        struct measure x;
        char text[MEASURE_TEXT_MAX];
        struct why why = { .text = "" };
        if (measure_parse(same[i][0], strlen(same[i][0]), &x, &why)) fail_msg("%s", why.text);
        measure_format(&x, text);
        assert_string_equal(text, same[i][1]);
    }
    refused("percentile(hhi(X), over=26y)", "from 1d to 6300d");
    refused("percentile(hhi(X), over=5m)", "years of 252 sessions");
    refused("percentile(hhi(X), over=0d)", "from 1d to 6300d");
    refused("zscore(hhi(X), over=1d)", "from 2d");
    refused("streak(hhi(X), over=3d)", "streak takes no parameters");
    refused("rank(X)", "rank");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_worked_example, done),
        cmocka_unit_test_teardown(as_scipy_has_it, done),
        cmocka_unit_test_teardown(a_split_is_no_move, done),
        cmocka_unit_test_teardown(what_is_no_number, done),
        cmocka_unit_test(spans_of_sessions_and_years),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
