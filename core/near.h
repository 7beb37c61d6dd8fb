/* near.h - was perhaps another name meant? "hii" is one slip away from hhi, "windw" from window.
 *
 * A slip is a letter too many, too few, another one, or two exchanged; capitals do not count. Up to five letters may have one
 * slip, longer words two: further away everything short is near everything short. Pure; thread: any. */
#ifndef TOCSIN_CORE_NEAR_H
#define TOCSIN_CORE_NEAR_H
#include "core/str.h"

enum { NEAR_MAX = 2, NEAR_NOT = NEAR_MAX + 1 };

/* How many slips lie between them: 0 to NEAR_MAX, or NEAR_NOT. */
int near_slips(struct str word, const char *name);

/* The nearest of names so far, `NULL` before the first that is near; of several the first. */
struct near {
    struct str word;
    const char *best;
    int slips; /* of best; begin with NEAR_NOT */
};
static inline void near_try(struct near *n, const char *name)
{
    const int slips = near_slips(n->word, name);
    if (slips >= n->slips) return;
    n->slips = slips;
    n->best = name;
}
#endif
