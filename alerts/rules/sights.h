/* sights.h - which tenant sees which series: those that its own live rules are about, counted.
 *
 *     tenant 0 makes a rule on series 4     0/4: 1     begins to see it
 *     and another                           0/4: 2
 *     tenant 1 makes one                    1/4: 1     begins to see it too
 *     tenant 0 deletes both                 0/4: 0     sees it no more; tenant 1 still does
 *
 * A pair once seen is remembered with 0, as a rule's id is. Follows from the rules, so it is
 * not saved. O(1) a change. */
#ifndef TOCSIN_ALERTS_RULES_SIGHTS_H
#define TOCSIN_ALERTS_RULES_SIGHTS_H
#include "core/map.h"

struct sight {
    uint32_t tenant, series; /* tenant: the owner's number for it */
    uint32_t terms;          /* of its live rules, enabled or not */
};

struct sights { /* all zero: nobody sees anything */
    struct sight *all;
    size_t n, cap;
    struct map by_pair;
};

/* The pair is there from now on, so that sights_change cannot fail. false: out of memory. */
bool sights_reserve(struct sights *s, uint32_t tenant, uint32_t series);
/* So many terms more or less of a reserved pair: +1 when it begins to be seen, -1 when it no
 * longer is, else 0. */
int sights_change(struct sights *s, uint32_t tenant, uint32_t series, int by);
bool sights_has(const struct sights *s, uint32_t tenant, uint32_t series);
void sights_release(struct sights *s);
#endif
