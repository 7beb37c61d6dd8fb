/* Columns as PostgreSQL gives them, and the JSON that the dialect wants of them: written by hand. */
#include "api/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    struct field field;
    const char *column, *want;
} rows[] = {
    { { .type = FIELD_TEXT }, "a \"b\"\n", "\"a \\\"b\\\"\\n\"" },
    { { .type = FIELD_TEXT }, "", "\"\"" },
    { { .type = FIELD_TEXT }, NULL, "null" },
    { { .type = FIELD_INT }, "-9223372036854775808", "-9223372036854775808" },
    { { .type = FIELD_INT }, NULL, "null" },
    { { .type = FIELD_REAL }, "181.2", "181.2" },
    { { .type = FIELD_REAL }, "1e-05", "1e-05" },
    { { .type = FIELD_REAL }, "0.30000000000000004", "0.30000000000000004" },
    { { .type = FIELD_REAL }, "100000", "100000" },
    { { .type = FIELD_REAL }, "NaN", "null" },
    { { .type = FIELD_REAL }, "Infinity", "null" },
    { { .type = FIELD_BOOL }, "t", "true" },
    { { .type = FIELD_BOOL }, "false", "false" },
    { { .type = FIELD_DECIMAL }, "180.50", "\"180.50\"" }, /* exact: not a number */
    { { .type = FIELD_TIME }, "1517860800000000000", "\"2018-02-05T20:00:00Z\"" },
    { { .type = FIELD_TIME }, "1517860800120000000", "\"2018-02-05T20:00:00.120Z\"" },
    { { .type = FIELD_TIME }, "1517860800123450000", "\"2018-02-05T20:00:00.123450Z\"" },
    { { .type = FIELD_UUID },
      "7f2c1f9e-64e4-4d3b-9d5c-0a6d5a0a9b11",
      "\"7f2c1f9e-64e4-4d3b-9d5c-0a6d5a0a9b11\"" },
    { { .type = FIELD_OBJECT },
      "{ \"b\" : [ 1, 2.50, null ],\n \"a\": true }",
      "{\"b\":[1,2.5,null],\"a\":true}" },
    { { .type = FIELD_LIST }, "[ ]", "[]" },
    /* in the schema's order and without what it does not know, whatever order they are stored in */
    { { .type = FIELD_LIST, .of = "TickerScore" },
      "[{\"label\": \"up\", \"score\": 0.5, \"other\": 1, \"symbol\": \"AAPL\", \"relevance\": 1.0}]",
      "[{\"symbol\":\"AAPL\",\"score\":0.5,\"label\":\"up\",\"relevance\":1}]" },
    { { .type = FIELD_LIST, .of = "Gap" },
      "[{\"source_id\":1,\"from_offset\":2,\"to_offset\":3,\"found_at\":1517860800000000000}]",
      "[{\"source_id\":1,\"from_offset\":2,\"to_offset\":3,\"found_at\":\"2018-02-05T20:00:00Z\"}]" },
};

static void columns(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_BUF struct buf got = { 0 }, want = { 0 };
        struct field list[] = { rows[i].field, { 0 } };
        list[0].name = "f";
        struct json_writer w = json_write(&got);
        render_row(&w, NULL, &(struct schema){ .name = "S", .fields = list }, &rows[i].column);
        assert_true(json_write_done(&w));
        buf_printf(&want, "{\"f\":%s}", rows[i].want);
        assert_string_equal(got.data, want.data);
    }
}

static void no_json(void **state)
{
    (void)state;
    AUTO_BUF struct buf got = { 0 };
    const char *column = "[1,";
    const struct field list[] = { { .name = "f", .type = FIELD_LIST }, { 0 } };
    struct json_writer w = json_write(&got);
    render_row(&w, NULL, &(struct schema){ .name = "S", .fields = list }, &column);
    assert_false(buf_ok(&got));
}

static void members(void **state)
{
    (void)state;
    AUTO_BUF struct buf got = { 0 };
    static const char stored[] = "{\"b\": 1, \"a\": [ true ], \"c\": 2}";
    const char *const order[] = { "a", "b", "x", NULL };
    struct json_writer w = json_write(&got);
    json_put_array(&w, NULL);
    json_put_object(&w, NULL);
    render_members(&w, stored, order);
    json_put_end(&w);
    json_put_object(&w, NULL);
    render_members(&w, stored, NULL);
    json_put_end(&w);
    json_put_end(&w);
    assert_string_equal(got.data, "[{\"a\":[true],\"b\":1},{\"b\":1,\"a\":[true],\"c\":2}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(members), cmocka_unit_test(columns),
                                        cmocka_unit_test(no_json) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
