/* holdings.h - news sentiment by issuer, dated AI exposure, books; and the measures that weigh them (metrics.md 5, 6). */
#ifndef TOCSIN_ANALYTICS_HOLDINGS_H
#define TOCSIN_ANALYTICS_HOLDINGS_H
#include "analytics/state.h"

void holdings_article(struct engine *e,
                      const struct record *r); /* scores it into e->out and the issuers' sums */
MUST_USE enum err holdings_exposure(struct engine *e, uint32_t issuer, const struct record *r);
MUST_USE enum err holdings_position(struct engine *e, uint32_t instrument, const struct record *r);
MUST_USE enum err holdings_book(struct engine *e, struct uuid tenant, const char *name,
                                uint32_t *out); /* finds or adds */
struct reading holdings_reading(const struct engine *e, const struct series *s);

double issuer_sentiment(const struct issuer *i); /* 0 when there is no news */
double issuer_effective_count(const struct issuer *i);
#endif
