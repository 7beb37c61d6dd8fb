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

#include "core/entity.h"

#include <math.h>
#include <string.h>

static const double HALF_LIFE_NS = 24.0 * 3600 * 1e9;
static const double SHRINK = 1; /* S counts by n / (n + SHRINK) */

/* 2^-x for x >= 0, by basic operations only: libm's last bit differs between releases, and a replay
 * must not. The whole part goes into the exponent, the rest, y in (-ln 2, 0], through the series of
 * e^y by Horner's rule. Relative error < 1e-15. */
static double half_to(double x)
{
    if (x > 1000) return 0;
    double whole = floor(x), y = -(x - whole) * 0.693147180559945309417, sum = 1;
    for (int k = 18; k >= 1; k--) sum = 1 + sum * y / k;
    return ldexp(sum, -(int)whole);
}

double news_effective_count(const struct issuer *i)
{
    return i->weight_squared > 0 ? i->weight * i->weight / i->weight_squared : 0;
}

double news_sentiment(const struct issuer *i)
{
    double n = news_effective_count(i);
    return i->weight > 0 ? i->sum / i->weight * (n / (n + SHRINK)) : 0;
}

static void add_news(struct issuer *i, double score, double relevance, int64_t at_ns)
{
    double a = relevance;
    if (i->weight > 0 && at_ns > i->news_ns) {
        double fade = half_to((double)(at_ns - i->news_ns) / HALF_LIFE_NS);
        i->sum *= fade;
        i->weight *= fade;
        i->weight_squared *= fade * fade;
    } else if (at_ns < i->news_ns) a *= half_to((double)(i->news_ns - at_ns) / HALF_LIFE_NS);
    i->sum += a * score;
    i->weight += a;
    i->weight_squared += a * a;
    if (at_ns > i->news_ns) i->news_ns = at_ns;
}

/* What to look for: a tag whose instrument is not known (yet) is found by its symbol alone. */
static struct sentiment_target target_of(const struct market *m, const struct symbol *s,
                                         uint32_t known)
{
    struct sentiment_target t = { .symbol = str_of(s->s) };
    if (known == NONE) return t;
    t.issuer = str_of(m->issuers[m->instruments[known].issuer].name);
    t.instrument = str_of(m->instruments[known].name);
    return t;
}

static struct str decoded(struct market *m, struct str text, int which)
{
    return entities_decode(text, &m->news_text[which]);
}

enum err news_article(struct market *m, const struct record *r, struct article_reading *out)
{
    struct sentiment_target targets[ARTICLE_SYMBOLS_MAX];
    struct sentiment_ticker read[ARTICLE_SYMBOLS_MAX];
    uint32_t known[ARTICLE_SYMBOLS_MAX];
    const struct symbol *tags = r->u.article.symbols;
    size_t n =
        r->u.article.symbols_n < ARTICLE_SYMBOLS_MAX ? r->u.article.symbols_n : ARTICLE_SYMBOLS_MAX;
    for (size_t i = 0; i < n; i++) {
        known[i] = market_instrument(m, &tags[i]);
        targets[i] = target_of(m, &tags[i], known[i]);
    }
    const bool first = m->settings.news <= NEWS_RULES_FIRST;
    const struct str headline =
                         first ? r->u.article.headline : decoded(m, r->u.article.headline, 0),
                     body = first ? r->u.article.body : decoded(m, r->u.article.body, 1);
    out->scorer = first ? scorer_find("tocsin-lexicon", 1) : scorer_in_use();
    out->headline = headline;
    if (!first && (!buf_ok(&m->news_text[0]) || !buf_ok(&m->news_text[1]))) return ERR_NOMEM;
    sentiment_read(out->scorer, headline, body, targets, n, &out->whole, read);
    out->tickers_n = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        out->tickers[i].symbol = tags[i];
        out->tickers[i].reading = read[i];
        if (known[i] != NONE && read[i].relevance > 0)
            add_news(&m->issuers[m->instruments[known[i]].issuer], read[i].tone.score,
                     read[i].relevance, r->event_ns);
    }
    return ERR_OK;
}
