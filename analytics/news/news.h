/* news.h - what an article does: it is scored, and moves the sentiment of the issuers it names.
 *
 * By which rules follows from what records mean (enum meaning), so that what older programs
 * stored replays to what they said:
 *
 *     MEANING_FIRST    the first edition of the scorer reads the text as it came, HTML's &#39; and all
 *     MEANING_SECOND   the second one, with the text decoded first (core/entity.h); ids are known (articles.h), and an article counts
 *         once an issuer, however many of its lines are tagged
 *
 * The record keeps the text as it came: decoding what has been decoded would not give the same,
 * and a replay reads what is stored. What is decoded is said in the score's row. */
#ifndef TOCSIN_ANALYTICS_NEWS_H
#define TOCSIN_ANALYTICS_NEWS_H
#include "analytics/market.h"
#include "analytics/news/sentiment.h"

/* What the scorer said of an article; tickers in the order of its tags. */
struct article_reading {
    enum article_change
        change; /* nothing below is set for a redelivery, a superseded version, or a retraction */
    const struct scorer *scorer;
    struct str
        headline; /* as the scorer read it; lives as long as the record and until the next article */
    struct sentiment whole;
    uint32_t tickers_n;
    struct {
        struct symbol symbol;
        struct sentiment_ticker reading;
    } tickers[ARTICLE_SYMBOLS_MAX];
};

/* Scores it into *out and into its issuers' sums. ERR_NOMEM. */
MUST_USE enum err news_article(struct market *m, const struct record *r,
                               struct article_reading *out);

/* Takes an article back; only out->change is set. ERR_NOMEM. */
MUST_USE enum err news_retraction(struct market *m, const struct record *r,
                                  struct article_reading *out);

/* -1..1, 0 when there is no news. */
double news_sentiment(const struct issuer *i);
/* How many articles' worth of weight stands behind it. */
double news_effective_count(const struct issuer *i);
#endif
