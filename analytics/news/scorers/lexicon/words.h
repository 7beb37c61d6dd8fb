/* words.h - what the lexicon knows of a word or phrase: which kind it is, and its numbers.
 *
 * The words stand in ../lexicon.def, a row for those that mean the same; a form is one of them, in
 * lower case, its words one space apart: "rose", "better than expected". The table is a constant
 * from before main on, so any thread may ask, and nothing is ever added.
 *
 * How a phrase is found, by the hash of its words so far. "record high" and "record" are forms:
 *
 *     record   a form, scale 1.30; words_max is 2, as no phrase that begins so is longer
 *     high     "record high" is a form too, tone +0.75: longer, so it is the one that counts
 *     in       not looked at: two words are as far as anybody has to go */
#ifndef TOCSIN_ANALYTICS_LEXICON_WORDS_H
#define TOCSIN_ANALYTICS_LEXICON_WORDS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORD_BYTES_MAX = 40 }; /* longer words of a text are cut: nothing we know is that long */

/* What was scored stays as it was scored, so a replay of it reads it as it was read then: an
 * edition never changes once it has been let out. The first is lexicon.def; the second is that with
 * what lexicon_2.def adds or says anew, and the rules marked `edition` in the stages' code. */
enum { EDITION_FIRST = 1, EDITION_NOW = 2 };

/* The rows of lexicon.def, whose head says what each does; here an example of each. */
enum word_kind {
    WORD_PREFIX,  /* not a form itself, but a phrase begins with it: "joins", of "joins forces" */
    WORD_TONE,    /* good or bad by itself: "weak" */
    WORD_MOVE,    /* takes its sign from what moves: "rose", "cut" */
    WORD_GRADE,   /* the same for an adjective, which stands before it: "lower" */
    WORD_THING,   /* what moves: "profit" is good when it rises, "costs" are not */
    WORD_SWING,   /* takes the sign of what follows: "swung to" a loss */
    WORD_AIMED,   /* falls on the company after it: "downgrades" */
    WORD_CALL,    /* a recommendation, where it opens a clause: "Buy" */
    WORD_RIVAL,   /* good for the one before, bad for the one after: "beats" */
    WORD_NOT,     /* turns what follows around: "fails to" */
    WORD_SCALE,   /* makes its neighbour stronger or weaker: "sharply", "may" */
    WORD_TURN,    /* begins a clause that weighs more or less: "but", "although" */
    WORD_COMPARE, /* stands between the figures of two periods: "compared with" */
    WORD_STOP,    /* ends the search for an object: "to", "by", "is" */
    WORD_QUIET,   /* only looks like tone: "profit and loss account" */
    WORD_UNDO     /* takes away what good stands before it: approval "is in doubt" */
};

struct word {
    const char *text; /* inside its row; not NUL-terminated */
    double weight;    /* tone, strength, sense or factor, as its kind has it */
    double alone;     /* the tone of a move or a thing that finds no partner */
    uint32_t hash;
    uint8_t bytes, kind; /* an enum word_kind */
    uint8_t words_max;   /* words of the longest phrase that begins with this word */
    uint8_t edition;     /* whose row said so last */
};

/* What "isn't", "didn't" and all other words in n't are. */
extern const struct word word_not;

/* FNV-1a. Taking a text in pieces gives the hash of the whole: a phrase costs its last word. */
uint32_t word_hash(const char *p, size_t n);
uint32_t word_hash_more(uint32_t hash, const char *p, size_t n);

/* The word or phrase of these bytes, a mere prefix too; NULL when that edition has none. */
const struct word *word_find(int edition, const char *p, size_t n, uint32_t hash);

/* Is it in a short list of words, written "|a|b|"? For what code needs and tone does not. */
bool word_in(const char *list, const char *p, size_t n);
#endif
