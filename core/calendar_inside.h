/* calendar_inside.h - how a calendar lies in memory, for calendar.c (look-ups) and
 * calendar_text.c (text) alone.
 *
 * What the text says is kept as it is said: runs of regular hours and the dates that differ.
 * Which dates are sessions is a bit a day on top of that, with a count of sessions before each
 * word, so that
 *
 *     how many sessions lie before a day      one word's bits counted
 *     which day is the i-th session           a binary search among the words, then a bit of one
 *     the hours of a day                      two binary searches, among exceptions and runs
 *
 * 41 years of New York: 1.9 KB of bits, 0.9 KB of counts, 83 runs, 463 dates that differ: 14 KB. */
#ifndef TOCSIN_CORE_CALENDAR_INSIDE_H
#define TOCSIN_CORE_CALENDAR_INSIDE_H
#include "core/calendar.h"

enum { MINUTES_A_DAY = 1440, MINUTES_MIN = -MINUTES_A_DAY, MINUTES_MAX = 2 * MINUTES_A_DAY };

/* Minutes from 00:00 UTC of the session's date. */
struct hours {
    int16_t begin, open, close;
};

struct run {
    int32_t from, to; /* both included */
    struct hours hours;
    uint8_t weekdays; /* bit 0 Monday .. bit 6 Sunday */
    int32_t line;     /* of the text, for complaints; 0 after a merge */
};

/* A date that is not what its run says. */
struct exception {
    int32_t day;
    bool closed;
    struct hours hours; /* unless closed */
    int32_t line;
};

struct calendar {
    char name[CALENDAR_NAME_MAX + 1], zone[CALENDAR_ZONE_MAX + 1];
    int32_t first_day, last_day; /* whole years */
    struct run *runs;            /* first_day to last_day without a gap; no two neighbours alike */
    size_t runs_n, runs_cap;
    struct exception *exceptions; /* by day */
    size_t exceptions_n, exceptions_cap;
    /* made by calendar_index: */
    uint64_t *bits;   /* bit i is first_day + i */
    uint32_t *before; /* sessions before each word; one more than words */
    size_t words_n;
};

/* False when out of memory. Joins the run to the last one when that goes on just the same. */
bool calendar_add_run(struct calendar *c, const struct run *r);
bool calendar_add_exception(struct calendar *c, const struct exception *e);
/* The run of a covered day. */
const struct run *calendar_run(const struct calendar *c, int32_t day);
static inline bool run_has(const struct run *r, int32_t day)
{
    return r->weekdays >> weekday_of_day(day) & 1;
}
/* Makes bits and counts anew from runs and exceptions; false when out of memory. */
bool calendar_index(struct calendar *c);

/* Two sessions one of which begins before the other has closed. */
struct overlap {
    struct session first, second;
};
/* The next pair whose second lies behind `after`; false when there is none. */
bool calendar_overlap(const struct calendar *c, int32_t after, struct overlap *out);
/* "sessions overlap: 2024-07-04 begins at ..., before 2024-07-03 closes at ..." */
void calendar_say_overlap(const struct overlap *o, struct buf *out);

/* Frees what it holds, not the struct. */
void calendar_release(struct calendar *c);
#endif
