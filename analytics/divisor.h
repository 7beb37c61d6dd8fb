/* divisor.h - the ledger of divisors: every change of what an index's level is measured by, and
 * why.
 *
 *     level = market value / divisor
 *
 * The market value moves with prices; the divisor with everything else, so that the level does
 * not: who is a member, share counts, what is paid out of a price. A split whose price, count
 * and record agree changes none, since it changes no market value. Of the level by market value
 * alone: equal weights are restored, not divided. What a variant's level is measured by (its
 * `ref`) is a sum of units that every rebalance makes anew, each name's price times units the
 * same, so that a ratio of two of them says nothing.
 *
 * universe.c notes each change as it makes it, with the cause in force, which is who begins to
 * count or ceases to unless somebody has said otherwise; the engine settles them when the record
 * has been applied. Thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_DIVISOR_H
#define TOCSIN_ANALYTICS_DIVISOR_H
#include "core/names.h"
#include "core/ratio.h"
#include "ingest/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIVISOR_REASONS(X)                                                                         \
    X(DIVISOR_START, "start") /* the first complete session has ended */                           \
    X(DIVISOR_MEMBERSHIP, "membership")                                                            \
    X(DIVISOR_SHARES, "shares")                                                                    \
    X(DIVISOR_SPLIT, "split") /* its count had been taken for an issue, or it came late */         \
    X(DIVISOR_SPECIAL_DIVIDEND, "special_dividend")                                                \
    X(DIVISOR_SPIN_OFF, "spin_off")                                                                \
    X(DIVISOR_MERGER, "merger")                                                                    \
    X(DIVISOR_DELISTING, "delisting")
enum divisor_reason { DIVISOR_REASONS(NAMES_VALUE) };
extern const struct names divisor_reason_names;

/* Why divisors change while it is in force, and from which session on; NO_DAY: from that of the
 * index. */
struct divisor_cause {
    enum divisor_reason reason;
    int32_t day;
};

struct divisor_change {
    uint64_t no; /* given when it is settled */
    uint32_t universe, instrument;
    struct divisor_cause cause;
    double before, after; /* currency per point; NaN: no level */
};

struct divisor_log {
    struct divisor_cause cause;
    struct divisor_change *of; /* of the record in hand */
    size_t n, cap;
    uint64_t made; /* ever: the number of the newest one */
    bool failed;   /* memory was out */
};

/* In currency, of a market value in cents. */
double divisor_of(double level_ref, i128 total_ref);
/* A record comes: nothing has changed by it yet. */
void divisor_begin(struct divisor_log *log);
/* By a cause that ends with the next call of divisor_because_usual. */
void divisor_because(struct divisor_log *log, enum divisor_reason reason, int32_t day);
void divisor_because_usual(struct divisor_log *log);
/* One after the other for the same cause and instrument are one change. */
void divisor_note(struct divisor_log *log, uint32_t universe, uint32_t instrument,
                  enum divisor_reason reason, double before, double after);
/* The record has been applied: what is as it was is no change, the others get their numbers. */
void divisor_settle(struct divisor_log *log);
#endif
