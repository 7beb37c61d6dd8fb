/* sums.h - an issuer's three sums, each fading with time: see news.c, whose example they are of. Twice in each issuer: as they
 * are, and as they are without the articles that may still be revised (articles.h). Pure. */
#ifndef TOCSIN_ANALYTICS_SUMS_H
#define TOCSIN_ANALYTICS_SUMS_H
#include "analytics/market.h"

struct news_sums {
    int64_t ns;                         /* as of when */
    double sum, weight, weight_squared; /* of a*s, a, a^2 */
};

/* With an article more: a is its relevance. */
struct news_sums news_sums_add(struct news_sums s, double score, double relevance, int64_t at_ns);

static inline struct news_sums news_sums_of(const struct issuer *i)
{
    return (struct news_sums){ i->news_ns, i->sum, i->weight, i->weight_squared };
}
static inline void news_sums_put(struct issuer *i, struct news_sums s)
{
    i->news_ns = s.ns;
    i->sum = s.sum;
    i->weight = s.weight;
    i->weight_squared = s.weight_squared;
}
static inline struct news_sums news_sums_base(const struct issuer *i)
{
    return (struct news_sums){ i->base_ns, i->base_sum, i->base_weight, i->base_weight_squared };
}
static inline void news_sums_put_base(struct issuer *i, struct news_sums s)
{
    i->base_ns = s.ns;
    i->base_sum = s.sum;
    i->base_weight = s.weight;
    i->base_weight_squared = s.weight_squared;
}
#endif
