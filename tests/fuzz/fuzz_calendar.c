/* fuzz_calendar.c - any bytes as a calendar. What is refused has a place and a reason; what is
 * read is written to a text that reads back as the same calendar, whole and year by year, and
 * its look-ups agree with each other. */
#include "core/calendar.h"

#include "core/utf8.h"

#include <stdlib.h>
#include <string.h>

static void check_refusal(enum err e, const struct why *why, const struct buf *problems, size_t n)
{
    if (e == ERR_TOO_LARGE) return;
    if (e != ERR_INVALID || strncmp(why->text, "line ", 5) != 0) abort();
    if (why->at < 0 || (size_t)why->at > n + 1 || !utf8_valid(why->text, strlen(why->text)))
        abort();
    if (!problems->data || strncmp(problems->data, "line ", 5) != 0
        || !utf8_valid(problems->data, problems->len))
        abort();
}

static struct calendar *again(const struct buf *text)
{
    struct calendar *c;
    if (calendar_parse((struct str){ text->data, (uint32_t)text->len }, &c, NULL, NULL)) abort();
    return c;
}

static int year_of(int32_t day) { return civil_from_day(day).year; }

static void check_text(const struct calendar *c)
{
    int first = year_of(calendar_first_day(c)), last = year_of(calendar_last_day(c));
    AUTO_BUF struct buf whole = { 0 }, same = { 0 }, merged = { 0 };
    calendar_write(c, first, last, &whole);
    struct calendar *back = again(&whole);
    calendar_write(back, first, last, &same);
    if (strcmp(whole.data, same.data) != 0) abort();
    calendar_free(back);
    if (last - first > 10) return;

    back = NULL;
    for (int year = first; year <= last; year++) {
        AUTO_BUF struct buf text = { 0 };
        calendar_write(c, year, year, &text);
        struct calendar *one = again(&text);
        if (!back) back = one;
        else {
            if (calendar_merge(back, one, NULL)) abort();
            calendar_free(one);
        }
    }
    calendar_write(back, first, last, &merged);
    if (strcmp(whole.data, merged.data) != 0) abort();
    calendar_free(back);
}

/* The session that calendar_on gives for a date is found at each of its ends, and one step from
 * its neighbours. */
static void check_look_ups(const struct calendar *c)
{
    struct calendar_cache cache = { 0 };
    int32_t sessions = 0, count, last = calendar_first_day(c) - 1;
    int64_t closed = INT64_MIN;
    for (int32_t day = calendar_first_day(c); day <= calendar_last_day(c); day++) {
        struct session s, other;
        enum err e = calendar_on(c, day, &s, NULL);
        if (e == ERR_NOT_FOUND) continue;
        if (e || s.day != day || s.begin > s.open || s.open >= s.close || s.begin < closed) abort();
        if (!session_regular(&s, s.open) || session_regular(&s, s.close)) abort();
        if (calendar_at(c, s.begin, &cache, &other, NULL) || other.day != day) abort();
        if (calendar_at(c, s.close - 1, &cache, &other, NULL) || other.day != day) abort();
        if (sessions > 0) {
            if (calendar_at(c, s.begin - 1, NULL, &other, NULL) || other.day != last) abort();
            if (calendar_step(c, last, 1, &other, NULL) || other.day != day) abort();
            if (calendar_step(c, day, -1, &other, NULL) || other.day != last) abort();
            if (calendar_count(c, last, day, &count, NULL) || count != 1) abort();
        } else if (calendar_at(c, s.begin - 1, NULL, &other, NULL) != ERR_INVALID) abort();
        closed = s.close;
        last = day;
        sessions++;
    }
    if ((size_t)sessions != calendar_sessions_n(c)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct calendar *c = NULL;
    struct why why = { .at = -1 };
    AUTO_BUF struct buf problems = { 0 };
    if (n > CALENDAR_TEXT_MAX + 10) return 0;
    enum err e =
        calendar_parse((struct str){ (const char *)data, (uint32_t)n }, &c, &problems, &why);
    if (e) {
        check_refusal(e, &why, &problems, n);
        return 0;
    }
    if (problems.len) abort();
    check_text(c);
    if (calendar_last_day(c) - calendar_first_day(c) < 5000) check_look_ups(c);
    calendar_free(c);
    return 0;
}
