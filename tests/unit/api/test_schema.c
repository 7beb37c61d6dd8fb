/* Fields to OpenAPI's words: each line was written by hand from OpenAPI 3.0.3's "Schema Object". */
#include "api/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const colour_texts[] = { "red", "green" };
static const struct names colours = { "colour", colour_texts, ARRAY_LEN(colour_texts) };

static const struct {
    struct field field;
    const char *want;
} rows[] = {
    { { .type = FIELD_TEXT }, "{'type':'string'}" },
    { { .type = FIELD_TEXT, .nullable = true }, "{'type':'string','nullable':true}" },
    { { .type = FIELD_TEXT, .min = 1, .max = 9 }, "{'type':'string','minLength':1,'maxLength':9}" },
    { { .type = FIELD_TEXT, .max = 9 }, "{'type':'string','maxLength':9}" },
    { { .type = FIELD_TEXT, .pattern = "^a+$", .help = "h" },
      "{'type':'string','pattern':'^a+$','description':'h'}" },
    { { .type = FIELD_TEXT, .choices = "a|bc" }, "{'type':'string','enum':['a','bc']}" },
    { { .type = FIELD_TEXT, .choices = "a", .nullable = true },
      "{'type':'string','nullable':true,'enum':['a',null]}" },
    { { .type = FIELD_TEXT, .names = &colours }, "{'type':'string','enum':['red','green']}" },
    { { .type = FIELD_INT }, "{'type':'integer','format':'int64'}" },
    { { .type = FIELD_INT, .max = 5 },
      "{'type':'integer','format':'int64','minimum':0,'maximum':5}" },
    { { .type = FIELD_INT, .min = 1 }, "{'type':'integer','format':'int64','minimum':1}" },
    { { .type = FIELD_REAL, .nullable = true },
      "{'type':'number','format':'double','nullable':true}" },
    { { .type = FIELD_BOOL }, "{'type':'boolean'}" },
    { { .type = FIELD_TIME }, "{'type':'string','format':'date-time'}" },
    { { .type = FIELD_UUID }, "{'type':'string','format':'uuid'}" },
    { { .type = FIELD_OBJECT }, "{'type':'object'}" },
    { { .type = FIELD_ONE, .of = "X" }, "{'$ref':'#/components/schemas/X'}" },
    { { .type = FIELD_LIST, .of = "X" },
      "{'type':'array','items':{'$ref':'#/components/schemas/X'}}" },
    { { .type = FIELD_LIST }, "{'type':'array','items':{'type':'string'}}" },
};

static void fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_BUF struct buf got = { 0 }, want = { 0 };
        struct field list[] = { rows[i].field, { 0 } };
        list[0].name = "f";
        struct json_writer w = json_write(&got);
        schema_put(&w, NULL, &(struct schema){ .name = "S", .fields = list, .open = true });
        assert_true(json_write_done(&w));
        buf_printf(&want, "{'type':'object','required':['f'],'properties':{'f':%s}}", rows[i].want);
        for (char *c = want.data; *c; c++)
            if (*c == '\'') *c = '"';
        assert_string_equal(got.data, want.data);
    }
}

static void objects(void **state)
{
    (void)state;
    AUTO_BUF struct buf got = { 0 };
    static const struct field list[] = {
        { .name = "a", .type = FIELD_BOOL, .optional = true },
        { .name = "b", .type = FIELD_BOOL },
        { 0 },
    };
    struct json_writer w = json_write(&got);
    schema_put(&w, NULL, &(struct schema){ .name = "S", .fields = list, .help = "h" });
    assert_string_equal(got.data,
                        "{\"type\":\"object\",\"description\":\"h\",\"additionalProperties\":false,"
                        "\"required\":[\"b\"],\"properties\":{\"a\":{\"type\":\"boolean\"},"
                        "\"b\":{\"type\":\"boolean\"}}}");
    buf_clear(&got);
    static const struct field none_needed[] = {
        { .name = "a", .type = FIELD_BOOL, .optional = true }, { 0 }
    };
    w = json_write(&got);
    schema_put(&w, NULL, &(struct schema){ .name = "S", .fields = none_needed });
    assert_null(strstr(got.data, "required")); /* an empty list is not allowed there */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(fields), cmocka_unit_test(objects) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
