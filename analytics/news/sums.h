/* sums.h - an issuer's three sums, each fading with time: see news.c, whose example they are of.
 * Twice in each issuer: as they are, and as they are without the articles that may still be
 * revised (articles.h). Pure. */
#ifndef TOCSIN_ANALYTICS_SUMS_H
#define TOCSIN_ANALYTICS_SUMS_H
#include "analytics/market.h"

/* With an article more: a is its relevance. */
struct news_sums news_sums_add(struct news_sums s, double score, double relevance, int64_t at_ns);
/* Of two companies that have become one. */
struct news_sums news_sums_join(struct news_sums a, struct news_sums b);
#endif
