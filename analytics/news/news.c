/* news.c - an issuer's sentiment S from its articles' scores s, each weighing a: its relevance,
 * halved with each day that has passed. Three sums are kept, each fading with time:
 *
 *     S = sum(a*s) / sum(a) * n / (n + 1)      n = sum(a)^2 / sum(a^2), how many they are worth
 *
 *                                         sum(a*s)  sum(a)  sum(a^2)  n     S
 *     Monday 09:00, a = 1, s = +0.6       0.6       1       1         1     0.6 * 1/2 = 0.3
 *     Tuesday 09:00, nothing new          0.3       0.5     0.25      1     0.3 still
 *     and now a = 1, s = -0.2             0.1       1.5     1.25      1.8   0.0667 * 1.8/2.8 = 0.04
 *
 * Age weighs one article against another and does not fade to 0 by itself; few articles do not say
 * much, so one alone counts half. The sums are as of the newest article; an older one that comes
 * late enters already faded, and comes to the same. */
#include "analytics/news/news.h"

#include "analytics/issuers.h"
#include "analytics/news/articles.h"
#include "analytics/news/sums.h"
#include "core/entity.h"

#include <assert.h>
static const double SHRINK = 1; /* S counts by n / (n + SHRINK) */

double news_effective_count(const struct issuer *i)
{
    return i->news.weight_squared > 0 ? i->news.weight * i->news.weight / i->news.weight_squared
                                      : 0;
}

double news_sentiment(const struct issuer *i)
{
    double n = news_effective_count(i);
    return i->news.weight > 0 ? i->news.sum / i->news.weight * (n / (n + SHRINK)) : 0;
}

/* What to look for: a tag whose instrument is not known (yet) is found by its symbol alone. */
static struct sentiment_target target_of(const struct market *m, const struct symbol *s,
                                         uint32_t known)
{
    struct sentiment_target t = { .symbol = str_of(s->s) };
    if (known == NONE) return t;
    t.company = m->instruments[known].issuer + 1;
    t.issuer = str_of(m->issuers[m->instruments[known].issuer].name);
    t.instrument = str_of(m->instruments[known].name);
    t.former_n = issuers_former_names(m, m->instruments[known].issuer, t.former);
    return t;
}

static bool is_first(const struct market *m) { return m->settings.meaning < MEANING_SECOND; }

static struct str decoded(struct market *m, struct str text, int which)
{
    return entities_decode(text, &m->news_text[which]);
}

/* Reads it for each of its tags. ERR_NOMEM. */
static enum err score(struct market *m, const struct record *r, const uint32_t *known,
                      struct article_reading *out)
{
    struct sentiment_target targets[ARTICLE_SYMBOLS_MAX];
    struct sentiment_ticker read[ARTICLE_SYMBOLS_MAX];
    const struct symbol *tags = r->u.article.symbols;
    assert(out->tickers_n <= ARTICLE_SYMBOLS_MAX); /* the decoder refuses more */
    const bool first = is_first(m);
    for (size_t i = 0; i < out->tickers_n; i++) targets[i] = target_of(m, &tags[i], known[i]);
    out->scorer = first ? scorer_find("tocsin-lexicon", 1) : scorer_in_use();
    out->headline = first ? r->u.article.headline : decoded(m, r->u.article.headline, 0);
    const struct str body = first ? r->u.article.body : decoded(m, r->u.article.body, 1);
    if (!buf_ok(&m->news_text[0]) || !buf_ok(&m->news_text[1])) return ERR_NOMEM;
    sentiment_read(out->scorer, out->headline, body, targets, out->tickers_n, &out->whole, read);
    for (size_t i = 0; i < out->tickers_n; i++) {
        out->tickers[i].symbol = tags[i];
        out->tickers[i].reading = read[i];
    }
    return ERR_OK;
}

/* By the first rules each line counts, for good. */
static void count_each(struct market *m, const struct record *r, const uint32_t *known,
                       const struct article_reading *a)
{
    for (size_t i = 0; i < a->tickers_n; i++) {
        const struct sentiment_ticker *t = &a->tickers[i].reading;
        if (known[i] == NONE || t->relevance <= 0) continue;
        struct issuer *of = &m->issuers[m->instruments[known[i]].issuer];
        of->news = news_sums_add(of->news, t->tone.score, t->relevance, r->event_ns);
        of->base = news_sums_add(of->base, t->tone.score, t->relevance, r->event_ns);
    }
}

/* Once an issuer: its lines are read as one, so that the first says what all of them do. */
static enum err count_once(struct market *m, const struct record *r, const uint32_t *known,
                           const struct article_reading *a)
{
    uint32_t counted[ARTICLE_SYMBOLS_MAX];
    size_t counted_n = 0;
    enum err e = articles_keep(m, r);
    for (size_t i = 0; i < a->tickers_n && !e; i++) {
        const struct sentiment_ticker *t = &a->tickers[i].reading;
        if (known[i] == NONE || t->relevance <= 0) continue;
        const uint32_t issuer = m->instruments[known[i]].issuer;
        size_t k = 0;
        while (k < counted_n && counted[k] != issuer) k++;
        if (k < counted_n) continue;
        counted[counted_n++] = issuer;
        e = articles_add(m, issuer, t->tone.score, t->relevance, r->event_ns);
    }
    return e;
}

enum err news_article(struct market *m, const struct record *r, struct article_reading *out)
{
    uint32_t known[ARTICLE_SYMBOLS_MAX];
    const uint32_t tags_n = r->u.article.symbols_n;
    const bool first = is_first(m);
    out->change = first ? ARTICLE_NEW : articles_look(m, r);
    if (out->change == ARTICLE_REDELIVERED || out->change == ARTICLE_SUPERSEDED) return ERR_OK;
    out->tickers_n = tags_n < ARTICLE_SYMBOLS_MAX ? tags_n : ARTICLE_SYMBOLS_MAX;
    for (size_t i = 0; i < out->tickers_n; i++)
        known[i] = market_instrument(m, &r->u.article.symbols[i]);
    enum err e = score(m, r, known, out);
    if (e || out->change == ARTICLE_TOO_OLD) return e;
    if (!first) return count_once(m, r, known, out);
    count_each(m, r, known, out);
    return ERR_OK;
}

enum err news_retraction(struct market *m, const struct record *r, struct article_reading *out)
{
    return articles_retract(m, r, &out->change);
}
