/* bind.h - what moves what. A word of movement has no tone of its own: "rose" is good of profit and
 * bad of costs, so it is bound to a thing of its clause; then that thing is bound (IS_BOUND), and
 * whatever else says it moved counts for less.
 *
 *     "Profit rose"                   rose +0.75, profit +1             tone +0.75
 *     "Costs rose"                    rose +0.75, costs -1              tone -0.75
 *     "Profit rose, up 5 %"           up finds profit bound: repeated   +0.75, 0.4 * 0.65 = +0.26
 *     "Lower costs"                   lower -0.65 looks ahead, costs -1 tone +0.65
 *     "Swung to a loss"               0.8 of the loss, -1               tone -0.80
 *     "Profit 5 mn versus 3 mn"       5 > 3, profit +1                  tone +0.50
 *     "Fell"                          no thing anywhere: its own        tone -0.50
 *
 * Each writes the tone of token i and the marks of the things that it used. Before: the words are
 * known and the clauses numbered. The order is that of tone.c: swings, comparisons, then moves. */
#ifndef TOCSIN_ANALYTICS_LEXICON_BIND_H
#define TOCSIN_ANALYTICS_LEXICON_BIND_H
#include "analytics/news/scorers/lexicon/tokens.h"

void bind_swing(struct sentence *s, int i);   /* WORD_SWING */
void bind_compare(struct sentence *s, int i); /* WORD_COMPARE */
void bind_move(struct sentence *s, int i);    /* WORD_MOVE, WORD_GRADE */
#endif
