/* divisor.c - see divisor.h. X is worth 70,000.00 at a level of 1000, a divisor of 70; A, 300
 * shares at 100, pays a special 20:
 *
 *     value     70,000 - 6,000 = 64,000
 *     level     1000, as before
 *     divisor   64,000 / 1000 = 64: { special_dividend, A, before 70, after 64 }
 *
 * Then a trade of B moves the value and leaves no row; and when A issues 30 shares at 80, the
 * value is 66,400 and the divisor 66.4. */
#include "analytics/divisor.h"

#include "core/vec.h"

#include <math.h>
#include <string.h>

NAMES(divisor_reason, DIVISOR_REASONS);

double divisor_of(double level_ref, i128 total_ref)
{
    return level_ref > 0 && total_ref > 0 ? (double)total_ref / 100 / level_ref : (double)NAN;
}

void divisor_because_usual(struct divisor_log *log)
{
    log->cause = (struct divisor_cause){ DIVISOR_MEMBERSHIP, NO_DAY };
}

void divisor_because(struct divisor_log *log, enum divisor_reason reason, int32_t day)
{
    log->cause = (struct divisor_cause){ reason, day };
}

void divisor_begin(struct divisor_log *log)
{
    log->n = 0;
    divisor_because_usual(log);
}

/* The last change of that index by this record, when it is of the same cause. */
static struct divisor_change *goes_on(struct divisor_log *log, const struct divisor_change *c)
{
    for (size_t i = log->n; i-- > 0;) {
        struct divisor_change *x = &log->of[i];
        if (x->universe != c->universe) continue;
        return x->instrument == c->instrument && x->cause.reason == c->cause.reason
                       && x->cause.day == c->cause.day
                   ? x
                   : NULL;
    }
    return NULL;
}

void divisor_note(struct divisor_log *log, uint32_t universe, uint32_t instrument,
                  enum divisor_reason reason, double before, double after)
{
    const struct divisor_change c = { .universe = universe,
                                      .instrument = instrument,
                                      .cause = { reason, log->cause.day },
                                      .before = before,
                                      .after = after };
    struct divisor_change *same = goes_on(log, &c);
    if (same) same->after = after;
    else if (VEC_GROW(&log->of, &log->cap, log->n + 1)) log->of[log->n++] = c;
    else log->failed = true;
}

/* A level that is measured otherwise may be of the same divisor, and of one that has none both
 * are NaN. */
static bool stays(const struct divisor_change *c)
{
    return c->before == c->after || (isnan(c->before) && isnan(c->after));
}

void divisor_settle(struct divisor_log *log)
{
    size_t n = 0;
    for (size_t i = 0; i < log->n; i++) {
        if (stays(&log->of[i])) continue;
        log->of[n] = log->of[i];
        log->of[n++].no = ++log->made;
    }
    log->n = n;
}
