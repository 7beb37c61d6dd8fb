/* exposure.c - what is known of an issuer's exposure, by when it was said and from when it holds:
 *
 *     said 1 Feb    0.4 from 1 January
 *     said 10 Feb   0.6 from 1 March
 *     said 12 Feb   0.5 from 15 January, a correction
 *
 * On 20 February 0.5 holds: the latest start that has come. From 1 March on it is 0.6, without
 * another record. Of two with the same start the one said last holds. A replay of 11 February sees
 * 0.4. */
#include "analytics/facts/exposure.h"

#include "core/vec.h"
#include "core/when.h"

enum err exposure_add(struct market *m, const struct record *r)
{
    uint32_t issuer;
    enum err e = market_issuer(m, r->u.exposure.issuer, &issuer);
    if (e || !str_is(r->u.exposure.theme, "AI"))
        return e; /* stored; other themes have no measure yet */
    if (!VEC_GROW(&m->exposures, &m->exposures_cap, m->exposures_n + 1)) return ERR_NOMEM;
    m->exposures[m->exposures_n] = (struct exposure){ .effective_day = r->u.exposure.effective_day,
                                                      .next = m->issuers[issuer].first_exposure,
                                                      .value_e8 = r->u.exposure.value_e8 };
    m->issuers[issuer].first_exposure = (uint32_t)m->exposures_n++;
    return ERR_OK;
}

double exposure_now(const struct market *m, const struct issuer *i)
{
    int32_t today = day_of_ns(m->now_ns);
    const struct exposure *best = NULL;
    for (uint32_t k = i->first_exposure; k != NONE;
         k = m->exposures[k].next) { /* newest knowledge first */
        const struct exposure *x = &m->exposures[k];
        if (x->effective_day <= today && (!best || x->effective_day > best->effective_day))
            best = x;
    }
    return best ? (double)best->value_e8 / 1e8 : 0;
}
