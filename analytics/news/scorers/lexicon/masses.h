/* masses.h - evidence for good and for bad, and the three masses that come of it.
 *
 * A headline's reader brings one unit of doubt: masses are shares of good + bad + 1. With good 0.60
 * and bad 0.54 ("Profit rose but costs at Apple hurt"):
 *
 *     positive 0.60 / 2.14 = 0.280    negative 0.54 / 2.14 = 0.252    neutral 0.467
 *     score 0.280 - 0.252 = 0.028     mixed: both at 0.20 or more, and close to each other
 *
 * A body's reader brings half a unit, and half of every sentence, so that a long body must keep
 * saying it: one good sentence of 0.60 in a body of one gives 0.60 / 1.60, in a body of two (the
 * second one weighs 1/1.1) 0.60 / 2.05. The headline is 60 % of an article that has both. */
#ifndef TOCSIN_ANALYTICS_LEXICON_MASSES_H
#define TOCSIN_ANALYTICS_LEXICON_MASSES_H
#include "analytics/news/sentiment.h"

/* All zero is an article without a word. It grows only, in the order of the text. */
struct evidence {
    double head_good, head_bad, body_good, body_bad; /* sums of |tone| * weight */
    double body_sentences;                           /* by their weight: 1, 1/1.1, 1/1.2, ... */
    bool in_head, in_body;                           /* has a sentence there */
};

/* A sentence is there, whether it says anything or not. */
void evidence_add_sentence(struct evidence *e, double weight, bool head);

/* What one of its words says. */
void evidence_add_tone(struct evidence *e, double tone, double weight, bool head);

struct sentiment evidence_masses(const struct evidence *e);
#endif
