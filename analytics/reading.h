/* reading.h - what a measure says at one moment. Plain data. */
#ifndef TOCSIN_ANALYTICS_READING_H
#define TOCSIN_ANALYTICS_READING_H
#include "core/names.h"

#include <stdbool.h>
#include <stdint.h>

#define READING_STATUSES(X)                                                                        \
    X(READING_OK, "ok")                                                                            \
    X(READING_STALE, "stale") /* a value whose newest input is older than the staleness bound */   \
    X(READING_NO_DATA, "no_data")           /* nothing has arrived yet */                          \
    X(READING_LOW_COVERAGE, "low_coverage") /* less than the coverage gate is priced */            \
    X(READING_NO_HISTORY, "no_history") /* the window reaches further back than what is stored */
enum reading_status { READING_STATUSES(NAMES_VALUE) }; /* why there is, or is not, a value */
extern const struct names reading_status_names;

struct reading {
    double value;         /* meaningful for OK and STALE only; NaN otherwise */
    double coverage;      /* share of members with a price, 0..1 */
    int64_t event_ns;     /* event time of the newest input */
    int64_t staleness_ns; /* the engine's event time minus that */
    enum reading_status status;
};

/* Is there a value, be it an old one? */
static inline bool reading_has_value(enum reading_status s)
{
    return s == READING_OK || s == READING_STALE;
}

/* "ok", "stale", "no_data", "low_coverage", "no_history": stored and shown. */
const char *reading_status_name(enum reading_status s);
#endif
