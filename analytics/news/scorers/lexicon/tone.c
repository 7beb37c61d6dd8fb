/* tone.c - five passes over the tokens: phrases, clauses, bindings, the words that need no partner,
 * and what stands around them. "Profit rose but costs at Apple hurt":
 *
 *     token    word          clause  factor  bound to       tone    weighed
 *     profit   thing  +1     0       0.80    (by rose)      -
 *     rose     move   +0.75  0       0.80    profit         +0.75   * 0.8 = +0.60
 *     but      turn    1.2   1       1.20                   -
 *     costs    thing  -1     1       1.20    no move        0
 *     at       stop          1       1.20                   -
 *     apple                  1       1.20                   -
 *     hurt     tone   -0.45  1       1.20                   -0.45   * 1.2 = -0.54
 *
 * "But" raises its own clause to 1.2 and takes the one before down to 0.8; "although" begins one
 * that counts 0.6, up to its comma. */
#include "analytics/news/scorers/lexicon/tone.h"

#include "analytics/news/scorers/lexicon/bind.h"

static const double NEGATED = -0.6;     /* "did not rise" is less bad than "fell" */
static const double BEFORE_A_BUT = 0.8; /* the clause that "but" answers */
static const double PLACE = 0.25;       /* what stands where the news took place */
enum {
    WORDS_BACK = 4, /* looked at before a word: "was not at all strong" */
    PLACE_BACK = 3  /* "off their early highs" */
};

/* ---- phrases ---- */
/* The longest form that begins at token i and how many tokens it takes, or NULL. */
static const struct word *longest_form(const struct sentence *s, int i, int *words)
{
    const struct token *t = &s->t[i];
    const struct word *first = word_find(s->edition, s->norm + t->at, t->n, t->hash), *best;
    if (!first) return NULL;
    best = first->kind == WORD_PREFIX ? NULL : first;
    *words = 1;
    uint32_t hash = t->hash;
    for (int k = 1; k < first->words_max && i + k < s->n; k++) {
        const struct token *next = &t[k];
        if (next->flags & AFTER_GAP || next->about) break;
        hash = word_hash_more(hash, s->norm + next->at - 1, next->n + 1u); /* its space too */
        const struct word *longer =
            word_find(s->edition, s->norm + t->at, (size_t)(next->at + next->n - t->at), hash);
        if (!longer || longer->kind == WORD_PREFIX) continue;
        best = longer;
        *words = k + 1;
    }
    return best;
}

static void find_phrases(struct sentence *s)
{
    for (int i = 0; i < s->n; i++) {
        struct token *t = &s->t[i];
        int words = 1;
        if (t->about || t->flags & IS_INSIDE || t->word) continue;
        t->word = longest_form(s, i, &words);
        t->words = (uint8_t)words;
        for (int k = 1; t->word && k < words; k++) t[k].flags |= IS_INSIDE;
    }
}

/* ---- clauses ---- */
/* Clauses end at strong punctuation, at words such as "but", and at the comma after an aside, which
 * is one that weighs less: "Although demand was weak, profit rose". Segments end at commas too. */
static void number_clauses(struct sentence *s)
{
    uint8_t clause = 0, segment = 0;
    s->factor[0] = 1;
    for (int i = 0; i < s->n; i++) {
        struct token *t = &s->t[i];
        bool turn = token_is(t, WORD_TURN);
        bool aside_over = t->flags & AFTER_COMMA && s->factor[clause] < 1;
        bool begins = i > 0 && (turn || t->flags & AFTER_BREAK || aside_over);
        if (begins) s->factor[++clause] = 1;
        if (begins || (i > 0 && t->flags & AFTER_COMMA)) segment++;
        if (turn) {
            s->factor[clause] = t->word->weight;
            if (t->word->weight > 1 && clause > 0 && s->factor[clause - 1] == 1)
                s->factor[clause - 1] = BEFORE_A_BUT;
        }
        t->clause = clause;
        t->segment = segment;
    }
}

/* ---- bindings, and words that stand for themselves ---- */
static void bind_words(struct sentence *s)
{
    for (int i = 0; i < s->n; i++)
        if (token_is(&s->t[i], WORD_SWING)) bind_swing(s, i);
    for (int i = 0; i < s->n; i++)
        if (token_is(&s->t[i], WORD_COMPARE)) bind_compare(s, i);
    for (int i = 0; i < s->n; i++)
        if (token_is(&s->t[i], WORD_MOVE) || token_is(&s->t[i], WORD_GRADE)) bind_move(s, i);
}

/* The tone of a word that nothing has been bound to; of the others what bind.c has said of them. */
static double own_tone(const struct token *t, bool opens_clause)
{
    switch ((enum word_kind)t->word->kind) {
    case WORD_TONE:
    case WORD_AIMED:
    case WORD_UNDO:
    case WORD_RIVAL: return t->word->weight;
    case WORD_CALL: return opens_clause ? t->word->weight : t->tone;
    case WORD_THING: return t->word->alone;
    case WORD_MOVE:
    case WORD_GRADE:
    case WORD_SWING:
    case WORD_COMPARE:
    case WORD_PREFIX:
    case WORD_NOT:
    case WORD_SCALE:
    case WORD_TURN:
    case WORD_STOP:
    case WORD_QUIET: return t->tone;
    }
    return t->tone;
}

static void add_own_tones(struct sentence *s)
{
    for (int i = 0; i < s->n; i++) {
        struct token *t = &s->t[i];
        if (t->word && !(t->flags & IS_BOUND))
            t->tone = own_tone(t, i == 0 || t->flags & AFTER_BREAK);
    }
}

/* ---- what stands around a word ---- */
/* Up to four words back in the clause, no further than punctuation. A word with a tone right before
 * it is passed, as "fails to win approval" negates both; one further away has a "not" of its
 * own. */
static double modified_before(const struct sentence *s, int i, double tone)
{
    int clause = s->t[i].clause, seen = 0;
    for (int j = i - 1; j >= 0 && seen < WORDS_BACK; j--) {
        const struct token *before = &s->t[j];
        if (before->clause != clause || s->t[j + 1].flags & AFTER_GAP) break;
        if (before->flags & IS_INSIDE) continue;
        if (before->tone != 0) {
            if (seen) break;
            continue;
        }
        seen++;
        if (token_is(before, WORD_NOT)) return tone * NEGATED;
        if (token_is(before, WORD_SCALE) && seen <= 2) tone *= before->word->weight;
    }
    return tone;
}

/* "Not the worst" is not good, nor is "not the best" bad. */
static bool is_denied_extreme(const struct sentence *s, int i)
{
    return i >= 2 && token_in(s, &s->t[i], "|worst|best|weakest|strongest|poorest|better|worse|")
           && token_in(s, &s->t[i - 1], "|the|") && token_is(&s->t[i - 2], WORD_NOT);
}

/* Negation, emphasis and doubt: "may rise" 0.7, "rose sharply" 1.3, "did not rise" -0.6 of it. */
static double modified(const struct sentence *s, int i)
{
    const struct token *t = &s->t[i];
    if (s->edition > EDITION_FIRST && is_denied_extreme(s, i)) return 0;
    double tone = modified_before(s, i, t->tone);
    int next = i + t->words;
    if (next < s->n && token_is(&s->t[next], WORD_SCALE) && !(s->t[next].flags & AFTER_GAP))
        tone *= s->t[next].word->weight;
    return tone * s->factor[t->clause];
}

/* ---- what is said beside it: the second edition ---- */
/* "Approval is in doubt": the approval is no good news. Not if it is "not in doubt". */
static void undo(const struct sentence *s, double *tone)
{
    for (int i = 0; i < s->n; i++) {
        if (!token_is(&s->t[i], WORD_UNDO) || tone[i] >= 0) continue;
        for (int j = i - 1; j >= 0 && s->t[j].clause == s->t[i].clause; j--)
            if (tone[j] > 0) tone[j] = 0;
    }
}

/* Does a word of place stand before it, with nothing said between: "at a", "off their early"? */
static bool is_placed(const struct sentence *s, int i, const double *tone)
{
    for (int j = i - 1; j >= 0 && j >= i - PLACE_BACK && s->t[j].clause == s->t[i].clause; j--) {
        if (tone[j] != 0) return false;
        if (token_in(s, &s->t[j], "|at|from|off|near|despite|")) return true;
        if (token_in(s, &s->t[j], "|after|"))
            return token_in(s, &s->t[j + 1], "|the|a|an|its|their|this|last|recent|");
    }
    return false;
}

/* Has anything before i gone the other way, in its clause or in the one that "after" answers? */
static bool goes_against(const struct sentence *s, int i, const double *tone)
{
    for (int j = i - 1; j >= 0 && s->t[j].clause + 1 >= s->t[i].clause; j--) {
        bool before = s->t[j].clause != s->t[i].clause;
        if (before && !token_in(s, &s->t[j + 1], "|after|") && s->t[j + 1].clause != s->t[j].clause)
            return false;
        if (tone[j] * tone[i] < 0) return true;
    }
    return false;
}

/* "Stocks fall from a record high", "sees profit booking at record high": where it began or took
 * place is no news beside what went the other way there. */
static void set_back_places(const struct sentence *s, double *tone)
{
    for (int i = s->n - 1; i > 0; i--) {
        if (tone[i] == 0 || !is_placed(s, i, tone)) continue;
        if (goes_against(s, i, tone)) tone[i] *= PLACE;
    }
}

void tone_read(struct sentence *s)
{
    double tone[TOKENS_MAX]; /* all from unmodified ones: no matter in which direction it is done */
    find_phrases(s);
    number_clauses(s);
    bind_words(s);
    add_own_tones(s);
    for (int i = 0; i < s->n; i++) tone[i] = s->t[i].tone == 0 ? 0 : modified(s, i);
    if (s->edition > EDITION_FIRST) {
        undo(s, tone);
        set_back_places(s, tone);
    }
    for (int i = 0; i < s->n; i++) s->t[i].tone = tone[i];
}
