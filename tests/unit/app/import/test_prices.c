/* test_prices.c - a file of closes: what is refused in which words, and the messages it becomes. */
#include "app/import/prices.h"
#include "core/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static enum err load(const char *text, struct price_options o, struct price_file *f,
                     struct problems *p)
{
    struct dialect plain = dialect_plain;
    if (!o.dialect) o.dialect = &plain;
    char path[] = "/tmp/tocsin-test-prices-XXXXXX";
    struct why why;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    enum err e = prices_load(path, &o, f, p, &why);
    unlink(path);
    return e;
}

static const struct price_options whole = { .from = NO_DAY, .to = NO_DAY };

static void a_price_file_becomes_messages(void **state)
{
    (void)state;
    struct price_file f;
    struct problems p = { 0 };
    struct buf b = { 0 };
    assert_int_equal(
        load(
            "date,open,close,Name\n2018-02-06,1,163.0300,AAPL\n2018-02-06,1,88.2,MSFT\n2018-02-07,1,159.54,AAPL\n",
            whole, &f, &p),
        ERR_OK);
    assert_int_equal(f.n, 3);
    assert_int_equal(f.days, 2);
    assert_false(prices_ends_day(&f, 0));
    assert_true(prices_ends_day(&f, 1));
    prices_close_message(&f, 1, &b); /* 2018-02-06 21:00 UTC is 1517950800 */
    assert_string_equal(
        b.data,
        "{\"kind\":\"close\",\"symbol\":\"MSFT\",\"price\":\"88.2\",\"date\":\"2018-02-06\",\"ts\":1517950800000000001}");
    buf_clear(&b);
    prices_clock_message(&f, 1, &b);
    assert_string_equal(
        b.data, "{\"kind\":\"clock\",\"ts\":1517950800000000002,\"session_end\":\"2018-02-06\"}");
    buf_release(&b);
    prices_release(&f);
}

static void every_wrong_price_row_is_named(void **state)
{
    (void)state;
    struct price_file f = { 0 };
    struct problems p = { 0 };
    assert_int_equal(
        load(
            "date,close,symbol\n2018-02-06,163.03,AAPL\n2018-02-05,1,AAPL\n2018-02-06,,MSFT\n2018-02-06,-90000000.5,X\n2018-02-06,1.000000001,Y\n"
            "2018-02-06,1,AAPL\n2018-2-6,1,Z\n2018-02-06,1,A B\n2018-02-06,90000001,Z\n",
            whole, &f, &p),
        ERR_INVALID);
    assert_int_equal(p.count, 8);
    static const char *const want[] = { ":3:1: date is before the row above: rows are not sorted",
                                        ":4:12: close is empty (--skip-empty",
                                        ":5:12: close is too low: at least -90000000",
                                        ":6:12: close \"1.000000001\" has 9 decimals",
                                        ":7: symbol AAPL has a row of this date already, line 2",
                                        ":8:1: date \"2018-2-6\" is no date YYYY-MM-DD",
                                        ":9:14: symbol needs",
                                        ":10:12: close is too large" };
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        if (!strstr(p.text.data, want[i])) fail_msg("no \"%s\" in %s", want[i], p.text.data);
    assert_null(f.rows);
    buf_release(&p.text);
}

/* Oil, spreads: whether they may be is asked where they are applied. Halves away from zero, on both sides of it. */
static void prices_of_0_and_below_are_read(void **state)
{
    (void)state;
    struct price_file f;
    struct problems p = { 0 };
    struct dialect d = dialect_plain;
    AUTO_BUF struct buf b = { 0 };
    d.round_e8 = 1000000;
    assert_int_equal(load("date,close,symbol\n2020-04-20,-37.635,CL\n2020-04-21,0.00,CL\n",
                          (struct price_options){ &d, NO_DAY, NO_DAY }, &f, &p),
                     ERR_OK);
    assert_int_equal(f.rows[1].price_e8, 0);
    prices_close_message(&f, 0, &b);
    assert_non_null(strstr(b.data, "\"price\":\"-37.64\""));
    prices_release(&f);
    assert_int_equal(load("date,close,symbol\n2020-04-20,-0.004,CL\n",
                          (struct price_options){ &d, NO_DAY, NO_DAY }, &f, &p),
                     ERR_INVALID);
    assert_non_null(strstr(p.text.data, ":2:12: close is nearer to zero than"));
    buf_release(&p.text);
}

static void ranges_and_empty_closes(void **state)
{
    (void)state;
    struct price_file f;
    struct problems p = { 0 };
    struct dialect skips = dialect_plain;
    skips.skip_empty = true;
    struct price_options o = { .dialect = &skips, .to = NO_DAY };
    assert_int_equal(date_parse("2018-02-07", 10, &o.from, NULL), ERR_OK);
    assert_int_equal(
        load("date,close,symbol\n2018-02-06,1,A\n2018-02-07,,A\n2018-02-07,2,B\n2018-02-08,3,A\n",
             o, &f, &p),
        ERR_OK);
    assert_int_equal(f.n, 2);
    assert_int_equal(f.days, 2);
    assert_int_equal(f.skipped, 1);
    assert_string_equal(f.rows[0].symbol.s, "B");
    prices_release(&f);
}

/* The nearest cent, halves away from zero, and the largest change is told; dates in any order are sorted, rows of one stay. */
static void rounded_and_sorted(void **state)
{
    (void)state;
    struct price_file f;
    struct problems p = { 0 };
    struct dialect d = dialect_plain;
    d.round_e8 = 1000000;
    d.sort = true;
    assert_int_equal(
        load("date,close,symbol\n2018-02-07,103.80750274658203,A\n2018-02-06,102.01000213623047,B\n"
             "2018-02-06,0.125,A\n2018-02-08,7,A\n",
             (struct price_options){ &d, NO_DAY, NO_DAY }, &f, &p),
        ERR_OK);
    assert_int_equal(f.n, 4);
    assert_int_equal(f.days, 3);
    static const int64_t want[] = { 10201000000, 13000000, 10381000000, 700000000 };
    for (size_t i = 0; i < f.n; i++) assert_int_equal(f.rows[i].price_e8, want[i]);
    assert_int_equal(f.rows[1].nth, 1);
    assert_int_equal(f.rounding.n, 3);
    assert_int_equal(f.rounding.at.line, 4); /* 0.005, more than the 0.0025 of line 2 */
    assert_string_equal(f.rounding.was, "0.125");
    prices_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_price_file_becomes_messages),
        cmocka_unit_test(every_wrong_price_row_is_named),
        cmocka_unit_test(prices_of_0_and_below_are_read),
        cmocka_unit_test(ranges_and_empty_closes),
        cmocka_unit_test(rounded_and_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
