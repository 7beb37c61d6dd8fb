/* rule_warning.h - what is said with the answer to a rule that was made, since it is perhaps not what was meant.
 *
 *     top_weight(SP500) has been from 30.1 to 39.8 since 2018-02-05, and the rule says > 0.37
 *
 *         outside_history: always > 0.37 so far; did you mean 37?
 *
 * The bound is within the measure's range, else the rule were refused (rule_draft_reachable), but outside all that it has ever
 * been: as often as readings are stored, since it was first asked for. That is no fault, an alert on a new high wants it so.
 * 37 is named where the number, taken for a fraction or for per cent, comes to where the measure is. Pure; thread: any. */
#ifndef TOCSIN_APP_RULE_WARNING_H
#define TOCSIN_APP_RULE_WARNING_H
#include "app/rule_draft.h"
#include "core/buf.h"

/* All the values that a measure has had. */
struct rule_past {
    uint64_t seen_n; /* how many; below 2 they are no history */
    double low, high;
    int64_t since_ns; /* of the first */
};

enum { RULE_WARNING_MAX = 400 };
struct rule_warning {
    const char *code; /* NULL: there is none */
    bool always;      /* it has held at all of them; else at none */
    char detail[RULE_WARNING_MAX];
};

struct rule_warning rule_warn(const struct rule_draft *draft, const struct rule_past *past);
/* An array of objects, with that one in it or none: [{"code":"outside_history","detail":"..."}]. */
void rule_warning_put(const struct rule_warning *w, struct buf *out);
#endif
