/* test_rule_draft.c - a rule's JSON is read once: what the draft says, and that the stored
 * definition gives the same draft back. */
#include "app/rule_draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct rule_draft read_ok(const char *json)
{
    struct rule_draft d;
    struct why why = { 0 };
    if (rule_draft_read(json, strlen(json), &d, &why)) fail_msg("%s: %s", json, why.text);
    return d;
}

/* The levels are those of the table in rule_text.c: a price's key is its 1e-8ths. */
static void a_draft_says_everything(void **state)
{
    (void)state;
    const struct rule_draft d =
        read_ok("{\"rule\":\" last( A )>=110\",\"clear\":\"105\",\"severity\":\"critical\"}");
    assert_string_equal(d.d.text, "last(A) >= 110");
    assert_int_equal(d.d.measure_n, strlen("last(A)"));
    assert_int_equal(d.d.severity, SEVERITY_CRITICAL);
    assert_string_equal(d.m.subject, "A");
    assert_int_equal(d.subject_at, 8);
    assert_true(d.term.above);
    assert_int_equal(d.term.enter, INT64_C(11000000000));
    assert_int_equal(d.term.clear, INT64_C(10500000001));
}

/* A per cent is a hundredth and a basis point a hundredth of that, whatever the measure counts in. */
static void per_cent_and_basis_points_are_read_as_such(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text, *clear; /* clear NULL: refused, text is why */
        int at;
    } rows[] = {
        { "{\"rule\":\"ret(A) >= 37%\"}", "ret(A) >= 37", "", 0 },
        { "{\"rule\":\"ret(A) <= -0.50 %\",\"clear\":\"10 bps\"}", "ret(A) <= -0.5", "0.1", 0 },
        { "{\"rule\":\"top_weight(X) > 50bps\",\"clear\":\"0.25%\"}", "top_weight(X) > 0.5", "0.25",
          0 },
        { "{\"rule\":\"ai_exposure(X) >= 37%\"}", "ai_exposure(X) >= 0.37", "", 0 },
        { "{\"rule\":\"sentiment(A) < -50bps\"}", "sentiment(A) < -0.005", "", 0 },
        { "{\"rule\":\"spread(X, kind=ratio) > 104.5%\"}", "spread(X, kind=ratio) > 1.045", "", 0 },
        { "{\"rule\":\"change(last(A), unit=pct) > 1e1%\"}", "change(last(A), unit=pct) > 10", "",
          0 },
        { "{\"rule\":\"highest_since(hhi(X)) > 20y\",\"clear\":\"15y\"}",
          "highest_since(hhi(X), unit=years) > 20", "15", 0 },
        { "{\"rule\":\"lowest_since(hhi(X), unit=days) > 2.5 y\"}",
          "lowest_since(hhi(X), unit=years) > 2.5", "", 0 },
        { "{\"rule\":\"highest_since(hhi(X), unit=years) >= 252d\"}",
          "highest_since(hhi(X)) >= 252", "", 0 },
        { "{\"rule\":\"streak(hhi(X)) > 5d\"}", "streak(hhi(X)) > 5", "", 0 },
        { "{\"rule\":\"hhi(X) > 20y\"}", "\"y\" of a measure in 0-10000", NULL, 12 },
        { "{\"rule\":\"highest_since(hhi(X)) > 20%\"}", "\"%\" of a measure in sessions", NULL,
          27 },
        { "{\"rule\":\"last(A) >= 37%\"}", "\"%\" of a measure in USD", NULL, 14 },
        { "{\"rule\":\"hhi(X) >= 5 bps\"}", "\"bps\" of a measure in 0-10000", NULL, 13 },
        { "{\"rule\":\"hhi(X) >= 5\",\"clear\":\"4%\"}", "\"%\" of a measure in 0-10000", NULL, 0 },
        { "{\"rule\":\"ai_exposure(X) >= 0.0000001%\"}", "finer than 1e-8", NULL, 28 },
        { "{\"rule\":\"ret(A) >= %\"}", "expected a decimal number", NULL, 11 },
        { "{\"rule\":\"ret(A) >= 1%%\"}", "expected a decimal number", NULL, 11 },
        { "{\"rule\":\"ret(A) >= 1bp\"}", "expected a decimal number", NULL, 11 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rule_draft d;
        struct why why = { 0 };
        enum err e = rule_draft_read(rows[i].json, strlen(rows[i].json), &d, &why);
        if (!rows[i].clear) {
            if (!e || !strstr(why.text, rows[i].text) || why.at != rows[i].at)
                fail_msg("%s: at %d: %s", rows[i].json, why.at, why.text);
            continue;
        }
        if (e) fail_msg("%s: %s", rows[i].json, why.text);
        assert_string_equal(d.d.text, rows[i].text);
        assert_string_equal(d.d.clear, rows[i].clear);
    }
}

static void same_draft(const struct rule_draft *a, const struct rule_draft *b)
{
    AUTO_BUF struct buf x = { 0 }, y = { 0 };
    char m[MEASURE_TEXT_MAX], n[MEASURE_TEXT_MAX];
    rule_render(&a->d, &x);
    rule_render(&b->d, &y);
    assert_string_equal(x.data, y.data);
    measure_format(&a->m, m);
    measure_format(&b->m, n);
    assert_string_equal(m, n);
    assert_ptr_equal(a->m.kind, b->m.kind);
    assert_int_equal(a->term.above, b->term.above);
    assert_int_equal(a->term.enter, b->term.enter);
    assert_int_equal(a->term.clear, b->term.clear);
}

/* What a record keeps is the draft: live the one is used, after a restart the other. */
static void what_is_stored_reads_back_the_same(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{\"rule\":\"last(A) < 1.5\"}",
        "{\"rule\":\" last( A )>=110\",\"clear\":105.25,\"name\":\"d\\u00e9j\\u00e0 \\\"x\\\"\"}",
        "{\"rule\":\"spread( SP500 , window=36mo )>-2.5e1\",\"hold_s\":3,\"cooldown_s\":4}",
        "{\"rule\":\"hhi(X) >= 180\",\"clear\":-0,\"on_create\":\"wait\",\"enabled\":false}",
        "{\"rule\":\"max(change(last(NVDA),over=5m),over=20d) > 2\",\"severity\":\"info\"}",
        "{\"rule\":\"ai_exposure(book:b) > 0.1\",\"clear\":\"0.05\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct rule_draft d = read_ok(rows[i]);
        struct rule_draft back;
        struct why why = { 0 };
        AUTO_BUF struct buf stored = { 0 };
        rule_render(&d.d, &stored);
        if (rule_draft_read_stored(stored.data, stored.len, &back, &why))
            fail_msg("%s: %s", stored.data, why.text);
        same_draft(&d, &back);
        /* a tenant may not say what follows from the text */
        assert_int_equal(rule_draft_read(stored.data, stored.len, &back, &why), ERR_INVALID);
        assert_non_null(strstr(why.text, "\"measure\""));
    }
}

static void what_is_wrong_is_pointed_at_and_nothing_is_written(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum err e;
        int at;
    } rows[] = {
        { "", ERR_SYNTAX, 0 },
        { "{", ERR_SYNTAX, 0 },
        { "7", ERR_INVALID, 0 },
        { "{\"rule\":\"hhi(X) > 1\",\"colour\":1}", ERR_INVALID, 0 },
        { "{\"rule\":\"  hih(X) > 1\"}", ERR_UNKNOWN_MEASURE, 3 },
        { "{\"rule\":\"hhi(X, by=name) > 1\"}", ERR_INVALID, 11 },
        { "{\"rule\":\"hhi(X) > 1x\"}", ERR_SYNTAX, 10 },
        { "{\"rule\":\"last(A) > 0.000000001\"}", ERR_INVALID, 11 },
        { "{\"rule\":\"last(A) > 1\",\"clear\":\"2\"}", ERR_INVALID, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rule_draft d;
        struct why why = { 0 };
        memset(&d, 0x5A, sizeof d);
        const struct rule_draft before = d;
        enum err e = rule_draft_read(rows[i].json, strlen(rows[i].json), &d, &why);
        if (e != rows[i].e || why.at != rows[i].at || !why.text[0])
            fail_msg("%s: %s at %d: %s", rows[i].json, err_name(e), why.at, why.text);
        assert_memory_equal(&d, &before, sizeof d);
    }
}

/* At each end of the range: what holds there is taken, what would have to lie beyond is not. */
static void what_no_value_reaches_is_said_with_the_range(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int at;           /* of what is refused; -1: it is not */
        const char *text; /* part of why */
    } rows[] = {
        { "{\"rule\":\"last(A) < 0\"}", 11,
          "last(A) is never < 0: its values are above 0 and at most 90000000" },
        { "{\"rule\":\"last(A) <= 0\"}", 12, "never <= 0" },
        { "{\"rule\":\"last(A) < 0.00000001\"}", 11, "never < 0.00000001" },
        { "{\"rule\":\"last(A) <= 0.00000001\"}", -1, NULL },
        { "{\"rule\":\"last(A) > 0\"}", -1, NULL },
        { "{\"rule\":\"last(A) >= 90000000\"}", -1, NULL },
        { "{\"rule\":\"last(A) > 90000000\"}", 11, "never > 90000000" },
        { "{\"rule\":\"  hhi( X )  >=  10000.5\"}", 17,
          "hhi(X) is never >= 10000.5: its values are above 0 and at most 10000" },
        { "{\"rule\":\"hhi(X) >= 10000\"}", -1, NULL },
        { "{\"rule\":\"hhi(X) > 10000\"}", 10, "never > 10000" },
        { "{\"rule\":\"hhi(X) <= 0\"}", 11, "never <= 0" },
        { "{\"rule\":\"hhi(X) <= 5e-324\"}", -1, NULL },
        { "{\"rule\":\"effective_number(X) < 1\"}", 23, "at least 1" },
        { "{\"rule\":\"effective_number(X) <= 1\"}", -1, NULL },
        { "{\"rule\":\"top_weight(X) > 101%\"}", 17, "top_weight(X) is never > 101:" },
        { "{\"rule\":\"sentiment(A) >= 1\"}", 17, "above -1 and below 1" },
        { "{\"rule\":\"sentiment(A) >= 100%\"}", 17, "never >= 1:" },
        { "{\"rule\":\"sentiment(A) <= -1\"}", 17, "never <= -1:" },
        { "{\"rule\":\"sentiment(A) > 0.99\"}", -1, NULL },
        { "{\"rule\":\"ret(A) <= -100\"}", 11, "above -100" },
        { "{\"rule\":\"ret(A) > 1e9\"}", -1, NULL },
        { "{\"rule\":\"spread(X) < -1e9\"}", 13, "above -100" },
        { "{\"rule\":\"spread(X, kind=arith) < -1e9\"}", -1, NULL },
        { "{\"rule\":\"change(hhi(X)) > 1e4\"}", 18, "above -10000 and below 10000" },
        { "{\"rule\":\"hhi(X) >= 180\",\"clear\":0}", 0,
          "clear: hhi(X) is never <= 0: its values are above 0" },
        { "{\"rule\":\"hhi(X) >= 180\",\"clear\":0.001}", -1, NULL },
        { "{\"rule\":\"sentiment(A) < 0\",\"clear\":\"1\"}", 0,
          "clear: sentiment(A) is never >= 1" },
        { "{\"rule\":\"ai_exposure(X) < 0.5\",\"clear\":\"1\"}", -1, NULL },
        /* that it always holds is no fault of a bound: there is a value that it asks for */
        { "{\"rule\":\"hhi(X) <= 20000\"}", -1, NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct rule_draft d = read_ok(rows[i].json);
        const struct range r = measure_range(&d.m, false);
        struct why why = { 0 };
        const enum err e = rule_draft_reachable(&d, &r, &why);
        if (rows[i].at < 0) {
            if (e) fail_msg("%s: %s", rows[i].json, why.text);
        } else if (e != ERR_INVALID || why.at != rows[i].at || !strstr(why.text, rows[i].text))
            fail_msg("%s: %s at %d: %s", rows[i].json, err_name(e), why.at, why.text);
    }
}

static void a_books_series_is_its_tenants(void **state)
{
    (void)state;
    const struct uuid tenant = { { 7 } }, nobody = { { 0 } };
    struct rule_draft d = read_ok("{\"rule\":\"ai_exposure(book:b) > 0.1\"}");
    assert_true(uuid_equal(rule_draft_owner(&d, tenant), tenant));
    d = read_ok("{\"rule\":\"ai_exposure(X) > 0.1\"}");
    assert_true(uuid_equal(rule_draft_owner(&d, tenant), nobody));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draft_says_everything),
        cmocka_unit_test(per_cent_and_basis_points_are_read_as_such),
        cmocka_unit_test(what_is_stored_reads_back_the_same),
        cmocka_unit_test(what_is_wrong_is_pointed_at_and_nothing_is_written),
        cmocka_unit_test(what_no_value_reaches_is_said_with_the_range),
        cmocka_unit_test(a_books_series_is_its_tenants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
