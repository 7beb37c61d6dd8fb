/* test_decimal.c - every digit counts: what is read is exactly what was written, or it is refused. */
#include "core/decimal.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void text_is_read_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t e8;
    } rows[] = {
        { "0", 0 },
        { "-0", 0 },
        { "0.0", 0 },
        { "-0.00000000000000000000", 0 },
        { "0e99999999999", 0 },
        { "0E-99999999999", 0 },
        { "1", 100000000 },
        { "-1", -100000000 },
        { "1.25", 125000000 },
        { "172.50", 17250000000 },
        { "0.1", 10000000 },
        { "0.00000001", 1 },
        { "-0.00000001", -1 },
        { "0.000000010000000000000000", 1 },
        { "0.29", 29000000 },
        { "1.005", 100500000 },
        { "1e2", 10000000000 },
        { "1E+2", 10000000000 },
        { "1e-8", 1 },
        { "100e-10", 1 },
        { "0.5e1", 500000000 },
        { "1e0", 100000000 },
        { "1e00002", 10000000000 },
        { "90071992.54740993",
          9007199254740993 }, /* 2^53 + 1: the first integer a double does not have */
        { "92233720368.54775807", INT64_MAX },
        { "-92233720368.54775807", -INT64_MAX },
        { "9223372036854775807e-8", INT64_MAX },
        { "92233720368547758070e-9", INT64_MAX },
        { "0.9223372036854775807e11", INT64_MAX },
        { "0.00000000000000000001e20", 100000000 },
        { "100000000000000000000000000000e-29", 100000000 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t got = 42;
        struct why why;
        if (decimal_parse(rows[i].text, strlen(rows[i].text), &got, &why))
            fail_msg("%s: %s", rows[i].text, why.text);
        if (got != rows[i].e8) fail_msg("%s: %" PRId64, rows[i].text, got);
    }
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        " ",
        "-",
        "+1",
        "--1",
        ".5",
        "5.",
        "-.5",
        "01",
        "-01",
        "00",
        "1.2.3",
        "1e",
        "1e+",
        "1e-",
        "e5",
        "1e1.5",
        "1 ",
        " 1",
        "1,5",
        "0x1",
        "1_0",
        "NaN",
        "nan",
        "Infinity",
        "-inf",
        "1f",
        "\xD9\xA1",
        "1e5e5",
        "1-", /* no JSON number */
        "0.000000001",
        "1.000000001",
        "1e-9",
        "123456789.123456789",
        "0.0000000000000000000000000000001", /* finer than 1e-8 */
        "92233720368.54775808",
        "-92233720368.54775808",
        "92233720369",
        "1e11",
        "1e308",
        "1e309",
        "9223372036854775808",
        "9223372036854775808e-8",
        "18446744073709551616e-8",
        "100000000000000000000",
        "1e99999999999999999999",
        "1e-99999999999999999999",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t got = 42;
        struct why why = { .text = "" };
        if (decimal_parse(rows[i], strlen(rows[i]), &got, &why) != ERR_INVALID)
            fail_msg("%s: read as %" PRId64, rows[i], got);
        assert_int_equal(got, 42);
        assert_true(why.text[0]);
    }
    int64_t got;
    assert_int_equal(decimal_parse("1\0", 2, &got, NULL), ERR_INVALID);
    assert_int_equal(decimal_parse("123", 2, &got, NULL),
                     ERR_OK); /* the length counts, not a NUL */
    assert_int_equal(got, 1200000000);
}

/* 0.000...0001e+N with a hundred thousand zeros: an exponent that stops being counted must not meet the zeros by chance. */
static void long_zeros_do_not_meet_a_long_exponent(void **state)
{
    (void)state;
    static const struct {
        int zeros;
        const char *exponent;
        bool good;
    } rows[] = {
        { 99999, "100000", true },   { 999999, "1000000", true },
        { 99999, "1000005", false }, { 99999, "100008", true },
        { 99999, "100011", false },  { 99999, "9999999999999999999999", false },
        { 100007, "100000", true },  { 100008, "100000", false },
    };
    char *text = malloc(1100000);
    assert_non_null(text);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int n = sprintf(text, "0.");
        memset(text + n, '0', (size_t)rows[i].zeros);
        n += rows[i].zeros + sprintf(text + n + rows[i].zeros, "1e%s", rows[i].exponent);
        int64_t got;
        if ((decimal_parse(text, (size_t)n, &got, NULL) == ERR_OK) != rows[i].good)
            fail_msg("%d zeros, exponent %s", rows[i].zeros, rows[i].exponent);
        if (rows[i].good)
            assert_int_equal(got, i == 3 ? 10000000000000000 : i == 6 ? 1 : 100000000);
    }
    free(text);
}

static void format_is_shortest(void **state)
{
    (void)state;
    static const struct {
        int64_t e8;
        const char *text;
    } rows[] = {
        { 0, "0" },
        { 1, "0.00000001" },
        { -1, "-0.00000001" },
        { 10, "0.0000001" },
        { 100000000, "1" },
        { -100000000, "-1" },
        { 17250000000, "172.5" },
        { 1000000000, "10" },
        { 100000000000, "1000" },
        { 99999999, "0.99999999" },
        { INT64_MAX, "92233720368.54775807" },
        { INT64_MIN, "-92233720368.54775808" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[DECIMAL_TEXT_MAX];
        assert_int_equal(decimal_format(rows[i].e8, text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
    }
}

/* xorshift64 (Marsaglia 2003), fixed seed, numbers of every size. */
static void what_is_written_reads_back(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < 200000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        int64_t v = (int64_t)x >> (i % 64), got;
        if (v == INT64_MIN) continue; /* has no positive twin and is refused */
        char text[DECIMAL_TEXT_MAX];
        size_t n = decimal_format(v, text);
        if (decimal_parse(text, n, &got, NULL) || got != v)
            fail_msg("%" PRId64 " written as %s", v, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_read_exactly),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(long_zeros_do_not_meet_a_long_exponent),
        cmocka_unit_test(format_is_shortest),
        cmocka_unit_test(what_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
