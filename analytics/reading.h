/* reading.h - what a measure says at one moment. Plain data. */
#ifndef TOCSIN_ANALYTICS_READING_H
#define TOCSIN_ANALYTICS_READING_H
#include <stdint.h>

enum reading_status { /* why there is, or is not, a value */
                      READING_OK,
                      READING_STALE, /* there is one, but its newest input is older than the staleness bound */
                      READING_NO_DATA,      /* nothing has arrived yet */
                      READING_LOW_COVERAGE, /* less than the coverage gate is priced */
                      READING_NO_HISTORY, /* the window reaches further back than what is stored */
                      READING_STATUS_COUNT
};

struct reading {
    double value;         /* meaningful for OK and STALE only; NaN otherwise */
    double coverage;      /* share of members with a price, 0..1 */
    int64_t event_ns;     /* event time of the newest input */
    int64_t staleness_ns; /* the engine's event time minus that */
    enum reading_status status;
};

/* "ok", "stale", "no_data", "low_coverage", "no_history": stored and shown. */
const char *reading_status_name(enum reading_status s);
#endif
