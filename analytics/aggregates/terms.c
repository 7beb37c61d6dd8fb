/* terms.c - sums of one function of each value, by company and by line: v * ln v for entropy,
 * v^0.5 and v^1.5 for Hannah and Kay's numbers.
 *
 * A sum of doubles depends on the order in which they came, so each term is an integer: the
 * double, in units small enough that what is cut off counts for nothing, and rounded toward 0. A
 * of 100 cents is worth 100 * ln 100 = 460.517..., in units of 2^-20 that would be 482,887,093.
 * When A moves to 110 that goes and 542,169,199 comes: the sum is the one made afresh, to the
 * bit. */
#include "analytics/members.h"
#include "core/maths.h"

#include <math.h>

typedef double term_fn(double v);

static inline double log_term(double v) { return v * maths_log(v); }
static inline double root_term(double v) { return sqrt(v); }
static inline double power_term(double v) { return v * sqrt(v); }

/* Of nothing there is nothing: v * ln v goes to 0 with v. */
#define INLINE static inline __attribute__((always_inline))
INLINE i128 term(int64_t v, term_fn *f, int bits)
{
    return v > 0 ? (i128)ldexp(f((double)v), bits) : 0;
}

INLINE enum err rebuild(const struct universe_store *s, const struct universe *u, void *state,
                        term_fn *f, int bits, enum by by)
{
    struct terms *t = state;
    t->sum = 0;
    for (uint32_t k = u->first_slot; by == BY_ISSUER && k != NONE; k = s->slots[k].next_of_universe)
        t->sum += term(s->slots[k].value, f, bits);
    for (uint32_t l = u->first_line; by == BY_LINE && l != NONE; l = s->lines[l].next_of_universe)
        t->sum += term(s->lines[l].value, f, bits);
    return ERR_OK;
}

/* Both terms are computed again: keeping the one of before would be a place in each line and
 * company for a few nanoseconds. */
INLINE void move(void *state, const struct line_change *c, term_fn *f, int bits, enum by by)
{
    const bool line = by == BY_LINE;
    ((struct terms *)state)->sum +=
        term(line ? c->is : c->issuer_is, f, bits) - term(line ? c->was : c->issuer_was, f, bits);
}

static enum err merge_terms(const struct universe_store *s, void *into, const void *other)
{
    (void)s;
    ((struct terms *)into)->sum += ((const struct terms *)other)->sum;
    return ERR_OK;
}

static bool same_terms(const struct universe_store *s, const void *a, const void *b)
{
    (void)s;
    return ((const struct terms *)a)->sum == ((const struct terms *)b)->sum;
}

/* What a term is, and by what, once for each kind: the function is inlined into both of its own. */
#define TERMS(what, bits, by_name, by_)                                                            \
    static enum err rebuild_##what##_##by_name(const struct universe_store *s,                     \
                                               const struct universe *u, void *state)              \
    {                                                                                              \
        return rebuild(s, u, state, what##_term, bits, by_);                                       \
    }                                                                                              \
    static void move_##what##_##by_name(struct universe_store *s, const struct universe *u,        \
                                        void *state, const struct line_change *c)                  \
    {                                                                                              \
        (void)s, (void)u;                                                                          \
        move(state, c, what##_term, bits, by_);                                                    \
    }                                                                                              \
    const struct aggregate_kind aggregate_##what##_by_##by_name = {                                \
        .name = #what "_by_" #by_name,                                                             \
        .size = sizeof(struct terms),                                                              \
        .rebuild = rebuild_##what##_##by_name,                                                     \
        .move = move_##what##_##by_name,                                                           \
        .merge = merge_terms,                                                                      \
        .equal = same_terms,                                                                       \
    };

TERMS(log, TERM_LOG_BITS, issuer, BY_ISSUER)
TERMS(log, TERM_LOG_BITS, line, BY_LINE)
TERMS(root, TERM_ROOT_BITS, issuer, BY_ISSUER)
TERMS(root, TERM_ROOT_BITS, line, BY_LINE)
TERMS(power, TERM_POWER_BITS, issuer, BY_ISSUER)
TERMS(power, TERM_POWER_BITS, line, BY_LINE)

double terms_sum(const struct terms *t, int bits) { return ldexp((double)t->sum, -bits); }
