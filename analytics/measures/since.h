/* since.h - when a measure was last so high, or so low: what highest_since and lowest_since have
 * found, for those who hold it against others (robustness.c). */
#ifndef TOCSIN_ANALYTICS_MEASURES_SINCE_H
#define TOCSIN_ANALYTICS_MEASURES_SINCE_H
#include "analytics/histories.h"
#include "analytics/series.h"

struct since_found {
    bool record;      /* never: `day` is the first there is a value of */
    int32_t day;      /* NO_DAY: it is not known */
    double value;     /* of then; of a record NAN */
    int64_t sessions; /* since, that one not counted; of an imported history each point is one */
    int32_t seam;     /* the first session that was measured here */
    const struct long_history *history; /* what lies before that; NULL: nothing is known of it */
};

/* Of a series of one of the two kinds. false: there is nothing that it could be held against. */
bool since_find(const struct market *m, const struct series *s, struct since_found *out);
/* "the highest since 24 March 2000, when it was 91.2"; nothing, when that day is not known. */
void since_words(const struct market *m, const struct series *s, const struct since_found *f,
                 struct buf *out);
bool since_is(const struct measure_kind *kind);
#endif
