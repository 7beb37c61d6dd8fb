/* save.h - the market as parts of a saved state (core/state.h), and back. */
#ifndef TOCSIN_ANALYTICS_SAVE_H
#define TOCSIN_ANALYTICS_SAVE_H
#include "analytics/market.h"
#include "core/state.h"

void market_save(const struct market *m, struct state_writer *w);
/* The same without the series that are not live; the others are numbered anew, in their order. */
void market_save_live(const struct market *m, struct state_writer *w);
/* To be cut into pages; is part of an image that another ends. Closes that are as they were in
 * the image before are left out of it. */
void market_image(struct market *m, struct state_image *out);
/* Is what the market was loaded from the image before the next one? Else that holds everything. */
void market_image_known(struct market *m, bool known);
/* Into an empty one, which is to be released also after a failure. ERR_INVALID with the reason;
 * *used: bytes of the state. */
MUST_USE enum err market_load(const void *p, size_t n, struct market *m, size_t *used,
                              struct why *why);
#endif
