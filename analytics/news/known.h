/* known.h - what is remembered of articles: plain data of the market, which articles.c alone
 * changes; articles.h says how. */
#ifndef TOCSIN_ANALYTICS_KNOWN_H
#define TOCSIN_ANALYTICS_KNOWN_H
#include "core/map.h"
#include "core/names.h"

#include <stdint.h>

#define ARTICLE_WINDOW_NS (14 * 86400 * INT64_C(1000000000)) /* 14 half-lives */
enum { ARTICLES_MAX = 1 << 18, ARTICLE_EFFECTS_MAX = 1 << 19 };

/* What a record with an article's id was. */
#define ARTICLE_CHANGES(X)                                                                         \
    X(ARTICLE_NEW, "new")                                                                          \
    X(ARTICLE_REDELIVERED, "redelivered")                                                          \
    X(ARTICLE_REVISED, "revised")                                                                  \
    X(ARTICLE_SUPERSEDED,                                                                          \
      "superseded") /* a version older than the one that stands, or taken away */                  \
    X(ARTICLE_RETRACTED, "retracted")                                                              \
    X(ARTICLE_UNKNOWN, "unknown") /* a retraction of an id that is not known (yet) */              \
    X(ARTICLE_TOO_OLD, "too_old")
enum article_change { ARTICLE_CHANGES(NAMES_VALUE) };
extern const struct names article_change_names;

struct known_article {
    uint8_t id[16], content[16]; /* digests: ids and texts may be long */
    int64_t event_ns;            /* of the version that stands, or of the retraction */
    uint64_t first_effect;       /* by number, counted from the first ever */
    uint32_t effects_n;
    bool retracted;
};

struct article_effect {
    uint32_t issuer;
    bool gone;
    double score, relevance;
    int64_t event_ns;
};

/* Part of the market. Both arrays are in the order of arrival; what is before `head` is forgotten. */
struct articles {
    struct known_article *known;
    size_t known_n, known_cap, known_head;
    struct article_effect *effects;
    size_t effects_n, effects_cap, effects_head;
    uint64_t effects_before; /* number of effects[0] */
    uint32_t last;           /* the article in hand, between articles_keep and articles_add */
    struct map by_id;
};
#endif
