/* issuers.h - records that say whose an instrument is: companies that get another key, merge, or
 * give a line to another.
 *
 *     issuer_rename  FACEBOOK to META, a new key     the same company: all that is its own goes on under that key
 *     issuer_rename  TWITTER to X CORP, one in use   they are one: its instruments, articles and lines are X CORP's
 *     instrument     GOOG of another issuer          a member of an index stays one, as a line of that company
 *
 * No level and no divisor moves by any of it; what is counted by company (HHI, top weights,
 * names) is from then on what it would be had they been one always. A key that was given up
 * means its company for ever, in whatever record. A refusal leaves the market as it was, and
 * says what a sender needs to mend. */
#ifndef TOCSIN_ANALYTICS_ISSUERS_H
#define TOCSIN_ANALYTICS_ISSUERS_H
#include "analytics/market.h"
#include "analytics/news/sentiment.h"

/* *out: the company that is meant by both keys now. Refused are a company that nobody has spoken
 * of, a key that was given up, the same one, one that goes back to where it was on the same day,
 * and a day more than one after the record's. ERR_NOMEM: give up the process. */
MUST_USE enum err issuers_rename(struct market *m, const struct record *r, uint32_t *out,
                                 struct why *why);
/* The instrument is that company's, and with it each line that it has in an index now.
 * ERR_NOMEM: as above. */
MUST_USE enum err issuers_give(struct market *m, uint32_t instrument, uint32_t issuer);
/* What the company was called before, by which news may still call it: the newest names first.
 * Returns how many. */
uint32_t issuers_former_names(const struct market *m, uint32_t issuer,
                              struct str out[FORMER_NAMES_MAX]);
/* After loading: false when out of memory. */
bool issuers_restore(struct market *m);
#endif
