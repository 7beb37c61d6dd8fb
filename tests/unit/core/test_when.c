/* test_when.c - the calendar against the C library's, and times as text. Expected numbers: GNU date. */
#include "core/when.h"

#include <inttypes.h>
#include <time.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every day from 1600 to 2400. */
static void calendar_agrees_with_gmtime(void **state)
{
    (void)state;
    int32_t from = day_from_civil(1600, 1, 1), to = day_from_civil(2400, 1, 1);
    assert_int_equal(from, -135140);
    assert_int_equal(to, 157054);
    for (int32_t day = from; day <= to; day++) {
        time_t t = (time_t)day * 86400;
        struct tm tm;
        gmtime_r(&t, &tm);
        struct civil c = civil_from_day(day);
        if (c.year != tm.tm_year + 1900 || c.month != tm.tm_mon + 1 || c.day != tm.tm_mday
            || day_from_civil(c.year, c.month, c.day) != day
            || weekday_of_day(day) != (tm.tm_wday + 6) % 7)
            fail_msg("day %d", day);
    }
}

static void day_of_ns_is_a_floor(void **state)
{
    (void)state;
    assert_int_equal(day_of_ns(0), 0);
    assert_int_equal(day_of_ns(NS_PER_DAY - 1), 0);
    assert_int_equal(day_of_ns(NS_PER_DAY), 1);
    assert_int_equal(day_of_ns(-1), -1);
    assert_int_equal(day_of_ns(-NS_PER_DAY), -1);
    assert_int_equal(day_of_ns(-NS_PER_DAY - 1), -2);
    assert_int_equal(day_of_ns(INT64_MAX), 106751);
    assert_int_equal(day_of_ns(INT64_MIN), -106752);
}

static void times_are_written_and_read_back(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } rows[] = {
        { 0, "1970-01-01T00:00:00Z" },
        { 1518037200000000000, "2018-02-07T21:00:00Z" },
        { 1518037200120000000, "2018-02-07T21:00:00.120Z" },
        { 1518037200000001000, "2018-02-07T21:00:00.000001Z" },
        { 1518037200000000001, "2018-02-07T21:00:00.000000001Z" },
        { 1709210096789000000, "2024-02-29T12:34:56.789Z" },
        { -1, "1969-12-31T23:59:59.999999999Z" },
        { -1500000000, "1969-12-31T23:59:58.500Z" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[WHEN_TEXT_MAX];
        int64_t ns;
        assert_int_equal(when_format(rows[i].ns, text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
        assert_int_equal(when_parse(text, strlen(text), &ns, NULL), ERR_OK);
        assert_int_equal(ns, rows[i].ns);
    }
    char text[WHEN_TEXT_MAX];
    when_format(INT64_MAX, text);
    assert_string_equal(text, "2262-04-11T23:47:16.854775807Z");
    when_format(INT64_MIN, text);
    assert_string_equal(text, "1677-09-21T00:12:43.145224192Z");
}

static void other_spellings_of_a_time(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } rows[] = {
        { "2018-02-07", 1517961600000000000 },
        { "2018-02-07T22:00:00+01:00", 1518037200000000000 },
        { "2018-02-07T15:30:00-05:30", 1518037200000000000 },
        { "2018-02-07t21:00:00z", 1518037200000000000 },
        { "2018-02-07T21:00:00.5Z", 1518037200500000000 },
        { "2018-02-07T21:00:00.123456789-00:00", 1518037200123456789 },
        { "2016-12-31T23:59:59.999999999Z", 1483228799999999999 },
        { "0", 0 },
        { "1700000000000000000", 1700000000000000000 },
        { "31536000000000000", 31536000000000000 }, /* 1971 begins */
        { "9223372036854775807", INT64_MAX },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ns = 42;
        struct why why;
        if (when_parse(rows[i].text, strlen(rows[i].text), &ns, &why))
            fail_msg("%s: %s", rows[i].text, why.text);
        if (ns != rows[i].ns) fail_msg("%s: %" PRId64, rows[i].text, ns);
    }
}

static void no_times(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        " ",
        "-1",
        "+1",
        "1.5",
        "9223372036854775808",
        "1", /* the next four in another unit */
        "1577977300",
        "1577977300000",
        "1577977300000000",
        "31535999999999999", /* 1970's last ns */
        "99999999999999999999",
        "2018-02",
        "2018-02-30",
        "2018-13-01",
        "2018-00-10",
        "2018-01-00",
        "2018-02-07T",
        "2018-02-07T21",
        "2018-02-07T21:00",
        "2018-02-07T21:00:00",
        "2018-02-07 21:00:00Z",
        "2018-02-07T24:00:00Z",
        "2018-02-07T21:60:00Z",
        "2018-02-07T21:00:60Z",
        "2018-02-07T21:00:61Z",
        "2016-12-31T23:59:60Z", /* there was that second, but no nanosecond since 1970 is in it */
        "2017-01-01T00:59:60+01:00",
        "2018-02-07T21:00:00.Z",
        "2018-02-07T21:00:00.1234567890Z",
        "2018-02-07T21:00:00ZZ",
        "2018-02-07T21:00:00+1:00",
        "2018-02-07T21:00:00+0100",
        "2018-02-07T21:00:00+24:00",
        "2018-02-07T21:00:00+01:60",
        "2018-02-07T21:00:00 +01:00",
        "now",
        "1699-12-31",
        "2262-01-01",
        "2018-02-07X21:00:00Z",
        "2018/02/07",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ns = 42;
        struct why why = { .text = "" };
        if (when_parse(rows[i], strlen(rows[i]), &ns, &why) != ERR_INVALID || ns != 42
            || !why.text[0])
            fail_msg("%s: %" PRId64, rows[i], ns);
    }
}

static void a_leap_second_is_named(void **state)
{
    (void)state;
    int64_t ns = 42;
    struct why why = { .text = "" };
    assert_int_equal(when_parse("2016-12-31T23:59:60Z", 20, &ns, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "second 60"));
    assert_non_null(strstr(why.text, "send second 59"));
    assert_int_equal(ns, 42);
}

static void dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t day;
    } good[] = {
        { "1970-01-01", 0 },      { "1969-12-31", -1 },    { "2018-02-07", 17569 },
        { "2024-02-29", 19782 },  { "2000-02-29", 11016 }, { "1700-01-01", -98615 },
        { "2261-12-31", 106650 },
    };
    static const char *const bad[] = { "2023-02-29", "1900-02-29", "2018-04-31",  "2018-2-7",
                                       "2018-02-7",  "18-02-07",   "2018-02-070", "20180207",
                                       "2018-02-0a", "-018-02-07", "2018-02- 7",  "" };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int32_t day = 42;
        char text[DATE_TEXT_MAX];
        assert_int_equal(date_parse(good[i].text, strlen(good[i].text), &day, NULL), ERR_OK);
        assert_int_equal(day, good[i].day);
        assert_int_equal(date_format(day, text), 10);
        assert_string_equal(text, good[i].text);
    }
    char words[DATE_WORDS_MAX];
    date_words(good[2].day, words);
    assert_string_equal(words, "7 February 2018");
    date_words(good[6].day, words);
    assert_string_equal(words, "31 December 2261");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int32_t day = 42;
        if (date_parse(bad[i], strlen(bad[i]), &day, NULL) != ERR_INVALID || day != 42)
            fail_msg("%s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calendar_agrees_with_gmtime),
        cmocka_unit_test(day_of_ns_is_a_floor),
        cmocka_unit_test(times_are_written_and_read_back),
        cmocka_unit_test(other_spellings_of_a_time),
        cmocka_unit_test(no_times),
        cmocka_unit_test(a_leap_second_is_named),
        cmocka_unit_test(dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
