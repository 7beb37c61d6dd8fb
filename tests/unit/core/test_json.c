/* test_json.c - the strict loader's own rules (JSONTestSuite runs in test_decode.c), and the field reader. */
#include "core/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum err load(const char *text, size_t n, json_t **out, struct why *why)
{
    char *exact = malloc(n ? n : 1); /* no NUL behind it: a step beyond is seen */
    assert_non_null(exact);
    if (n) memcpy(exact, text, n);
    enum err e = json_load_strict(exact, n, out, why);
    free(exact);
    return e;
}

static json_t *loaded(const char *text)
{
    json_t *j = NULL;
    struct why why;
    if (load(text, strlen(text), &j, &why)) fail_msg("%s: %s", text, why.text);
    return j;
}

static void strict_means_strict(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        const char *reason;
    } rows[] = {
        { "", 0, "" },
        { " ", 1, "" },
        { "{\"a\":1}\0", 8, "NUL byte" },
        { "\"a\0b\"", 5, "NUL byte" },
        { "\"a\\u0000b\"", 10, "u0000" },
        { "{\"a\\u0000\":1}", 13, "" },
        { "{\"a\":1,\"a\":1}", 13, "duplicate" },
        { "{\"a\":1,\"\\u0061\":2}", 18, "duplicate" },
        { "{\"a\":{\"b\":1,\"b\":1}}", 19, "duplicate" },
        { "1 2", 3, "" },
        { "{}x", 3, "" },
        { "nul", 3, "" },
        { "{'a':1}", 7, "" },
        { "// c\n1", 6, "" },
        { "NaN", 3, "" },
        { "-Infinity", 9, "" },
        { "1e999", 5, "overflow" },
        { "\"\xC0\x80\"", 4, "decode byte" },
        { "\"\xED\xA0\x80\"", 5, "decode byte" },
        { "\"\\ud800\"", 8, "Unicode" },
        { "\xEF\xBB\xBF{}", 5, "" },
        { "\"\t\"", 3, "control" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *j = NULL;
        struct why why = { .text = "" };
        enum err e = load(rows[i].text, rows[i].n, &j, &why);
        if (e != ERR_SYNTAX || j || why.at < 1 || !strstr(why.text, rows[i].reason))
            fail_msg("row %zu: %s %s", i, err_name(e), why.text);
    }
    struct why why;
    json_t *j = NULL;
    assert_int_equal(load("[1,2,x]", 7, &j, &why), ERR_SYNTAX);
    assert_in_range(why.at, 6, 7); /* it points at the place */
}

static void depth_is_64(void **state)
{
    (void)state;
    for (int depth = 63; depth <= 66; depth++)
        for (int object = 0; object < 2; object++) {
            char text[600] = "";
            for (int i = 0; i < depth; i++) strcat(text, object ? "{\"\":" : "[");
            strcat(text, "1");
            for (int i = 0; i < depth; i++) strcat(text, object ? "}" : "]");
            AUTO_JSON json_t *j = NULL;
            assert_int_equal(load(text, strlen(text), &j, NULL), depth <= 64 ? ERR_OK : ERR_SYNTAX);
        }
    AUTO_JSON json_t *j = loaded(
        "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"]"); /* in a string they nest nothing */
    assert_true(json_is_array(j));
    size_t n = 1 << 20;
    char *bomb = malloc(n);
    assert_non_null(bomb);
    memset(bomb, '[', n);
    json_t *none = NULL;
    assert_int_equal(load(bomb, n, &none, NULL), ERR_SYNTAX);
    free(bomb);
}

static void scalars_are_values_too(void **state)
{
    (void)state;
    AUTO_JSON json_t *a = loaded(" \"x\" "), *b = loaded("-0"), *c = loaded("9223372036854775807"),
                     *d = loaded("null");
    assert_string_equal(json_string_value(a), "x");
    assert_int_equal(json_integer_value(b), 0);
    assert_int_equal(json_integer_value(c), INT64_MAX);
    assert_true(json_is_null(d));
}

static void fields_are_taken_out(void **state)
{
    (void)state;
    static const char *const colours[] = { "red", "green", NULL };
    AUTO_JSON json_t *j = loaded(
        "{\"name\":\"x\",\"n\":-5,\"yes\":true,\"colour\":\"green\",\"any\":[1],\"none\":null}");
    struct why why;
    struct json_fields f = json_fields_begin(j, &why);
    assert_string_equal(json_want_string(&f, "name", 1, 5, JSON_REQUIRED), "x");
    assert_int_equal(json_want_int(&f, "n", -5, 5, JSON_REQUIRED_INT), -5);
    assert_true(json_want_bool(&f, "yes", false));
    assert_int_equal(json_want_choice(&f, "colour", colours, -1), 1);
    assert_int_equal(json_array_size(json_want_any(&f, "any")), 1);
    assert_null(json_want_string(&f, "none", 1, 5, NULL)); /* null is as good as absent */
    assert_string_equal(json_want_string(&f, "absent", 1, 5, "default"), "default");
    assert_int_equal(json_want_int(&f, "absent_int", 0, 9, 7), 7);
    assert_true(json_want_bool(&f, "absent_bool", true));
    assert_int_equal(json_want_choice(&f, "absent_choice", colours, 0), 0);
    assert_null(json_want_any(&f, "absent_any"));
    assert_int_equal(json_fields_end(&f), ERR_OK);
}

static void the_first_wrong_thing_is_said(void **state)
{
    (void)state;
    static const char *const colours[] = { "red", "green", NULL };
    static const struct {
        const char *text, *reason;
    } rows[] = {
        { "5", "expected a JSON object" },
        { "{}", "field \"name\" is missing" },
        { "{\"name\":null}", "field \"name\" is missing" },
        { "{\"name\":5}", "field \"name\" must be a string" },
        { "{\"name\":\"\"}", "field \"name\" must have 1 to 5 bytes, has 0" },
        { "{\"name\":\"123456\"}", "field \"name\" must have 1 to 5 bytes, has 6" },
        { "{\"name\":\"x\"}", "field \"n\" is missing" },
        { "{\"name\":\"x\",\"n\":1.0}", "field \"n\" must be an integer" },
        { "{\"name\":\"x\",\"n\":10}", "field \"n\" must be from -9 to 9" },
        { "{\"name\":\"x\",\"n\":-10}", "field \"n\" must be from -9 to 9" },
        { "{\"name\":\"x\",\"n\":1,\"yes\":0}", "field \"yes\" must be true or false" },
        { "{\"name\":\"x\",\"n\":1}", "field \"colour\" is missing" },
        { "{\"name\":\"x\",\"n\":1,\"colour\":\"blue\"}",
          "field \"colour\" must be one of red, green" },
        { "{\"name\":\"x\",\"n\":1,\"colour\":\"red\",\"more\":1}", "unknown field \"more\"" },
        { "{\"more\":1,\"name\":5,\"n\":99,\"colour\":\"blue\"}",
          "field \"name\" must be a string" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_JSON json_t *j = loaded(rows[i].text);
        struct why why = { .text = "" };
        struct json_fields f = json_fields_begin(j, &why);
        (void)json_want_string(&f, "name", 1, 5, JSON_REQUIRED);
        (void)json_want_int(&f, "n", -9, 9, JSON_REQUIRED_INT);
        (void)json_want_bool(&f, "yes", false);
        (void)json_want_choice(&f, "colour", colours, -1);
        enum err e = json_fields_end(&f);
        if (e != ERR_INVALID || strcmp(why.text, rows[i].reason) != 0)
            fail_msg("%s: %s %s", rows[i].text, err_name(e), why.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_means_strict),           cmocka_unit_test(depth_is_64),
        cmocka_unit_test(scalars_are_values_too),        cmocka_unit_test(fields_are_taken_out),
        cmocka_unit_test(the_first_wrong_thing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
