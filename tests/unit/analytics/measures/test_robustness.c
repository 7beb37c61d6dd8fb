/* test_robustness.c - the 20 definitions of a spread against the claim, one by one; begun, saved and ended with their asker. */
#include "tests/unit/analytics/stories.h"

static const char *const kinds[] = { "geom", "arith", "log", "ann", "ratio" }, *const windows[] = {
    "3mo", "12mo", "18mo", "36mo"
};

static double days_since(const char *kind, const char *window)
{
    char text[120];
    snprintf(text, sizeof text, "highest_since(spread(X, kind=%s, window=%s), unit=days)", kind,
             window);
    return value(text);
}

/* NaN: the claim says nothing. Of the first k kinds and n windows. */
static double counted(int k, int n)
{
    const double claim = days_since("geom", "12mo");
    double sum = 0;
    if (isnan(claim)) return NAN;
    for (int i = 0; i < k; i++)
        for (int j = 0; j < n; j++) sum += days_since(kinds[i], windows[j]) >= claim;
    return sum;
}

static void session(int day, double a, double b, double c)
{
    trade("A", a, at(day, 15, 0));
    trade("B", b, at(day, 15, 1));
    trade("C", c, at(day, 15, 2));
    ok(end_of(day));
}

static struct engine *again(const struct engine *of)
{
    AUTO_BUF struct buf image = { 0 };
    struct engine *loaded = NULL;
    struct why why = { .text = "" };
    size_t used = 0;
    engine_save(of, &image);
    if (engine_load(image.data, image.len, &loaded, &used, &why)) fail_msg("%s", why.text);
    return loaded;
}

static void as_many_as_confirm_it(void **state)
{
    (void)state;
    double a = 100, b = 100, c = 100;
    int claims = 0, mixed = 0;
    begin();
    member("A", 80);
    member("B", 40);
    member("C", 10);
    value("robustness(highest_since(spread(X, window=12mo)))");
    value("robustness(highest_since(spread(X, window=12mo)), kinds=2, windows=3)");
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 4; j++) days_since(kinds[i], windows[j]); /* from the beginning */
    srand(11);
    for (int i = 0; i < 170; i++) { /* seven years, a session a fortnight */
        a *= 1 + (rand() % 1001 - 480) / 12000.0;
        b *= 1 + (rand() % 1001 - 500) / 12000.0;
        c *= 1 + (rand() % 1001 - 500) / 12000.0;
        session(15 * i, a, b, c);
        if (i % 40 == 20) {
            struct engine *loaded = again(e);
            engine_free(e);
            e = loaded;
        }
        const double all = counted(5, 4), some = counted(2, 3);
        const double got = value("robustness(highest_since(spread(X, window=12mo)))");
        if (isnan(all)) {
            assert_true(isnan(got));
            continue;
        }
        claims++;
        mixed += all > 0 && all < 20;
        if (got != all) fail_msg("session %d: %g definitions, counted %g", i, got, all);
        assert_true(value("robustness(highest_since(spread(X, window=12mo)), kinds=2, windows=3)")
                    == some);
    }
    assert_true(claims > 100 && mixed > 20);
    AUTO_BUF struct buf inputs = { 0 };
    engine_inputs(e, track("robustness(highest_since(spread(X, window=12mo)))"), &inputs);
    assert_non_null(strstr(inputs.data, "\"definitions\":20"));
    assert_non_null(strstr(inputs.data, "\"fails\":["));
    assert_non_null(strstr(inputs.data, "of 20 definitions\""));
}

/* What it looks at lives while somebody asks for it. */
static void it_lets_go(void **state)
{
    (void)state;
    begin();
    member("A", 80);
    struct market *m = engine_market(e);
    m->settings.drop_unasked = true;
    const uint32_t no = track("robustness(highest_since(spread(X, window=12mo)))");
    assert_int_equal(series_ask(m, no, 1), ERR_OK);
    const uint32_t of = engine_find_series(e, (struct uuid){ { 0 } },
                                           "highest_since(spread(X, kind=log, window=3mo))");
    assert_true(of != SERIES_NONE && m->series[of].live);
    assert_int_equal(series_ask(m, no, -1), ERR_OK);
    assert_false(m->series[of].live || m->series[m->series[of].subject].live || m->series[no].live);
    assert_int_equal(m->series[of].parents, 0);
}

static void refused(const char *text, int where)
{
    struct measure x;
    struct why why = { .text = "" };
    assert_int_equal(measure_parse(text, strlen(text), &x, &why), ERR_INVALID);
    if (!strstr(why.text, "highest_since or lowest_since of a spread") || why.at != where)
        fail_msg("%s: %s at %d", text, why.text, why.at);
}

static void only_of_a_claim_on_a_spread(void **state)
{
    (void)state;
    refused("robustness(highest_since(hhi(X)))", 1);
    refused("robustness(spread(X))", 1);
    refused("max(robustness(percentile(spread(X))))", 5);
    refused("robustness(max(highest_since(spread(X))))", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(as_many_as_confirm_it, done),
        cmocka_unit_test_teardown(it_lets_go, done),
        cmocka_unit_test(only_of_a_claim_on_a_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
