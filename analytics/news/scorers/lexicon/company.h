/* company.h - what a company is called, and whether a token begins a mention of it.
 *
 *     names given                            forms looked for
 *     "Micron Technology, Inc."              "micron"
 *     "Bank of America Corp."                "bank of america"     "bank" alone is too common
 *     "Keurig Dr Pepper Inc."                "keurig dr pepper", "keurig"
 *     "The Walt Disney Company"              "walt disney", "disney"
 *     "Alphabet Inc Class A"                 "alphabet"
 *     "General Group"                        "general group"       never just "general"
 *     "eBay Inc."                            "ebay", in any case
 *     "Nielsen Holdings"                     "nielsen", and "Holdings" is its own where it follows
 *
 * A form is found at whole words that begin with a capital: "Apple rises", not "apple harvest". The
 * symbol is found in upper case only, and where it could be a word ("IT", "ALL", or any in a
 * headline that SHOUTS) only if marked: $F, (F), NYSE: F. */
#ifndef TOCSIN_ANALYTICS_LEXICON_COMPANY_H
#define TOCSIN_ANALYTICS_LEXICON_COMPANY_H
#include "analytics/news/scorers/lexicon/tokens.h"
#include "analytics/news/sentiment.h"

enum { FORMS_MAX = 4 + 2 * FORMER_NAMES_MAX, FORM_BYTES_MAX = 63 };

struct form {
    char text[FORM_BYTES_MAX + 1]; /* as norm has it, NUL behind it */
    uint32_t first_hash;           /* of its first word */
    uint8_t bytes, words;
    bool any_case;                 /* its own first letter is small: "eBay", "lululemon" */
    char rest[FORM_BYTES_MAX + 2]; /* the words of the name behind it, a space after each */
};

struct company {
    struct str symbol; /* without an exchange's prefix: "AAPL" of "XNAS:AAPL" */
    struct form form[FORMS_MAX];
    int forms_n;
    struct name_stops stops; /* none in the first edition */
};

/* From symbol, issuer's, instrument's and former names, of which any may be empty. *scratch is
 * overwritten. */
void company_init(struct company *c, const struct sentiment_target *t, struct sentence *scratch);

/* The tokens of its symbol that begins at token i, or 0. `shouting`: the sentence is in
 * capitals. */
int company_symbol_at(const struct company *c, const struct reader *r, const struct sentence *s,
                      int i, bool shouting);

/* The tokens of its longest name that begins at token i, or 0. From the second edition on with the
 * endings that follow: "Nielsen Holdings", of "Nielsen Holdings plc" and of "Nielsen" as well. */
int company_name_at(const struct company *c, const struct sentence *s, int i);
#endif
