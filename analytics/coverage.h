/* coverage.h - how much of an index, by weight, is priced in this session.
 *
 *     coverage = value of the lines whose price is of this session / value of all members
 *
 * A of 60, B of 30, C of 10 per cent. Today A and B have traded, C has not: C counts at its last
 * price, and coverage is 0.9 until it has a price again. What never had a price that counts
 * weighs its last known cap; without one coverage is not known.
 *
 * A session begins with yesterday's prices still of now for as long as the staleness bound says,
 * counted from its first price: else every index would be without a value each morning until 95
 * % of it have traded. They are of yesterday at once when the session ends. A bound of 0 is
 * "never stale": any price is then of now, however old.
 *
 * Sessions are those of the index's calendar. Exact: integers, and one division. Before
 * MEANING_SECOND it is the number of members with a price by that of members. Thread: the
 * engine's. */
#ifndef TOCSIN_ANALYTICS_COVERAGE_H
#define TOCSIN_ANALYTICS_COVERAGE_H
#include "analytics/market.h"

/* Where something is missing: coverage_of's. */
double coverage_of_part(const struct market *m, const struct universe *u);
/* 0..1; NaN: not known, a member has never had a price. 0 when nothing counts. */
static inline double coverage_of(const struct market *m, const struct universe *u)
{
    const bool whole = u->valued_n && u->valued_n == u->lines_n && u->carried == 0
                       && m->now_ns < m->carry_until_ns;
    return whole ? 1 : coverage_of_part(m, u);
}
/* Does an index of that coverage have values? NaN is not enough, but where the gate is 0. */
static inline bool coverage_suffices(const struct market *m, double coverage)
{
    return coverage >= m->gate || m->gate <= 0;
}

/* `since`: the session before, whose prices are of now for a while; of the very first its own day. */
void coverage_session_begins(struct market *m, uint32_t venue, int32_t since);
/* The caller touches all series. */
void coverage_session_ends(struct market *m, uint32_t venue);
/* now_ns has come to carry_until_ns of a venue: the first record of a session has been applied,
 * or prices of the session before it have become old. Touches all series where that is so. */
void coverage_due(struct market *m);
/* Settings have come. */
void coverage_review(struct market *m);
/* After a load: what follows from the lines. */
void coverage_restore(struct market *m);
#endif
