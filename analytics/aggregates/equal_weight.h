/* equal_weight.h - a universe in which every company weighs the same at each rebalance, and
 * drifts in between.
 *
 * There are ten variants: when the weights are restored (enum ew) times whether a company or
 * each of its lines counts as one (enum by). Of each member's line a variant has q; its sum is E
 * = sum of q * price, its level `level_ref * E / ref`.
 *
 * Unlike other aggregates it depends on the way it came: a rebalance of last year is in the q of
 * today. So every index has all variants from its first day, since none could be had later; and
 * they are saved. What a tick costs is asked for all the same: only the sums of variants that a
 * series watches follow each price, the others are summed afresh where they are needed next
 * (equal_weight_refresh), which gives the same integers. */
#ifndef TOCSIN_ANALYTICS_AGGREGATES_EQUAL_WEIGHT_H
#define TOCSIN_ANALYTICS_AGGREGATES_EQUAL_WEIGHT_H
#include "analytics/members.h"

struct equal_weight {
    struct variant {
        double level_ref; /* set with `ref`, by equal_weight_set_ref alone */
        /* E now, and when level_ref was the level. Of a variant that nobody asks for `sum` is of
         * some price before, until equal_weight_refresh. */
        i128 sum, ref;
        struct scale scale; /* level_ref / ref; all 0 without a level. Follows from these */
        uint32_t asked;     /* series that do */
    } variants[EW_VARIANTS];
    uint8_t followed[EW_VARIANTS]; /* numbers of the variants that are asked for */
    uint32_t followed_n;
    bool behind; /* a price has moved since the sums of the others were made */
};
extern const struct aggregate_kind aggregate_equal_weight;

/* A series asks for a variant (1) or no longer does (-1). */
void equal_weight_ask(const struct universe_store *s, const struct universe *u, int variant,
                      int by);
/* All sums stand for the prices of now. */
void equal_weight_refresh(const struct universe_store *s, const struct universe *u);
/* Sets what the level is measured from. */
void equal_weight_set_ref(struct variant *v, double level_ref, i128 ref);
/* Of a variant that is asked for, or after a refresh: the sum and what it is measured from; and
 * the level. */
const struct variant *equal_weight_of(const struct universe *u, int variant);
double equal_weight_level(const struct universe *u, int variant);
/* Of any, at any time: sums it afresh if it must. */
double equal_weight_level_now(const struct universe_store *s, const struct universe *u,
                              int variant);

/* ---- for universe.c: a line comes to count (before it does) or ceases to; sums are fresh ---- */
void equal_weight_enter(struct universe_store *s, const struct universe *u, uint32_t line);
void equal_weight_leave(struct universe_store *s, const struct universe *u, uint32_t line);
/* A line leaves a company that goes on without it, and arrives at another: both of weights by
 * company alone, else as the two above. */
void equal_weight_part(struct universe_store *s, const struct universe *u, uint32_t line);
void equal_weight_arrive(struct universe_store *s, const struct universe *u, uint32_t line);
/* ---- for past.c ---- */
/* The line's units in one variant become q, at a price that goes from one to another; sums are
 * fresh. */
void equal_weight_restate(struct universe_store *s, const struct universe *u, uint32_t line,
                          int variant, int64_t q, int64_t price_was, int64_t price_is);

/* Levels go on from `levels` with the sums as they now are. */
void equal_weight_chain(const struct universe *u, const double levels[EW_VARIANTS]);
/* Weights are equal again in one variant, at a level that it does not leave. */
void equal_weight_restore(struct universe_store *s, const struct universe *u, int variant,
                          double level);
/* The same at the closes of the session that ended last, when the level was `level`; since then
 * prices may have moved, but nobody has come to count or ceased to. */
void equal_weight_restore_at_close(struct universe_store *s, const struct universe *u, int variant,
                                   double level);
#endif
