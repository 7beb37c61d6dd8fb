/* articles.h - which articles are known by their ids, and what each has put into its issuers' sums.
 *
 * An id is its article's for ARTICLE_WINDOW_NS after the article's own time. What comes with one
 * that is known:
 *
 *     the same text                  a redelivery: nothing
 *     another one, not older         a revision: the former's effect leaves the sums, its own enters, with its own time
 *     one with an earlier ts         a version that came late: nothing, the newer one stands
 *     a retraction, not older        the effect leaves; the id comes back only with a later ts
 *
 *                                              sum(a*s)  sum(a)
 *     09:00  n-1 "IBM profit surges" s = +0.6     0.6      1
 *     09:05  n-1 the same again                   0.6      1
 *     09:10  n-1 "IBM profit plunges" s = -0.5   -0.5      1      0.6 has never been there
 *     09:20  n-1 retracted                        0        0      no news
 *
 * The sums are made by adding effects in the order in which they came; one that leaves is left
 * out when they are made anew, so they are to the bit what they were had it never come. After
 * the window an article weighs 2^-14 of a new one: its effect stays in the sums for good,
 * fading, and its id is forgotten. An article that is older than the window when it comes is
 * scored and moves nothing, so that a feed read again from its beginning counts nothing twice.
 * At most ARTICLES_MAX ids are kept; past that the oldest is forgotten sooner. Thread: the
 * engine's. */
#ifndef TOCSIN_ANALYTICS_ARTICLES_H
#define TOCSIN_ANALYTICS_ARTICLES_H
#include "analytics/market.h"

/* What an article would be. The id is then to be kept by articles_keep when it is new or revised. */
enum article_change articles_look(struct market *m, const struct record *r);
/* ERR_NOMEM. After it articles_add puts effects to this article. */
MUST_USE enum err articles_keep(struct market *m, const struct record *r);
MUST_USE enum err articles_add(struct market *m, uint32_t issuer, double score, double relevance,
                               int64_t event_ns);
/* ERR_NOMEM. */
MUST_USE enum err articles_retract(struct market *m, const struct record *r,
                                   enum article_change *out);

/* What has been said of `from` was said of `to`, as if they had been one company when it came:
 * an article that is tagged with both counts once, by the first of its tags. What is in the sums
 * for good is added up. */
void articles_merge_companies(struct market *m, uint32_t from, uint32_t to);

/* After loading: false when the arrays do not fit each other, or out of memory. */
bool articles_restore(struct market *m);
void articles_release(struct articles *a);
#endif
