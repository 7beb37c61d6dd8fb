/* save.h - the market as parts of a saved state (core/state.h), and back. */
#ifndef TOCSIN_ANALYTICS_SAVE_H
#define TOCSIN_ANALYTICS_SAVE_H
#include "analytics/market.h"
#include "core/state.h"

void market_save(const struct market *m, struct state_writer *w);
/* The same without the series that are not live; the others are numbered anew, in their order. */
void market_save_live(const struct market *m, struct state_writer *w);
/* Into an empty one, which is to be released also after a failure. ERR_INVALID with the reason; *used: bytes of the state. */
MUST_USE enum err market_load(const void *p, size_t n, struct market *m, size_t *used,
                              struct why *why);
#endif
