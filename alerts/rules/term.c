#include "alerts/rules/term.h"

#include <stdbool.h>

/* What is unknown leaves it open only where it could turn the count: of { holds, holds,
 * unknown } two hold in any case, and of { between, between, unknown } two can neither hold
 * nor be clear. */
enum truth terms_truth(const uint32_t counts[TRUTH_COUNT], uint32_t need)
{
    const uint32_t unknown = counts[TRUTH_UNKNOWN], hold = counts[TRUTH_HOLDS],
                   clear = counts[TRUTH_CLEAR],
                   all = unknown + clear + counts[TRUTH_BETWEEN] + hold;
    if (need == 0) need = all;
    if (hold >= need) return TRUTH_HOLDS;
    if (clear > all - need) return TRUTH_CLEAR;
    const bool open = hold + unknown >= need || clear + unknown > all - need;
    return open ? TRUTH_UNKNOWN : TRUTH_BETWEEN;
}
