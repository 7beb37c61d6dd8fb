/* calendars.h - venues by their name, and their calendars, which come in records so that a
 * replay depends on nothing else.
 *
 * Instruments and indices name the calendar of their venue ("XNYS"); what names none goes by
 * number 0, whose sessions are UTC days. Thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_CALENDARS_H
#define TOCSIN_ANALYTICS_CALENDARS_H
#include "analytics/market.h"

/* One without a session yet, its calendar's from now on; NULL: UTC days. ERR_NOMEM. */
MUST_USE enum err calendars_add(struct market *m, struct calendar *c);
/* Years of a calendar come, or come again and count from now on. ERR_INVALID with the first
 * problem. ERR_NOMEM. */
MUST_USE enum err calendars_record(struct market *m, const struct record *r, struct why *why);
/* See engine_has_calendar. */
MUST_USE enum err calendars_same(const struct market *m, struct str text, bool *same,
                                 struct buf *problems, struct why *why);
/* The number; "" is 0, "24/7" another way to say 24-7. NONE: no record has brought that calendar. */
uint32_t calendars_venue(const struct market *m, struct str name);
/* The same, or ERR_INVALID and what to do. */
MUST_USE enum err calendars_find(const struct market *m, struct str name, uint32_t *out,
                                 struct why *why);

/* What a trade of that time is of. */
struct trading {
    int32_t day;
    bool regular; /* within the session's hours; else it moves `last` alone */
};
/* ERR_INVALID: the calendar does not reach so far. */
MUST_USE static inline enum err calendars_trading(struct market *m, uint32_t venue, int64_t ns,
                                                  struct trading *out, struct why *why)
{
    struct venue *v = &m->venues[venue];
    struct session s;
    if (!v->calendar) {
        *out = (struct trading){ day_of_ns(ns), true };
        return ERR_OK;
    }
    enum err e = calendar_at(v->calendar, ns, &v->cache, &s, why);
    if (!e) *out = (struct trading){ s.day, session_regular(&s, ns) };
    return e;
}

/* ERR_INVALID: the venue has no session on that date; *why names those around it. */
MUST_USE enum err calendars_has(const struct market *m, uint32_t venue, int32_t day,
                                struct why *why);
/* Sessions after `from` up to `to`, both dates; weekdays where no calendar says better. */
int32_t calendars_sessions(const struct market *m, uint32_t venue, int32_t from, int32_t to);
/* How long the venue was open from one instant to another: all of it where no calendar says
 * better. Stops counting above `enough`. */
int64_t calendars_open_ns(const struct market *m, uint32_t venue, int64_t from, int64_t to,
                          int64_t enough);

/* The way back: the first instant by which it has been open for so long, from one instant on.
 * Beyond what its calendar covers, and where it has none, all time is open. */
int64_t calendars_open_until(const struct market *m, uint32_t venue, int64_t from, int64_t open_ns);

/* How old an input of that instant is by now, in the time of its venue's sessions. What is of a
 * session that has ended is of now until the next one opens, since nothing newer is to be had:
 * Friday's close at 09:30:40 on Monday is 40 s old. Without a calendar a session opens with its
 * first price, and one in progress has no pause. Stops counting above `enough`. */
int64_t calendars_age_ns(const struct market *m, uint32_t venue, int64_t event_ns, int64_t enough);

bool venue_has_ended(const struct venue *v, int32_t day);
/* A session has begun or ended, an official close has come, calendars or settings have changed:
 * when ends are presumed is found anew. */
void venues_set_due(struct market *m);
#endif
