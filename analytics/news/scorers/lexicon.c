/* lexicon.c - the scorer by rules over a list of words, ../scorers.def's first row. Its stages, in
 * reading order, each a file of lexicon/ with its part of this example at the head:
 *
 *     "Profit rose but costs at Apple hurt"       headline, nothing else; tagged AAPL, "Apple Inc."
 *
 *     words      what the 2,000 forms of lexicon.def and lexicon_2.def mean: profit is a thing ...
 *     glyph      bytes to characters
 *     tokens     characters to words and numbers, words to sentences: seven tokens, one sentence
 *     company    "Apple Inc." is looked for as "apple", and as AAPL
 *     mentions   found at token 5, byte 25
 *     tone       rose +0.60, hurt -0.54; with bind, which knows what rose
 *     owners     hurt is Apple's, rose by 3/4
 *     masses     the article: good 0.60, bad 0.54     positive 0.280, negative 0.252, score +0.028
 *                Apple:       good 0.45, bad 0.54     positive 0.226, negative 0.271, score -0.045
 *
 * and Apple's relevance, from where and how often it is mentioned: 0.826. Without companies only
 * the first of the two is made. Everything is a sum in the order of the text: the same bits
 * everywhere.
 *
 * Two editions of it stand at the end: what was scored by the first is replayed by the first. The
 * second one knows more words, and reads the article once, companies and whole together, so that a
 * name says nothing in the whole either: "Best Buy Co. slides". */
#include "analytics/news/scorers/lexicon/owners.h"
#include "analytics/news/scorers/lexicon/tone.h"

/* What is gathered: on the article as a whole, or on each of some companies. The other one is
 * NULL. */
struct reading {
    struct evidence *whole;
    struct subjects *subjects;
    struct sentence sentence; /* the one being read */
};

static void add_whole(struct evidence *e, const struct sentence *s, double weight, bool head)
{
    evidence_add_sentence(e, weight, head);
    for (int i = 0; i < s->n; i++)
        if (s->t[i].tone != 0) evidence_add_tone(e, s->t[i].tone, weight, head);
}

/* What matters comes first: a body's sentences weigh 1, 1/1.1, 1/1.2 ... */
static void read_text(struct reading *g, struct str text, bool head)
{
    struct sentence *s = &g->sentence;
    struct reader r = { text.p, text.n, 0, g->subjects ? &g->subjects->stops : NULL };
    for (double nth = 0; sentence_read(&r, s); nth++) {
        double weight = head ? 1 : 1 / (1 + nth / 10);
        uint64_t named = g->subjects ? mentions_find(g->subjects, &r, s, head) : 0;
        tone_read(s);
        if (g->whole) add_whole(g->whole, s, weight, head);
        if (g->subjects) owners_share_out(g->subjects, s, named, weight, head);
    }
}

/* ---- relevance ---- */
/* Companies mentioned; share classes of one are found at the same places, and are one. */
static int companies_of(const struct subjects *a)
{
    int companies = 0;
    for (size_t k = 0; k < a->n; k++) {
        const struct subject *of = &a->of[k];
        bool counted = of->mentions == 0;
        for (size_t j = 0; j < k && !counted; j++)
            counted = a->of[j].mentions > 0 && a->of[j].first_at == of->first_at;
        companies += !counted;
    }
    return companies;
}

/* 0.45 for being in the headline, up to 0.25 for coming early, up to 0.30 for its share of all the
 * mentions; and that times 1 when it is alone, 0.8 with one other, 0.6 in a long list. In the
 * example 0.45 + 0.25 * (1 - 25/36) + 0.30 * 1/1 = 0.826, of the 36 bytes one is for what parts the
 * texts. */
static double relevance_of(const struct subject *of, uint32_t mentions_all, int companies,
                           double bytes)
{
    if (of->mentions == 0) return 0;
    double r = 0.45 * (of->head_mentions > 0) + 0.25 * (1 - (double)of->first_at / bytes)
               + 0.30 * of->mentions / mentions_all;
    return r * (0.6 + 0.4 / companies);
}

static void rate_targets(const struct subjects *subjects, double bytes,
                         struct sentiment_ticker *out)
{
    int companies = companies_of(subjects);
    for (size_t k = 0; k < subjects->n; k++) {
        const struct subject *of = &subjects->of[k];
        out[k] = (struct sentiment_ticker){
            .tone = evidence_masses(&of->evidence),
            .relevance = relevance_of(of, subjects->mentions, companies, bytes),
            .mentions = of->mentions,
        };
    }
}

/* ---- the scorers ---- */
static void read_whole(int edition, struct str headline, struct str body, struct sentiment *out)
{
    struct evidence whole = { 0 };
    struct reading g;
    g.whole = &whole;
    g.subjects = NULL;
    g.sentence.edition = (uint8_t)edition;
    read_text(&g, headline, true);
    read_text(&g, body, false);
    *out = evidence_masses(&whole);
}

static void read_targets(int edition, struct str headline, struct str body,
                         const struct sentiment_target *targets, size_t n, struct evidence *whole,
                         struct sentiment_ticker *out)
{
    struct subjects subjects;
    struct reading g;
    g.whole = whole;
    g.subjects = &subjects;
    g.sentence.edition = (uint8_t)edition;
    subjects_init(&subjects, targets, n, &g.sentence);
    read_text(&g, headline, true);
    subjects.base = headline.n;
    read_text(&g, body, false);
    rate_targets(&subjects, (double)headline.n + body.n + 1, out);
}

static void read_1(struct str headline, struct str body, const struct sentiment_target *targets,
                   size_t n, struct sentiment *whole, struct sentiment_ticker *tickers)
{
    if (whole) read_whole(EDITION_FIRST, headline, body, whole);
    if (n) read_targets(EDITION_FIRST, headline, body, targets, n, NULL, tickers);
}

static void read_2(struct str headline, struct str body, const struct sentiment_target *targets,
                   size_t n, struct sentiment *whole, struct sentiment_ticker *tickers)
{
    struct evidence all = { 0 };
    if (n) read_targets(EDITION_NOW, headline, body, targets, n, whole ? &all : NULL, tickers);
    if (whole && n) *whole = evidence_masses(&all);
    else if (whole) read_whole(EDITION_NOW, headline, body, whole);
}

const struct scorer scorer_lexicon = { .name = "tocsin-lexicon", .version = 2, .read = read_2 };
const struct scorer scorer_lexicon_1 = { .name = "tocsin-lexicon", .version = 1, .read = read_1 };
