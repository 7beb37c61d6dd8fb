/* index_reading.h - what all measures of an index have in common: when there is a value at all. */
#ifndef TOCSIN_ANALYTICS_MEASURES_INDEX_READING_H
#define TOCSIN_ANALYTICS_MEASURES_INDEX_READING_H
#include "analytics/coverage.h"
#include "analytics/series.h"

#include <math.h>

/* Members with 94 % of the weight priced and a gate of 0.95: coverage 0.94, low_coverage, no
 * value; at 95 % there is one. No member priced: no data. Under the coverage gate: low coverage;
 * a member of whose weight nothing is known: unknown coverage. Of measures of levels, no level
 * begun: no session end. Else OK, and the value is still to be set; then reading_finish. */
static inline bool index_has_value(const struct market *m, const struct universe *u, bool of_levels,
                                   struct reading *r)
{
    *r = (struct reading){
        .value = NAN, .coverage = coverage_of(m, u), .event_ns = u->last_ns, .status = READING_OK
    };
    const bool unbegun = of_levels && !u->based, told = m->settings.meaning >= MEANING_SECOND;
    if (u->valued_n == 0 || u->total == 0 || (unbegun && !told)) {
        r->status = READING_NO_DATA;
        return false;
    }
    if (!coverage_suffices(m, r->coverage)) {
        r->status = isnan(r->coverage) ? READING_UNKNOWN_COVERAGE : READING_LOW_COVERAGE;
        reading_finish(m, u->venue, r);
        return false;
    }
    if (unbegun) {
        r->status = READING_NO_SESSION_END;
        reading_finish(m, u->venue, r);
        return false;
    }
    return true;
}

/* The parameter `by`. */
#define BY_PARAM                                                                                   \
    { .name = "by",                                                                                \
      .help = "a company counts once, or each of its lines does",                                  \
      .type = PARAM_CHOICE,                                                                        \
      .choices = by_names,                                                                         \
      .missing = BY_ISSUER }

/* How many count. */
static inline int64_t index_names(const struct universe *u, enum by by)
{
    return by == BY_LINE ? u->valued_n : u->issuers_n;
}

static inline const struct aggregate_kind *index_order_kind(enum by by)
{
    return by == BY_LINE ? &aggregate_order_by_line : &aggregate_order;
}

/* In cents, of the i-th largest. */
static inline int64_t index_order_value(const struct market *m, const struct order *o, enum by by,
                                        int64_t i)
{
    return by == BY_LINE ? m->store.lines[o->who[i]].value : m->store.slots[o->who[i]].value;
}

static inline void index_inputs(const struct market *m, const struct universe *u,
                                struct json_writer *w)
{
    json_put_real(w, "names", u->issuers_n);
    json_put_real(w, "coverage", coverage_of(m, u));
}
#endif
