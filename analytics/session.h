/* session.h - sessions of a venue: they begin with the first price of a later day and end with a
 * clock record; and where a window that counts sessions or months begins. Thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_SESSION_H
#define TOCSIN_ANALYTICS_SESSION_H
#include "analytics/market.h"

/* A price of that day has come, in regular hours: a session begins if it is later than the one
 * before; that one ends if nobody has said so (from MEANING_SECOND on; before, it did not end
 * and was kept in no history). ERR_NOMEM. */
MUST_USE enum err session_price(struct market *m, uint32_t venue, int32_t day);
/* Levels start or are kept, closes are kept. One that is said again changes nothing. `presumed`:
 * nobody said so, a price of a later session is about to come, or the calendar's close is long
 * enough ago. Venue NONE: of every venue that has a session of that day. ERR_INVALID: that day
 * is no session, or none that began before a later one did. ERR_NOMEM. */
MUST_USE enum err session_end(struct market *m, uint32_t venue, int32_t day, bool presumed,
                              struct why *why);
/* Would a price of that day end the session in progress? */
bool session_would_end(const struct market *m, uint32_t venue, int32_t day);

/* Is what moves now of a session? In one, and in the turn behind that in which it ended, where
 * what the record that ended it makes of a measure is told. What comes then, as a price after
 * hours, is not: the next one begins with its own. */
static inline bool session_has_moves(const struct market *m, const struct venue *v)
{
    return v->in_session || v->ended_turn + 1 == m->turn;
}

enum window_choice {
    WINDOW_1D,
    WINDOW_5D,
    WINDOW_20D,
    WINDOW_60D,
    WINDOW_3MO,
    WINDOW_6MO,
    WINDOW_12MO,
    WINDOW_18MO,
    WINDOW_36MO,
    WINDOW_YTD,
    WINDOW_ALL
};
enum { WINDOW_CHOICES = WINDOW_ALL + 1 };
extern const char *const window_names[WINDOW_CHOICES + 1]; /* NULL-ended */
extern const char *const window_words[WINDOW_CHOICES];     /* as a title says them */

/* Days of kept sessions, ascending: an int32_t at the begin of each of n elements of `stride`
 * bytes. */
struct days {
    const int32_t *first;
    size_t stride, n;
};
/* The element whose session a window counted back from the current one starts at; -1 when it is
 * not kept. */
long window_start(const struct venue *v, enum window_choice w, const struct days *d);
/* How long that window is; `from` is the day at which it starts. */
double window_years(const struct venue *v, enum window_choice w, int32_t from);
#endif
