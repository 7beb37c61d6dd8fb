/* tone.h - the tone of each token of a sentence: what its words say, bound, negated and weighed.
 *
 * Before: sentence_read; and, if companies are looked for, mentions_find, whose names say nothing
 * ("Best Buy" is neither best nor a buy). After: token.word, .words, .clause, .segment and .tone
 * stand, and factor[] of the clauses. Tone is about -1.5 to 1.5; most tokens have 0. */
#ifndef TOCSIN_ANALYTICS_LEXICON_TONE_H
#define TOCSIN_ANALYTICS_LEXICON_TONE_H
#include "analytics/news/scorers/lexicon/tokens.h"

void tone_read(struct sentence *s);
#endif
