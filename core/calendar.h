/* calendar.h - trading days of a venue as data: which session an instant belongs to, and how
 * many lie between two dates.
 *
 * A session is a trading day, named by its date. It begins at a cut that need not lie on that
 * date, opens, and closes:
 *
 *     XNYS 2024-07-03   begins 08:00 UTC (04:00 New York), opens 13:30, closes 17:00: early
 *     CMES 2024-07-05   begins and opens 22:00 UTC of 4 July (17:00 Chicago), closes 22:00
 *
 * An instant belongs to the last session that has begun: a trade at 00:30 UTC on a Friday to New
 * York's Thursday, one of a Saturday to Friday.
 *
 * The text form is CSV, the same for the calendars that are shipped and a user's own. All times
 * are UTC, relative to 00:00 of the session's date (-01:00 is 23:00 the evening before, 25:00 is
 * 01:00 the morning after); the time zone is said for readers alone, nothing here looks it up:
 *
 *     calendar,XNYS,America/New_York,2024,2024
 *     hours,2024-01-01,2024-03-10,Mon-Fri,09:00,14:30,21:00   FROM,TO,WEEKDAYS,BEGIN,OPEN,CLOSE
 *     hours,2024-03-11,2024-11-03,Mon-Fri,08:00,13:30,20:00   all the years, without a gap
 *     hours,2024-11-04,2024-12-31,Mon-Fri,09:00,14:30,21:00
 *     closed,2024-01-01,New Year's Day                        DATE[,WHY]: a weekday without session
 *     early,2024-07-03,17:00                                  DATE,CLOSE[,WHY]: before its hours'
 *     special,2024-07-06,08:00,14:00,16:00,a Saturday         DATE,BEGIN,OPEN,CLOSE[,WHY]: any date
 *
 * `hours` lines come in the order of time, others in any. WEEKDAYS: "Mon-Fri", "Sun-Thu", "Mon
 * Wed Fri". Empty lines, lines that begin with #, blanks around a field, empty columns at the
 * end, CRLF and a byte order mark are fine.
 *
 * Pure: no clock, no files. A calendar is read by any number of threads as long as none merges
 * into it. Memory: about 14 KB for 41 years of a venue. Days are days since 1970-01-01 as in
 * core/when.h. */
#ifndef TOCSIN_CORE_CALENDAR_H
#define TOCSIN_CORE_CALENDAR_H
#include "core/buf.h"
#include "core/str.h"
#include "core/when.h"

enum {
    CALENDAR_NAME_MAX = 31, /* of A-Z a-z 0-9 . - _ */
    CALENDAR_ZONE_MAX = 63,
    CALENDAR_TEXT_MAX = 1 << 20,
    CALENDAR_PROBLEMS_MAX = 20, /* so many are told of one text */
};

struct calendar;

struct session {
    int32_t day;                /* its date, which is its name */
    bool early;                 /* closes before the regular hours of that date would */
    int64_t begin, open, close; /* ns UTC: begin <= open < close <= begin of the next session */
};

/* Regular hours are open <= t < close. The rest of a session, to the begin of the next one, is
 * extended. */
static inline bool session_regular(const struct session *s, int64_t ns)
{
    return ns >= s->open && ns < s->close;
}

/* ---- text ---- */
/* ERR_INVALID, ERR_TOO_LARGE or ERR_NOMEM; *out is written on ERR_OK alone and is then the
 * caller's. *why has the first problem, as "line 7, column 12: what is wrong; what to do", with
 * why->at its byte in the text; `problems`, unless NULL, has all of them, a line each (20 at
 * most). Columns are bytes, from 1. */
MUST_USE enum err calendar_parse(struct str text, struct calendar **out, struct buf *problems,
                                 struct why *why);
/* Appends the one text that the sessions of these years have, without reasons and comments: some
 * hundred bytes a year. Both years lie in the calendar. What it writes parses, and is written
 * the same again. */
void calendar_write(const struct calendar *c, int first_year, int last_year, struct buf *out);

void calendar_free(struct calendar *c); /* NULL is fine */

/* Puts the years of `add` in place of those of `c`, or before or behind them. ERR_INVALID when
 * its name is another, when a year would be missing between, or when a session would overlap one
 * of the other's; ERR_NOMEM; *c is then as before. Caches that were filled from *c must be
 * zeroed. A calendar that was put together year by year equals one that was read whole. */
MUST_USE enum err calendar_merge(struct calendar *c, const struct calendar *add, struct why *why);

/* ---- what it covers ---- */
const char *calendar_name(const struct calendar *c);
const char *calendar_zone(const struct calendar *c);  /* "America/New_York" */
int32_t calendar_first_day(const struct calendar *c); /* 1 January of its first year */
int32_t calendar_last_day(const struct calendar *c);  /* 31 December of its last year */
size_t calendar_sessions_n(const struct calendar *c);

/* ---- look-ups ---- */
/* Outside what the calendar covers they say ERR_INVALID; *why names it, the time and the range. */

/* What calendar_at found last. All zero is empty; one cache is for one calendar, and is its
 * caller's. */
struct calendar_cache {
    struct session session;
    int64_t until; /* begin of the next session: the session holds from its begin to here */
};

/* The session `ns` belongs to: the last one with begin <= ns. Covered is from the begin of the
 * first session to where a session of the day after the last year would begin by the last
 * regular hours. `cache` may be NULL. O(log n) without a hit. */
MUST_USE enum err calendar_find(const struct calendar *c, int64_t ns, struct calendar_cache *cache,
                                struct session *out, struct why *why);
MUST_USE static inline enum err calendar_at(const struct calendar *c, int64_t ns,
                                            struct calendar_cache *cache, struct session *out,
                                            struct why *why)
{
    if (!cache || ns < cache->session.begin || ns >= cache->until)
        return calendar_find(c, ns, cache, out, why);
    *out = cache->session;
    return ERR_OK;
}

/* The session of a date; ERR_NOT_FOUND when that date is none, and *why names the ones around
 * it. */
MUST_USE enum err calendar_on(const struct calendar *c, int32_t day, struct session *out,
                              struct why *why);

/* The nth session after `day` (n > 0), or before it (n < 0), not counting `day` itself, which
 * need not be a session; n = 0 is the session of that date, as calendar_on. ERR_INVALID too when
 * it would lie outside the calendar. */
MUST_USE enum err calendar_step(const struct calendar *c, int32_t day, int32_t n,
                                struct session *out, struct why *why);

/* How many sessions have a date after `from` and up to `to`; negative when `to` is before
 * `from`. So from the session `from` it is n to the nth one after it. */
MUST_USE enum err calendar_count(const struct calendar *c, int32_t from, int32_t to, int32_t *out,
                                 struct why *why);
#endif
