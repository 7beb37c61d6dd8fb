/* sentiment.c - sentiment, ai_sentiment, ai_exposure: what news says of an issuer, and of what is held (metrics.md 5, 6).
 * They move with articles, exposures, positions and the clock, not with every tick; news ages by its half-life and does not
 * go stale. A universe of two names, weights 60 and 40, exposures 0.5 and 1, sentiments 0.2 and none:
 *   ai_exposure = (60 * 0.5 + 40 * 1) / 100 = 0.7     ai_sentiment = 30 * 0.2 / 30 = 0.2, coverage 30 / 70 */
#include "analytics/facts/exposure.h"
#include "analytics/news/news.h"
#include "analytics/series.h"
#include "analytics/weights.h"

#include <math.h>

static const struct issuer *issuer_of(const struct market *m, const struct series *s)
{
    return &m->issuers[series_instrument(m, s)->issuer];
}

static void read_sentiment(const struct market *m, const struct series *s, struct reading *out)
{
    const struct issuer *i = issuer_of(m, s);
    if (i->news.weight <= 0) {
        reading_none(out);
        return;
    }
    *out = (struct reading){ .value = news_sentiment(i),
                             .coverage = 1,
                             .event_ns = i->news.ns,
                             .staleness_ns = m->now_ns - i->news.ns,
                             .status = READING_OK };
}

static void sentiment_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    json_put_real(w, "articles_effective", news_effective_count(issuer_of(m, s)));
}

/* ---- of what is held: sums over the holdings in their fixed order ---- */
struct sums {
    double gross, exposed, covered, feeling;
};

static void add_holding(void *ctx, const struct market *m, const struct issuer *i, double value)
{
    struct sums *t = ctx;
    double x = value * exposure_now(m, i);
    t->gross += value;
    t->exposed += x;
    if (i->news.weight <= 0) return;
    t->covered += x;
    t->feeling += x * news_sentiment(i);
}

/* No gate: the coverage of ai_sentiment is the share of what is exposed of which there is news, and
 * a low one is an answer. */
static struct reading held_reading(const struct market *m, const struct universe *u, bool has,
                                   double value, double coverage)
{
    struct reading r = { .value = NAN,
                         .event_ns = weights_newest_ns(m, u),
                         .status = READING_NO_DATA };
    if (has)
        r = (struct reading){
            .value = value, .coverage = coverage, .event_ns = r.event_ns, .status = READING_OK
        };
    r.staleness_ns = m->now_ns > r.event_ns ? m->now_ns - r.event_ns : 0;
    return r;
}

static void read_ai_exposure(const struct market *m, const struct series *s, struct reading *out)
{
    struct sums t = { 0 };
    const struct universe *u = series_universe(m, s);
    weights_each(m, u, add_holding, &t);
    *out = held_reading(m, u, t.gross > 0, t.exposed / t.gross, 1);
}

static void read_ai_sentiment(const struct market *m, const struct series *s, struct reading *out)
{
    struct sums t = { 0 };
    const struct universe *u = series_universe(m, s);
    weights_each(m, u, add_holding, &t);
    *out = held_reading(m, u, t.covered > 0, t.feeling / t.covered, t.covered / t.exposed);
}

static void held_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    struct reading r;
    s->kind->read(m, s, &r);
    json_put_real(w, "coverage", r.coverage);
}

const struct measure_kind measure_sentiment = {
    .name = "sentiment",
    .phrase = "news sentiment",
    .unit = "-1..1",
    .range = { RANGE_ABOVE(-1), RANGE_BELOW(1) }, /* shrunk by n / (n + 1) */
    .formula =
        "of the issuer: sum(a*s)/sum(a) * n/(n+1), a = relevance * 2^(-age/24h), n = sum(a)^2/sum(a^2)",
    .source = "metrics.md 5: aggregate per entity, h = 24 h, k = 1",
    .version = 1,
    .subjects = SUBJECT_INSTRUMENT,
    .moved_by = CAUSE_NEWS,
    .page = { .decimals = 3, .sign = true },
    .read = read_sentiment,
    .inputs = sentiment_inputs,
};

const struct measure_kind measure_ai_sentiment = {
    .name = "ai_sentiment",
    .phrase = "AI sentiment",
    .unit = "-1..1",
    .range = { RANGE_ABOVE(-1), RANGE_BELOW(1) },
    .formula =
        "sum(w*e*S)/sum(w*e) over names with AI exposure e and sentiment S; coverage is their share of sum(w*e)",
    .source = "metrics.md 6: AI sentiment of a book or index",
    .version = 1,
    .subjects = SUBJECT_INDEX | SUBJECT_BOOK,
    .moved_by = CAUSE_NEWS | CAUSE_FACT | CAUSE_POSITION,
    .standard = (const char *const[]){ "", NULL },
    .page = { .title = "AI sentiment", .decimals = 3, .sign = true },
    .read = read_ai_sentiment,
    .inputs = held_inputs,
};

const struct measure_kind measure_ai_exposure = {
    .name = "ai_exposure",
    .phrase = "AI exposure",
    .unit = "0..1",
    .range = { RANGE_FROM(0), RANGE_UP_TO(1) },
    .formula = "sum(w*e): weight times AI exposure",
    .source = "metrics.md 6: AI exposure",
    .version = 1,
    .subjects = SUBJECT_INDEX | SUBJECT_BOOK,
    .moved_by = CAUSE_NEWS | CAUSE_FACT | CAUSE_POSITION,
    .standard = (const char *const[]){ "", NULL },
    .page = { .title = "AI exposure", .decimals = 3 },
    .read = read_ai_exposure,
    .inputs = held_inputs,
};
