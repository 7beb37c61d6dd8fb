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
            "date,close,symbol\n2018-02-06,163.03,AAPL\n2018-02-05,1,AAPL\n2018-02-06,,MSFT\n2018-02-06,-1,X\n2018-02-06,1.000000001,Y\n"
            "2018-02-06,1,AAPL\n2018-2-6,1,Z\n2018-02-06,1,A B\n2018-02-06,90000001,Z\n",
            whole, &f, &p),
        ERR_INVALID);
    assert_int_equal(p.count, 8);
    static const char *const want[] = { ":3: rows are not sorted",
                                        ":4: close is empty",
                                        ":5: close must be above 0",
                                        ":6: close is not a decimal",
                                        ":7: the symbol has a row of this date already",
                                        ":8: date must be",
                                        ":9: symbol needs",
                                        ":10: close must be above 0" };
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        if (!strstr(p.text.data, want[i])) fail_msg("no \"%s\" in %s", want[i], p.text.data);
    assert_null(f.rows);
    buf_release(&p.text);
}

static void ranges_and_empty_closes(void **state)
{
    (void)state;
    struct price_file f;
    struct problems p = { 0 };
    struct price_options o = { .skip_empty = true, .to = NO_DAY };
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_price_file_becomes_messages),
        cmocka_unit_test(every_wrong_price_row_is_named),
        cmocka_unit_test(ranges_and_empty_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
