/* glyph.h - one character of any bytes: its class, its length, and the plain letter it is read as.
 *
 *     "Ä"  C3 84      letter, 2 bytes, plain 'a'       accents and capitals do not matter
 *     "n"  6E         letter, 1 byte,  plain 'n'
 *     "’"  E2 80 99   apostrophe, 3 bytes
 *     "。" E3 80 82   stop, 3 bytes
 *     FF              letter, 1 byte, plain FF         no UTF-8: goes into a word nobody knows
 *
 * What is not looked at closer (Greek, Cyrillic, Chinese, broken UTF-8) is a letter byte by byte:
 * it can be part of a name, is compared as it stands, and never ends a word in the middle. */
#ifndef TOCSIN_ANALYTICS_LEXICON_GLYPH_H
#define TOCSIN_ANALYTICS_LEXICON_GLYPH_H
#include <stdint.h>

enum glyph_class {
    GLYPH_OTHER, /* between words, and says nothing: % $ " / and what no list names */
    GLYPH_LETTER,
    GLYPH_DIGIT,
    GLYPH_SPACE,
    GLYPH_COMMA,
    GLYPH_BREAK, /* what parts a sentence as "but" does: ; : ( ) [ ] | and dashes */
    GLYPH_STOP,  /* may end a sentence: . ! ? */
    GLYPH_APOSTROPHE
};

struct glyph {
    enum glyph_class class;
    uint8_t bytes; /* 1 to 3, never more than were left */
    char plain;    /* a letter in lower case without its accent; else its first byte */
};

/* The character at p, of which `left` >= 1 bytes may be read. */
struct glyph glyph_at(const char *p, uint32_t left);
#endif
