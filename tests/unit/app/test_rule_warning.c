/* test_rule_warning.c - when a rule's bound lies outside all that its measure has been, and what is asked then. */
#include "app/rule_warning.h"

#include "core/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* From 30.1 to 39.8 per cent since 2018-02-05: day 17567. */
static const struct rule_past weights = { 100, 30.1, 39.8, 17567 * NS_PER_DAY };

static struct rule_warning warned(const char *rule, const struct rule_past *past)
{
    struct rule_draft d;
    struct why why = { 0 };
    AUTO_BUF struct buf json = { 0 };
    buf_printf(&json, "{\"rule\":\"%s\"}", rule);
    if (rule_draft_read(json.data, json.len, &d, &why)) fail_msg("%s: %s", rule, why.text);
    return rule_warn(&d, past);
}

static void outside_all_that_has_been_it_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *end; /* of the detail; NULL: no warning */
    } rows[] = {
        { "top_weight(X) >= 35", NULL },
        { "top_weight(X) >= 39.8", NULL },
        { "top_weight(X) > 39.8", "since 2018-02-05: never > 39.8 so far" },
        { "top_weight(X) >= 45", "never >= 45 so far" },
        { "top_weight(X) <= 45", "always <= 45 so far" },
        { "top_weight(X) < 30.1", "never < 30.1 so far" },
        { "top_weight(X) <= 30.1", NULL },
        { "top_weight(X) >= 30", "always >= 30 so far" },
        { "top_weight(X) <= 0.37", "never <= 0.37 so far; did you mean 37?" },
        { "top_weight(X) >= 0.37",
          "top_weight(X) has been from 30.1 to 39.8 since 2018-02-05: always >= 0.37 so far; did you mean 37?" },
        { "top_weight(X) >= 0.001", "always >= 0.001 so far" }, /* 0.1 % is no nearer */
        { "top_weight(X) >= 37%", NULL },
        { "top_weight(X) >= 1e-1", "always >= 1e-1 so far" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct rule_warning w = warned(rows[i].rule, &weights);
        const size_t n = strlen(w.detail), end = rows[i].end ? strlen(rows[i].end) : 0;
        if (!rows[i].end != !w.code || n < end || (end && strcmp(w.detail + n - end, rows[i].end)))
            fail_msg("%s: %s", rows[i].rule, w.code ? w.detail : "no warning");
        if (w.code) assert_int_equal(w.always, strstr(w.detail, ": always ") != NULL);
    }
}

static void a_fraction_is_asked_about_the_other_way_round(void **state)
{
    (void)state;
    const struct rule_past fractions = { 2, 0.2, 0.4, 17567 * NS_PER_DAY };
    struct rule_warning w = warned("change(ai_exposure(X)) >= 0.5", &fractions);
    assert_non_null(strstr(w.detail, "never >= 0.5 so far"));
    assert_null(strstr(w.detail, "did you mean"));
    w = warned("spread(X, kind=ratio) <= 35", &fractions);
    assert_non_null(strstr(w.detail, "always <= 35 so far; did you mean 0.35?"));
    w = warned("last(A) <= 35", &fractions); /* neither */
    assert_non_null(strstr(w.detail, "always <= 35 so far"));
    assert_null(strstr(w.detail, "did you mean"));
}

static void one_value_is_no_history(void **state)
{
    (void)state;
    struct rule_past past = weights;
    past.seen_n = 1;
    assert_null(warned("top_weight(X) >= 45", &past).code);
    assert_null(warned("top_weight(X) >= 45", &(struct rule_past){ 0 }).code);
}

static void it_is_put_as_an_array(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 }, none = { 0 };
    const struct rule_warning w = { .code = "outside_history", .detail = "a \"b\"" };
    rule_warning_put(&w, &b);
    assert_string_equal(b.data, "[{\"code\":\"outside_history\",\"detail\":\"a \\\"b\\\"\"}]");
    rule_warning_put(&(struct rule_warning){ 0 }, &none);
    assert_string_equal(none.data, "[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outside_all_that_has_been_it_is_said),
        cmocka_unit_test(a_fraction_is_asked_about_the_other_way_round),
        cmocka_unit_test(one_value_is_no_history),
        cmocka_unit_test(it_is_put_as_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
