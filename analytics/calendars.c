/* calendars.c - how a venue comes to have a calendar:
 *
 *     calendar     "calendar,XNYS,America/New_York,1990,2030 ..."   venue 1 is made, named XNYS
 *     instrument   AAPL of APPLE, venue XNYS                        its trades are of venue 1's sessions
 *     trade        AAPL 00:30 UTC on a Friday                       of Thursday's, after hours
 *     calendar     "calendar,XNYS,America/New_York,2031,2031 ..."   the same venue goes on for another year
 *
 * When its session of 2024-03-07 ends that nobody ends, with five minutes of grace:
 *
 *     14:30 UTC   the first regular trade begins it; due is 21:05, five minutes after the calendar's close
 *     21:04       an official close comes: due is 21:09, others may follow it
 *     21:09:00    the first record of that time or later, of whatever kind and symbol, is preceded by a clock record that ends
 *                 it; with one venue open and nothing due a tick pays one comparison for this (market.h's due_ns) */
#include "analytics/calendars.h"

#include "core/vec.h"
#include "core/when.h"

#include <string.h>

uint32_t calendars_venue(const struct market *m, struct str name)
{
    if (str_is(name, "24/7")) name = str_of("24-7");
    for (uint32_t i = 0; i < m->venues_n; i++) /* a handful: no map */
        if (str_is(name, m->venues[i].name)) return i;
    return NONE;
}

enum err calendars_find(const struct market *m, struct str name, uint32_t *out, struct why *why)
{
    *out = calendars_venue(m, name);
    if (*out != NONE) return ERR_OK;
    return err_set(
        why, ERR_INVALID,
        "venue \"%.*s\" has no calendar here: send it as a calendar record first, or import it with tocsin calendar import",
        (int)name.n, name.p);
}

enum err calendars_add(struct market *m, struct calendar *c)
{
    if (!VEC_GROW(&m->venues, &m->venues_cap, m->venues_n + 1)) return ERR_NOMEM;
    struct venue *v = &m->venues[m->venues_n++];
    *v = (struct venue){ .calendar = c,
                         .day = NO_DAY,
                         .said_day = NO_DAY,
                         .due_ns = INT64_MAX,
                         .fresh_day = NO_DAY,
                         .carry_until_ns = INT64_MAX };
    if (c) copy_name(v->name, sizeof v->name, str_of(calendar_name(c)));
    return ERR_OK;
}

/* The grace is for official closes to come: it runs from the calendar's close, or from the
 * newest of them. So a history whose closes all bear a time late at night is not ended between
 * the first and the second. */
static int64_t due_of(const struct market *m, const struct venue *v)
{
    struct session s;
    if (!v->in_session || !v->calendar || calendar_on(v->calendar, v->day, &s, NULL))
        return INT64_MAX;
    return (v->official_ns > s.close ? v->official_ns : s.close) + m->settings.session_grace_ns;
}

/* The first instant at which a regular trade is of a later session. Not known: at once, so that
 * it is looked at. */
static int64_t next_regular(const struct venue *v)
{
    struct session s;
    if (!v->in_session) return INT64_MAX;
    if (!v->calendar) return (v->day + 1) * NS_PER_DAY;
    return calendar_step(v->calendar, v->day, 1, &s, NULL) ? INT64_MIN : s.open;
}

void venues_set_due(struct market *m)
{
    m->due_ns = m->presumes_ns = INT64_MAX;
    for (size_t i = 0; i < m->venues_n; i++) {
        struct venue *v = &m->venues[i];
        v->due_ns = due_of(m, v);
        const int64_t next = next_regular(v);
        if (v->due_ns < m->due_ns) m->due_ns = v->due_ns;
        if (next < m->presumes_ns) m->presumes_ns = next;
    }
    if (m->due_ns < m->presumes_ns) m->presumes_ns = m->due_ns;
}

bool venue_has_ended(const struct venue *v, int32_t day)
{
    size_t low = 0, high = v->ended_n;
    while (low < high) {
        const size_t mid = (low + high) / 2;
        if (v->ended[mid] < day) low = mid + 1;
        else high = mid;
    }
    return low < v->ended_n && v->ended[low] == day;
}

enum err calendars_record(struct market *m, const struct record *r, struct why *why)
{
    struct calendar *c;
    enum err e = calendar_parse(r->u.calendar.text, &c, NULL, why);
    if (e) return e == ERR_NOMEM ? e : ERR_INVALID;
    const uint32_t known = calendars_venue(m, str_of(calendar_name(c)));
    if (known == NONE) {
        e = calendars_add(m, c);
        if (e) calendar_free(c);
        return e;
    }
    struct venue *v = &m->venues[known];
    e = calendar_merge(v->calendar, c, why);
    calendar_free(c);
    if (e) return e;
    v->cache = (struct calendar_cache){ 0 };
    venues_set_due(m);
    return ERR_OK;
}

static bool covers(const struct calendar *c, const struct calendar *years)
{
    return calendar_first_day(c) <= calendar_first_day(years)
           && calendar_last_day(c) >= calendar_last_day(years);
}

enum err calendars_same(const struct market *m, struct str text, bool *same, struct buf *problems,
                        struct why *why)
{
    struct calendar *c;
    enum err e = calendar_parse(text, &c, problems, why);
    if (e) return e == ERR_NOMEM ? e : ERR_INVALID;
    const uint32_t venue = calendars_venue(m, str_of(calendar_name(c)));
    *same = venue != NONE && covers(m->venues[venue].calendar, c);
    if (*same) {
        AUTO_BUF struct buf had = { 0 }, says = { 0 };
        const int first = civil_from_day(calendar_first_day(c)).year,
                  last = civil_from_day(calendar_last_day(c)).year;
        calendar_write(m->venues[venue].calendar, first, last, &had);
        calendar_write(c, first, last, &says);
        if (!buf_ok(&had) || !buf_ok(&says)) e = ERR_NOMEM;
        else *same = had.len == says.len && memcmp(had.data, says.data, had.len) == 0;
    }
    calendar_free(c);
    return e;
}

enum err calendars_has(const struct market *m, uint32_t venue, int32_t day, struct why *why)
{
    struct session s;
    const struct calendar *c = m->venues[venue].calendar;
    enum err e = c ? calendar_on(c, day, &s, why) : ERR_OK;
    return e == ERR_NOT_FOUND ? ERR_INVALID : e;
}

int32_t calendars_sessions(const struct market *m, uint32_t venue, int32_t from, int32_t to)
{
    const struct calendar *c = m->venues[venue].calendar;
    int32_t n = 0;
    if (c && !calendar_count(c, from, to, &n, NULL)) return n;
    if (to - from > 14) return (to - from) / 7 * 5;
    for (int32_t day = from + 1; day <= to; day++) n += weekday_of_day(day) < 5;
    return n;
}

/* From Friday 20:59 to Monday 14:31 UTC in New York: Monday has been open for one minute, Friday
 * for one more; the days between are not even looked at. */
int64_t calendars_open_ns(const struct market *m, uint32_t venue, int64_t from, int64_t to,
                          int64_t enough)
{
    const struct calendar *c = m->venues[venue].calendar;
    struct session s;
    int64_t open = 0;
    if (!c || calendar_at(c, to, NULL, &s, NULL)) return to - from;
    for (;;) {
        const int64_t begin = s.open > from ? s.open : from, end = s.close < to ? s.close : to;
        if (end > begin) open += end - begin;
        if (open > enough || from >= s.begin) return open;
        if (calendar_step(c, s.day, -1, &s, NULL)) return to - from;
    }
}

/* Half an hour from Friday 20:45 UTC in New York: a quarter until the close, and Monday's first,
 * until 14:45; in the summer half-year an hour earlier, since sessions are. */
int64_t calendars_open_until(const struct market *m, uint32_t venue, int64_t from, int64_t open_ns)
{
    const struct calendar *c = m->venues[venue].calendar;
    struct session s;
    int64_t until;
    bool covered = c && !calendar_at(c, from, NULL, &s, NULL);
    for (; covered && open_ns > 0; covered = !calendar_step(c, s.day, 1, &s, NULL)) {
        if (s.open > from) from = s.open;
        if (s.close <= from) continue;
        if (open_ns <= s.close - from) return from + open_ns;
        open_ns -= s.close - from;
        from = s.close;
    }
    return __builtin_add_overflow(from, open_ns, &until) ? INT64_MAX : until;
}

static int64_t age_by_calendar(const struct market *m, uint32_t venue, int64_t from, int64_t enough)
{
    const struct venue *v = &m->venues[venue];
    struct session s;
    if (!calendar_at(v->calendar, from, NULL, &s, NULL) && venue_has_ended(v, s.day)
        && !calendar_step(v->calendar, s.day, 1, &s, NULL) && from < s.open)
        from = s.open;
    return from < m->now_ns ? calendars_open_ns(m, venue, from, m->now_ns, enough) : 0;
}

int64_t calendars_age_ns(const struct market *m, uint32_t venue, int64_t event_ns, int64_t enough)
{
    const struct venue *v = &m->venues[venue];
    if (v->calendar) return age_by_calendar(m, venue, event_ns, enough);
    const int32_t day = day_of_ns(event_ns);
    if (v->day == NO_DAY || m->settings.meaning < MEANING_SECOND) return m->now_ns - event_ns;
    if (!v->in_session) return day >= v->day ? 0 : m->now_ns - event_ns;
    const bool of_the_last = day < v->day && v->ended_n && day >= v->ended[v->ended_n - 1];
    return m->now_ns - (of_the_last && v->begun_ns > event_ns ? v->begun_ns : event_ns);
}
