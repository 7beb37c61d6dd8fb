/* bind.c - how far it looks is how headlines are built. A subject may stand far before its verb
 * ("Profit of the whole group in the first nine months rose"), an object close behind it ("cut
 * costs"), and what is said twice in a clause ("rose, up 5 %") is no more news the second time. */
#include "analytics/news/scorers/lexicon/bind.h"

enum {
    SUBJECT_NEAR = 2, /* tokens back, for a verb: "profit rose", "profit also rose" */
    SUBJECT_FAR = 24, /* when no object follows either */
    OBJECT_REACH = 6, /* tokens ahead: "a rise in the number of orders" */
    COMPARE_BACK = 24,
    COMPARE_AHEAD = 10,
    SWING_BACK = 12
};
static const double REPEATED = 0.4;    /* of a move whose thing has moved already */
static const double LESS_OF_BAD = 0.6; /* "eased fears": the tone that goes away, reversed */
static const double BY_OPPOSITE = 0.8; /* "a profit, compared with a loss" */
static const double BY_FIGURES = 0.5;  /* "5 mn, compared with 3 mn": the size is not judged */

/* ---- looking for the thing ---- */
/* The nearest thing up to `reach` tokens before i in its clause, bound ones only if wanted; or
 * -1. */
static int thing_before(const struct sentence *s, int i, int reach, bool bound)
{
    for (int j = i - 1; j >= 0 && j >= i - reach && s->t[j].clause == s->t[i].clause; j--)
        if (token_is(&s->t[j], WORD_THING) && (bound || !(s->t[j].flags & IS_BOUND))) return j;
    return -1;
}

/* What an object cannot lie behind: "rose by 5 % on sales of", where sales are no object of
 * rose. */
static bool ends_object(const struct sentence *s, int i)
{
    const struct token *t = &s->t[i];
    if (s->edition > EDITION_FIRST && t->flags & IS_NUMBER && !(t->flags & AFTER_GAP)
        && i + 1 < s->n && token_in(s, t + 1, "|day|week|month|quarter|session|year|"))
        return false; /* "snaps 6-day winning streak" */
    return t->flags & (IS_NUMBER | AFTER_GAP) || token_is(t, WORD_STOP) || token_is(t, WORD_TURN)
           || token_is(t, WORD_COMPARE) || token_is(t, WORD_MOVE);
}

/* The object: "cut costs", "a rise in the number of orders"; for a move down also something bad
 * that is no thing, "eased the crisis". Or -1. */
static int thing_after(const struct sentence *s, int i, int reach)
{
    const struct token *move = &s->t[i];
    for (int j = i + move->words; j < s->n && j <= i + reach; j++) {
        const struct token *t = &s->t[j];
        if (ends_object(s, j)) return -1;
        if (token_is(t, WORD_THING)) return j;
        if (token_is(t, WORD_TONE) && t->word->weight < 0 && move->word->weight < 0) return j;
    }
    return -1;
}

/* ---- moves ---- */
/* The thing that the move at i is about. A verb looks next to it first, "profit fell on weak
 * sales"; an adjective never looks back first: in "profit, lower costs" it is the costs that are
 * lower. */
static int moved_by(const struct sentence *s, int i)
{
    int j = -1;
    if (!token_is(&s->t[i], WORD_GRADE)) j = thing_before(s, i, SUBJECT_NEAR, false);
    if (j < 0) j = thing_after(s, i, OBJECT_REACH);
    if (j < 0) j = thing_before(s, i, SUBJECT_FAR, false);
    return j;
}

void bind_move(struct sentence *s, int i)
{
    struct token *move = &s->t[i];
    int j = moved_by(s, i);
    if (j < 0) {
        int again = thing_before(s, i, SUBJECT_FAR, true);
        move->tone = again >= 0 ? REPEATED * move->word->weight * s->t[again].word->weight
                                : move->word->alone;
        return;
    }
    struct token *thing = &s->t[j];
    double repeat = thing->flags & IS_BOUND ? REPEATED : 1;
    move->tone = token_is(thing, WORD_TONE) ? -LESS_OF_BAD * thing->word->weight
                                            : move->word->weight * thing->word->weight * repeat;
    thing->flags |= IS_BOUND;
}

void bind_swing(struct sentence *s, int i)
{
    struct token *swing = &s->t[i];
    for (int j = i + swing->words; j < s->n && j <= i + OBJECT_REACH; j++) {
        struct token *thing = &s->t[j];
        if (thing->clause != swing->clause) return;
        if (!token_is(thing, WORD_THING)) continue;
        swing->tone = swing->word->weight * thing->word->weight;
        thing->flags |= IS_BOUND;
        int before = thing_before(s, i, SWING_BACK, false);
        if (before >= 0) s->t[before].flags |= IS_BOUND; /* "profit swung to a loss": said once */
        return;
    }
}

/* ---- comparisons ---- */
static bool is_amount(const struct token *t)
{
    return t->flags & IS_NUMBER && !(t->flags & IS_YEAR);
}

/* What stands before "compared with": the thing, and its figure now, -1 for none. False when words
 * have said already how it went: "profit rose to 5 mn from 3 mn" counts the rise alone. */
static bool find_present(const struct sentence *s, int i, int *now, int *thing)
{
    *now = *thing = -1;
    for (int j = i - 1; j >= 0 && j >= i - COMPARE_BACK && (*thing < 0 || *now < 0); j--) {
        const struct token *t = &s->t[j];
        if (token_is(t, WORD_MOVE) || token_is(t, WORD_GRADE) || token_is(t, WORD_SWING)
            || token_is(t, WORD_COMPARE))
            return false;
        if (*now < 0 && is_amount(t)) *now = j;
        if (*thing < 0 && token_is(t, WORD_THING)) *thing = j;
    }
    return *thing >= 0 && !(s->t[*thing].flags & IS_BOUND);
}

static double by_figures(double sense, double now, double before)
{
    return sense * (now > before ? BY_FIGURES : now < before ? -BY_FIGURES : 0);
}

/* Two ways: "a profit of 5.1 mn, compared with a loss of 2 mn" names the opposite thing, and no
 * figure matters; "a profit of 5.1 mn, compared with 3.2 mn" has a figure of the same kind. */
void bind_compare(struct sentence *s, int i)
{
    int now, thing;
    if (!find_present(s, i, &now, &thing)) return;
    double sense = s->t[thing].word->weight;
    for (int j = i + s->t[i].words; j < s->n && j <= i + COMPARE_AHEAD; j++) {
        struct token *t = &s->t[j];
        if (token_is(t, WORD_THING) && sense * t->word->weight < 0) {
            s->t[i].tone = BY_OPPOSITE * sense;
        } else if (now >= 0 && is_amount(t)) {
            if ((t->flags ^ s->t[now].flags) & IS_PERCENT) return;
            s->t[i].tone = by_figures(sense, s->t[now].number, t->number);
        } else continue;
        s->t[thing].flags |= IS_BOUND;
        if (token_is(t, WORD_THING)) t->flags |= IS_BOUND;
        return;
    }
}
