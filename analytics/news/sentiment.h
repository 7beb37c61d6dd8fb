/* sentiment.h - what a piece of market news says, and about whom. Pure: no clock, no heap, no
 * locale, no floating-point order that depends on anything but the text. Thread: any; tables are
 * built before main and never change.
 *
 * A scorer is one const struct at the end of a file of scorers/, and one row of scorers.def; the
 * first row is the one in use. Today: a lexicon (scorers/lexicon.c leads through it).
 * Words of tone count as they stand; words of movement ("rose", "cut", "narrowed") take their sign
 * from the thing that moves, so "profit rose" and "loss narrowed" are good and "costs rose" is bad.
 * Negation, emphasis, "but" and "A compared with B" figures are read. Time is linear in the
 * text. */
#ifndef TOCSIN_ANALYTICS_SENTIMENT_H
#define TOCSIN_ANALYTICS_SENTIMENT_H
#include "core/names.h"
#include "ingest/record.h"

#define SENTIMENT_LABELS(X)                                                                        \
    X(SENTIMENT_NEUTRAL, "neutral")                                                                \
    X(SENTIMENT_POSITIVE, "positive")                                                              \
    X(SENTIMENT_NEGATIVE, "negative")                                                              \
    X(SENTIMENT_MIXED, "mixed")
enum sentiment_label { SENTIMENT_LABELS(NAMES_VALUE) };
extern const struct names sentiment_label_names;

struct sentiment {
    double positive, neutral, negative; /* masses; they sum to 1 */
    double score;                       /* positive - negative, in [-1, 1] */
    enum sentiment_label label;
};

enum { FORMER_NAMES_MAX = 2 };

/* A ticker to look for. `symbol` matches in upper case only, and with one or two letters only as
 * $F, (F) or NYSE: F. Names match as whole capitalised words, without legal endings ("Apple Inc."
 * is found as "Apple"); both may be empty.
 * Targets of the same company that is not 0 are lines of one: what mentions one mentions all. */
struct sentiment_target {
    struct str symbol, issuer, instrument;
    struct str former[FORMER_NAMES_MAX]; /* the issuer's, by which it may still be called */
    uint32_t former_n, company;
};

struct sentiment_ticker {
    struct sentiment tone; /* from the words around its own mentions; neutral without any */
    double relevance;      /* (0, 1]; 0 when the text does not mention it, whatever the tags say */
    uint32_t mentions;
};

/* The label rule alone: mixed when both masses are >= 0.20 and |score| < 0.35, else the sign when
 * |score| >= 0.15. */
enum sentiment_label sentiment_label_of(double positive, double negative);
/* "positive", "negative", "neutral", "mixed" */
const char *sentiment_label_name(enum sentiment_label l);
/* Five bands at +-0.15 and +-0.35: "bearish" .. "neutral" .. "somewhat_bullish", "bullish". */
const char *sentiment_band_name(double score);

struct scorer {
    const char *name;
    int version; /* stored beside each score. A score never changes but by another version: the one
                  * that was stays, as a row of its own, to replay what it said */
    /* The whole article into *whole unless NULL, tickers[i] for targets[i]; n of them, at most
     * ARTICLE_SYMBOLS_MAX. Every company the article is tagged with in one call: what is said of
     * one is kept away from the others. An empty body means the headline alone. Any bytes are
     * safe; UTF-8 is read as such. */
    void (*read)(struct str headline, struct str body, const struct sentiment_target *targets,
                 size_t n, struct sentiment *whole, struct sentiment_ticker *tickers);
};
const struct scorer *scorer_in_use(void);
/* NULL when there is none. */
const struct scorer *scorer_find(const char *name, int version);

/* Tickers without targets may be NULL. */
static inline void sentiment_read(const struct scorer *by, struct str headline, struct str body,
                                  const struct sentiment_target *targets, size_t n,
                                  struct sentiment *whole, struct sentiment_ticker *tickers)
{
    by->read(headline, body, targets, n, whole, tickers);
}

/* Both of the scorer in use. */
void sentiment_score(struct str headline, struct str body, struct sentiment *out);
void sentiment_score_targets(struct str headline, struct str body,
                             const struct sentiment_target *targets, size_t n,
                             struct sentiment_ticker *out);
#endif
