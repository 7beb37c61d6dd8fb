/* test_calendar.c - which session an instant belongs to. Expected dates: the clocks of New York,
 * Chicago, Berlin and Sydney, written with their offsets, and the exchanges' lists of holidays
 * for 2024; a linear scan for the rest. */
#include "core/calendar.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 04:00, 09:30 and 16:00 of New York. */
static const char new_york[] = "calendar,XNYS,America/New_York,2024,2024\n"
                               "hours,2024-01-01,2024-03-10,Mon-Fri,09:00,14:30,21:00\n"
                               "hours,2024-03-11,2024-11-03,Mon-Fri,08:00,13:30,20:00\n"
                               "hours,2024-11-04,2024-12-31,Mon-Fri,09:00,14:30,21:00\n"
                               "closed,2024-01-01\nclosed,2024-01-15\nclosed,2024-02-19\n"
                               "closed,2024-03-29\nclosed,2024-05-27\nclosed,2024-06-19\n"
                               "closed,2024-07-04\nclosed,2024-09-02\nclosed,2024-11-28\n"
                               "closed,2024-12-25\nearly,2024-07-03,17:00\nearly,2024-11-29,18:00\n"
                               "early,2024-12-24,18:00\n";
/* 17:00 the evening before to 17:00 in Chicago; 12:00 on some holidays. */
static const char chicago[] = "calendar,CMES,America/Chicago,2024,2024\n"
                              "hours,2024-01-01,2024-03-10,Mon-Fri,-01:00,-01:00,23:00\n"
                              "hours,2024-03-11,2024-11-03,Mon-Fri,-02:00,-02:00,22:00\n"
                              "hours,2024-11-04,2024-12-31,Mon-Fri,-01:00,-01:00,23:00\n"
                              "closed,2024-01-01\nclosed,2024-03-29\nclosed,2024-12-25\n"
                              "early,2024-07-04,17:00\n";
/* 08:00, 09:00 and 17:30 in Berlin. */
static const char berlin[] = "calendar,XETR,Europe/Berlin,2024,2024\n"
                             "hours,2024-01-01,2024-03-31,Mon-Fri,07:00,08:00,16:30\n"
                             "hours,2024-04-01,2024-10-27,Mon-Fri,06:00,07:00,15:30\n"
                             "hours,2024-10-28,2024-12-31,Mon-Fri,07:00,08:00,16:30\n"
                             "closed,2024-01-01\nclosed,2024-03-29\nclosed,2024-04-01\n";
/* 07:00, 10:00 and 16:00 in Sydney: its summer is the other half of the year. */
static const char sydney[] = "calendar,XASX,Australia/Sydney,2024,2024\n"
                             "hours,2024-01-01,2024-04-07,Mon-Fri,-04:00,-01:00,05:00\n"
                             "hours,2024-04-08,2024-10-06,Mon-Fri,-03:00,00:00,06:00\n"
                             "hours,2024-10-07,2024-12-31,Mon-Fri,-04:00,-01:00,05:00\n"
                             "closed,2024-01-01\nclosed,2024-01-26\n";
/* The whole of every day. */
static const char always[] = "calendar,24-7,UTC,2024,2024\n"
                             "hours,2024-01-01,2024-12-31,Mon-Sun,00:00,00:00,24:00\n";

static struct calendar *read_calendar(const char *text)
{
    struct calendar *c = NULL;
    struct why why = { .text = "" };
    if (calendar_parse(str_of(text), &c, NULL, &why)) fail_msg("%s", why.text);
    return c;
}

static int64_t ns_of(const char *text)
{
    int64_t ns = 0;
    assert_int_equal(when_parse(text, strlen(text), &ns, NULL), ERR_OK);
    return ns;
}

static int32_t day_of(const char *text)
{
    int32_t day = 0;
    assert_int_equal(date_parse(text, strlen(text), &day, NULL), ERR_OK);
    return day;
}

static void instants_belong_to_the_last_session_that_has_begun(void **state)
{
    (void)state;
    static const struct {
        const char *calendar, *at, *session;
        bool regular;
        const char *why;
    } rows[] = {
        { new_york, "2024-01-02T04:00:00-05:00", "2024-01-02", false, "the first begins" },
        { new_york, "2024-07-11T19:30:00-04:00", "2024-07-11", false, "00:30 UTC of Friday" },
        { new_york, "2024-07-12T03:59:59.999999999-04:00", "2024-07-11", false, "night" },
        { new_york, "2024-07-12T04:00:00-04:00", "2024-07-12", false, "the cut" },
        { new_york, "2024-07-12T09:29:59.999999999-04:00", "2024-07-12", false, "before the open" },
        { new_york, "2024-07-12T09:30:00-04:00", "2024-07-12", true, "the open" },
        { new_york, "2024-07-12T15:59:59.999999999-04:00", "2024-07-12", true, "before the close" },
        { new_york, "2024-07-12T16:00:00-04:00", "2024-07-12", false, "the close" },
        { new_york, "2024-07-13T12:00:00-04:00", "2024-07-12", false, "Saturday" },
        { new_york, "2024-07-15T03:59:59-04:00", "2024-07-12", false, "Monday before the cut" },
        { new_york, "2024-07-03T12:59:59-04:00", "2024-07-03", true, "an early close" },
        { new_york, "2024-07-03T13:00:00-04:00", "2024-07-03", false, "an early close" },
        { new_york, "2024-07-04T12:00:00-04:00", "2024-07-03", false, "a holiday" },
        { new_york, "2024-03-08T15:59:59-05:00", "2024-03-08", true, "Friday in winter time" },
        { new_york, "2024-03-08T16:00:00-05:00", "2024-03-08", false, "Friday in winter time" },
        { new_york, "2024-03-11T03:59:59-04:00", "2024-03-08", false, "Monday in summer time" },
        { new_york, "2024-03-11T04:00:00-04:00", "2024-03-11", false, "Monday in summer time" },
        { new_york, "2024-03-11T09:30:00-04:00", "2024-03-11", true, "Monday in summer time" },
        { new_york, "2024-11-01T15:59:59-04:00", "2024-11-01", true, "Friday in summer time" },
        { new_york, "2024-11-04T03:59:59-05:00", "2024-11-01", false, "Monday in winter time" },
        { new_york, "2024-11-04T04:00:00-05:00", "2024-11-04", false, "Monday in winter time" },
        { new_york, "2024-11-04T09:29:59-05:00", "2024-11-04", false, "Monday in winter time" },
        { new_york, "2024-12-31T23:59:59-05:00", "2024-12-31", false, "New Year's Eve, 04:59 UTC" },
        { new_york, "2025-01-01T03:59:59.999999999-05:00", "2024-12-31", false, "to the next cut" },
        { chicago, "2024-07-11T16:59:59-05:00", "2024-07-11", true, "before the futures' cut" },
        { chicago, "2024-07-11T17:00:00-05:00", "2024-07-12", true, "the evening before" },
        { chicago, "2024-07-12T16:59:59-05:00", "2024-07-12", true, "Friday afternoon" },
        { chicago, "2024-07-12T17:00:00-05:00", "2024-07-12", false, "Friday evening" },
        { chicago, "2024-07-14T16:59:59-05:00", "2024-07-12", false, "Sunday afternoon" },
        { chicago, "2024-07-14T17:00:00-05:00", "2024-07-15", true, "Sunday evening is Monday" },
        { chicago, "2024-07-03T17:00:00-05:00", "2024-07-04", true, "a short session" },
        { chicago, "2024-07-04T12:00:00-05:00", "2024-07-04", false, "a short session" },
        { chicago, "2024-07-04T16:59:59-05:00", "2024-07-04", false, "until the next cut" },
        { chicago, "2024-07-04T17:00:00-05:00", "2024-07-05", true, "until the next cut" },
        { chicago, "2024-03-10T16:59:59-05:00", "2024-03-08", false, "the Sunday of the change" },
        { chicago, "2024-03-10T17:00:00-05:00", "2024-03-11", true, "the Sunday of the change" },
        { chicago, "2024-11-03T16:59:59-06:00", "2024-11-01", false, "the Sunday of the change" },
        { chicago, "2024-11-03T17:00:00-06:00", "2024-11-04", true, "the Sunday of the change" },
        { chicago, "2024-03-28T17:00:00-05:00", "2024-03-28", false, "the eve of Good Friday" },
        { chicago, "2024-03-31T17:00:00-05:00", "2024-04-01", true, "Easter Sunday" },
        { berlin, "2024-03-28T17:29:59+01:00", "2024-03-28", true, "Thursday before Easter" },
        { berlin, "2024-03-28T17:30:00+01:00", "2024-03-28", false, "Thursday before Easter" },
        { berlin, "2024-04-02T07:59:59+02:00", "2024-03-28", false,
          "Tuesday behind, and the change" },
        { berlin, "2024-04-02T08:00:00+02:00", "2024-04-02", false,
          "Tuesday behind, and the change" },
        { berlin, "2024-04-02T09:00:00+02:00", "2024-04-02", true,
          "Tuesday behind, and the change" },
        { berlin, "2024-10-25T17:29:59+02:00", "2024-10-25", true, "before the change" },
        { berlin, "2024-10-28T08:59:59+01:00", "2024-10-28", false, "after the change" },
        { berlin, "2024-10-28T09:00:00+01:00", "2024-10-28", true, "after the change" },
        { sydney, "2024-04-05T15:59:59+11:00", "2024-04-05", true, "the end of summer time" },
        { sydney, "2024-04-08T06:59:59+10:00", "2024-04-05", false, "the end of summer time" },
        { sydney, "2024-04-08T07:00:00+10:00", "2024-04-08", false, "the end of summer time" },
        { sydney, "2024-04-08T10:00:00+10:00", "2024-04-08", true, "the end of summer time" },
        { sydney, "2024-10-04T16:00:00+10:00", "2024-10-04", false, "summer time begins" },
        { sydney, "2024-10-07T06:59:59+11:00", "2024-10-04", false, "summer time begins" },
        { sydney, "2024-10-07T09:59:59+11:00", "2024-10-07", false, "summer time begins" },
        { sydney, "2024-10-07T10:00:00+11:00", "2024-10-07", true, "summer time begins" },
        { sydney, "2024-01-26T12:00:00+11:00", "2024-01-25", false, "Australia Day" },
        { always, "2024-02-29T00:00:00Z", "2024-02-29", true, "midnight" },
        { always, "2024-02-29T23:59:59.999999999Z", "2024-02-29", true, "before midnight" },
        { always, "2024-03-02T00:00:00Z", "2024-03-02", true, "a Saturday" },
        { always, "2024-12-31T23:59:59Z", "2024-12-31", true, "the last" },
    };
    struct calendar_cache cache = { 0 };
    struct calendar *c = NULL;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct session s, cached;
        struct why why;
        char text[DATE_TEXT_MAX];
        if (i == 0 || rows[i].calendar != rows[i - 1].calendar) {
            calendar_free(c);
            c = read_calendar(rows[i].calendar);
            cache = (struct calendar_cache){ 0 };
        }
        if (calendar_at(c, ns_of(rows[i].at), NULL, &s, &why))
            fail_msg("%s: %s", rows[i].at, why.text);
        date_format(s.day, text);
        if (strcmp(text, rows[i].session) != 0
            || session_regular(&s, ns_of(rows[i].at)) != rows[i].regular)
            fail_msg("%s %s: %s, regular %d", rows[i].why, rows[i].at, text,
                     session_regular(&s, ns_of(rows[i].at)));
        assert_int_equal(calendar_at(c, ns_of(rows[i].at), &cache, &cached, &why), ERR_OK);
        assert_memory_equal(&s.begin, &cached.begin, 3 * sizeof s.begin);
        assert_int_equal(s.day, cached.day);
    }
    calendar_free(c);
}

static void a_session_has_its_times(void **state)
{
    (void)state;
    struct calendar *c = read_calendar(new_york);
    struct session s;
    assert_int_equal(calendar_on(c, day_of("2024-07-03"), &s, NULL), ERR_OK);
    assert_int_equal(s.begin, ns_of("2024-07-03T04:00:00-04:00"));
    assert_int_equal(s.open, ns_of("2024-07-03T09:30:00-04:00"));
    assert_int_equal(s.close, ns_of("2024-07-03T13:00:00-04:00"));
    assert_true(s.early);
    assert_int_equal(calendar_on(c, day_of("2024-07-05"), &s, NULL), ERR_OK);
    assert_int_equal(s.close, ns_of("2024-07-05T16:00:00-04:00"));
    assert_false(s.early);
    assert_string_equal(calendar_name(c), "XNYS");
    assert_string_equal(calendar_zone(c), "America/New_York");
    assert_int_equal(calendar_first_day(c), day_of("2024-01-01"));
    assert_int_equal(calendar_last_day(c), day_of("2024-12-31"));
    assert_int_equal(calendar_sessions_n(c), 252); /* the NYSE's number of trading days in 2024 */
    calendar_free(c);
}

static void steps_and_counts(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        int32_t n;
        const char *to;
    } rows[] = {
        { "2024-07-03", 1, "2024-07-05" },   { "2024-07-05", -1, "2024-07-03" },
        { "2024-07-04", 1, "2024-07-05" },   { "2024-07-04", -1, "2024-07-03" },
        { "2024-07-06", -1, "2024-07-05" },  { "2024-07-06", 2, "2024-07-09" },
        { "2024-03-28", 1, "2024-04-01" },   { "2024-07-05", 0, "2024-07-05" },
        { "2024-01-02", 251, "2024-12-31" }, { "2024-12-31", -251, "2024-01-02" },
        { "2024-01-01", 1, "2024-01-02" },
    };
    struct calendar *c = read_calendar(new_york);
    struct session s;
    struct why why;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[DATE_TEXT_MAX];
        if (calendar_step(c, day_of(rows[i].from), rows[i].n, &s, &why)) fail_msg("%s", why.text);
        date_format(s.day, text);
        if (strcmp(text, rows[i].to) != 0) fail_msg("%s %d: %s", rows[i].from, rows[i].n, text);
    }
    static const struct {
        const char *from, *to;
        int32_t n;
    } counts[] = {
        { "2024-07-01", "2024-07-05", 3 }, { "2024-07-05", "2024-07-01", -3 },
        { "2024-07-05", "2024-07-05", 0 }, { "2024-07-03", "2024-07-04", 0 },
        { "2024-07-04", "2024-07-05", 1 }, { "2024-01-01", "2024-12-31", 252 },
    };
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        int32_t n;
        assert_int_equal(calendar_count(c, day_of(counts[i].from), day_of(counts[i].to), &n, NULL),
                         ERR_OK);
        if (n != counts[i].n) fail_msg("%s to %s: %d", counts[i].from, counts[i].to, n);
    }
    calendar_free(c);
}

static void outside_is_said_with_name_time_and_range(void **state)
{
    (void)state;
    struct calendar *c = read_calendar(new_york);
    struct session s = { .day = 42 };
    struct why why;
    int32_t n = 42;
    assert_int_equal(calendar_at(c, ns_of("2024-01-02T08:59:59Z"), NULL, &s, &why), ERR_INVALID);
    assert_string_equal(why.text,
                        "calendar XNYS covers 2024-01-02T09:00:00Z up to 2025-01-01T09:00:00Z, and "
                        "2024-01-02T08:59:59Z lies outside: add its year to the calendar");
    assert_int_equal(calendar_at(c, ns_of("2025-01-01T09:00:00Z"), NULL, &s, &why), ERR_INVALID);
    assert_int_equal(calendar_at(c, INT64_MAX, NULL, &s, &why), ERR_INVALID);
    assert_int_equal(calendar_at(c, INT64_MIN, NULL, &s, &why), ERR_INVALID);
    assert_int_equal(calendar_on(c, day_of("2025-01-02"), &s, &why), ERR_INVALID);
    assert_string_equal(why.text, "calendar XNYS has 2024-01-01 to 2024-12-31, and 2025-01-02 lies "
                                  "outside: add its year to the calendar");
    assert_int_equal(calendar_on(c, day_of("2023-12-29"), &s, &why), ERR_INVALID);
    assert_int_equal(calendar_on(c, INT32_MIN, &s, &why), ERR_INVALID);
    assert_string_equal(why.text, "calendar XNYS has 2024-01-01 to 2024-12-31, and day -2147483648 "
                                  "lies outside: add its year to the calendar");
    assert_int_equal(calendar_on(c, INT32_MAX, &s, &why), ERR_INVALID);
    assert_int_equal(calendar_on(c, day_of("2024-07-04"), &s, &why), ERR_NOT_FOUND);
    assert_string_equal(why.text, "2024-07-04 is no session of calendar XNYS: the one before is "
                                  "2024-07-03, the one after 2024-07-05");
    assert_int_equal(calendar_on(c, day_of("2024-01-01"), &s, &why), ERR_NOT_FOUND);
    assert_string_equal(why.text, "2024-01-01 is no session of calendar XNYS: the one before is "
                                  "none, the one after 2024-01-02");
    assert_int_equal(calendar_step(c, day_of("2024-01-04"), -3, &s, &why), ERR_INVALID);
    assert_string_equal(why.text,
                        "calendar XNYS has 2024-01-01 to 2024-12-31, and 3 sessions before "
                        "2024-01-04 lies outside: "
                        "add the years before to the calendar");
    assert_int_equal(calendar_step(c, day_of("2024-12-31"), 1, &s, &why), ERR_INVALID);
    assert_int_equal(calendar_step(c, day_of("2024-12-30"), INT32_MAX, &s, &why), ERR_INVALID);
    assert_int_equal(calendar_step(c, day_of("2024-01-04"), INT32_MIN, &s, &why), ERR_INVALID);
    assert_int_equal(calendar_step(c, day_of("2025-01-02"), -1, &s, &why), ERR_INVALID);
    assert_int_equal(calendar_step(c, day_of("2024-07-04"), 0, &s, &why), ERR_NOT_FOUND);
    assert_int_equal(calendar_count(c, day_of("2023-12-31"), day_of("2024-07-04"), &n, &why),
                     ERR_INVALID);
    assert_int_equal(calendar_count(c, day_of("2024-07-04"), day_of("2025-01-01"), &n, &why),
                     ERR_INVALID);
    assert_int_equal(s.day, 42);
    assert_int_equal(n, 42);
    calendar_free(c);
}

/* The last session itself is known to its close, wherever hours would begin next. */
static void a_last_session_is_covered_to_its_close(void **state)
{
    (void)state;
    struct calendar *c = read_calendar("calendar,LATE,UTC,2024,2024\n"
                                       "hours,2024-01-01,2024-12-31,Mon-Fri,00:00,01:00,02:00\n"
                                       "special,2024-12-31,20:00,21:00,47:00\n");
    struct session s;
    assert_int_equal(calendar_at(c, ns_of("2025-01-01T22:59:59Z"), NULL, &s, NULL), ERR_OK);
    assert_int_equal(s.day, day_of("2024-12-31"));
    assert_int_equal(calendar_at(c, ns_of("2025-01-01T23:00:00Z"), NULL, &s, NULL), ERR_INVALID);
    calendar_free(c);
}

static void a_year_without_a_session_knows_none(void **state)
{
    (void)state;
    AUTO_BUF struct buf text = { 0 };
    buf_puts(&text, "calendar,WAR,UTC,1915,1915\n"
                    "hours,1915-01-01,1915-12-31,Mon,10:00,10:00,15:00\n");
    for (int32_t day = day_of("1915-01-04"); day <= day_of("1915-12-31"); day += 7) {
        char date[DATE_TEXT_MAX];
        date_format(day, date);
        buf_printf(&text, "closed,%s\n", date);
    }
    struct calendar *c = read_calendar(text.data);
    struct session s;
    struct why why;
    assert_int_equal(calendar_sessions_n(c), 0);
    assert_int_equal(calendar_at(c, day_of("1915-07-01") * NS_PER_DAY, NULL, &s, &why),
                     ERR_INVALID);
    assert_string_equal(why.text,
                        "calendar WAR has no session at all, so none at 1915-07-01T00:00:00Z");
    assert_int_equal(calendar_on(c, day_of("1915-07-05"), &s, &why), ERR_NOT_FOUND);
    assert_int_equal(calendar_step(c, day_of("1915-07-05"), 1, &s, &why), ERR_INVALID);
    calendar_free(c);
}

/* What lies before the first session, and behind the last cut, only the years beside can tell. */
static void the_years_ends(void **state)
{
    (void)state;
    struct session s;
    struct calendar *c = read_calendar(chicago);
    assert_int_equal(calendar_at(c, ns_of("2024-12-31T16:59:59-06:00"), NULL, &s, NULL), ERR_OK);
    assert_int_equal(s.day, day_of("2024-12-31"));
    /* the evening of 31 December belongs to 1 January or to what follows: only 2025 says */
    assert_int_equal(calendar_at(c, ns_of("2024-12-31T17:00:00-06:00"), NULL, &s, NULL),
                     ERR_INVALID);
    assert_int_equal(calendar_at(c, ns_of("2024-01-01T16:59:59-06:00"), NULL, &s, NULL),
                     ERR_INVALID);
    assert_int_equal(calendar_at(c, ns_of("2024-01-01T17:00:00-06:00"), NULL, &s, NULL), ERR_OK);
    assert_int_equal(s.day, day_of("2024-01-02"));
    calendar_free(c);
}

/* ---- against a linear scan ---- */
enum { SESSIONS_MAX = 1200 };
struct market {
    struct session sessions[SESSIONS_MAX];
    int n;
    int32_t first, last;
    char text[100000];
};

/* The pseudo-random numbers of the day's seed: xorshift. */
static uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed % below;
}

static char *put_time(char *p, int m)
{
    int a = abs(m);
    return p + sprintf(p, ",%s%02d:%02d", m < 0 ? "-" : "", a / 60, a % 60);
}

/* Two or three years whose hours change at random dates, with a tenth of all dates an exception. */
static void make_market(struct market *m, uint32_t *seed)
{
    static const char *const masks[] = { "Mon-Fri", "Mon-Sun", "Sun-Thu", "Mon Wed Fri",
                                         "Sat-Tue Thu" };
    static const uint8_t bits[] = { 0x1f, 0x7f, 0x4f, 0x15, 0x6b };
    int years = 1 + (int)draw(seed, 3);
    m->first = day_from_civil(2020, 1, 1);
    m->last = day_from_civil(2019 + years, 12, 31);
    m->n = 0;
    char *p = m->text + sprintf(m->text, "calendar,T,UTC,2020,%d\n", 2019 + years);
    for (int32_t from = m->first, to; from <= m->last; from = to + 1) {
        to = from + (int32_t)draw(seed, 200);
        if (to > m->last) to = m->last;
        uint32_t mask = draw(seed, 5);
        /* within six hours before to twelve after, so that nothing overlaps */
        int begin = -360 + (int)draw(seed, 300), open = begin + (int)draw(seed, 100),
            close = open + 200 + (int)draw(seed, 300);
        char a[DATE_TEXT_MAX], b[DATE_TEXT_MAX];
        date_format(from, a);
        date_format(to, b);
        p += sprintf(p, "hours,%s,%s,%s", a, b, masks[mask]);
        p = put_time(put_time(put_time(p, begin), open), close);
        *p++ = '\n';
        for (int32_t day = from; day <= to; day++) {
            int64_t at = day * NS_PER_DAY, minute = 60 * NS_PER_S;
            bool is = bits[mask] >> weekday_of_day(day) & 1;
            struct session s = { day, false, at + begin * minute, at + open * minute,
                                 at + close * minute };
            date_format(day, a);
            uint32_t what = draw(seed, 30);
            if (what == 0 && is) {
                p += sprintf(p, "closed,%s,why not\n", a);
                is = false;
            } else if (what == 1 && is) {
                int early = open + 1 + (int)draw(seed, 199);
                p = put_time(p + sprintf(p, "early,%s", a), early);
                *p++ = '\n';
                s.early = true;
                s.close = at + early * minute;
            } else if (what == 2) {
                int special = close - 2 + (int)draw(seed, 5);
                p = put_time(
                    put_time(put_time(p + sprintf(p, "special,%s", a), begin + 1), open + 1),
                    special);
                *p++ = '\n';
                s = (struct session){ day, special < close, at + (begin + 1) * minute,
                                      at + (open + 1) * minute, at + special * minute };
                is = true;
            }
            if (is) m->sessions[m->n++] = s;
        }
    }
    *p = '\0';
}

static bool same(const struct session *a, const struct session *b)
{
    return a->day == b->day && a->early == b->early && a->begin == b->begin && a->open == b->open
           && a->close == b->close;
}

/* Sessions with a date up to `day`. */
static int up_to(const struct market *m, int32_t day)
{
    int n = 0;
    while (n < m->n && m->sessions[n].day <= day) n++;
    return n;
}

static void check_market(const struct market *m, const struct calendar *c, uint32_t *seed)
{
    struct calendar_cache cache = { 0 };
    struct session s;
    struct why why;
    assert_int_equal(calendar_sessions_n(c), m->n);
    for (int i = 0; i < m->n; i++) {
        const struct session *want = &m->sessions[i];
        int64_t next = i + 1 < m->n ? m->sessions[i + 1].begin : want->close;
        int64_t instants[] = { want->begin, want->open, want->close - 1, next - 1 };
        for (size_t k = 0; k < ARRAY_LEN(instants); k++) {
            if (calendar_at(c, instants[k], draw(seed, 2) ? &cache : NULL, &s, &why))
                fail_msg("%s", why.text);
            if (!same(&s, want))
                fail_msg("%" PRId64 ": day %d, not %d", instants[k], s.day, want->day);
        }
    }
    for (int32_t day = m->first; day <= m->last; day++) {
        int n = up_to(m, day), before = up_to(m, day - 1);
        enum err e = calendar_on(c, day, &s, &why);
        if (e != (n > before ? ERR_OK : ERR_NOT_FOUND) || (!e && !same(&s, &m->sessions[n - 1])))
            fail_msg("day %d", day);
        int32_t step = (int32_t)draw(seed, 600) - 300, count;
        int want = step > 0 ? n - 1 + step : before + step;
        if (step != 0) {
            e = calendar_step(c, day, step, &s, &why);
            if (e != (want >= 0 && want < m->n ? ERR_OK : ERR_INVALID)
                || (!e && !same(&s, &m->sessions[want])))
                fail_msg("day %d step %d", day, step);
        }
        int32_t to = m->first + (int32_t)draw(seed, (uint32_t)(m->last - m->first + 1));
        assert_int_equal(calendar_count(c, day, to, &count, NULL), ERR_OK);
        if (count != up_to(m, to) - n) fail_msg("day %d to %d: %d", day, to, count);
    }
}

static void look_ups_agree_with_a_linear_scan(void **state)
{
    (void)state;
    static struct market m;
    for (uint32_t i = 1; i <= 40; i++) {
        uint32_t seed = i * 2654435761u;
        print_message("seed %u\n", i);
        make_market(&m, &seed);
        struct calendar *c = read_calendar(m.text);
        check_market(&m, c, &seed);
        calendar_free(c);
    }
}

/* ---- year by year ---- */
static void years_put_together_equal_the_whole(void **state)
{
    (void)state;
    static struct market m;
    for (uint32_t i = 1; i <= 40; i++) {
        uint32_t seed = i * 2246822519u;
        print_message("seed %u\n", i);
        make_market(&m, &seed);
        struct calendar *whole = read_calendar(m.text), *c = NULL;
        int first = 2020, last = civil_from_day(m.last).year,
            at = first + (int)draw(&seed, (uint32_t)(last - first + 1));
        /* from a year in the middle outwards, and one of them twice */
        for (int low = at, high = at, year = at;;) {
            AUTO_BUF struct buf text = { 0 };
            calendar_write(whole, year, year, &text);
            struct calendar *one = read_calendar(text.data);
            if (c) {
                assert_int_equal(calendar_merge(c, one, NULL), ERR_OK);
                assert_int_equal(calendar_merge(c, one, NULL), ERR_OK);
                calendar_free(one);
            } else c = one;
            if (low == first && high == last) break;
            if (high < last && (low == first || draw(&seed, 2))) year = ++high;
            else year = --low;
        }
        AUTO_BUF struct buf a = { 0 }, b = { 0 };
        calendar_write(whole, first, last, &a);
        calendar_write(c, first, last, &b);
        assert_string_equal(a.data, b.data);
        check_market(&m, c, &seed);
        calendar_free(c);
        calendar_free(whole);
    }
}

static void a_year_takes_the_place_of_the_same_year(void **state)
{
    (void)state;
    struct calendar *c = read_calendar(
        "calendar,T,UTC,2023,2025\nhours,2023-01-01,2025-12-31,Mon-Fri,08:00,09:00,17:00\n"
        "closed,2024-05-01\nclosed,2023-05-01\n");
    struct calendar *add = read_calendar("calendar,T,Europe/London,2024,2024\n"
                                         "hours,2024-01-01,2024-12-31,Mon-Sun,08:00,10:00,17:00\n"
                                         "closed,2024-07-04,mourning\n");
    struct session s;
    assert_int_equal(calendar_merge(c, add, NULL), ERR_OK);
    assert_string_equal(calendar_zone(c), "Europe/London");
    assert_int_equal(calendar_on(c, day_of("2024-05-01"), &s, NULL), ERR_OK);
    assert_int_equal(s.open, ns_of("2024-05-01T10:00:00Z"));
    assert_int_equal(calendar_on(c, day_of("2024-07-04"), &s, NULL), ERR_NOT_FOUND);
    assert_int_equal(calendar_on(c, day_of("2024-07-06"), &s, NULL), ERR_OK);
    assert_int_equal(calendar_on(c, day_of("2023-05-01"), &s, NULL), ERR_NOT_FOUND);
    assert_int_equal(calendar_on(c, day_of("2023-12-30"), &s, NULL), ERR_NOT_FOUND);
    assert_int_equal(calendar_on(c, day_of("2025-05-01"), &s, NULL), ERR_OK);
    assert_int_equal(s.open, ns_of("2025-05-01T09:00:00Z"));
    calendar_free(add);
    calendar_free(c);
}

static void years_that_do_not_fit_change_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *add, *want;
    } rows[] = {
        { "calendar,U,UTC,2025,2025\nhours,2025-01-01,2025-12-31,Mon-Fri,08:00,09:00,17:00\n",
          "years of calendar U cannot be added to calendar T" },
        { "calendar,T,UTC,2026,2026\nhours,2026-01-01,2026-12-31,Mon-Fri,08:00,09:00,17:00\n",
          "calendar T has 2024-01-01 to 2024-12-31, and the year 2026 would "
          "leave a gap: add the years between first" },
        { "calendar,T,UTC,2020,2022\nhours,2020-01-01,2022-12-31,Mon-Fri,08:00,09:00,17:00\n",
          "calendar T has 2024-01-01 to 2024-12-31, and the year 2022 would "
          "leave a gap: add the years between first" },
        { "calendar,T,UTC,2025,2025\nhours,2025-01-01,2025-12-31,Mon-Fri,-08:00,00:00,12:00\n",
          "calendar T: sessions overlap: 2025-01-01 begins at 2024-12-31T16:00:00Z, "
          "before 2024-12-31 closes at 2024-12-31T17:00:00Z" },
    };
    struct calendar *c = read_calendar(
        "calendar,T,UTC,2024,2024\nhours,2024-01-01,2024-12-31,Mon-Fri,08:00,09:00,17:00\n");
    AUTO_BUF struct buf before = { 0 };
    calendar_write(c, 2024, 2024, &before);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct calendar *add = read_calendar(rows[i].add);
        struct why why = { .text = "" };
        AUTO_BUF struct buf after = { 0 };
        assert_int_equal(calendar_merge(c, add, &why), ERR_INVALID);
        assert_string_equal(why.text, rows[i].want);
        calendar_free(add);
        calendar_write(c, 2024, 2024, &after);
        assert_string_equal(after.data, before.data);
        assert_int_equal(calendar_last_day(c), day_of("2024-12-31"));
    }
    calendar_free(c);
    calendar_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_belong_to_the_last_session_that_has_begun),
        cmocka_unit_test(a_session_has_its_times),
        cmocka_unit_test(steps_and_counts),
        cmocka_unit_test(outside_is_said_with_name_time_and_range),
        cmocka_unit_test(a_last_session_is_covered_to_its_close),
        cmocka_unit_test(a_year_without_a_session_knows_none),
        cmocka_unit_test(the_years_ends),
        cmocka_unit_test(look_ups_agree_with_a_linear_scan),
        cmocka_unit_test(years_put_together_equal_the_whole),
        cmocka_unit_test(a_year_takes_the_place_of_the_same_year),
        cmocka_unit_test(years_that_do_not_fit_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
