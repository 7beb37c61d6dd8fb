/* test_calendar_text.c - what is a calendar's text and what is none, and the one text that is
 * written. */
#include "core/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "calendar,T,Europe/London,2024,2024\n"
#define YEAR HEAD "hours,2024-01-01,2024-12-31,Mon-Fri,08:00,09:00,17:00\n"

static int32_t day_of(const char *text)
{
    int32_t day = 0;
    assert_int_equal(date_parse(text, strlen(text), &day, NULL), ERR_OK);
    return day;
}

/* ---- what is refused: the place, what is wrong, what to do ---- */
static const struct {
    const char *text, *want;
} refused[] = {
    /* the first line */
    { "",
      "line 1, column 1: the first line must be calendar,NAME,TIME ZONE,FIRST YEAR,LAST YEAR, such as "
      "calendar,XNYS,America/New_York,2024,2026" },
    { "# nothing\n\n",
      "line 3, column 1: the first line must be calendar,NAME,TIME ZONE,FIRST YEAR,LAST YEAR, such as "
      "calendar,XNYS,America/New_York,2024,2026" },
    { "\n  closed,2024-01-01\n",
      "line 2, column 3: the first line must be calendar,NAME,TIME ZONE,FIRST YEAR,LAST YEAR, such as "
      "calendar,XNYS,America/New_York,2024,2026" },
    { "calendar\n",
      "line 1, column 1: too few columns; the line is calendar,NAME,TIME ZONE,FIRST YEAR,LAST YEAR" },
    { "calendar,T,UTC,2024\n",
      "line 1, column 16: too few columns; the line is calendar,NAME,TIME ZONE,FIRST YEAR,LAST YEAR" },
    { "calendar,T,UTC,2024,2024,2025\n",
      "line 1, column 26: too many columns; the line is calendar,NAME,TIME ZONE,FIRST YEAR,LAST YEAR" },
    { "calendar,24/7,UTC,2024,2024\n",
      "line 1, column 10: \"24/7\" is no name of a calendar; write 1 to 31 of A-Z a-z 0-9 .-_" },
    { "calendar,,UTC,2024,2024\n",
      "line 1, column 10: \"\" is no name of a calendar; write 1 to 31 of A-Z a-z 0-9 .-_" },
    { "calendar,ABCDEFGHIJKLMNOPQRSTUVWXYZ123456,UTC,2024,2024\n",
      "line 1, column 10: \"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456\" is no name of a calendar; write 1 to 31 of A-Z a-z 0-9 .-_" },
    { "calendar,T,New York,2024,2024\n",
      "line 1, column 12: \"New York\" is no time zone; write 1 to 63 of A-Z a-z 0-9 /_+-" },
    { "calendar,T,UTC,24,2024\n", "line 1, column 16: \"24\" is no year from 1700 to 2261" },
    { "calendar,T,UTC,2024,1699\n", "line 1, column 21: \"1699\" is no year from 1700 to 2261" },
    { "calendar,T,UTC,2024,2262\n", "line 1, column 21: \"2262\" is no year from 1700 to 2261" },
    { "calendar,T,UTC,2024,20255\n", "line 1, column 21: \"20255\" is no year from 1700 to 2261" },
    { "calendar,T,UTC,2024,2o24\n", "line 1, column 21: \"2o24\" is no year from 1700 to 2261" },
    { "calendar,T,UTC,2025,2024\n",
      "line 1, column 16: the first year, 2025, is after the last, 2024" },
    { YEAR HEAD, "line 3, column 1: a second calendar line; one text is one calendar" },

    /* words and columns */
    { YEAR "holiday,2024-05-01\n",
      "line 3, column 1: \"holiday\" is none of hours, closed, early, special" },
    { YEAR "Closed,2024-05-01\n",
      "line 3, column 1: \"Closed\" is none of hours, closed, early, special" },
    { YEAR ",2024-05-01\n", "line 3, column 1: \"\" is none of hours, closed, early, special" },
    { YEAR "closed\n", "line 3, column 1: too few columns; the line is closed,DATE[,WHY]" },
    { YEAR "early,2024-05-01\n",
      "line 3, column 7: too few columns; the line is early,DATE,CLOSE[,WHY]" },
    { YEAR "special,2024-05-01,08:00,09:00\n",
      "line 3, column 26: too few columns; the line is special,DATE,BEGIN,OPEN,CLOSE[,WHY]" },
    { HEAD "hours,2024-01-01,2024-12-31,Mon-Fri,09:00,17:00\n",
      "line 2, column 43: too few columns; the line is hours,FROM,TO,WEEKDAYS,BEGIN,OPEN,CLOSE" },
    { HEAD "hours,2024-01-01,2024-12-31,Mon-Fri,08:00,09:00,17:00,why\n",
      "line 2, column 55: too many columns; the line is hours,FROM,TO,WEEKDAYS,BEGIN,OPEN,CLOSE" },

    /* dates */
    { YEAR "closed,2024-02-30\n",
      "line 3, column 8: \"2024-02-30\" is no date; write it as 2024-07-04" },
    { YEAR "closed,1/5/2024\n",
      "line 3, column 8: \"1/5/2024\" is no date; write it as 2024-07-04" },
    { YEAR "closed,2025-01-01\n",
      "line 3, column 8: 2025-01-01 lies outside the years 2024 to 2024 of the first line; change one or the other" },
    { YEAR "early,2023-12-29,12:00\n",
      "line 3, column 7: 2023-12-29 lies outside the years 2024 to 2024 of the first line; change one or the other" },
    { HEAD "hours,2024-01-01,2025-12-31,Mon-Fri,08:00,09:00,17:00\n",
      "line 2, column 18: 2025-12-31 lies outside the years 2024 to 2024 of the first line; change one or the other" },

    /* times */
    { YEAR "early,2024-05-01,9:30\n",
      "line 3, column 18: \"9:30\" is no time; write it in UTC as 13:30, or -01:00 for 23:00 "
      "the evening before; -24:00 to 48:00" },
    { YEAR "early,2024-05-01,12:60\n",
      "line 3, column 18: \"12:60\" is no time; write it in UTC as 13:30, or -01:00 for 23:00 "
      "the evening before; -24:00 to 48:00" },
    { YEAR "early,2024-05-01,+12:00\n",
      "line 3, column 18: \"+12:00\" is no time; write it in UTC as 13:30, or -01:00 for 23:00 "
      "the evening before; -24:00 to 48:00" },
    { YEAR "special,2024-05-01,-24:01,12:00,13:00\n",
      "line 3, column 20: \"-24:01\" is no time; write it in UTC as 13:30, or -01:00 for 23:00 the evening before; -24:00 to 48:00" },
    { YEAR "special,2024-05-01,08:00,12:00,48:01\n",
      "line 3, column 32: \"48:01\" is no time; write it in UTC as 13:30, or -01:00 for 23:00 the evening before; -24:00 to 48:00" },
    { YEAR "special,2024-05-01,08:00,12:00,12:00:00\n",
      "line 3, column 32: \"12:00:00\" is no time; write it in UTC as 13:30, or -01:00 for 23:00 the evening before; -24:00 to 48:00" },
    { HEAD "hours,2024-01-01,2024-12-31,Mon-Fri,09:30,09:00,17:00\n",
      "line 2, column 37: begins at 09:30, after it opens at 09:00; begin at the open or before, such as -01:00 for the evening before" },
    { YEAR "special,2024-05-01,08:00,09:00,01:00\n",
      "line 3, column 32: closes at 01:00, not after it opens at 09:00; a close behind midnight UTC is 24:00 and more" },
    { YEAR "special,2024-05-01,08:00,09:00,09:00\n",
      "line 3, column 32: closes at 09:00, not after it opens at 09:00; a close behind midnight UTC is 24:00 and more" },
    { YEAR "early,2024-05-01,09:00\n",
      "line 3, column 7: closes before its hours in line 2 open; write closed, or special with hours of its own" },
    { YEAR "early,2024-05-01,17:00\n",
      "line 3, column 7: closes no earlier than its hours in line 2 do; leave it out, or write "
      "special with hours of its own" },

    /* weekdays */
    { HEAD "hours,2024-01-01,2024-12-31,,08:00,09:00,17:00\n",
      "line 2, column 29: \"\" are no weekdays; write Mon-Fri, Sun-Thu or Mon Wed Fri with Mon Tue Wed Thu Fri Sat Sun" },
    { HEAD "hours,2024-01-01,2024-12-31,Monday-Friday,08:00,09:00,17:00\n",
      "line 2, column 29: \"Monday-Friday\" are no weekdays; write Mon-Fri, Sun-Thu or Mon Wed Fri with Mon Tue Wed Thu Fri Sat Sun" },
    { HEAD "hours,2024-01-01,2024-12-31,Mon-,08:00,09:00,17:00\n",
      "line 2, column 29: \"Mon-\" are no weekdays; write Mon-Fri, Sun-Thu or Mon Wed Fri with Mon Tue Wed Thu Fri Sat Sun" },
    { HEAD "hours,2024-01-01,2024-12-31,1-5,08:00,09:00,17:00\n",
      "line 2, column 29: \"1-5\" are no weekdays; write Mon-Fri, Sun-Thu or Mon Wed Fri with Mon Tue Wed Thu Fri Sat Sun" },

    /* hours one after the other */
    { HEAD,
      "line 2, column 1: no hours from 2024-01-01 to 2024-12-31; add an hours line for them, or change the years of the "
      "first line" },
    { "calendar,T,UTC,2024,2026\nhours,2024-01-01,2024-12-31,Mon-Fri,08:00,09:00,17:00\n"
      "hours,2026-01-01,2026-12-31,Mon-Fri,08:00,09:00,17:00\n",
      "line 3, column 7: no hours from 2025-01-01 to 2025-12-31; begin on 2025-01-01, or add an hours line for them" },
    { "calendar,T,UTC,2024,2025\nhours,2024-01-01,2024-12-31,Mon-Fri,08:00,09:00,17:00\n",
      "line 3, column 1: no hours from 2025-01-01 to 2025-12-31; add an hours line for them, or change the years of the first line" },
    { HEAD "hours,2024-01-02,2024-12-31,Mon-Fri,08:00,09:00,17:00\n",
      "line 2, column 7: no hours from 2024-01-01 to 2024-01-01; begin on 2024-01-01, or add an hours line for them" },
    { HEAD
      "hours,2024-01-01,2024-06-30,Mon-Fri,08:00,09:00,17:00\nhours,2024-06-30,2024-12-31,Mon-Fri,07:00,08:00,16:00\n",
      "line 3, column 7: overlaps the hours before, which end the day before 2024-07-01; begin on 2024-07-01" },
    { HEAD "hours,2024-12-31,2024-01-01,Mon-Fri,08:00,09:00,17:00\n",
      "line 2, column 18: 2024-01-01 is before 2024-12-31; a line has its first date, then its last" },

    /* dates that differ */
    { YEAR "closed,2024-05-01\nclosed,2024-05-02\nearly,2024-05-01,12:00\n",
      "line 5, column 7: 2024-05-01 stands in line 3 already; keep one of the two" },
    { YEAR "closed,2024-05-04\n",
      "line 3, column 8: 2024-05-04 is a Saturday, no weekday of its hours in line 2; it is closed without this line" },
    { YEAR "early,2024-05-05,12:00\n",
      "line 3, column 7: 2024-05-05 is a Sunday, no weekday of its hours in line 2; for a session of its own write special" },

    /* sessions one after the other */
    { HEAD "hours,2024-01-01,2024-12-31,Mon-Fri,-08:00,00:00,17:00\n",
      "line 2, column 1: sessions overlap: 2024-01-02 begins at 2024-01-01T16:00:00Z, before 2024-01-01 closes at "
      "2024-01-01T17:00:00Z" },
    { YEAR "special,2024-05-01,08:00,09:00,32:01\n",
      "line 2, column 1: sessions overlap: 2024-05-02 begins at 2024-05-02T08:00:00Z, before 2024-05-01 closes at "
      "2024-05-02T08:01:00Z" },
    { YEAR "special,2024-05-01,-07:01,09:00,10:00\n",
      "line 3, column 1: sessions overlap: 2024-05-01 begins at 2024-04-30T16:59:00Z, before 2024-04-30 closes at "
      "2024-04-30T17:00:00Z" },
};

static void a_wrong_text_is_refused_with_place_and_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct calendar *c = (struct calendar *)8;
        struct why why = { .text = "" };
        AUTO_BUF struct buf problems = { 0 };
        enum err e = calendar_parse(str_of(refused[i].text), &c, &problems, &why);
        if (e != ERR_INVALID || strcmp(why.text, refused[i].want) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", refused[i].text, why.text, refused[i].want);
        assert_ptr_equal(c, (void *)8);
        assert_int_equal(strlen(problems.data),
                         strlen(why.text) + 1); /* the one alone, and a newline */
        assert_memory_equal(problems.data, why.text, strlen(why.text));
    }
}

/* The place as a character of the text too, for a page that shows it. */
static void a_problem_points_into_the_text(void **state)
{
    (void)state;
    static const char text[] = YEAR "closed,2024-05-01\n  early , 2024-05-02 , noon\n";
    struct calendar *c;
    struct why why;
    assert_int_equal(calendar_parse(str_of(text), &c, NULL, &why), ERR_INVALID);
    assert_int_equal(why.at - 1, strstr(text, "noon") - text);
    static const char twice[] = YEAR "closed,2024-05-01\nclosed,2024-05-01\n";
    assert_int_equal(calendar_parse(str_of(twice), &c, NULL, &why), ERR_INVALID);
    assert_int_equal(why.at, sizeof twice - sizeof "2024-05-01\n" + 1);
}

static void every_problem_is_told(void **state)
{
    (void)state;
    struct calendar *c;
    struct why why;
    AUTO_BUF struct buf problems = { 0 };
    /* what depends on a line that could not be read is not told on top */
    static const char text[] =
        HEAD "hours,2024-01-01,2024-06-30,Mon-Fri,08:00,nine,17:00\n"
             "hours,2024-07-01,2024-12-31,Mon-Fri,08:00,09:00,25:00:00\n"
             "closed,2024-5-1\nclosed,2024-05-01\nclosed,2024-05-01\nclose,2024-05-03\n";
    assert_int_equal(calendar_parse(str_of(text), &c, &problems, &why), ERR_INVALID);
    assert_string_equal(
        problems.data,
        "line 2, column 43: \"nine\" is no time; write it in UTC as 13:30, or -01:00 for 23:00 the evening before; "
        "-24:00 to 48:00\n"
        "line 3, column 49: \"25:00:00\" is no time; write it in UTC as 13:30, or -01:00 for 23:00 the evening "
        "before; -24:00 to 48:00\n"
        "line 4, column 8: \"2024-5-1\" is no date; write it as 2024-07-04\n"
        "line 7, column 1: \"close\" is none of hours, closed, early, special\n");

    buf_clear(&problems);
    AUTO_BUF struct buf many = { 0 };
    buf_puts(&many, YEAR);
    for (int i = 0; i < 50; i++) buf_puts(&many, "holiday\n");
    assert_int_equal(
        calendar_parse((struct str){ many.data, (uint32_t)many.len }, &c, &problems, &why),
        ERR_INVALID);
    int lines = 0;
    for (const char *p = problems.data; *p; p++) lines += *p == '\n';
    assert_int_equal(lines, CALENDAR_PROBLEMS_MAX + 1);
    assert_non_null(strstr(problems.data, "\nline 22, column 1: "));
    assert_non_null(strstr(problems.data, "\nand 30 more\n"));

    /* several overlaps, each line once */
    buf_clear(&problems);
    static const char overlaps[] = HEAD "hours,2024-01-01,2024-06-30,Mon-Fri,-08:00,00:00,17:00\n"
                                        "hours,2024-07-01,2024-12-31,Mon-Fri,-08:00,00:00,18:00\n";
    assert_int_equal(calendar_parse(str_of(overlaps), &c, &problems, &why), ERR_INVALID);
    assert_string_equal(
        problems.data,
        "line 2, column 1: sessions overlap: 2024-01-02 begins at 2024-01-01T16:00:00Z, before "
        "2024-01-01 closes at 2024-01-01T17:00:00Z\n"
        "line 3, column 1: sessions overlap: 2024-07-02 begins at 2024-07-01T16:00:00Z, before "
        "2024-07-01 closes at 2024-07-01T18:00:00Z\n");
}

static void a_text_has_a_size(void **state)
{
    (void)state;
    struct calendar *c;
    struct why why;
    AUTO_BUF struct buf text = { 0 };
    buf_puts(&text, YEAR);
    while (text.len < CALENDAR_TEXT_MAX) buf_puts(&text, "\n");
    struct str s = { text.data, CALENDAR_TEXT_MAX };
    assert_int_equal(calendar_parse(s, &c, NULL, &why), ERR_OK);
    calendar_free(c);
    s.n++;
    assert_int_equal(calendar_parse(s, &c, NULL, &why), ERR_TOO_LARGE);
    assert_string_equal(
        why.text,
        "a calendar has at most 1048576 bytes, this one has 1048577; give it fewer years");
    assert_int_equal(calendar_parse((struct str){ NULL, 0 }, &c, NULL, &why), ERR_INVALID);
}

/* ---- what is written ---- */
static void written(const char *text, int first, int last, const char *want)
{
    struct calendar *c = NULL;
    struct why why = { .text = "" };
    AUTO_BUF struct buf out = { 0 };
    if (calendar_parse(str_of(text), &c, NULL, &why)) fail_msg("%s", why.text);
    calendar_write(c, first, last, &out);
    assert_string_equal(out.data, want);
    calendar_free(c);
}

static void a_text_of_any_hand_is_written_as_one(void **state)
{
    (void)state;
    /* as a spreadsheet or a person leaves it */
    written(
        "\xef\xbb\xbf# made by hand\r\n"
        "calendar, T ,Europe/London,2024,2024,,\r\n"
        "\r\n,,,\r\n"
        "special,2024-05-05,-02:00,09:00,26:30,a reason, with commas, \"quotes\", more, more, more and \xc3\xa9,\r\n"
        "hours,2024-01-01,2024-06-30,Mon-Fri,08:00,09:00,17:00,\r\n"
        "closed,2024-12-25,,,,\r\n"
        "hours,2024-07-01,2024-12-31,Mon Tue Wed Thu Fri,08:00,09:00,17:00\r\n"
        "  # a remark, with a comma\r\n"
        "early\t,2024-12-24,12:30,Christmas Eve\r\n"
        "special,2024-12-23,07:00,09:00,17:00\r\n"
        "special,2024-12-31,08:00,09:00,13:00,early in other words\r\n"
        "special,2024-12-30,08:00,09:00,17:00,as ever\r\n"
        "closed,2024-01-01",
        2024, 2024,
        "calendar,T,Europe/London,2024,2024\n"
        "hours,2024-01-01,2024-12-31,Mon-Fri,08:00,09:00,17:00\n"
        "closed,2024-01-01\n"
        "special,2024-05-05,-02:00,09:00,26:30\n"
        "special,2024-12-23,07:00,09:00,17:00\n"
        "early,2024-12-24,12:30\n"
        "closed,2024-12-25\n"
        "early,2024-12-31,13:00\n");
}

static void years_are_cut_out(void **state)
{
    (void)state;
    static const char text[] =
        "calendar,XASX,Australia/Sydney,2023,2025\n"
        "hours,2023-01-01,2024-04-07,Mon-Fri,-07:00,-01:00,05:00\n"
        "hours,2024-04-08,2025-12-31,Mon-Fri,-06:00,00:00,06:00\n"
        "closed,2023-12-25\nclosed,2024-12-25\nclosed,2025-12-25\nearly,2024-12-24,03:10\n";
    written(text, 2024, 2024,
            "calendar,XASX,Australia/Sydney,2024,2024\n"
            "hours,2024-01-01,2024-04-07,Mon-Fri,-07:00,-01:00,05:00\n"
            "hours,2024-04-08,2024-12-31,Mon-Fri,-06:00,00:00,06:00\n"
            "early,2024-12-24,03:10\nclosed,2024-12-25\n");
    written(text, 2023, 2023,
            "calendar,XASX,Australia/Sydney,2023,2023\n"
            "hours,2023-01-01,2023-12-31,Mon-Fri,-07:00,-01:00,05:00\n"
            "closed,2023-12-25\n");
    written(text, 2024, 2025,
            "calendar,XASX,Australia/Sydney,2024,2025\n"
            "hours,2024-01-01,2024-04-07,Mon-Fri,-07:00,-01:00,05:00\n"
            "hours,2024-04-08,2025-12-31,Mon-Fri,-06:00,00:00,06:00\n"
            "early,2024-12-24,03:10\nclosed,2024-12-25\nclosed,2025-12-25\n");
}

/* What each spelling means: the sessions of a week, Monday first. */
static void weekdays_in_every_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *said, *written, *week;
    } rows[] = {
        { "Mon-Fri", "Mon-Fri", "xxxxx--" },
        { "Sun-Thu", "Sun-Thu", "xxxx--x" },
        { "Mon", "Mon", "x------" },
        { "Sun", "Sun", "------x" },
        { "Fri-Thu", "Mon-Sun", "xxxxxxx" },
        { "Mon-Sun", "Mon-Sun", "xxxxxxx" },
        { "Mon-Mon", "Mon", "x------" },
        { "Fri Wed  Mon", "Mon Wed Fri", "x-x-x--" },
        { "Sat Sun Mon Wed-Thu", "Wed-Thu Sat-Mon", "x-xx-xx" },
        { "Tue Mon", "Mon-Tue", "xx-----" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[200], want[200];
        static const char form[] =
            "calendar,T,UTC,2024,2024\nhours,2024-01-01,2024-12-31,%s,00:00,09:00,17:00\n";
        snprintf(text, sizeof text, form, rows[i].said);
        snprintf(want, sizeof want, form, rows[i].written);
        written(text, 2024, 2024, want);
        struct calendar *c;
        assert_int_equal(calendar_parse(str_of(text), &c, NULL, NULL), ERR_OK);
        for (int k = 0; k < 7; k++) {
            struct session s;
            enum err e = calendar_on(c, day_of("2024-07-01") + k, &s, NULL); /* a Monday */
            if (e != (rows[i].week[k] == 'x' ? ERR_OK : ERR_NOT_FOUND))
                fail_msg("%s: weekday %d", rows[i].said, k);
        }
        calendar_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_text_is_refused_with_place_and_remedy),
        cmocka_unit_test(a_problem_points_into_the_text),
        cmocka_unit_test(every_problem_is_told),
        cmocka_unit_test(a_text_has_a_size),
        cmocka_unit_test(a_text_of_any_hand_is_written_as_one),
        cmocka_unit_test(years_are_cut_out),
        cmocka_unit_test(weekdays_in_every_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
