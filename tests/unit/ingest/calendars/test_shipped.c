/* test_shipped.c - the calendars that are compiled in are calendars, and say what is known of
 * their venues. Every session of all of them is held against exchange_calendars by
 * tests/system/test_calendars.py. */
#include "ingest/calendars/shipped.h"

#include "core/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct calendar *shipped(const char *name)
{
    const char *text = shipped_calendar(name);
    struct calendar *c = NULL;
    struct why why;
    if (!text) fail_msg("no %s", name);
    if (calendar_parse(str_of(text), &c, NULL, &why)) fail_msg("%s: %s", name, why.text);
    return c;
}

static int64_t ns_of(const char *text)
{
    int64_t ns = 0;
    assert_int_equal(when_parse(text, strlen(text), &ns, NULL), ERR_OK);
    return ns;
}

static void nine_venues_from_1990_to_2030(void **state)
{
    (void)state;
    static const char *const names[] = { "24-7", "CMES", "XASX", "XETR", "XHKG",
                                         "XLON", "XNAS", "XNYS", "XTKS" };
    assert_int_equal(shipped_calendars_n, ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_string_equal(shipped_calendars[i].name, names[i]);
        struct calendar *c = shipped(names[i]);
        assert_string_equal(calendar_name(c), names[i]);
        assert_int_equal(calendar_first_day(c),
                         day_from_civil(strcmp(names[i], "XTKS") == 0 ? 1997 : 1990, 1, 1));
        assert_int_equal(calendar_last_day(c), day_from_civil(2030, 12, 31));
        calendar_free(c);
    }
    assert_ptr_equal(shipped_calendar("24/7"), shipped_calendar("24-7"));
    assert_null(shipped_calendar("XXXX"));
    assert_null(shipped_calendar(""));
    assert_null(shipped_calendar("xnys"));
}

/* A year of a calendar is a record's size: what calendar_write says of it. */
static void a_year_is_some_hundred_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < shipped_calendars_n; i++) {
        struct calendar *c = shipped(shipped_calendars[i].name);
        for (int year = civil_from_day(calendar_first_day(c)).year; year <= 2030; year++) {
            AUTO_BUF struct buf text = { 0 };
            calendar_write(c, year, year, &text);
            if (text.len < 50 || text.len > 2000)
                fail_msg("%s %d: %zu bytes", calendar_name(c), year, text.len);
        }
        calendar_free(c);
    }
}

/* What newspapers and exchanges' notices of the time say. */
static void days_that_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *calendar, *at, *session;
        bool regular, early;
        const char *why;
    } rows[] = {
        { "XNYS", "2001-09-10T15:59:59-04:00", "2001-09-10", true, false,
          "the last day before the attacks" },
        { "XNYS", "2001-09-14T12:00:00-04:00", "2001-09-10", false, false, "closed for four days" },
        { "XNYS", "2001-09-17T09:30:00-04:00", "2001-09-17", true, false, "open again" },
        { "XNAS", "2012-10-29T12:00:00-04:00", "2012-10-26", false, false, "hurricane Sandy" },
        { "XNYS", "2018-02-07T15:59:59-05:00", "2018-02-07", true, false,
          "the sample data's last day" },
        { "XNYS", "2024-11-29T12:59:59-05:00", "2024-11-29", true, true,
          "the day after Thanksgiving, to 13:00" },
        { "XLON", "2022-09-19T12:00:00+01:00", "2022-09-16", false, false, "the Queen's funeral" },
        { "XLON", "2024-12-24T12:29:59Z", "2024-12-24", true, true, "Christmas Eve, to 12:30" },
        { "XETR", "2024-10-03T10:00:00+02:00", "2024-10-03", true, false,
          "Unity Day, open since 2022" },
        { "XETR", "2024-12-31T10:00:00+01:00", "2024-12-30", false, true, "New Year's Eve" },
        { "XTKS", "2019-05-06T12:00:00+09:00", "2019-04-26", false, false,
          "ten days for a new emperor" },
        { "XTKS", "2024-11-01T15:15:00+09:00", "2024-11-01", false, false,
          "to 15:00 until November 2024" },
        { "XTKS", "2024-11-05T15:15:00+09:00", "2024-11-05", true, false, "to 15:30 since" },
        { "XTKS", "2024-11-05T12:00:00+09:00", "2024-11-05", true, false, "lunch" },
        { "XHKG", "2024-02-12T12:00:00+08:00", "2024-02-09", false, true,
          "the new year of the dragon" },
        { "XHKG", "2024-02-09T11:59:59+08:00", "2024-02-09", true, true,
          "its eve, in the morning" },
        { "XASX", "2024-04-25T12:00:00+10:00", "2024-04-24", false, false, "Anzac Day" },
        { "XASX", "2022-09-22T12:00:00+10:00", "2022-09-21", false, false,
          "mourning in Australia" },
        { "CMES", "2024-07-03T17:00:00-05:00", "2024-07-04", true, true,
          "Independence Day trades, from its eve" },
        { "CMES", "2020-04-20T13:30:00-05:00", "2020-04-20", true, false,
          "the day of negative oil" },
        { "24/7", "2024-12-25T12:00:00Z", "2024-12-25", true, false,
          "Christmas on the blockchain" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct calendar *c = shipped(rows[i].calendar);
        struct session s;
        struct why why;
        char text[DATE_TEXT_MAX];
        int64_t ns = ns_of(rows[i].at);
        if (calendar_at(c, ns, NULL, &s, &why)) fail_msg("%s: %s", rows[i].at, why.text);
        date_format(s.day, text);
        if (strcmp(text, rows[i].session) != 0 || session_regular(&s, ns) != rows[i].regular
            || s.early != rows[i].early)
            fail_msg("%s %s: %s, regular %d, early %d", rows[i].why, rows[i].at, text,
                     session_regular(&s, ns), s.early);
        calendar_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nine_venues_from_1990_to_2030),
        cmocka_unit_test(a_year_is_some_hundred_bytes),
        cmocka_unit_test(days_that_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
