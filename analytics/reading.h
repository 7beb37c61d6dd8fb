/* reading.h - what a measure says at one moment. Plain data. */
#ifndef TOCSIN_ANALYTICS_READING_H
#define TOCSIN_ANALYTICS_READING_H
#include "core/names.h"

#include <stdbool.h>
#include <stdint.h>

struct json_writer;

/* ROW(value, name, as a page says it in a few words, what it means and what helps) */
#define READING_STATUSES(X)                                                                        \
    X(READING_OK, "ok", "", "")                                                                    \
    X(READING_STALE, "stale", "stale",                                                             \
      "The newest input is older than engine.stale_after_ms, and rules on it wait: see whether "   \
      "the feed still sends.")                                                                     \
    X(READING_NO_DATA, "no_data", "no data yet",                                                   \
      "Nothing that it is made of has arrived: an index needs its instruments, their shares, its " \
      "memberships and prices. What was refused is among the dead letters.")                       \
    X(READING_LOW_COVERAGE, "low_coverage", "too few members priced",                              \
      "Less of its weight is priced in this session than engine.coverage_gate_pct asks for: send " \
      "prices of the members that have none.")                                                     \
    X(READING_NO_HISTORY, "no_history", "window longer than the history",                          \
      "The window begins before the first session that is stored: import older closes, or take "   \
      "a shorter one.")                                                                            \
    X(READING_UNKNOWN_COVERAGE, "unknown_coverage", "a member never had a price",                  \
      "A member has never had a price, or has no shares, so nobody knows how much is missing: "    \
      "send a close or the shares of it, or end its membership.")                                  \
    X(READING_NO_BASE, "no_base", "return from a price of 0 or below",                             \
      "The close that its window begins at is 0 or below, and no per cent leads from there: take " \
      "a measure that counts in the unit of the price.")                                           \
    X(READING_NO_SESSION_END, "no_session_end", "no session has ended yet",                        \
      "Levels begin at the end of the first session with enough members priced: wait for the "     \
      "close, name its calendar, or have the feed send a clock record with session_end.")          \
    X(READING_ENDED, "ended", "its symbol went to another company",                                \
      "The instrument trades no more: its history stays under this dated symbol, and rules on it " \
      "wait for ever. Ask for the symbol without the date for the company that has it now.")       \
    X(READING_REFUSED, "refused", "its prices are being refused",                                  \
      "The newest message about it was set aside, and the value is that of the one before: what "  \
      "is wrong stands beside it and among the dead letters. Rules on it wait.")
enum reading_status { READING_STATUSES(NAMES_VALUE) }; /* why there is, or is not, a value */
extern const struct names reading_status_names;

struct reading {
    double value;         /* NaN where there is none: reading_has_value */
    double coverage;      /* 0..1, NaN: unknown; of an index see coverage.h */
    int64_t event_ns;     /* event time of the newest input */
    int64_t staleness_ns; /* the engine's event time minus that */
    enum reading_status status;
};

/* Is there a value, be it an old one? */
static inline bool reading_has_value(enum reading_status s)
{
    return s == READING_OK || s == READING_STALE || s == READING_REFUSED;
}

/* "ok", "stale", "no_data" ...: stored and shown. */
const char *reading_status_name(enum reading_status s);

/* All of them for programs, as an array of { name, words, help } in the object that has been begun. */
void reading_statuses_definitions(struct json_writer *w, const char *key);
#endif
