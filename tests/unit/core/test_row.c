/* test_row.c - what follows from a row's description: the copy, the JSON, the text, and what counts as different. */
#include "core/row.h"

#include "core/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COLOURS(X) X(RED, "red") X(GREEN, "green")
enum colour { COLOURS(NAMES_VALUE) };
NAMES(colour, COLOURS);

/* one column of each type; kept here, so that the .def need not be a file */
#define ALL(COLUMN)                                                                                \
    COLUMN(I64, i64, "")                                                                           \
    COLUMN(U64, u64, "")                                                                           \
    COLUMN(I32, i32, "")                                                                           \
    COLUMN(U32, u32, "")                                                                           \
    COLUMN(I16, i16, "")                                                                           \
    COLUMN(BOOL, yes, "")                                                                          \
    COLUMN(F64, f64, "")                                                                           \
    COLUMN(UUID, uuid, "")                                                                         \
    COLUMN(TEXT, text, "")                                                                         \
    COLUMN(STR, str, "")                                                                           \
    COLUMN(BYTES, bytes, "")                                                                       \
    COLUMN(JSON, json, "")                                                                         \
    COLUMN(ENUM(colour), colour, "")
struct every {
    ALL(ROW_FIELD)
};
#define DESCRIBE(type, name, what) ROW_COLUMN(struct every, type, name)
static const struct column every_columns[] = { ALL(DESCRIBE) };
static const struct row_type every_row = ROW_TYPE("every", struct every, every_columns);

static struct every sample(void)
{
    return (struct every){
        .i64 = INT64_MIN,
        .u64 = INT64_MAX,
        .i32 = INT32_MIN,
        .u32 = INT32_MAX,
        .i16 = -7,
        .yes = true,
        .f64 = 0.1,
        .uuid = { { 0xAB, [15] = 1 } },
        .text = "a \"quoted\" \xC3\xA4",
        .str = { "abcdef", 3 },
        .bytes = { "\0\xFFz", 3 },
        .json = "{\"b\":1,\"a\":[1e3]}",
        .colour = GREEN,
    };
}

static struct every nothing(void)
{
    return (struct every){ .f64 = NAN, .text = "", .json = "null" };
}

static void the_description_is_the_struct(void **state)
{
    (void)state;
    assert_int_equal(every_row.columns_n, 13);
    assert_int_equal(every_row.size, sizeof(struct every));
    assert_string_equal(row_column(&every_row, "i16")->name, "i16");
    assert_int_equal(row_column(&every_row, "bytes")->offset, offsetof(struct every, bytes));
    assert_ptr_equal(row_column(&every_row, "colour")->names, &colour_names);
    assert_null(row_column(&every_row, "colours"));
}

static void json_has_a_member_a_column(void **state)
{
    (void)state;
    AUTO_BUF struct buf o = { 0 };
    struct json_writer w = json_write(&o);
    const struct every full = sample(), empty = nothing();
    json_put_array(&w, NULL);
    row_json(&w, NULL, &every_row, &full);
    row_json(&w, NULL, &every_row, &empty);
    json_put_end(&w);
    assert_true(json_write_done(&w));
    assert_string_equal(
        o.data,
        "[{\"i64\":-9223372036854775808,\"u64\":9223372036854775807,\"i32\":-2147483648,"
        "\"u32\":2147483647,\"i16\":-7,\"yes\":true,\"f64\":0.1,"
        "\"uuid\":\"ab000000-0000-0000-0000-000000000001\",\"text\":\"a \\\"quoted\\\" \xC3\xA4\","
        "\"str\":\"abc\",\"bytes\":\"\\\\x00ff7a\",\"json\":{\"b\":1,\"a\":[1e3]},"
        "\"colour\":\"green\"},"
        "{\"i64\":0,\"u64\":0,\"i32\":0,\"u32\":0,\"i16\":0,\"yes\":false,\"f64\":null,"
        "\"uuid\":null,\"text\":\"\",\"str\":\"\",\"bytes\":null,\"json\":null,\"colour\":\"red\"}]");
}

static void count(void *ctx, const struct column *c, const void *a, const void *b)
{
    (void)c, (void)a, (void)b;
    ++*(int *)ctx;
}
static int differing(struct every a, struct every b)
{
    int n = 0;
    row_compare(&every_row, &a, &b, count, &n);
    return n;
}

static void a_copy_stands_by_itself(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct every out;
    char text[] = "text", str[] = "str", bytes[] = "b", json[] = "{}";
    const struct every row = {
        .text = text, .str = { str, 2 }, .bytes = { bytes, 0 }, .json = json
    };
    assert_int_equal(row_text_bytes(&every_row, &row), 5 + 3 + 1 + 3);
    assert_true(row_copy(&every_row, &row, &arena, &out));
    assert_int_equal(differing(out, row), 0);
    memset(text, 'x', 4), memset(str, 'x', 3), memset(json, 'x', 2);
    assert_string_equal(out.text, "text");
    assert_int_equal(out.str.n, 2);
    assert_string_equal(out.str.p, "st");         /* and ends in a NUL, whatever it was part of */
    assert_true(out.bytes.p && out.bytes.n == 0); /* empty is not null */
    assert_string_equal(out.json, "{}");
    struct every *own = row_new(&every_row, &out);
    assert_int_equal(differing(*own, out), 0);
    assert_true(own->text != out.text && own->json != out.json);
    free(own);
    const struct every empty = nothing();
    assert_true(row_copy(&every_row, &empty, &arena, &out));
    assert_null(out.bytes.p);
    assert_null(out.str.p);
    arena_release(&arena);
}

static void same_is_what_the_database_cannot_tell_apart(void **state)
{
    (void)state;
    const struct every a = sample();
    struct every b = a;
    assert_int_equal(differing(a, b), 0);
    assert_int_equal(differing(nothing(), nothing()), 0); /* null is null */
    b.json = "{ \"a\": [1000.0], \"b\": 1 }";
    assert_int_equal(differing(a, b), 0);
    b = a;
    b.f64 = nextafter(b.f64, 1);
    assert_int_equal(differing(a, b), 1);
    struct every zero = a, minus = a;
    zero.f64 = 0, minus.f64 = -0.0;
    assert_int_equal(differing(zero, minus), 0);
    zero.f64 = NAN, minus.f64 = INFINITY;
    assert_int_equal(differing(zero, minus), 0);
    assert_int_equal(differing(zero, a), 1);
    zero = a;
    zero.str = (struct str){ "", 0 }, minus = a;
    minus.str = (struct str){ 0 };
    assert_int_equal(differing(zero, minus), 0);
    zero = a, minus = a;
    zero.bytes = (struct str){ "", 0 };
    minus.bytes = (struct str){ 0 };
    assert_int_equal(differing(zero, minus), 1);
    b = nothing();
    b.i64++, b.u64++, b.i32++, b.u32++, b.i16++, b.yes = true, b.f64 = 0, b.uuid.b[15] = 1;
    b.text = "x", b.str = (struct str){ "x", 1 }, b.bytes = (struct str){ "x", 1 }, b.json = "0";
    b.colour = GREEN;
    assert_int_equal(differing(nothing(), b), 13); /* each of them is looked at */
    b.json = "no json";
    assert_int_equal(differing(nothing(), b), 13);
}

static void texts_are_for_people(void **state)
{
    (void)state;
    static const char *const full[] = { "-9223372036854775808",
                                        "9223372036854775807",
                                        "-2147483648",
                                        "2147483647",
                                        "-7",
                                        "true",
                                        "0.10000000000000001",
                                        "ab000000-0000-0000-0000-000000000001",
                                        "a \"quoted\" \xC3\xA4",
                                        "abc",
                                        "3 bytes",
                                        "{\"b\":1,\"a\":[1e3]}",
                                        "green" };
    static const char *const empty[] = { "0",    "0", "0", "0",    "0",    "false", "null",
                                         "null", "",  "",  "null", "null", "red" };
    const struct every a = sample(), b = nothing();
    for (size_t i = 0; i < every_row.columns_n; i++) {
        char text[64], small[4];
        row_text(&every_row.columns[i], &a, text, sizeof text);
        assert_string_equal(text, full[i]);
        row_text(&every_row.columns[i], &b, text, sizeof text);
        assert_string_equal(text, empty[i]);
        row_text(&every_row.columns[i], &a, small, sizeof small);
        assert_int_equal(strncmp(small, full[i], 3), 0);
    }
}

static void keys_have_the_order_of_the_database(void **state)
{
    (void)state;
    struct every a = sample(), b = a;
    static const char *const keys[] = { "i64", "u64", "i32", "u32", "uuid" };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_int_equal(row_order(row_column(&every_row, keys[i]), &a, &b), 0);
    b.i64 = 1, b.u64 = 1, b.i32 = 1, b.u32 = 1, b.uuid.b[0] = 0xAC;
    assert_true(row_order(row_column(&every_row, "i64"), &a, &b) < 0);
    assert_true(row_order(row_column(&every_row, "u64"), &a, &b) > 0);
    assert_true(row_order(row_column(&every_row, "i32"), &a, &b) < 0);
    assert_true(row_order(row_column(&every_row, "u32"), &a, &b) > 0);
    assert_true(row_order(row_column(&every_row, "uuid"), &a, &b) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_description_is_the_struct),
        cmocka_unit_test(json_has_a_member_a_column),
        cmocka_unit_test(a_copy_stands_by_itself),
        cmocka_unit_test(same_is_what_the_database_cannot_tell_apart),
        cmocka_unit_test(texts_are_for_people),
        cmocka_unit_test(keys_have_the_order_of_the_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
