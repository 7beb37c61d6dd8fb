/* past.h - levels of ended sessions as they would have been, had a split, a payment or an
 * end been known in time. Levels of now go on from them.
 * Thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_PAST_H
#define TOCSIN_ANALYTICS_PAST_H
#include "analytics/universe.h"

struct split {
    int64_t to, from;
    int32_t day; /* from the open of that session on */
    /* The price that stands is of an earlier session: it is divided too, to carried_e8. Else 0: it came divided. */
    int64_t carried_e8;
    int64_t close_before_e8; /* of the session before, as it came; 0: none is known */
    int64_t shares;          /* the line's afterwards; where `jumped`, those it has */
    bool jumped;             /* a record has said them before: the level was chained over it */
};

/* The line's shares, price and equal weights change; the levels stay, or come right where its
 * price came divided. */
void past_split(struct universe_store *s, struct universe *u, uint32_t line, const struct split *x);

/* A share was paid so much at the open of x->day, which made from of to of its price; `shares`
 * is not looked at. Levels stay, or come right where its price came without it. */
void past_pay(struct universe_store *s, struct universe *u, uint32_t line, const struct split *x,
              int64_t amount_e8);
/* The same of a dividend that price returns do fall by: total return has it from now on, put
 * back in at that session's close. */
void past_reinvest(const struct universe_store *s, struct universe *u, uint32_t line, int32_t day,
                   int64_t amount_e8);
/* A name's end at the open of that session, where a share was worth price_e8: the line is no
 * member, and the levels since are as if it had gone then, where the session before is kept and
 * it counted in that; else it goes now, at that price. In equal weights by issuer a line whose
 * company has another one goes now too, and leaves that its weight. */
void past_leave(struct universe_store *s, struct universe *u, uint32_t line, int32_t day,
                int64_t price_e8);

/* ---- of kept sessions ---- */
struct level_day *past_level(const struct universe *u, size_t i); /* number i of u->refs */
/* The number of the first of that day or later; u->refs_n: none is. */
size_t past_first(const struct universe *u, int32_t day);
#endif
