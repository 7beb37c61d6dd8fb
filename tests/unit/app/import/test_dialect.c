/* test_dialect.c - numbers read exactly or refused in words that name the option; dates by pattern. The exact values are in the text. */
#include "app/import/dialect.h"
#include "core/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void numbers_are_exact_or_refused(void **state)
{
    (void)state;
    const struct dialect plain = dialect_plain,
                         german = { .delimiter = ';',
                                    .decimal = ',',
                                    .thousands = '.',
                                    .strip = "" },
                         us = { .delimiter = ',', .decimal = '.', .thousands = ',', .strip = "$" };
    static const int64_t none = INT64_MIN;
    const struct {
        const struct dialect *d;
        const char *text;
        int64_t e8; /* none: not at 1e-8 */
        const char *fault;
    } cases[] = {
        { &plain, "102.01", 10201000000, "" },
        { &plain, "-37.63", -3763000000, "" },
        { &plain, "+1", 100000000, "" },
        { &plain, "0.00000001", 1, "" },
        { &plain, "1.10000000000000000000000", 110000000, "" },
        { &plain, "1.58E+3", 158000000000, "" },
        { &plain, "158e-2", 158000000, "" },
        { &plain, "1.25e1", 1250000000, "" },
        { &plain, "0e99", 0, "" },
        { &plain, "102.01000213623047", none, "" },
        { &german, "1.234,50", 123450000000, "" },
        { &german, "1234,5", 123450000000, "" },
        { &us, "$1,234.50", 123450000000, "" },
        { &us, "-1,234,567", -123456700000000, "" },
        { &us, "1,23.4", 0, "\"1,23.4\" is not a number that can be read exactly" },
        { &us, "12,,345", 0, "\"12,,345\" is not a number that can be read exactly" },
        { &plain, "1,234.50", 0,
          "\"1,234.50\" has thousands separators (--thousands , reads them)" },
        { &plain, "102,01", 0, "\"102,01\" has another decimal sign (--decimal , reads it)" },
        { &german, "102.01", 0, "\"102.01\" has another decimal sign (--decimal . reads it)" },
        { &plain, "$99.10", 0, "\"$99.10\" begins with $ (--strip '$' leaves it out)" },
        { &plain,
          "\xe2\x82\xac"
          "9",
          0,
          "\"\xe2\x82\xac"
          "9\" begins with \xe2\x82\xac (--strip '\xe2\x82\xac' leaves it out)" },
        { &plain, " 1", 0, "\" 1\" has spaces around it (--trim leaves them out)" },
        { &plain, "-inf", 0, "\"-inf\" is infinite" },
        { &plain, "1e", 0, "\"1e\" is not a number that can be read exactly" },
        { &plain, "1.", 0, "\"1.\" is not a number that can be read exactly" },
        { &plain, ".5", 0, "\".5\" is not a number that can be read exactly" },
        { &plain, "0.123456789012345678901", 0,
          "\"0.123456789012345678901\" is not a number that can be read exactly" },
        { &plain, "NaN", 0, "is \"NaN\", not a number" },
        { &plain, "", 0, "is empty" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct number n;
        char fault[FAULT_MAX] = "";
        int64_t e8 = none;
        /* exactly its bytes: nothing behind them is read (the sanitizers look) */
        const size_t size = strlen(cases[i].text);
        char *exact = malloc(size ? size : 1);
        memcpy(exact, cases[i].text, size);
        const enum number_kind kind =
            dialect_number(cases[i].d, (struct str){ exact, (uint32_t)size }, &n, fault);
        free(exact);
        if (strcmp(fault, cases[i].fault) != 0)
            fail_msg("case %zu: \"%s\" instead of \"%s\"", i, fault, cases[i].fault);
        assert_int_equal(kind == NUMBER_READ, *cases[i].fault == '\0');
        if (kind == NUMBER_READ && !number_e8(&n, &e8)) e8 = none;
        if (kind == NUMBER_READ && e8 != cases[i].e8)
            fail_msg("case %zu: %lld instead of %lld", i, (long long)e8, (long long)cases[i].e8);
    }
}

static void share_counts_and_rounding(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool whole;
        int64_t value, tick, rounded;
    } cases[] = {
        { "1.58E+10", true, 15800000000, 5000000, 1580000000000000000 },
        { "15787154000.0", true, 15787154000, 100, 1578715400000000000 },
        { "10.5", false, 0, 100000000, 1100000000 },
        { "-10.5", false, 0, 100000000, -1100000000 },
        { "10.4999999999", false, 0, 100000000, 1000000000 },
        { "0.02499999", false, 0, 5000000, 0 },
        { "0.025", false, 0, 5000000, 5000000 },
        { "103.80750274658203", false, 0, 1000000, 10381000000 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct number n;
        char fault[FAULT_MAX];
        int64_t v = 0;
        double change;
        const struct str text = { cases[i].text, (uint32_t)strlen(cases[i].text) };
        assert_int_equal(dialect_number(&dialect_plain, text, &n, fault), NUMBER_READ);
        assert_int_equal(number_whole(&n, &v), cases[i].whole);
        if (cases[i].whole) assert_int_equal(v, cases[i].value);
        assert_true(number_round(&n, cases[i].tick, &v, &change));
        assert_int_equal(v, cases[i].rounded);
        assert_true(change >= 0 && change <= (double)cases[i].tick / 2e8 + 1e-12);
    }
}

static void dates_by_pattern(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text, *fault; /* fault NULL: it is 2 March 2021 */
    } cases[] = {
        { NULL, "2021-03-02", NULL },
        { "DD.MM.YYYY", "02.03.2021", NULL },
        { "MM/DD/YYYY", "03/02/2021", NULL },
        { "YYYYMMDD", "20210302", NULL },
        { "Mon DD, YYYY", "Mar 02, 2021", NULL },
        { "DD-Mon-YYYY", "02-MAR-2021", NULL },
        { "YYYY-MM-DD*", "2021-03-02 00:00:00-05:00", NULL },
        { NULL, "2021-3-2", "\"2021-3-2\" is no date YYYY-MM-DD" },
        { NULL, "2021-02-29", "\"2021-02-29\" is no date YYYY-MM-DD" },
        { NULL, "2021-03-02T00:00:00Z",
          "\"2021-03-02T00:00:00Z\" is no date YYYY-MM-DD (--dates 'YYYY-MM-DD*' reads it)" },
        { NULL, "02.03.2021",
          "\"02.03.2021\" is no date YYYY-MM-DD (--dates 'DD.MM.YYYY' reads it)" },
        { NULL, "03/02/2021",
          "\"03/02/2021\" is no date YYYY-MM-DD (--dates MM/DD/YYYY or --dates DD/MM/YYYY says which it is)" },
        { "YYYYMMDD", "", "\"\" is no date YYYYMMDD" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dialect d = dialect_plain;
        char fault[FAULT_MAX] = "";
        int32_t day = 0;
        d.dates = cases[i].pattern;
        bool fine = dialect_date(&d, str_of(cases[i].text), &day, fault);
        assert_int_equal(fine, cases[i].fault == NULL);
        if (fine) assert_int_equal(day, 18688); /* days from 1970-01-01 to 2021-03-02 */
        else if (strcmp(fault, cases[i].fault) != 0)
            fail_msg("case %zu: \"%s\" instead of \"%s\"", i, fault, cases[i].fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_exact_or_refused),
        cmocka_unit_test(share_counts_and_rounding),
        cmocka_unit_test(dates_by_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
