/* test_buf.c - what is written is there, with a NUL behind it, and as JSON it reads back. */
#include "core/buf.h"
#include "core/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_buf(b, text)                                                                        \
    do {                                                                                           \
        assert_true(buf_ok(b));                                                                    \
        assert_int_equal((b)->len, strlen(text));                                                  \
        assert_string_equal((b)->data, text);                                                      \
    } while (0)

static void it_grows_and_ends_in_a_nul(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    for (size_t i = 0; i < 100000; i++) {
        buf_put(&b, &"0123456789"[i % 10], 1);
        assert_int_equal(b.len, i + 1);
        assert_int_equal(b.data[b.len], 0);
    }
    for (size_t i = 0; i < b.len; i++) assert_int_equal(b.data[i], "0123456789"[i % 10]);
    const char *memory = b.data;
    buf_clear(&b);
    assert_buf(&b, "");
    assert_ptr_equal(b.data, memory);
    buf_put(&b, NULL, 0);
    buf_puts(&b, "");
    assert_buf(&b, "");
    buf_put(&b, "a\0b", 3);
    assert_int_equal(b.len, 3);
    buf_release(&b);
    assert_null(b.data);
    assert_true(buf_reserve(&b, 1000));
    assert_buf(&b, "");
}

static void printf_of_any_length(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    for (int n = 500; n < 530; n++) { /* around the size of its first try */
        buf_clear(&b);
        buf_printf(&b, "[%*d]", n, 7);
        assert_true(buf_ok(&b));
        assert_int_equal(b.len, n + 2);
        assert_memory_equal(b.data + n - 1, " 7]", 4);
    }
    buf_clear(&b);
    buf_printf(&b, "%s-%d", "x", 5);
    buf_printf(&b, "%s", "");
    assert_buf(&b, "x-5");
}

static void a_failure_sticks_until_cleared(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    buf_puts(&b, "kept");
    assert_false(buf_reserve(&b, SIZE_MAX - 2)); /* more than there is */
    assert_false(buf_ok(&b));
    buf_puts(&b, " lost");
    buf_printf(&b, "%d", 5);
    buf_json_string(&b, "x", 1);
    assert_int_equal(b.len, 4);
    assert_string_equal(b.data, "kept");
    buf_clear(&b);
    buf_puts(&b, "again");
    assert_buf(&b, "again");
}

static void items_of_a_list(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    char much[1000] = "";
    buf_json_item(&b, "topic \"%s\"", "ticks");
    buf_json_item(&b, "%d ms", 15);
    assert_buf(&b, "\"topic \\\"ticks\\\"\",\"15 ms\"");
    memset(much, 'x', sizeof much - 1);
    buf_clear(&b);
    buf_json_item(&b, "%s", much);
    assert_int_equal(b.len, 399 + 2);
}

static void strings_are_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        size_t n;
        const char *json;
    } rows[] = {
        { "", 0, "\"\"" },
        { "plain", 5, "\"plain\"" },
        { "a\"b\\c", 5, "\"a\\\"b\\\\c\"" },
        { "\n\r\t", 3, "\"\\n\\r\\t\"" },
        { "\0\x01\x1F\x7F", 4, "\"\\u0000\\u0001\\u001f\x7F\"" },
        { "\xC3\xA9\xF0\x9F\x93\x88", 6, "\"\xC3\xA9\xF0\x9F\x93\x88\"" },
    };
    AUTO_BUF struct buf b = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_clear(&b);
        buf_json_string(&b, rows[i].s, rows[i].n);
        assert_buf(&b, rows[i].json);
    }
}

/* Every character of ASCII and some beyond, alone and in company, through a foreign reader. */
static void strings_read_back(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    for (int c = 1; c < 128; c++) {
        char s[] = { 'a', (char)c, '"', (char)c, (char)c };
        buf_clear(&b);
        buf_json_string(&b, s, sizeof s);
        AUTO_JSON json_t *j = NULL;
        assert_int_equal(json_load_strict(b.data, b.len, &j, NULL), ERR_OK);
        assert_int_equal(json_string_length(j), sizeof s);
        assert_memory_equal(json_string_value(j), s, sizeof s);
    }
}

static void doubles_are_short_and_exact(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } rows[] = {
        { 0, "0" },
        { 1, "1" },
        { -1.5, "-1.5" },
        { 0.1, "0.1" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1e22, "1e+22" },
        { 123456789.125, "123456789.125" },
        { 5e-324, "4.94065645841247e-324" },
        { 1.7976931348623157e308, "1.7976931348623157e+308" },
        { NAN, "null" },
        { INFINITY, "null" },
        { -INFINITY, "null" },
    };
    AUTO_BUF struct buf b = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_clear(&b);
        buf_json_double(&b, rows[i].v);
        assert_buf(&b, rows[i].text);
    }
    uint64_t x = 88172645463325252u; /* xorshift64 (Marsaglia 2003), as the bits of a double */
    for (int i = 0; i < 100000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        double v;
        memcpy(&v, &x, sizeof v);
        if (!isfinite(v)) continue;
        buf_clear(&b);
        buf_json_double(&b, v);
        double back = strtod(b.data, NULL);
        assert_memory_equal(&back, &v, sizeof v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_grows_and_ends_in_a_nul),
        cmocka_unit_test(printf_of_any_length),
        cmocka_unit_test(a_failure_sticks_until_cleared),
        cmocka_unit_test(items_of_a_list),
        cmocka_unit_test(strings_are_quoted),
        cmocka_unit_test(strings_read_back),
        cmocka_unit_test(doubles_are_short_and_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
