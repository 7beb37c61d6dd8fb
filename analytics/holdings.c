#include "analytics/holdings.h"

#include "core/vec.h"
#include "core/when.h"

#include <math.h>
#include <string.h>

static const double HALF_LIFE_NS = 24.0 * 3600 * 1e9;
static const double SHRINK = 1; /* S counts by n / (n + SHRINK) */

/* 2^-x by basic operations only: libm's last bit differs between releases, and a replay must not. Relative error < 1e-15. */
static double half_to(double x)
{
    if (x > 1000) return 0;
    double whole = floor(x), y = -(x - whole) * 0.693147180559945309417, sum = 1;
    for (int k = 18; k >= 1; k--) sum = 1 + sum * y / k;
    return ldexp(sum, -(int)whole);
}

double issuer_effective_count(const struct issuer *i)
{
    return i->weight_squared > 0 ? i->weight * i->weight / i->weight_squared : 0;
}

double issuer_sentiment(const struct issuer *i)
{
    double n = issuer_effective_count(i);
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

void holdings_article(struct engine *e, const struct record *r)
{
    struct sentiment_target targets[ARTICLE_SYMBOLS_MAX];
    struct sentiment_ticker read[ARTICLE_SYMBOLS_MAX];
    int32_t known[ARTICLE_SYMBOLS_MAX];
    struct article_reading *out = &e->out.reading;
    size_t n =
        r->u.article.symbols_n < ARTICLE_SYMBOLS_MAX ? r->u.article.symbols_n : ARTICLE_SYMBOLS_MAX;

    for (size_t i = 0; i < n; i++) {
        const struct symbol *s = &r->u.article.symbols[i];
        known[i] = engine_instrument(e, s);
        targets[i] = (struct sentiment_target){ .symbol = { s->s, (uint32_t)strlen(s->s) } };
        if (known[i] < 0) continue;
        const struct instrument *m = &e->instruments[known[i]];
        targets[i].issuer = (struct str){ e->issuers[m->issuer].name,
                                          (uint32_t)strlen(e->issuers[m->issuer].name) };
        targets[i].instrument = (struct str){ m->name, (uint32_t)strlen(m->name) };
    }
    sentiment_score(r->u.article.headline, r->u.article.body, &out->whole);
    if (n) sentiment_score_targets(r->u.article.headline, r->u.article.body, targets, n, read);
    out->tickers_n = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        out->tickers[i].symbol = r->u.article.symbols[i];
        out->tickers[i].reading = read[i];
        if (known[i] >= 0 && read[i].relevance > 0)
            add_news(&e->issuers[e->instruments[known[i]].issuer], read[i].tone.score,
                     read[i].relevance, r->event_ns);
    }
    e->out.article = true;
}

/* ---- exposure: dated, so the newest that has taken effect counts ---- */
enum err holdings_exposure(struct engine *e, uint32_t issuer, const struct record *r)
{
    if (r->u.exposure.theme.n != 2 || memcmp(r->u.exposure.theme.p, "AI", 2) != 0)
        return ERR_OK; /* stored; other themes have no measure yet */
    if (!VEC_GROW(&e->exposures, &e->exposures_cap, e->exposures_n + 1)) return ERR_NOMEM;
    struct exposure *x = &e->exposures[e->exposures_n];
    *x = (struct exposure){ .effective_day = r->u.exposure.effective_day,
                            .next = e->issuers[issuer].first_exposure,
                            .value_e8 = r->u.exposure.value_e8 };
    e->issuers[issuer].first_exposure = (uint32_t)e->exposures_n++;
    return ERR_OK;
}

static double exposure_now(const struct engine *e, const struct issuer *i)
{
    int32_t today = day_of_ns(e->now_ns);
    const struct exposure *best = NULL;
    for (uint32_t k = i->first_exposure; k != NONE;
         k = e->exposures[k].next) { /* newest knowledge first */
        const struct exposure *x = &e->exposures[k];
        if (x->effective_day <= today && (!best || x->effective_day > best->effective_day))
            best = x;
    }
    return best ? (double)best->value_e8 / 1e8 : 0;
}

/* ---- books ---- */
enum err holdings_book(struct engine *e, struct uuid tenant, const char *name, uint32_t *out)
{
    for (size_t i = 0; i < e->books_n; i++)
        if (uuid_equal(e->books[i].tenant, tenant) && strcmp(e->books[i].name, name) == 0) {
            *out = (uint32_t)i;
            return ERR_OK;
        }
    if (!VEC_GROW(&e->books, &e->books_cap, e->books_n + 1)) return ERR_NOMEM;
    struct book *b = &e->books[e->books_n];
    memset(b, 0, sizeof *b);
    b->tenant = tenant;
    b->first_position = NONE;
    memcpy(b->name, name, strnlen(name, sizeof b->name - 1));
    *out = (uint32_t)e->books_n++;
    return ERR_OK;
}

enum err holdings_position(struct engine *e, uint32_t instrument, const struct record *r)
{
    char name[40] = "";
    uint32_t no, p;
    memcpy(name, r->u.position.book.p,
           r->u.position.book.n < sizeof name - 1 ? r->u.position.book.n : sizeof name - 1);
    enum err err = holdings_book(e, r->u.position.tenant, name, &no);
    if (err) return err;
    struct book *b = &e->books[no];
    for (p = b->first_position; p != NONE && e->positions[p].instrument != instrument;)
        p = e->positions[p].next;
    if (p == NONE) {
        if (!VEC_GROW(&e->positions, &e->positions_cap, e->positions_n + 1)) return ERR_NOMEM;
        p = (uint32_t)e->positions_n++;
        e->positions[p] = (struct position){ .instrument = instrument, .next = b->first_position };
        b->first_position = p;
    }
    e->positions[p].quantity_e8 = r->u.position.quantity_e8;
    if (r->event_ns > b->last_ns) b->last_ns = r->event_ns;
    return ERR_OK;
}

/* ---- the measures: sums over holdings in their fixed order ---- */
struct sums {
    double gross, exposed, covered, feeling;
};

static void add(struct sums *s, const struct engine *e, const struct issuer *i, double value)
{
    double x = value * exposure_now(e, i);
    s->gross += value;
    s->exposed += x;
    if (i->weight <= 0) return;
    s->covered += x;
    s->feeling += x * issuer_sentiment(i);
}

struct reading holdings_reading(const struct engine *e, const struct series *s)
{
    struct sums t = { 0 };
    struct reading r = { .value = NAN, .status = READING_NO_DATA };
    if (s->book) {
        const struct book *b = &e->books[s->subject];
        r.event_ns = b->last_ns;
        for (uint32_t p = b->first_position; p != NONE; p = e->positions[p].next) {
            const struct instrument *m = &e->instruments[e->positions[p].instrument];
            add(&t, e, &e->issuers[m->issuer],
                fabs((double)e->positions[p].quantity_e8) * (double)m->price_e8 / 1e16);
            if (m->price_ns > r.event_ns) r.event_ns = m->price_ns;
        }
    } else {
        const struct index *x = &e->indexes[s->subject];
        r.event_ns = x->last_ns;
        for (uint32_t k = x->first_slot; k != NONE; k = e->store.slots[k].next_of_index)
            add(&t, e, &e->issuers[e->store.slots[k].issuer],
                (double)e->store.slots[k].value / 100);
    }
    if (s->measure.id == MEASURE_AI_EXPOSURE) {
        if (t.gross > 0) r = (struct reading){ t.exposed / t.gross, 1, r.event_ns, 0, READING_OK };
    } else if (t.covered > 0)
        r = (struct reading){ t.feeling / t.covered, t.covered / t.exposed, r.event_ns, 0,
                              READING_OK };
    r.staleness_ns = e->now_ns > r.event_ns ? e->now_ns - r.event_ns : 0;
    return r;
}
