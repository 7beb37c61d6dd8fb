/* actions.h - corporate actions: what they do to share counts, prices and levels, and when. A
 * split of 4 for 1, effective on Monday, of A with 100 shares at 400:
 *
 *   said on Friday      it waits: nothing moves
 *   Monday opens        with the first price of anyone: 400 shares, carried price 100, closes of before count a quarter for
 *                       returns (as stored they stay). Level, weights, HHI stay
 *   said on Monday      the session has begun: at once. Where A has a price of Monday already, that one is divided already:
 *                       the shares alone change, and levels that had fallen by three quarters of A come right
 *   said in June        likewise; the levels of ended sessions are as if it had been known (past.h), as windows see them from
 *                       now on. What was said stays
 *
 * The count that a `shares` record says and the split that makes it are one change, in whatever
 * order they come:
 *
 *   split, shares 400   the count stands already
 *   shares 400 before   the open, with the split known: it waits with it
 *   shares 400, split   with no split known, 400 is an issue of 300 and the level is chained: the split then takes that back
 *
 * Thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_ACTIONS_H
#define TOCSIN_ANALYTICS_ACTIONS_H
#include "analytics/market.h"

/* ERR_UNKNOWN_SYMBOL; ERR_INVALID: it is known already, or shares and price do not fit. */
MUST_USE enum err actions_split(struct market *m, const struct record *r, struct why *why);
/* The price has moved by the inverse of a count: a split of `to` for `from` shares that nobody
 * has said takes effect at the open of that session; when it is said after all, nothing more
 * happens. False: it does not fit, or another one of that day is known. */
MUST_USE bool actions_presume(struct market *m, struct instrument *x, int64_t to, int64_t from,
                              int32_t day);
/* ERR_INVALID too: it pays more than a share is worth. */
MUST_USE enum err actions_dividend(struct market *m, const struct record *r, struct why *why);
MUST_USE enum err actions_spin_off(struct market *m, const struct record *r, struct why *why);
MUST_USE enum err actions_delisting(struct market *m, const struct record *r, struct why *why);
/* A price has come to stand that may be the first of a child: while m->awaited_n. */
void actions_children(struct market *m);
/* A count that takes effect with a session that has not begun, of itself or with a split: it is
 * kept and *waits. */
MUST_USE enum err actions_shares(struct market *m, struct instrument *x, const struct record *r,
                                 bool *waits);
/* Does a split that is known, waiting or not, make the one count of the other, up to a per cent? */
bool actions_split_explains(const struct market *m, const struct instrument *x, int64_t was,
                            int64_t is);
/* A rename, which is an action as people and lists see it. */
void actions_say_rename(struct market *m, uint32_t instrument, int32_t day);
/* A session of the venue begins: what waits for it or an earlier one takes effect. */
void actions_open(struct market *m, uint32_t venue, int32_t day);
/* A price of that session comes, before its open: the same of this instrument. */
void actions_due(struct market *m, struct instrument *x, int32_t day);

/* to/from shares stand for one, by what takes effect after session `after` and until session
 * `until`. */
struct basis {
    i128 to, from;
};
struct basis actions_between(const struct market *m, const struct instrument *x, int32_t after,
                             int32_t until);
/* A price of that session per share of now, rounded to 1e-8; the second keeps it as it came, for
 * it comes to stand. */
int64_t actions_per_share(const struct market *m, const struct instrument *x, int64_t price_e8,
                          int32_t day);
int64_t actions_carry(const struct market *m, struct instrument *x, int64_t price_e8, int32_t day);
/* For save.c: what follows from the actions. */
void actions_restore(struct market *m);
#endif
