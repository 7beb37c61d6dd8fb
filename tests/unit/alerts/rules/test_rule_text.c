/* test_rule_text.c - rule JSON in and out, where errors point, and the levels of every operator. */
#include "alerts/rules/rule_text.h"

#include "alerts/rules/key.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum err parse(const char *json, struct rule_definition *out, struct why *why)
{
    size_t n = strlen(json);
    char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, json, n);
    enum err e = rule_parse(exact, n, out, why);
    free(exact);
    return e;
}

static struct rule_definition parsed(const char *json)
{
    struct rule_definition d;
    struct why why = { 0 };
    if (parse(json, &d, &why)) fail_msg("%s: %s", json, why.text);
    return d;
}

static void a_rule_says_everything(void **state)
{
    (void)state;
    struct rule_definition d = parsed(
        "{\"name\":\"HHI high\",\"rule\":\"hhi(DEMO) >= 180\",\"clear\":\"170\",\"hold_s\":5,\"cooldown_s\":60,"
        "\"severity\":\"critical\",\"on_create\":\"wait\",\"enabled\":false}");
    assert_string_equal(d.name, "HHI high");
    assert_string_equal(d.text, "hhi(DEMO) >= 180");
    assert_int_equal(d.measure_n, 9);
    assert_int_equal(d.op, OP_GE);
    assert_string_equal(d.threshold, "180");
    assert_string_equal(d.clear, "170");
    assert_int_equal(d.hold_s, 5);
    assert_int_equal(d.cooldown_s, 60);
    assert_int_equal(d.severity, SEVERITY_CRITICAL);
    assert_true(d.wait);
    assert_false(d.enabled);
    AUTO_BUF struct buf b = { 0 };
    rule_render(&d, &b);
    assert_string_equal(
        b.data,
        "{\"name\":\"HHI high\",\"rule\":\"hhi(DEMO) >= 180\",\"measure\":\"hhi(DEMO)\",\"op\":\">=\",\"threshold\":\"180\",\"clear\":\"170\","
        "\"hold_s\":5,\"cooldown_s\":60,\"severity\":\"critical\",\"on_create\":\"wait\",\"enabled\":false}");
}

/* Said only where it is another than it was before there was a choice; the measure's text is as it was. */
static void a_hold_says_what_time_it_counts(void **state)
{
    (void)state;
    struct rule_definition d =
        parsed("{\"rule\":\"last(A) >= 1\",\"hold_s\":1800,\"hold_in\":\"session\"}");
    assert_int_equal(d.hold_in, HOLD_SESSION);
    AUTO_BUF struct buf b = { 0 }, again = { 0 };
    rule_render(&d, &b);
    assert_non_null(strstr(b.data, "\"hold_s\":1800,"));
    assert_non_null(strstr(b.data, ",\"hold_in\":\"session\","));
    struct rule_definition stored;
    assert_int_equal(rule_parse_stored(b.data, b.len, &stored, NULL), ERR_OK);
    assert_int_equal(stored.hold_in, HOLD_SESSION);
    d = parsed("{\"rule\":\"last(A) >= 1\",\"hold_s\":1800,\"hold_in\":\"clock\"}");
    assert_int_equal(d.hold_in, HOLD_CLOCK);
    rule_render(&d, &again);
    assert_null(strstr(again.data, "hold_in"));
}

/* From the text and the term that runs back to the definition: what was said, clear as a plain number. */
static void a_running_rule_has_its_definition(void **state)
{
    (void)state;
    static const struct {
        const char *json, *measure, *threshold, *clear;
        bool price;
    } rows[] = {
        { "{\"rule\":\"last(A) >= 110.50\",\"clear\":\"105.10\"}", "last(A)", "110.50", "105.1",
          true },
        { "{\"rule\":\"last(A) > 110\",\"clear\":\"105\"}", "last(A)", "110", "105", true },
        { "{\"rule\":\"last(A) < 110\",\"clear\":\"110.00000001\"}", "last(A)", "110",
          "110.00000001", true },
        { "{\"rule\":\"last(A) <= 110\",\"clear\":\"111\"}", "last(A)", "110", "111", true },
        { "{\"rule\":\"last(A) <= 110\"}", "last(A)", "110", "", true },
        { "{\"rule\":\"ret(A) <= -20\",\"clear\":\"-0.1\"}", "ret(A)", "-20", "-0.1", false },
        { "{\"rule\":\"ret(A) >= 1e1\",\"clear\":\"9.95\"}", "ret(A)", "1e1", "9.95", false },
        { "{\"rule\":\"ret(A, window=5d) > 3\"}", "ret(A, window=5d)", "3", "", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rule_definition d = parsed(rows[i].json), again = { 0 };
        struct why why = { 0 };
        struct term t, same;
        assert_int_equal(rule_canonical(&d, rows[i].measure, &why), ERR_OK);
        assert_int_equal(rule_term(&d, rows[i].price, &t, &why), ERR_OK);
        rule_text_of(d.text, strlen(rows[i].measure), &t, rows[i].price, &again);
        assert_string_equal(again.text, d.text);
        assert_int_equal(again.measure_n, d.measure_n);
        assert_int_equal(again.op, d.op);
        assert_string_equal(again.threshold, rows[i].threshold);
        assert_string_equal(again.clear, rows[i].clear);
        assert_int_equal(rule_term(&again, rows[i].price, &same, &why), ERR_OK);
        assert_true(same.enter == t.enter && same.clear == t.clear && same.above == t.above);
    }
}

static void only_the_rule_is_required(void **state)
{
    (void)state;
    struct rule_definition d = parsed("{\"rule\":\"last(A)<1.5\"}");
    assert_string_equal(d.name, "");
    assert_int_equal(d.op, OP_LT);
    assert_string_equal(d.threshold, "1.5");
    assert_string_equal(d.clear, "");
    assert_int_equal(d.hold_s, 0);
    assert_int_equal(d.cooldown_s, 0);
    assert_int_equal(d.severity, SEVERITY_WARNING);
    assert_false(d.wait);
    assert_true(d.enabled);
    struct why why = { 0 };
    assert_int_equal(rule_canonical(&d, "last(A)", &why), ERR_OK);
    assert_string_equal(d.text, "last(A) < 1.5");
    assert_int_equal(d.measure_n, 7);
    d = parsed("{\"rule\":\"  hhi( X )   <=   -1.5e2  \",\"clear\":null,\"name\":\"\"}");
    assert_int_equal(d.op, OP_LE);
    assert_string_equal(d.threshold, "-1.5e2");
    assert_int_equal(d.measure_n, 10);
    assert_string_equal(parsed("{\"rule\":\"hhi(X) > 1\",\"clear\":1}").clear, "1");
    assert_string_equal(parsed("{\"rule\":\"hhi(X) > 1\",\"clear\":0.25}").clear, "0.25");
    assert_string_equal(parsed("{\"rule\":\"hhi(X) > 1\",\"clear\":-3e-1}").clear, "-0.3");
}

static void wrong_json_is_refused_with_the_field(void **state)
{
    (void)state;
    char long_name[300], long_rule[400];
    snprintf(long_name, sizeof long_name, "{\"rule\":\"hhi(X) > 1\",\"name\":\"%0*d\"}",
             RULE_NAME_MAX + 1, 1);
    snprintf(long_rule, sizeof long_rule, "{\"rule\":\"hhi(X) > %0*d\"}", RULE_TEXT_MAX, 1);
    const struct {
        const char *json;
        enum err e;
        const char *says;
    } rows[] = {
        { "", ERR_SYNTAX, "JSON" },
        { "{", ERR_SYNTAX, "JSON" },
        { "[]", ERR_INVALID, "object" },
        { "7", ERR_INVALID, "object" },
        { "{}", ERR_INVALID, "\"rule\" is missing" },
        { "{\"rule\":null}", ERR_INVALID, "\"rule\" is missing" },
        { "{\"rule\":7}", ERR_INVALID, "\"rule\" must be a string" },
        { "{\"rule\":\"\"}", ERR_INVALID, "\"rule\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"rule\":\"hhi(X) > 1\"}", ERR_SYNTAX, "JSON" },
        { "{\"rule\":\"hhi(X) > 1\",\"x\":1}", ERR_INVALID, "unknown field \"x\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"id\":\"a\"}", ERR_INVALID, "unknown field \"id\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"clear\":\"\"}", ERR_INVALID, "\"clear\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"clear\":\"1x\"}", ERR_INVALID, "\"clear\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"clear\":\" 1\"}", ERR_INVALID, "\"clear\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"clear\":\"01\"}", ERR_INVALID, "\"clear\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"clear\":\"+1\"}", ERR_INVALID, "\"clear\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"clear\":\"1e999\"}", ERR_INVALID, "\"clear\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"clear\":\"nan\"}", ERR_INVALID, "\"clear\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"clear\":true}", ERR_INVALID, "\"clear\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"clear\":[]}", ERR_INVALID, "\"clear\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"clear\":\"0.0000000000000000000000000000000000000000001\"}",
          ERR_INVALID, "\"clear\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"clear\":\"1\\u0000\"}", ERR_SYNTAX, "" },
        { "{\"rule\":\"hhi(X) > 1\",\"hold_s\":-1}", ERR_INVALID, "\"hold_s\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"hold_in\":\"sessions\"}", ERR_INVALID, "\"hold_in\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"hold_s\":2592001}", ERR_INVALID, "\"hold_s\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"hold_s\":1.0}", ERR_INVALID, "\"hold_s\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"cooldown_s\":\"1\"}", ERR_INVALID, "\"cooldown_s\"" },
        { "{\"rule\":\"hhi(X) > 1\",\"severity\":\"loud\"}", ERR_INVALID,
          "info, warning, critical" },
        { "{\"rule\":\"hhi(X) > 1\",\"on_create\":\"go\"}", ERR_INVALID, "fire, wait" },
        { "{\"rule\":\"hhi(X) > 1\",\"enabled\":1}", ERR_INVALID, "\"enabled\"" },
        { long_name, ERR_INVALID, "\"name\"" },
        { long_rule, ERR_INVALID, "\"rule\"" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rule_definition d;
        struct why why = { .at = 99 };
        enum err e = parse(rows[i].json, &d, &why);
        if (e != rows[i].e || !strstr(why.text, rows[i].says) || why.at != 0)
            fail_msg("%s: %s at %d: %s", rows[i].json, err_name(e), why.at, why.text);
        assert_int_equal(parse(rows[i].json, &d, NULL), e);
    }
}

static void errors_point_into_the_rule_text(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        enum err e;
        int at;
        const char *says;
    } rows[] = {
        { "hhi", ERR_SYNTAX, 4, "expected \"(\"" },
        { " hhi X > 3", ERR_SYNTAX, 5, "expected \"(\"" },
        { "hhi(X", ERR_SYNTAX, 4, "the parenthesis at character 4 is not closed" },
        { "hhi(DEMO > 200", ERR_SYNTAX, 4, "the parenthesis at character 4 is not closed" },
        { "200 > hhi(X)", ERR_SYNTAX, 1, "the measure comes first" },
        { "  >= hhi(X)", ERR_SYNTAX, 3, "the measure comes first" },
        { "max(change(last(X), over=5m), over=20d) = 2", ERR_SYNTAX, 41, ">= > <= <" },
        { "max(change(last(X), over=5m), over=20d >= 2", ERR_SYNTAX, 4,
          "the parenthesis at character 4 is not closed" },
        { "max(change(last(X) > 2", ERR_SYNTAX, 11,
          "the parenthesis at character 11 is not closed" },
        { "max(last(X))) > 2", ERR_SYNTAX, 13, "closes nothing: expected one of >= > <= <" },
        { "hhi)(X) > 2", ERR_SYNTAX, 5, ">= > <= <" },
        { "hhi(X)", ERR_SYNTAX, 7, "an operator and a threshold behind the measure" },
        { "hhi(X) 180", ERR_SYNTAX, 8, "an operator before the threshold: one of >= > <= <" },
        { "hhi(X) = 180", ERR_SYNTAX, 8, "\"=\" is no operator of a rule: it is one of >= > <= <" },
        { "hhi(X) == 180", ERR_SYNTAX, 8, "\"==\" is no operator of a rule" },
        { "hhi(X) => 180", ERR_SYNTAX, 8, "\"=>\" is no operator: did you mean >=?" },
        { "hhi(X) =< 180", ERR_SYNTAX, 8, "did you mean <=?" },
        { "hhi(X) ≥ 180", ERR_SYNTAX, 8, "did you mean >=?" },
        { "hhi(X) >> 180", ERR_SYNTAX, 8, "did you mean >?" },
        { "hhi(X) above 180", ERR_SYNTAX, 8, "found \"above\"" },
        { "hhi(X) <> 180", ERR_SYNTAX, 8, ">= > <= <" },
        { "hhi(X) >== 180", ERR_SYNTAX, 8, ">= > <= <" },
        { "hhi(X) !  180", ERR_SYNTAX, 8, ">= > <= <" },
        { "hhi(X) >=", ERR_SYNTAX, 10, "threshold" },
        { "hhi(X) >=   ", ERR_SYNTAX, 13, "threshold behind the operator" },
        { "hhi(X) > = 180", ERR_SYNTAX, 10, "\"= 180\"; an operator has no blank" },
        { "hhi(X) > 1,000", ERR_SYNTAX, 10, "without commas" },
        { "hhi(X) > hhi(Y)", ERR_SYNTAX, 10, "compared with a number" },
        { "hhi(X) > 1 and hhi(Y) > 2 and hhi(Z) > 3 and so on", ERR_SYNTAX, 10, "one condition" },
        { "hhi(X) >= high", ERR_SYNTAX, 11, "\"high\"" },
        { "  hhi(X)>=  1x", ERR_SYNTAX, 13, "\"1x\"" },
        { "hhi(X) >= 1 2", ERR_SYNTAX, 11, "\"1 2\"" },
        { "hhi(X) >= 1e999", ERR_SYNTAX, 11, "1e999" },
        { "hhi(X) >= .5", ERR_SYNTAX, 11, "\".5\"" },
        { "hhi(X) >= 5.", ERR_SYNTAX, 11, "\"5.\"" },
        { "hhi(X) >= 0x10", ERR_SYNTAX, 11, "\"0x10\"" },
        { "hhi(X) >= 0000000000000000000000000000000000000000", ERR_INVALID, 11,
          "too many digits" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char json[300];
        struct rule_definition d;
        struct why why = { 0 };
        snprintf(json, sizeof json, "{\"rule\":\"%s\"}", rows[i].rule);
        enum err e = parse(json, &d, &why);
        if (e != rows[i].e || why.at != rows[i].at || !strstr(why.text, rows[i].says))
            fail_msg("\"%s\": %s at %d: %s; wanted at %d", rows[i].rule, err_name(e), why.at,
                     why.text, rows[i].at);
    }
}

/* A measure of measures: what stands in its parentheses is its own, an operator too. */
static void a_measure_ends_at_its_own_parenthesis(void **state)
{
    (void)state;
    static const struct {
        const char *measure, *rest;
        enum rule_op op;
    } rows[] = {
        { "max(change(last(NVDA), over=5m), over=20d)", " >= 2", OP_GE },
        { "max(change(last(NVDA),over=5m),over=20d)", "<2", OP_LT },
        { "f(g())", " > 2", OP_GT },
        { "f(g(), h(i()))", " <= 2", OP_LE },
        { "count(a > 1, (b))", "> 2", OP_GT },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char json[200];
        snprintf(json, sizeof json, "{\"rule\":\"%s%s\"}", rows[i].measure, rows[i].rest);
        struct rule_definition d = parsed(json);
        assert_int_equal(d.measure_n, strlen(rows[i].measure));
        assert_memory_equal(d.text, rows[i].measure, d.measure_n);
        assert_int_equal(d.op, rows[i].op);
        assert_string_equal(d.threshold, "2");
    }
}

/* ---- terms ---- */
static struct term term_of(const char *op, const char *threshold, const char *clear, bool price)
{
    char json[200];
    struct term e;
    struct why why = { 0 };
    snprintf(json, sizeof json, "{\"rule\":\"last(A) %s %s\"%s%s%s}", op, threshold,
             clear ? ",\"clear\":\"" : "", clear ? clear : "", clear ? "\"" : "");
    struct rule_definition d = parsed(json);
    if (rule_term(&d, price, &e, &why)) fail_msg("%s: %s", json, why.text);
    return e;
}

static bool holds(struct term e, int64_t key) { return e.above ? key >= e.enter : key < e.enter; }
static bool rearms(struct term e, int64_t key) { return e.above ? key < e.clear : key >= e.clear; }

/* The written meaning against the keys: v op threshold holds; re-armed at v <= clear (above)
 * or v >= clear (below), and never inside the condition. */
static void check_levels(const char *op, const char *threshold, const char *clear, const double *v,
                         size_t n, bool price)
{
    double k = strtod(threshold, NULL), c = clear ? strtod(clear, NULL) : k;
    struct term e = term_of(op, threshold, clear, price);
    for (size_t i = 0; i < n; i++) {
        int64_t key = price ? (int64_t)llround(v[i] * 1e8) : key_of_double(v[i]);
        bool in = op[0] == '>' ? (op[1] ? v[i] >= k : v[i] > k) : op[1] ? v[i] <= k : v[i] < k;
        bool out = op[0] == '>' ? v[i] <= c : v[i] >= c;
        if (holds(e, key) != in)
            fail_msg("%.17g %s %s should %shold", v[i], op, threshold, in ? "" : "not ");
        if (rearms(e, key) != (clear ? out && !in : !in))
            fail_msg("%.17g %s %s clear %s: re-arming is wrong", v[i], op, threshold,
                     clear ? clear : "-");
        assert_false(holds(e, key) && rearms(e, key));
    }
}

static void operators_mean_what_they_say(void **state)
{
    (void)state;
    static const char *const ops[] = { ">=", ">", "<=", "<" };
    const double doubles[] = { 180,
                               nextafter(180, 0),
                               nextafter(180, 1e9),
                               170,
                               nextafter(170, 0),
                               nextafter(170, 1e9),
                               190,
                               nextafter(190, 0),
                               nextafter(190, 1e9),
                               0,
                               -180,
                               1e300,
                               -1e300,
                               175,
                               185 };
    const double prices[] = { 180,          179.99999999, 180.00000001, 170,          169.99999999,
                              170.00000001, 190,          190.00000001, 189.99999999, 0.00000001,
                              1e6,          175,          185 };
    const double zeros[] = { 0.0, -0.0, DBL_TRUE_MIN, -DBL_TRUE_MIN, 1, -1 };
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        bool above = ops[i][0] == '>';
        static const char *const zero_texts[] = { "0", "-0", "0.0", "-0e5" };
        for (size_t z = 0; z < ARRAY_LEN(zero_texts); z++)
            check_levels(ops[i], zero_texts[z], z & 1 ? zero_texts[z] : NULL, zeros,
                         ARRAY_LEN(zeros), false);
        const char *clears[] = { NULL, "180", above ? "170" : "190" };
        for (size_t k = 0; k < ARRAY_LEN(clears); k++) {
            check_levels(ops[i], "180", clears[k], doubles, ARRAY_LEN(doubles), false);
            check_levels(ops[i], "180", clears[k], prices, ARRAY_LEN(prices), true);
        }
    }
}

static enum err refused(const char *op, const char *threshold, const char *clear, bool price,
                        struct why *why)
{
    char json[200];
    struct term e;
    snprintf(json, sizeof json, "{\"rule\":\"last(A) %s %s\"%s%s%s}", op, threshold,
             clear ? ",\"clear\":\"" : "", clear ? clear : "", clear ? "\"" : "");
    struct rule_definition d = parsed(json);
    return rule_term(&d, price, &e, why);
}

static void clear_levels_lie_on_the_right_side(void **state)
{
    (void)state;
    static const struct {
        const char *op, *clear;
        enum err e;
    } rows[] = {
        { ">=", "180.00000001", ERR_INVALID },
        { ">", "180.00000001", ERR_INVALID },
        { "<=", "179.99999999", ERR_INVALID },
        { "<", "179.99999999", ERR_INVALID },
        { ">=", "180", ERR_OK },
        { ">", "180", ERR_OK },
        { "<=", "180", ERR_OK },
        { "<", "180", ERR_OK },
        { ">=", "-1", ERR_OK },
        { "<=", "1e9", ERR_OK },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int price = 0; price < 2; price++) {
            struct why why = { 0 };
            assert_int_equal(refused(rows[i].op, "180", rows[i].clear, price, &why), rows[i].e);
            if (rows[i].e)
                assert_non_null(
                    strstr(why.text, rows[i].op[0] == '>' ? "at or below" : "at or above"));
        }
}

/* A price is exact at 1e-8: what is finer or out of range is refused, at its character; the
 * ends of the range do not wrap. */
static void price_thresholds_are_exact(void **state)
{
    (void)state;
    assert_int_equal(term_of(">=", "172.50", NULL, true).enter, 17250000000);
    assert_int_equal(term_of(">", "0.1", NULL, true).enter, 10000001);
    struct why why = { 0 };
    assert_int_equal(refused(">=", "0.000000001", NULL, true, &why), ERR_INVALID);
    assert_int_equal(why.at, 12);
    assert_int_equal(refused("<", "1e12", NULL, true, &why), ERR_INVALID);
    assert_int_equal(why.at, 11);
    assert_int_equal(refused(">=", "1", "0.000000001", true, &why), ERR_INVALID);
    assert_int_equal(why.at, 0); /* clear is not in the rule text */
    static const char *const ops[] = { ">=", ">", "<=", "<" };
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        struct why ignored = { 0 };
        const char *top = "92233720368.54775807"; /* INT64_MAX at 1e-8 */
        if (refused(ops[i], top, i < 2 ? top : NULL, true, &ignored)) continue;
        struct term e = term_of(ops[i], top, i < 2 ? top : NULL, true);
        bool in = ops[i][0] == '<';
        assert_int_equal(holds(e, 100), in);
        assert_int_equal(rearms(e, 100), !in);
    }
}

/* What is written comes back as numbers, by way of the levels: as a person wrote it, to the last digit of a double. */
static void a_condition_reads_back(void **state)
{
    (void)state;
    static const char *const ops[] = { ">=", ">", "<=", "<" };
    static const struct {
        const char *threshold, *further, *other;
    } rows[] = { { "100", "98.5", "101.25" }, { "0.1", "0.09", "0.3" }, { "-2.5", "-3", "-2" } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int op = 0; op < 4; op++)
            for (int price = 0; price < 2; price++)
                for (int with_clear = 0; with_clear < 2; with_clear++) {
                    char json[200];
                    const char *clear = op < 2 ? rows[i].further : rows[i].other;
                    struct rule_definition d;
                    struct term t;
                    struct why why = { 0 };
                    if (with_clear)
                        snprintf(json, sizeof json, "{\"rule\":\"x(A) %s %s\",\"clear\":\"%s\"}",
                                 ops[op], rows[i].threshold, clear);
                    else
                        snprintf(json, sizeof json, "{\"rule\":\"x(A)%s%s\"}", ops[op],
                                 rows[i].threshold);
                    if (rule_parse(json, strlen(json), &d, &why) || rule_term(&d, price, &t, &why)
                        || rule_canonical(&d, "x(A)", &why))
                        fail_msg("%s: %s", json, why.text);
                    const struct rule_condition c = rule_condition(d.text, &t, price);
                    assert_string_equal(names_text(&rule_op_names, (int)c.op), ops[op]);
                    const double threshold = strtod(rows[i].threshold, NULL);
                    assert_true(c.threshold == threshold);
                    assert_true(c.clear == (with_clear ? strtod(clear, NULL) : threshold));
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hold_says_what_time_it_counts),
        cmocka_unit_test(a_rule_says_everything),
        cmocka_unit_test(a_running_rule_has_its_definition),
        cmocka_unit_test(only_the_rule_is_required),
        cmocka_unit_test(wrong_json_is_refused_with_the_field),
        cmocka_unit_test(errors_point_into_the_rule_text),
        cmocka_unit_test(a_measure_ends_at_its_own_parenthesis),
        cmocka_unit_test(operators_mean_what_they_say),
        cmocka_unit_test(clear_levels_lie_on_the_right_side),
        cmocka_unit_test(price_thresholds_are_exact),
        cmocka_unit_test(a_condition_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
