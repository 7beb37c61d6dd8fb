/* index.h - the exact sums behind one index, kept up to date price by price.
 *
 * Everything summed is an integer, so a value is the same bits whether kept incrementally or computed afresh:
 *   line value   v = floor(P * Q / 1e6) in cents, P the price at 1e-8, Q the shares times float factor, floored
 *   T = sum v;  issuer value = sum of its lines' v;  Q_by = sum of squared values, by issuer and by line
 *   equal weight: at a rebalance a line gets q = floor(1e18 / (n * P)), n = lines of its company (1 when by line); E = sum q * P
 *   level = level_ref * T / T_ref, ew_level = level_ref * E / E_ref; a change of members or shares moves the two refs, not the level
 * The divisor of metrics.md section 1 is T_ref / level_ref. q replaces the floor(p * 2^32 / p0) of performance.md: floored once
 * a rebalance instead of once a tick, so a tick costs a multiplication and no division. */
#ifndef TOCSIN_ANALYTICS_INDEX_H
#define TOCSIN_ANALYTICS_INDEX_H
#include "analytics/measure.h"

#include <stddef.h>

typedef __int128 i128;

#define NONE UINT32_MAX
enum { EW_VARIANTS = EW_COUNT * BY_COUNT };
static inline int ew_variant(enum ew ew, enum by by) { return (int)ew * BY_COUNT + (int)by; }

struct line { /* an instrument's place in an index */
    uint32_t index, instrument, slot;
    uint32_t next_of_instrument, next_of_index;
    bool active, valued; /* member; has price and shares */
    int64_t own_shares;  /* index shares given with the membership; 0: the instrument's */
    int64_t shares;      /* effective: times float, floored */
    int64_t price_e8, value;
    int64_t q[EW_VARIANTS];
};

struct slot { /* an issuer's place in an index */
    uint32_t issuer, next_of_index, rank;
    uint32_t lines_n; /* valued lines */
    int64_t value;
};

struct level_day {
    int32_t day;
    double level, ew[EW_VARIANTS];
}; /* at a session's end */

struct index {
    char name[32], title[64];
    double base;
    uint32_t first_line, first_slot, first_series;
    uint32_t lines_n, valued_n, slots_n,
        issuers_n; /* active lines, valued lines, slots ever, issuers with a valued line */
    bool based;
    int64_t last_ns; /* event time of the newest price */
    i128 total, squares[BY_COUNT];
    double level_ref, ew_level_ref[EW_VARIANTS];
    i128 total_ref, ew_sum[EW_VARIANTS], ew_ref[EW_VARIANTS];
    uint32_t *order; /* slots, largest first, ties by issuer number */
    size_t order_cap;
    struct level_day *days; /* ascending */
    size_t days_n, days_cap;
};

/* The lines and slots of all indices live in two arrays; an index is a chain through them. */
struct index_store {
    struct line *lines;
    size_t lines_n, lines_cap;
    struct slot *slots;
    size_t slots_n, slots_cap;
};

#define VALUE_MAX                                                                                  \
    ((int64_t)1 << 56) /* cents: keeps N squared values inside 128 bits for N < 2^15 */

/* floor(price * shares / 1e6) in 64 bits throughout; the caller has checked value_fits. */
static inline int64_t line_value(int64_t price_e8, int64_t shares)
{
    return price_e8 / 1000000 * shares + price_e8 % 1000000 * shares / 1000000;
}
static inline bool value_fits(int64_t price_e8, int64_t shares)
{
    return (i128)price_e8 * shares < (i128)VALUE_MAX * 1000000;
}

/* Cents of a sum at 1e-8; exact whenever it is whole cents below 2^53. */
static inline double cents(i128 e8)
{
    return (double)(e8 / 1000000) + (double)(int64_t)(e8 % 1000000) * 1e-6;
}

/* A membership begins; ERR_NOMEM. The line counts once it has price and shares. */
MUST_USE enum err index_add_line(struct index_store *s, struct index *x, uint32_t index_no,
                                 uint32_t instrument, uint32_t issuer, int64_t own_shares,
                                 uint32_t *out);
void index_remove_line(struct index_store *s, struct index *x, uint32_t line);
/* A membership that had ended begins anew, at the price of now and perhaps under another issuer; shares are still to be set. */
MUST_USE enum err index_rejoin(struct index_store *s, struct index *x, uint32_t line,
                               uint32_t issuer, int64_t price_e8);
void index_set_shares(struct index_store *s, struct index *x, uint32_t line, int64_t shares);
void index_set_price(struct index_store *s, struct index *x, uint32_t line, int64_t price_e8,
                     int64_t event_ns);

/* The first complete session has ended: levels start at base. */
void index_start(struct index_store *s, struct index *x);
void index_rebalance(struct index_store *s, struct index *x, enum ew ew);
MUST_USE enum err index_close_day(struct index *x, int32_t day);

double index_level(const struct index *x);
double index_ew_level(const struct index *x, int variant);
double index_hhi(const struct index *x, enum by by);
double index_effective_number(const struct index *x, enum by by);
double index_top_weight(const struct index_store *s, const struct index *x, enum by by, int n);
static inline double index_coverage(const struct index *x)
{
    return x->lines_n ? (double)x->valued_n / (double)x->lines_n : 0;
}
#endif
