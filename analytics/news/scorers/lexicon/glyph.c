#include "analytics/news/scorers/lexicon/glyph.h"

/* GLYPH_OTHER is 0, so what is not named here is that. */
static const uint8_t class_of_ascii[128] = {
    ['a' ... 'z'] = GLYPH_LETTER, ['A' ... 'Z'] = GLYPH_LETTER, ['0' ... '9'] = GLYPH_DIGIT,
    [' '] = GLYPH_SPACE,          ['\t'] = GLYPH_SPACE,         ['\r'] = GLYPH_SPACE,
    ['\n'] = GLYPH_SPACE,         [','] = GLYPH_COMMA,          [';'] = GLYPH_BREAK,
    [':'] = GLYPH_BREAK,          ['('] = GLYPH_BREAK,          [')'] = GLYPH_BREAK,
    ['['] = GLYPH_BREAK,          [']'] = GLYPH_BREAK,          ['|'] = GLYPH_BREAK,
    ['.'] = GLYPH_STOP,           ['!'] = GLYPH_STOP,           ['?'] = GLYPH_STOP,
    ['\''] = GLYPH_APOSTROPHE,
};

/* C2 xx: Latin-1's signs, of which only the space that does not break matters. */
static struct glyph latin_sign(const uint8_t *p)
{
    return (struct glyph){ p[1] == 0xA0 ? GLYPH_SPACE : GLYPH_OTHER, 2, (char)*p };
}

/* C3 xx: Latin-1's letters, U+00C0 to U+00FF, as their nearest ASCII letter. */
static struct glyph latin_letter(const uint8_t *p)
{
    static const char plain[] = "aaaaaaaceeeeiiiidnoooooxouuuuyts"  /* À to ß */
                                "aaaaaaaceeeeiiiidnoooooxouuuuyty"; /* à to ÿ */
    return (struct glyph){ GLYPH_LETTER, 2, plain[p[1] & 0x3F] };
}

/* E2 xx xx: typographic signs. Apostrophe ’, dashes – and —, ellipsis …; quotes say nothing. */
static struct glyph typographic_sign(const uint8_t *p)
{
    enum glyph_class class = GLYPH_OTHER;
    if (p[1] == 0x80 && p[2] == 0x99) class = GLYPH_APOSTROPHE;
    if (p[1] == 0x80 && (p[2] == 0x93 || p[2] == 0x94 || p[2] == 0xA6)) class = GLYPH_BREAK;
    return (struct glyph){ class, 3, (char)*p };
}

/* E3 80 xx: Chinese and Japanese punctuation, of which 。 ends a sentence. */
static struct glyph ideographic_sign(const uint8_t *p)
{
    return (struct glyph){ p[2] == 0x82 ? GLYPH_STOP : GLYPH_BREAK, 3, (char)*p };
}

struct glyph glyph_at(const char *text, uint32_t left)
{
    const uint8_t *p = (const uint8_t *)text;
    uint8_t c = *p;
    if (c < 0x80) {
        enum glyph_class class = (enum glyph_class)class_of_ascii[c];
        return (struct glyph){ class, 1, (char)(class == GLYPH_LETTER ? c | 0x20 : c) };
    }
    if (c == 0xC3 && left > 1 && (p[1] & 0xC0) == 0x80) return latin_letter(p);
    if (c == 0xC2 && left > 1) return latin_sign(p);
    if (c == 0xE2 && left > 2) return typographic_sign(p);
    if (c == 0xE3 && left > 2 && p[1] == 0x80) return ideographic_sign(p);
    return (struct glyph){ GLYPH_LETTER, 1, (char)c };
}
