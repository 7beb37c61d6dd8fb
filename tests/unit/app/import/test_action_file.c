/* test_action_file.c - a file of corporate actions: the records of its rows, their order, and what is refused in which words. */
#include "app/import/action_file.h"
#include "core/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static enum err load(const char *text, struct action_file *f, struct problems *p)
{
    static struct dialect plain;
    plain = dialect_plain;
    char path[] = "/tmp/tocsin-test-actions-XXXXXX";
    struct why why;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    *f = (struct action_file){ 0 };
    *p = (struct problems){ 0 };
    enum err e = action_file_load(path, &plain, f, p, &why);
    unlink(path);
    return e;
}

static void end(struct action_file *f, struct problems *p)
{
    action_file_release(f);
    buf_release(&p->text);
}

/* 2022-06-09 is day 19152: 1654732800 s. The rename goes before what else is said of the day; within a day it is as in the file. */
static void rows_become_records_in_their_order(void **state)
{
    static const char *const want[] = {
        "{\"kind\":\"split\",\"ts\":1402272000000000000,\"symbol\":\"AAPL\",\"new\":7,\"old\":1,\"effective\":\"2014-06-09\"}",
        "{\"kind\":\"rename\",\"ts\":1654732800000000000,\"symbol\":\"FB\",\"to\":\"META\",\"effective\":\"2022-06-09\"}",
        "{\"kind\":\"spin_off\",\"ts\":1654732800000000000,\"parent\":\"P\",\"child\":\"Q\",\"new\":1,\"old\":2,\"effective\":\"2022-06-09\",\"value\":\"0\"}",
        "{\"kind\":\"dividend\",\"ts\":1654732800000000000,\"symbol\":\"P\",\"amount\":\"0.5\",\"ex\":\"2022-06-09\",\"special\":true}",
        "{\"kind\":\"delisting\",\"ts\":1654732800000000000,\"symbol\":\"X\",\"effective\":\"2022-06-09\",\"price\":\"0\"}",
    };
    struct action_file f;
    struct problems p;
    (void)state;
    assert_int_equal(
        load("kind,symbol,parent,child,new,old,effective,amount,ex,special,to\n"
             "spin_off,,P,Q,1,2,2022-06-09,,,,\ndividend,P,,,,,,0.50,2022-06-09,TRUE,\n"
             "rename,FB,,,,,2022-06-09,,,,META\nsplit,AAPL,,,7,1,2014-06-09,,,,\n"
             "Delisting,X,,,,,2022-06-09,,,,\n",
             &f, &p),
        ERR_OK);
    assert_int_equal(p.count, 0);
    assert_int_equal(f.n, ARRAY_LEN(want));
    action_file_date(&f, 0);
    for (size_t i = 0; i < f.n; i++) {
        AUTO_BUF struct buf b = { 0 };
        record_write(&f.rows[i].record, &b);
        assert_string_equal(b.data, want[i]);
    }
    /* Where time stands behind them all of them are known from then on, the rename first. */
    action_file_date(&f, 1700000000000000000);
    assert_int_equal(f.rows[0].record.kind, RECORD_RENAME);
    assert_int_equal(f.rows[1].record.kind, RECORD_SPLIT);
    assert_int_equal(f.rows[1].day, 16230);
    assert_true(f.rows[1].record.event_ns == 1700000000000000000);
    end(&f, &p);
}

static void what_is_wrong_is_said_by_line(void **state)
{
    struct action_file f;
    struct problems p;
    (void)state;
    assert_int_equal(
        load("kind,symbol,new,old,effective\nsplit,A,4,1,2020-08-31\nsplit,A,4,1,\nsplat,A,,,\n"
             "delisting,A,4,,2020-08-31\nsplit,A,4,1,1969-01-02\n",
             &f, &p),
        ERR_OK);
    assert_int_equal(f.n, 1);
    assert_int_equal(p.count, 4);
    assert_non_null(strstr(p.text.data, ":3: field \"effective\" is missing\n"));
    assert_non_null(strstr(p.text.data, ":4:1: kind \"splat\" is none of split, dividend,"));
    assert_non_null(strstr(p.text.data, ":5:13: new is no field of a delisting\n"));
    assert_non_null(strstr(p.text.data, ":6: its session is before 1971\n"));
    end(&f, &p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_records_in_their_order),
        cmocka_unit_test(what_is_wrong_is_said_by_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
