/* news.h - what an article does: it is scored, and moves the sentiment of the issuers it names. */
#ifndef TOCSIN_ANALYTICS_NEWS_H
#define TOCSIN_ANALYTICS_NEWS_H
#include "analytics/market.h"
#include "analytics/news/sentiment.h"

/* What the scorer said of an article; tickers in the order of its tags. */
struct article_reading {
    struct sentiment whole;
    uint32_t tickers_n;
    struct {
        struct symbol symbol;
        struct sentiment_ticker reading;
    } tickers[ARTICLE_SYMBOLS_MAX];
};

/* Scores it into *out and into its issuers' sums. */
void news_article(struct market *m, const struct record *r, struct article_reading *out);

/* -1..1, 0 when there is no news. */
double news_sentiment(const struct issuer *i);
/* How many articles' worth of weight stands behind it. */
double news_effective_count(const struct issuer *i);
#endif
