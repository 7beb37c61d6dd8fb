/* tokens.h - a text as sentences, a sentence as words and numbers. The stages that follow (phrases,
 * mentions, tone) write what they find into the same tokens, so this is also their common memory.
 *
 *     "Profit rose 12.5%, to EUR 3 mn."
 *
 *      i  norm     flags                                number
 *      0  profit   HAS_CAPITAL HAS_LOWER
 *      1  rose     HAS_LOWER
 *      2  12.5     HAS_CAPITAL IS_NUMBER IS_PERCENT     12.5
 *      3  to       HAS_LOWER AFTER_COMMA AFTER_GAP
 *      4  eur      HAS_CAPITAL
 *      5  3        HAS_CAPITAL IS_NUMBER                3e6: "mn" has raised it
 *      6  mn       HAS_LOWER
 *
 * No heap: a sentence is some 13 kB of the caller's stack, and is used again for the next one. */
#ifndef TOCSIN_ANALYTICS_LEXICON_TOKENS_H
#define TOCSIN_ANALYTICS_LEXICON_TOKENS_H
#include "analytics/news/scorers/lexicon/words.h"
#include "core/str.h"

enum { TOKENS_MAX = 128 }; /* a longer sentence is read in pieces */

enum token_flag {
    /* the word itself, by sentence_read */
    HAS_CAPITAL = 1, /* begins with a capital or a digit ("3M"), as a company's name may */
    HAS_LOWER = 2,   /* has a small ASCII letter: a sentence without any is SHOUTED */
    IS_NUMBER = 4,   /* begins with a digit */
    IS_PERCENT = 8,  /* "5%", "5 percent", "5 per cent": not to be compared with an amount */
    IS_YEAR = 16,    /* 1900 to 2100, no point, no unit: no amount of anything */
    /* what stands before it, by sentence_read */
    AFTER_COMMA = 32,
    AFTER_BREAK = 64,
    AFTER_GAP = 128, /* either of them: no phrase and no object goes across */
    /* the later stages */
    IS_INSIDE = 256, /* a later word of a phrase or a name, which the first one answers for */
    IS_BOUND = 512,  /* a thing whose move has been counted: it is not counted again */
};

struct token {
    const struct word *word; /* what the lexicon says, NULL for nothing; set by phrases and names */
    double tone;             /* what it adds to the article, 0 for nothing; by tone_read */
    double number;           /* with its unit: 3e6 for "3 mn" */
    uint64_t about;          /* the companies mentioned here, as bits; by mentions_find */
    uint32_t src, src_n;     /* its bytes in the text */
    uint32_t hash;           /* word_hash of its normal form */
    uint16_t at;             /* its normal form: n bytes of norm from here */
    uint16_t flags;          /* enum token_flag */
    uint8_t n;
    uint8_t words;           /* tokens that it stands for: 2 for "record high" */
    uint8_t clause, segment; /* by tone_read: clauses end at "but" and ';', segments at ',' too */
};

struct sentence {
    struct token t[TOKENS_MAX];
    double factor[TOKENS_MAX + 1]; /* weight of each clause */
    uint8_t
        edition; /* by whose rules it is read: set by whom it belongs to, before anything else */
    int n;
    uint16_t used;                                    /* bytes of norm */
    char norm[TOKENS_MAX * (WORD_BYTES_MAX + 1) + 1]; /* one space after every word */
};

enum { NAME_STOPS_MAX = 16 };

/* Words that a name we look for ends with a mark, which so ends no sentence: "Yum! Brands". */
struct name_stops {
    uint32_t hash[NAME_STOPS_MAX];
    uint32_t n;
};

struct reader {
    const char *p;
    uint32_t n, at;                 /* at: the first byte that is not read yet */
    const struct name_stops *stops; /* NULL: none */
};

/* The next sentence of the text into *s, or false at its end. */
bool sentence_read(struct reader *r, struct sentence *s);

/* For names, which are words without sentences: begin with none, then add the one at r->at, which
 * must be a letter or digit. There must be room: s->n < TOKENS_MAX. */
static inline void sentence_clear(struct sentence *s) { s->n = s->used = 0; }
void sentence_add_token(struct reader *r, struct sentence *s, uint16_t flags);

static inline bool token_is(const struct token *t, enum word_kind kind)
{
    return t->word && t->word->kind == kind;
}
/* Is it one of a few words? The list is "|a|b|". */
static inline bool token_in(const struct sentence *s, const struct token *t, const char *list)
{
    return word_in(list, s->norm + t->at, t->n);
}
#endif
