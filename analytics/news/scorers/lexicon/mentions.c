#include "analytics/news/scorers/lexicon/mentions.h"

#include <assert.h>

_Static_assert(ARTICLE_SYMBOLS_MAX <= 64, "companies are bits of a uint64_t");

static uint64_t filter_bit(uint32_t hash) { return 1ull << (hash & 63); }

static void gather_stops(struct subjects *a)
{
    for (size_t k = 0; k < a->n; k++) {
        const struct name_stops *of = &a->of[k].company.stops;
        for (uint32_t i = 0; i < of->n && a->stops.n < NAME_STOPS_MAX; i++)
            a->stops.hash[a->stops.n++] = of->hash[i];
    }
}

/* Each with the other lines of its company. */
static void find_lines(struct subjects *a, const struct sentiment_target *targets, bool together)
{
    for (size_t k = 0; k < a->n; k++)
        for (size_t j = 0; j < a->n; j++)
            if (j == k
                || (together && targets[k].company && targets[k].company == targets[j].company))
                a->of[k].lines |= 1ull << j;
}

void subjects_init(struct subjects *a, const struct sentiment_target *targets, size_t n,
                   struct sentence *scratch)
{
    assert(n <= ARTICLE_SYMBOLS_MAX);
    a->n = n;
    a->stops.n = 0;
    a->first_words = a->base = a->carry = 0;
    a->mentions = 0;
    a->carry_left = 0;
    for (size_t k = 0; k < n; k++) {
        struct subject *of = &a->of[k];
        *of = (struct subject){ 0 };
        company_init(&of->company, &targets[k], scratch);
        for (int m = 0; m < of->company.forms_n; m++)
            a->first_words |= filter_bit(of->company.form[m].first_hash);
    }
    gather_stops(a);
    find_lines(a, targets, scratch->edition > EDITION_FIRST);
}

/* ---- mentions ---- */
/* In a headline all in capitals a capital tells no symbol from a word: "ALL EYES ON CAT FOOD". */
static bool is_shouting(const struct sentence *s)
{
    for (int i = 0; i < s->n; i++)
        if (s->t[i].flags & HAS_LOWER) return false;
    return s->n >= 3;
}

/* Who is mentioned at token i, and in how many tokens; the longest mention wins. */
static uint64_t mentioned_at(const struct subjects *a, const struct reader *r,
                             const struct sentence *s, int i, bool shouting, int *longest)
{
    const struct token *t = &s->t[i];
    bool symbols = t->flags & HAS_CAPITAL, names = a->first_words & filter_bit(t->hash);
    uint64_t bits = 0;
    *longest = 0;
    for (size_t k = 0; (symbols || names) && k < a->n; k++) {
        const struct company *c = &a->of[k].company;
        int words = symbols ? company_symbol_at(c, r, s, i, shouting) : 0;
        int name_words = names ? company_name_at(c, s, i) : 0;
        if (name_words > words) words = name_words;
        if (words > *longest) {
            *longest = words;
            bits = 0;
        }
        if (words && words == *longest) bits |= a->of[k].lines;
    }
    return bits;
}

/* A name says nothing else, whatever its words mean: "Best Buy". */
static void mark(struct token *t, int words, uint64_t bits)
{
    t->words = (uint8_t)words;
    for (int k = 0; k < words; k++) {
        t[k].about = bits;
        t[k].word = NULL;
        if (k) t[k].flags |= IS_INSIDE;
    }
}

/* "Apple (AAPL) falls", "Hartford (The) falls": brackets around what names it part nothing. */
static void join_brackets(const struct reader *r, struct sentence *s, int i, int words)
{
    const struct token *last = &s->t[i + words - 1];
    uint32_t end = last->src + last->src_n;
    while (end < r->n && (r->p[end] == ' ' || r->p[end] == '.')) end++;
    if (end >= r->n || r->p[end] != ')') return;
    for (int k = i; k <= i + words && k < s->n; k++)
        s->t[k].flags &= (uint16_t) ~(AFTER_BREAK | AFTER_GAP);
}

static void count(struct subjects *a, uint64_t bits, uint32_t src, bool head)
{
    a->mentions++;
    for (size_t k = 0; k < a->n; k++) {
        struct subject *of = &a->of[k];
        if (!(bits >> k & 1)) continue;
        if (of->mentions++ == 0) of->first_at = a->base + src;
        of->head_mentions += head;
    }
}

uint64_t mentions_find(struct subjects *a, const struct reader *r, struct sentence *s, bool head)
{
    bool shouting = is_shouting(s);
    uint64_t all = 0;
    for (int i = 0, words; i < s->n; i += words ? words : 1) {
        uint64_t bits = mentioned_at(a, r, s, i, shouting, &words);
        if (!bits) continue;
        mark(&s->t[i], words, bits);
        if (s->edition > EDITION_FIRST) join_brackets(r, s, i, words);
        count(a, bits, s->t[i].src, head);
        all |= bits;
    }
    return all;
}

/* ---- lists ---- */
/* The last mention of the list that begins at i: neighbours with a comma, "and" or nothing between
 * them. Adds to *bits whom it names. */
static int list_end(const struct sentence *s, int i, uint64_t *bits)
{
    int last = i;
    *bits = s->t[i].about;
    for (int j = i + 1; j < s->n && j - last <= 2; j++) {
        const struct token *t = &s->t[j];
        if (t->about) {
            *bits |= t->about;
            last = j;
        } else if (!token_in(s, t, "|and|or|plus|") || t->flags & AFTER_BREAK) break;
    }
    return last;
}

/* The verb behind a list belongs to its segment: "Apple, Intel slump, while .." up to the comma. */
static void draw_verb_in(struct sentence *s, int last, uint8_t segment)
{
    for (int j = last + 1; j < s->n && s->t[j].segment > segment; j++) {
        if (s->t[j].flags & AFTER_GAP || token_is(&s->t[j], WORD_TURN)) return;
        s->t[j].segment = segment;
    }
}

void mentions_join_lists(struct sentence *s)
{
    for (int i = 0; i < s->n; i++) {
        uint64_t bits;
        if (!s->t[i].about) continue;
        int last = list_end(s, i, &bits);
        uint8_t segment = s->t[i].segment;
        for (int j = i; j <= last; j++) {
            s->t[j].about = bits;
            s->t[j].segment = segment;
        }
        if (last > i) draw_verb_in(s, last, segment);
        i = last;
    }
}
