/* exposure.h - how exposed an issuer is to AI, as dated facts: the newest that has taken effect
 * counts (metrics.md 6). */
#ifndef TOCSIN_ANALYTICS_EXPOSURE_H
#define TOCSIN_ANALYTICS_EXPOSURE_H
#include "analytics/market.h"

MUST_USE enum err exposure_add(struct market *m, const struct record *r);
/* 0..1 as of the market's time; 0 when nothing is known. */
double exposure_now(const struct market *m, const struct issuer *i);
#endif
