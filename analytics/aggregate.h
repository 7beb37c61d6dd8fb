/* aggregate.h - what a universe keeps of its members because a series asked for it: squares for
 * HHI, the order of companies, equal weights. What nobody asks for is not kept, and costs
 * nothing a tick.
 *
 * A kind is one const struct at the end of a file of aggregates/, and one row of aggregates.def.
 * All of it is integers, so its state is the same bits whether moved price by price, rebuilt
 * afresh, or merged from shards. */
#ifndef TOCSIN_ANALYTICS_AGGREGATE_H
#define TOCSIN_ANALYTICS_AGGREGATE_H
#include "core/ratio.h"
#include "core/state.h"

#include <stdbool.h>
#include <stdint.h>

struct universe;
struct universe_store;

/* A member's line goes from one value to another, and its company's with it. A move of a price
 * changes price and value; a line that enters comes from value 0, one that leaves goes to 0, at a
 * price that stands. */
struct line_change {
    uint32_t line, slot;
    int64_t price_was, price_is; /* 1e-8 */
    int64_t was, is;             /* cents, of the line */
    int64_t issuer_was, issuer_is;
};

struct aggregate_kind {
    const char *name;
    size_t size; /* of its state; zeroed before `rebuild` */
    /* From the members as they are. ERR_NOMEM. */
    enum err (*rebuild)(const struct universe_store *s, const struct universe *u, void *state);
    void (*move)(struct universe_store *s, const struct universe *u, void *state,
                 const struct line_change *c);
    /* A company has its first line: room for it. NULL: nothing to do. ERR_NOMEM. */
    enum err (*slot_added)(struct universe_store *s, const struct universe *u, void *state,
                           uint32_t slot);
    /* The same of a line, which has no value yet. */
    enum err (*line_added)(struct universe_store *s, const struct universe *u, void *state,
                           uint32_t line);
    /* `into` becomes that of both, whose members have no company in common. ERR_NOMEM. */
    enum err (*merge)(const struct universe_store *s, void *into, const void *other);
    /* Same members' state, whatever way it was come by? For tests and checks. */
    bool (*equal)(const struct universe_store *s, const void *a, const void *b);
    void (*release)(void *state); /* what it holds beside `size`; NULL: nothing */
};

enum { AGGREGATES_MAX = 16 };
extern const struct aggregate_kind *const aggregate_kinds[]; /* in the order of aggregates.def */
extern const size_t aggregate_kinds_n;

/* ---- the states, for who reads them ---- */
struct squares {
    i128 sum; /* of squared cents */
};
extern const struct aggregate_kind aggregate_squares_by_issuer, aggregate_squares_by_line;

/* Sums of a function of each value, in units of 2^-bits: as fine as 2^14 members of 2^56 cents
 * leave room for. */
enum { TERM_LOG_BITS = 48, TERM_ROOT_BITS = 60, TERM_POWER_BITS = 28 };
struct terms {
    i128 sum;
};
double terms_sum(const struct terms *t, int bits);
extern const struct aggregate_kind aggregate_log_by_issuer, aggregate_log_by_line;   /* v * ln v */
extern const struct aggregate_kind aggregate_root_by_issuer, aggregate_root_by_line; /* v^0.5 */
extern const struct aggregate_kind aggregate_power_by_issuer, aggregate_power_by_line; /* v^1.5 */

struct order {
    /* Companies (slots), largest first, ties by issuer number; those without a value at the end. Never one
     * less: a company that has left stays, with value 0. Or lines, ties by instrument. */
    uint32_t *who;
    size_t n, cap;
    i128 ranked; /* sum of i * value of the i-th, counted from 1, in cents */
};
extern const struct aggregate_kind aggregate_order, aggregate_order_by_line;
#endif
