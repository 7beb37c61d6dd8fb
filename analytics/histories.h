/* histories.h - what somebody else says that a measure was before it was measured here: points of a
 * day and a value, in the measure's unit, ascending by day.
 *
 *     {"kind":"history","ts":...,"measure":"spread(SP500, window=36mo)","source":"the index provider",
 *      "text":"1999-12-31,21.4\n2000-03-24,30.4\n"}
 *
 * A history is of one measure, by its canonical text; the next one of the same measure replaces it,
 * and one without a source and a single line "none" takes it back. It is joined to the measure's own
 * past only where that is asked, at the seam: the first session that was measured here. What lies
 * on or after it is not looked at (measures/since.c). Thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_HISTORIES_H
#define TOCSIN_ANALYTICS_HISTORIES_H
#include "analytics/market.h"

/* ERR_INVALID with the line: not in order, not a number, no value that the measure can have; a book's measure; no measure. Then
 * nothing is kept of it. ERR_NOMEM. */
MUST_USE enum err histories_record(struct market *m, const struct record *r, struct why *why);
/* Is exactly that known already? `measure` as it is written. */
bool histories_known(const struct market *m, struct str measure, struct str source,
                     struct str text);
/* Of the measure with that canonical text; NULL: there is none. */
const struct long_history *histories_of(const struct market *m, const char *measure);

/* The last of its points before day `before` that reaches `now`: from above (high), or from below. -1: none does. O(n). */
long histories_reached(const struct market *m, const struct long_history *h, int32_t before,
                       double now, bool high);
/* How many of its points are of days before `before`. */
size_t histories_before(const struct market *m, const struct long_history *h, int32_t before);
static inline const struct history_point *histories_point(const struct market *m,
                                                          const struct long_history *h, size_t i)
{
    return &m->history_points[h->first + i];
}

/* An instrument is called otherwise: so are the histories of measures of it. */
void histories_rename(struct market *m, const struct symbol *from, const struct symbol *to);
/* After both arrays were filled from a saved state. False: they do not fit each other. */
bool histories_restore(struct market *m);
#endif
