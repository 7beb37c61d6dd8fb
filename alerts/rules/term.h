/* term.h - one comparison of a rule, and what several of them make: pure, a value in and a truth
 * out.
 *
 *     last(A) >= 100, clear 98     enter 100, clear 98, above
 *
 *         value  97     98     99    100    101
 *         truth  clear  between      holds
 *
 * Between the two levels nothing changes: a rule that fires goes on firing, one that does not
 * stays quiet. A rule is made of one term or several, which are counted: it holds when `need` of
 * them hold, and it is clear when so many are clear that the others could not make it up. One
 * term: need 1 of 1. All of three: need 3. Any of three: need 1.
 *
 *     need 3 of 3                        need 1 of 3
 *     holds holds between -> between     clear clear between -> between
 *     holds holds clear   -> clear       clear holds unknown -> holds
 *     holds holds unknown -> unknown     clear clear unknown -> unknown */
#ifndef TOCSIN_ALERTS_RULES_TERM_H
#define TOCSIN_ALERTS_RULES_TERM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RULE_TERMS_MAX = 16 };

/* It holds when above ? key >= enter : key < enter, and is clear again when above ? key <
 * clear : key >= clear. Never both: clear is at or below enter (above), at or above it
 * (below). */
struct term {
    int64_t enter, clear; /* keys: key.h */
    uint32_t series;
    bool above;
};

enum truth {
    TRUTH_UNKNOWN, /* the series has no usable value */
    TRUTH_CLEAR,
    TRUTH_BETWEEN,
    TRUTH_HOLDS,
    TRUTH_COUNT
};

/* Of a series that stands at `key`; never unknown. */
static inline enum truth term_truth(const struct term *t, int64_t key)
{
    if (t->above ? key >= t->enter : key < t->enter) return TRUTH_HOLDS;
    return (t->above ? key < t->clear : key >= t->clear) ? TRUTH_CLEAR : TRUTH_BETWEEN;
}

/* Of a rule with counts[TRUTH_HOLDS] terms that hold, and so on; `need` of them make it true,
 * 0: all. */
enum truth terms_truth(const uint32_t counts[TRUTH_COUNT], uint32_t need);
#endif
