/* tokens.c - characters to tokens, tokens to sentences.
 *
 * What a character does depends on its neighbours. In "Mr. Wu's AT&T paid 1,250.5m, i.e. much."
 *
 *     Mr.     no end of the sentence: a short form
 *     Wu's    the apostrophe joins, as a letter follows; the possessive is dropped: "wu"
 *     AT&T    so does the '&': "at&t"
 *     1,250.5 digits follow comma and point: one number, 1250.5
 *     m       letters behind digits are its unit: 1.2505e9
 *     ,       no digit follows: a comma, so AFTER_COMMA and AFTER_GAP for the word behind it
 *     i.e.    words of one letter, whose dots end nothing
 *     much.   here it ends: a dot, nothing behind it */
#include "analytics/news/scorers/lexicon/tokens.h"

#include "analytics/news/scorers/lexicon/glyph.h"
#include "core/err.h"

#include <string.h>

/* ---- one word or number ---- */
/* A token while its characters are taken. */
struct spelling {
    char *text;           /* in the sentence's norm */
    uint32_t n;           /* its bytes so far; those past WORD_BYTES_MAX are passed over */
    double digits, place; /* 12.5 as 125 and 10; place is 0 without a point */
    size_t letters_at;    /* where letters follow the digits: 2 in "10bn"; 0: none so far */
};

static struct glyph glyph_here(const struct reader *r)
{
    return glyph_at(r->p + r->at, r->n - r->at);
}

/* Is the character behind this one of that class? */
static bool followed_by(const struct reader *r, const struct glyph *g, enum glyph_class class)
{
    uint32_t next = r->at + g->bytes;
    return next < r->n && glyph_at(r->p + next, r->n - next).class == class;
}

/* ',' and '.' inside a number: "1,250.5". A second point ends it, as in a date "3.12.2009". */
static bool takes_mark(const struct reader *r, const struct glyph *g, struct spelling *w)
{
    if (!followed_by(r, g, GLYPH_DIGIT) || w->letters_at) return false;
    if (g->plain == '!' || g->plain == '?') return false;
    if (g->plain == '.' && w->place != 0) return false;
    if (g->plain == '.') w->place = 1;
    return true;
}

static bool takes_digit(const struct glyph *g, const struct token *t, struct spelling *w)
{
    if (t->flags & IS_NUMBER && !w->letters_at && w->n < 20) {
        w->digits = w->digits * 10 + (g->plain - '0');
        w->place *= 10;
    }
    return true;
}

static bool takes_letter(const struct reader *r, struct token *t, struct spelling *w)
{
    if (t->flags & IS_NUMBER && !w->letters_at) w->letters_at = w->n;
    if (r->p[r->at] >= 'a' && r->p[r->at] <= 'z') t->flags |= HAS_LOWER;
    return true;
}

/* Does the token go on with the character at r->at? */
static bool takes(const struct reader *r, struct glyph *g, struct token *t, struct spelling *w)
{
    switch (g->class) {
    case GLYPH_LETTER: return takes_letter(r, t, w);
    case GLYPH_DIGIT: return takes_digit(g, t, w);
    case GLYPH_COMMA:
    case GLYPH_STOP: return t->flags & IS_NUMBER && takes_mark(r, g, w);
    case GLYPH_OTHER: return g->plain == '&' && followed_by(r, g, GLYPH_LETTER);
    case GLYPH_APOSTROPHE: g->plain = '\''; return followed_by(r, g, GLYPH_LETTER);
    case GLYPH_SPACE:
    case GLYPH_BREAK: return false;
    }
    return false;
}

/* What the first character says: capital or digit, Latin-1's À to Þ included (C3 80 to C3 9E). */
static uint16_t first_flags(const struct reader *r)
{
    uint8_t lead = (uint8_t)r->p[r->at], second = r->at + 1 < r->n ? (uint8_t)r->p[r->at + 1] : 0;
    if (lead >= '0' && lead <= '9') return HAS_CAPITAL | IS_NUMBER;
    if ((lead >= 'A' && lead <= 'Z') || (lead == 0xC3 && second < 0x9F)) return HAS_CAPITAL;
    return 0;
}

/* ---- numbers and their units ---- */
static double unit_of(const char *p, size_t n)
{
    static const struct {
        double factor;
        const char *words;
    } units[] = {
        { 1e6, "|m|mn|mln|million|millions|" },
        { 1e9, "|b|bn|bln|billion|billions|" },
        { 1e3, "|k|thousand|" },
        { 1e7, "|crore|crores|cr|" },
        { 1e5, "|lakh|lakhs|" },
        { 1e12, "|trillion|tn|trn|" },
    };
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (word_in(units[i].words, p, n)) return units[i].factor;
    return 1;
}

static void finish_number(const struct reader *r, struct token *t, const struct spelling *w)
{
    bool bare = !w->letters_at && w->place == 0;
    t->number = w->place > 1 ? w->digits / w->place : w->digits;
    if (bare && w->n == 4 && w->digits >= 1900 && w->digits <= 2100) t->flags |= IS_YEAR;
    if (w->letters_at && w->letters_at < w->n)
        t->number *= unit_of(w->text + w->letters_at, w->n - w->letters_at);
    if (r->at < r->n && r->p[r->at] == '%') t->flags |= IS_PERCENT;
}

/* "5 mn" and "5 percent" are two tokens: the second speaks of the first. */
static void add_unit(struct token *number, const struct spelling *w)
{
    number->number *= unit_of(w->text, w->n);
    if (word_in("|pct|percent|per|", w->text, w->n)) number->flags |= IS_PERCENT;
}

void sentence_add_token(struct reader *r, struct sentence *s, uint16_t flags)
{
    struct token *t = &s->t[s->n];
    struct spelling w = { .text = s->norm + s->used };
    *t = (struct token){ .src = r->at, .at = s->used, .words = 1, .flags = flags };
    t->flags |= first_flags(r);
    while (r->at < r->n) {
        struct glyph g = glyph_here(r);
        if (!takes(r, &g, t, &w)) break;
        if (w.n < WORD_BYTES_MAX) w.text[w.n++] = g.plain;
        r->at += g.bytes;
    }
    t->src_n = r->at - t->src;
    if (w.n > 2 && memcmp(w.text + w.n - 2, "'s", 2) == 0) w.n -= 2;
    if (w.n > 3 && memcmp(w.text + w.n - 3, "n't", 3) == 0) t->word = &word_not;
    if (t->flags & IS_NUMBER) finish_number(r, t, &w);
    else if (s->n > 0 && t[-1].flags & IS_NUMBER) add_unit(&t[-1], &w);
    w.text[w.n] = ' ';
    t->n = (uint8_t)w.n;
    t->hash = word_hash(w.text, w.n);
    s->used = (uint16_t)(s->used + w.n + 1);
    s->n++;
}

/* ---- one sentence ---- */
static bool is_name_stop(const struct reader *r, const struct sentence *s)
{
    if (!r->stops || s->n == 0) return false;
    const struct token *last = &s->t[s->n - 1];
    if (last->src + last->src_n != r->at) return false;
    for (uint32_t i = 0; i < r->stops->n; i++)
        if (r->stops->hash[i] == last->hash) return true;
    return false;
}

/* Does this '.', '!' or '?' end it? Not "3.5", "i.e.", "Inc.", nor a dot before a small letter. */
static bool stop_ends(const struct reader *r, const struct sentence *s)
{
    static const char short_forms[] =
        "|inc|corp|co|ltd|plc|mr|mrs|ms|dr|st|vs|jr|sr|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|"
        "nov|dec|approx|est|bros|rs|etc|";
    static const char behind[] = " \t\r\n\"')";
    uint32_t i = r->at + 1;
    if (i < r->n && !strchr(behind, r->p[i])) return false;
    while (i < r->n && strchr(behind, r->p[i]) && r->p[i]) i++;
    if (i >= r->n) return true;
    if (is_name_stop(r, s)) return false;
    if (r->p[r->at] != '.') return true;
    if (r->p[i] >= 'a' && r->p[i] <= 'z') return false;
    if (s->n == 0) return false;
    const struct token *last = &s->t[s->n - 1];
    if (last->src + last->src_n != r->at) return true;
    return last->n > 1 && !token_in(s, last, short_forms);
}

/* An empty line ends a headline that stands above a text without a dot. */
static bool ends_here(const struct reader *r, const struct glyph *g, const struct sentence *s)
{
    if (g->class == GLYPH_STOP) return g->bytes > 1 || stop_ends(r, s);
    return g->plain == '\n' && r->at + 1 < r->n && r->p[r->at + 1] == '\n';
}

/* A hyphen joins, "profit-taking"; a dash has a space or another one before it, "strong - but". */
static bool is_dash(const struct reader *r, const struct glyph *g)
{
    return g->class == GLYPH_OTHER && g->plain == '-' && r->at > 0
           && (r->p[r->at - 1] == ' ' || r->p[r->at - 1] == '-');
}

/* "BrownâForman": a dash with letters on both sides joins them, as a hyphen does. */
static bool is_joining_dash(const struct reader *r, const struct glyph *g, const struct sentence *s)
{
    if (s->edition == EDITION_FIRST || g->bytes != 3 || s->n == 0) return false;
    const struct token *last = &s->t[s->n - 1];
    return memcmp(r->p + r->at, "\xE2\x80\x93", 3) == 0 && last->src + last->src_n == r->at
           && followed_by(r, g, GLYPH_LETTER);
}

bool sentence_read(struct reader *r, struct sentence *s)
{
    uint16_t before = 0; /* the punctuation since the last word */
    sentence_clear(s);
    while (r->at < r->n && s->n < TOKENS_MAX) {
        struct glyph g = glyph_here(r);
        if (g.class == GLYPH_LETTER || g.class == GLYPH_DIGIT) {
            sentence_add_token(r, s, before);
            before = 0;
            continue;
        }
        bool end = ends_here(r, &g, s);
        if (g.class == GLYPH_COMMA) before |= AFTER_COMMA | AFTER_GAP;
        bool parts = g.class == GLYPH_BREAK || is_dash(r, &g);
        if (parts && !is_joining_dash(r, &g, s)) before |= AFTER_BREAK | AFTER_GAP;
        r->at += g.bytes;
        if (end && s->n > 0) break;
    }
    s->norm[s->used] = '\0';
    return s->n > 0;
}
