/* ends.h - the values that a measure had at the ends of its last n sessions: in order, and sorted.
 *
 * It is what "how unusual is that" is held against (metrics.md 3). Once a session something goes in
 * and something goes out, O(n) and in practice a memmove; whoever asks in between pays O(log n).
 * 16 bytes a session kept. Pure but for memory; thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_ENDS_H
#define TOCSIN_ANALYTICS_ENDS_H
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ends {
    size_t most;            /* sessions kept */
    double *values;         /* in order */
    double *sorted;         /* the same, ascending */
    size_t n, cap;          /* of either */
    double mean, deviation; /* theirs, the deviation by n - 1: as of the last ends_describe */
    double memo[2];         /* what somebody who looks has made of them, until they change */
    bool has_memo;
};

/* `most` values are kept, one at least. Zeroed but for that it is empty. */
#define ENDS(sessions) ((struct ends){ .most = (sessions) })
void ends_release(struct ends *e);

/* One more, at the end; `times` of the same when sessions passed without a move. ERR_NOMEM
 * leaves it as it was. */
MUST_USE enum err ends_add(struct ends *e, double v, int64_t times);
/* Their mean and deviation, in O(n) and afresh: after whatever changed them, before anybody looks. */
void ends_describe(struct ends *e);
/* The first k of them are times `by` from now on: per share of today. */
void ends_scale(struct ends *e, size_t k, double by);

/* By age: 0 is the newest. */
static inline double ends_value(const struct ends *e, size_t age)
{
    return e->values[e->n - 1 - age];
}
/* How many are below v, and how many are v. O(log n). */
struct ends_rank {
    size_t below, equal;
};
struct ends_rank ends_rank(const struct ends *e, double v);
#endif
