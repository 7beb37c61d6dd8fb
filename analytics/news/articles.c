#include "analytics/news/articles.h"

#include "analytics/news/sums.h"
#include "core/digest.h"
#include "core/vec.h"

#include <string.h>

NAMES(article_change, ARTICLE_CHANGES);

/* ---- digests ---- */
static void digest(const void *p, size_t n, uint8_t out[16])
{
    uint8_t whole[SHA256_SIZE];
    sha256(p, n, whole);
    memcpy(out, whole, 16);
}

/* Of all that is said; not of `ts`, which a feed may stamp anew. Each part's own digest, so that
 * no text can pose as the border of two. */
static void digest_content(const struct record *r, uint8_t out[16])
{
    uint8_t parts[4][16];
    digest(r->u.article.headline.p, r->u.article.headline.n, parts[0]);
    digest(r->u.article.body.p, r->u.article.body.n, parts[1]);
    digest(r->u.article.source.p, r->u.article.source.n, parts[2]);
    digest(r->u.article.symbols, r->u.article.symbols_n * sizeof *r->u.article.symbols, parts[3]);
    digest(parts, sizeof parts, out);
}

static void digest_id(struct str id, uint8_t out[16]) { digest(id.p, id.n, out); }

/* ---- finding ---- */
static bool same_id(const void *ctx, uint32_t value, const void *key)
{
    const struct articles *a = ctx;
    return value >= a->known_head && memcmp(a->known[value].id, key, 16) == 0;
}

static struct known_article *find(const struct articles *a, const uint8_t id[16])
{
    uint32_t i = map_find(&a->by_id, map_hash(id, 16), same_id, a, id);
    return i == MAP_NONE ? NULL : &a->known[i];
}

/* ---- sums ---- */
/* The effects of an article that are not in the sums for good, as places in a->effects. */
static size_t first_standing(const struct articles *a, const struct known_article *x)
{
    const uint64_t first = a->effects_before + a->effects_head;
    return (size_t)((x->first_effect > first ? x->first_effect : first) - a->effects_before);
}

/* The sums of issuers that are `adding_up` anew: what is in them for good, then each effect that
 * stands. */
static void add_up(struct market *m)
{
    const struct articles *a = &m->articles;
    for (size_t i = a->effects_head; i < a->effects_n; i++) {
        const struct article_effect *e = &a->effects[i];
        struct issuer *of = &m->issuers[e->issuer];
        if (of->adding_up && !e->gone)
            of->news = news_sums_add(of->news, e->score, e->relevance, e->event_ns);
    }
}

static void take_away(struct market *m, struct known_article *x)
{
    struct articles *a = &m->articles;
    const uint64_t last = x->first_effect + x->effects_n;
    const size_t from = first_standing(a, x),
                 to = last > a->effects_before ? (size_t)(last - a->effects_before) : 0;
    x->effects_n = 0;
    if (from >= to) return;
    for (size_t i = from; i < to; i++) {
        struct issuer *of = &m->issuers[a->effects[i].issuer];
        a->effects[i].gone = true;
        of->adding_up = true;
        of->news = of->base;
    }
    add_up(m);
    for (size_t i = from; i < to; i++) m->issuers[a->effects[i].issuer].adding_up = false;
}

/* ---- forgetting ---- */
static void fold(struct market *m, const struct article_effect *e)
{
    struct issuer *of = &m->issuers[e->issuer];
    if (!e->gone) of->base = news_sums_add(of->base, e->score, e->relevance, e->event_ns);
}

static void forget(struct market *m, int64_t now_ns)
{
    struct articles *a = &m->articles;
    const int64_t from = now_ns - ARTICLE_WINDOW_NS;
    while (
        a->known_head < a->known_n
        && (a->known[a->known_head].event_ns < from || a->known_n - a->known_head >= ARTICLES_MAX))
        a->known_head++;
    while (a->effects_head < a->effects_n
           && (a->effects[a->effects_head].event_ns < from
               || a->effects_n - a->effects_head >= ARTICLE_EFFECTS_MAX))
        fold(m, &a->effects[a->effects_head++]);
}

static bool index_known(struct articles *a)
{
    map_release(&a->by_id);
    a->by_id = (struct map){ 0 };
    bool ok = true;
    for (size_t i = a->known_head; i < a->known_n && ok; i++)
        ok = map_add(&a->by_id, map_hash(a->known[i].id, 16), (uint32_t)i);
    return ok;
}

static void drop_forgotten(struct articles *a)
{
    if (a->known_head)
        memmove(a->known, a->known + a->known_head,
                (a->known_n - a->known_head) * sizeof *a->known);
    if (a->effects_head)
        memmove(a->effects, a->effects + a->effects_head,
                (a->effects_n - a->effects_head) * sizeof *a->effects);
    a->known_n -= a->known_head;
    a->effects_n -= a->effects_head;
    a->effects_before += a->effects_head;
    a->known_head = a->effects_head = 0;
}

/* Half of it is forgotten: the rest moves up, so that each article is moved about once. */
static bool make_room(struct articles *a)
{
    enum { WORTH_IT = 1024 };
    if (a->known_head + a->effects_head > WORTH_IT
        && (a->known_head * 2 > a->known_n || a->effects_head * 2 > a->effects_n)) {
        drop_forgotten(a);
        if (!index_known(a)) return false;
    }
    return true;
}

/* ---- articles ---- */
static int64_t now_with(const struct market *m, const struct record *r)
{
    return r->event_ns > m->now_ns ? r->event_ns : m->now_ns;
}

enum article_change articles_look(struct market *m, const struct record *r)
{
    uint8_t id[16], content[16];
    forget(m, now_with(m, r));
    digest_id(r->u.article.id, id);
    const struct known_article *x = find(&m->articles, id);
    if (!x) return r->event_ns < now_with(m, r) - ARTICLE_WINDOW_NS ? ARTICLE_TOO_OLD : ARTICLE_NEW;
    if (x->retracted) return r->event_ns > x->event_ns ? ARTICLE_NEW : ARTICLE_SUPERSEDED;
    digest_content(r, content);
    if (memcmp(content, x->content, sizeof content) == 0) return ARTICLE_REDELIVERED;
    return r->event_ns < x->event_ns ? ARTICLE_SUPERSEDED : ARTICLE_REVISED;
}

/* The one with this id, new when there is none; its effect taken away. NULL: out of memory. */
static struct known_article *known(struct market *m, struct str name)
{
    struct articles *a = &m->articles;
    uint8_t id[16];
    if (!make_room(a)) return NULL; /* a feed that only revises leaves effects behind as well */
    digest_id(name, id);
    struct known_article *x = find(a, id);
    if (x) {
        take_away(m, x);
        return x;
    }
    if (!VEC_GROW(&a->known, &a->known_cap, a->known_n + 1)) return NULL;
    if (!map_add(&a->by_id, map_hash(id, 16), (uint32_t)a->known_n)) return NULL;
    x = &a->known[a->known_n++];
    *x = (struct known_article){ 0 };
    memcpy(x->id, id, sizeof id);
    return x;
}

enum err articles_keep(struct market *m, const struct record *r)
{
    struct articles *a = &m->articles;
    struct known_article *x = known(m, r->u.article.id);
    if (!x) return ERR_NOMEM;
    digest_content(r, x->content);
    x->event_ns = r->event_ns;
    x->retracted = false;
    x->first_effect = a->effects_before + a->effects_n;
    a->last = (uint32_t)(x - a->known);
    return ERR_OK;
}

enum err articles_add(struct market *m, uint32_t issuer, double score, double relevance,
                      int64_t event_ns)
{
    struct articles *a = &m->articles;
    struct issuer *of = &m->issuers[issuer];
    if (!VEC_GROW(&a->effects, &a->effects_cap, a->effects_n + 1)) return ERR_NOMEM;
    a->effects[a->effects_n++] = (struct article_effect){
        .issuer = issuer, .score = score, .relevance = relevance, .event_ns = event_ns
    };
    a->known[a->last].effects_n++;
    of->news = news_sums_add(of->news, score, relevance, event_ns);
    return ERR_OK;
}

enum err articles_retract(struct market *m, const struct record *r, enum article_change *out)
{
    uint8_t id[16];
    const int64_t now = now_with(m, r);
    forget(m, now);
    digest_id(r->u.retraction.id, id);
    const struct known_article *had = find(&m->articles, id);
    *out = !had                          ? ARTICLE_UNKNOWN
           : had->retracted              ? ARTICLE_REDELIVERED
           : r->event_ns < had->event_ns ? ARTICLE_SUPERSEDED
                                         : ARTICLE_RETRACTED;
    if (*out == ARTICLE_SUPERSEDED || (!had && r->event_ns < now - ARTICLE_WINDOW_NS))
        return ERR_OK;
    struct known_article *x = known(m, r->u.retraction.id);
    if (!x) return ERR_NOMEM;
    x->retracted = true; /* also of what is still to come, on another partition */
    if (r->event_ns > x->event_ns) x->event_ns = r->event_ns;
    return ERR_OK;
}

/* ---- companies that become one ---- */
/* Of the effects of one article on either, the first alone stands. */
static void count_once(struct articles *a, const struct known_article *x, uint32_t from,
                       uint32_t to)
{
    const uint64_t last = x->first_effect + x->effects_n;
    const size_t end = last > a->effects_before ? (size_t)(last - a->effects_before) : 0;
    bool counted = false;
    for (size_t i = first_standing(a, x); i < end; i++) {
        struct article_effect *e = &a->effects[i];
        if (e->gone || (e->issuer != from && e->issuer != to)) continue;
        e->gone = counted;
        counted = true;
    }
}

void articles_merge_companies(struct market *m, uint32_t from, uint32_t to)
{
    struct articles *a = &m->articles;
    struct issuer *x = &m->issuers[from], *y = &m->issuers[to];
    for (size_t i = a->known_head; i < a->known_n; i++) count_once(a, &a->known[i], from, to);
    for (size_t i = 0; i < a->effects_n; i++)
        if (a->effects[i].issuer == from) a->effects[i].issuer = to;
    y->base = news_sums_join(y->base, x->base);
    y->news = y->base;
    x->base = x->news = (struct news_sums){ 0 };
    y->adding_up = true;
    add_up(m);
    y->adding_up = false;
}

/* ---- the state that lasts ---- */
bool articles_restore(struct market *m)
{
    struct articles *a = &m->articles;
    const uint64_t end = a->effects_before + a->effects_n;
    for (size_t i = 0; i < a->known_n; i++) {
        const struct known_article *x = &a->known[i];
        if (x->first_effect > end || x->effects_n > end - x->first_effect) return false;
    }
    for (size_t i = 0; i < a->effects_n; i++)
        if (a->effects[i].issuer >= m->issuers_n) return false;
    return index_known(a);
}

void articles_release(struct articles *a)
{
    free(a->known);
    free(a->effects);
    map_release(&a->by_id);
}
