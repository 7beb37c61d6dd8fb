/* books.h - a tenant's book: a universe whose lines hold signed quantities. */
#ifndef TOCSIN_ANALYTICS_BOOKS_H
#define TOCSIN_ANALYTICS_BOOKS_H
#include "analytics/market.h"

/* Finds or adds; ERR_NOMEM. `name` without "book:". */
MUST_USE enum err books_find(struct market *m, struct uuid owner, struct str name, uint32_t *out);
/* The number of that tenant's book, NONE when it has none of that name. */
uint32_t books_number(const struct market *m, struct uuid owner, struct str name);
MUST_USE enum err books_position(struct market *m, const struct record *r, struct why *why);
#endif
