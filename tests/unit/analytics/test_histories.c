/* test_histories.c - a measure's past from elsewhere: read or refused with its line, replaced, taken back, saved, renamed, and
 * what highest_since makes of it. */
#include "tests/unit/analytics/stories.h"

#include "analytics/histories.h"

static struct record history_of(const char *measure, const char *source, const char *text)
{
    return (struct record){ .kind = RECORD_HISTORY,
                            .event_ns = at(0, 1, 0),
                            .u.history = { str_of(measure), str_of(source), str_of(text) } };
}

static void refused(const char *measure, const char *text, const char *because)
{
    struct record r = history_of(measure, "", text);
    struct why why = { .text = "" };
    const size_t points = engine_market(e)->history_points_n;
    r.seq = engine_seq(e) + 1;
    assert_int_not_equal(engine_apply(e, &r, &why), ERR_OK);
    if (!strstr(why.text, because)) fail_msg("%s: %s", text, why.text);
    assert_int_equal(engine_market(e)->history_points_n, points);
}

static void what_is_no_measure(void **state)
{
    (void)state;
    begin();
    member("A", 1);
    refused("hi(X)", "2000-01-03,1", "field \"measure\"");
    refused("last(A) x", "2000-01-03,1", "field \"measure\"");
    refused("ai_exposure(book:b)", "2000-01-03,0.5", "a book's past is its tenant's own");
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
    (void)state;
    begin();
    member("A", 1);
    refused("hhi(X)", "2000-01-03,80\n2000-01-03,81\n", "line 2: the date of the line before");
    refused("hhi(X)", "2000-01-03,80\n1999-12-31,81\n", "line 2: is dated before the line above");
    refused("hhi(X)", "2000-01-03,80\n\n", "line 2: expected DATE,VALUE");
    refused("hhi(X)", "2000-01-03,80\n2000-01-04,0\n",
            "line 2: 0 is no value of the measure, which is above 0");
    refused("hhi(X)", "2000-02-30,80\n", "line 1:");
    refused("hhi(X)", "2000-02-28,8O\n", "line 1:");
    refused("hhi(X)", "2000-02-28\n", "line 1: expected DATE,VALUE");
    refused("hhi(X)", "nothing", "line 1: expected DATE,VALUE");
}

static void end_at(int day, double price)
{
    trade("A", price, at(day, 15, 0));
    ok(close_of("A", llround(price * E8), day, at(day, 21, 0)));
    ok(end_of(day));
}

static const char HIGHS[] = "highest_since(last(A))",
                  YEARS[] = "highest_since(last(A), unit=years)";

static void says(const char *want)
{
    AUTO_BUF struct buf inputs = { 0 };
    engine_inputs(e, track(HIGHS), &inputs);
    if (!strstr(inputs.data, want)) fail_msg("%s, wanted %s", inputs.data, want);
}

/* Six points, the last two on and after the seam, 25 January 2024. */
static const char POINTS[] = "1999-12-31,70\n2000-03-24,95\n2001-06-29,60\n2010-01-04,90\n"
                             "2024-01-25,500\n2024-02-01,600\n";

static void joined_at_the_seam(void **state)
{
    (void)state;
    begin();
    member("A", 1);
    value(HIGHS);
    value(YEARS);
    end_at(0, 84);
    end_at(1, 91);
    ok(history_of("last( A )", "the exchange", POINTS));
    trade("A", 85, at(4, 15, 0));
    is(HIGHS, 1); /* its own past knows */
    says("\"since\":\"2024-01-26\"");
    says(
        "\"history_from\":\"1999-12-31\",\"seam\":\"2024-01-25\",\"before_seam\":\"the exchange\"");
    trade("A", 92, at(4, 15, 1)); /* 95 in the year 2000, then two points and three sessions */
    is(HIGHS, 5);
    is(YEARS, (19747 + 4 - 11040) / 365.25);
    says(
        "A's price is 92 USD, the highest since 24 March 2000, when it was 95 USD (before 25 January 2024: the exchange)");
    trade("A", 96, at(4, 15, 2));
    is(HIGHS, 6);
    says("\"record\":true");
    says(
        "the highest on record, which begins 31 December 1999 (before 25 January 2024: the exchange)");

    ok(history_of("last(A)", "another", "1990-01-02,97\n")); /* replaces it */
    assert_int_equal(engine_market(e)->histories_n, 1);
    assert_int_equal(engine_market(e)->history_points_n, 1);
    is(HIGHS, 3);
    says("the highest since 2 January 1990, when it was 97 USD");
    ok(history_of("hhi(X)", "", "1980-01-02,97\n1980-01-03,97\n"));
    ok(history_of("last(A)", "", "none"));
    assert_int_equal(engine_market(e)->histories_n, 1);
    assert_int_equal(engine_market(e)->history_points_n, 2);
    assert_int_equal(engine_market(e)->histories[0].first, 0);
    is(HIGHS, 2);
}

/* Its state is as the engine's: the same after a restart, and whatever its instrument is called. */
static void saved_and_renamed(void **state)
{
    (void)state;
    begin();
    member("A", 1);
    value(HIGHS);
    end_at(0, 84);
    ok(history_of("last(A)", "the exchange", POINTS));
    ok((struct record){ .kind = RECORD_RENAME,
                        .event_ns = at(1, 1, 0),
                        .u.rename = { symbol("A"), symbol("AB"), DAY0 + 1, { 0 } } });
    trade("AB", 92, at(1, 15, 0));
    is("highest_since(last(AB))", 4);
    AUTO_BUF struct buf image = { 0 };
    struct engine *loaded = NULL;
    struct why why = { .text = "" };
    engine_save(e, &image);
    size_t used = 0;
    if (engine_load(image.data, image.len, &loaded, &used, &why)) fail_msg("%s", why.text);
    const struct market *m = engine_market(loaded);
    const struct long_history *h = histories_of(m, "last(AB)");
    assert_non_null(h);
    assert_int_equal(h->n, 6);
    assert_true(histories_point(m, h, 1)->value == 95);
    assert_string_equal(h->source, "the exchange");
    engine_free(loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_is_no_measure, done),
        cmocka_unit_test_teardown(what_is_wrong_is_said_with_its_line, done),
        cmocka_unit_test_teardown(joined_at_the_seam, done),
        cmocka_unit_test_teardown(saved_and_renamed, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
