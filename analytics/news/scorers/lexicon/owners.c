#include "analytics/news/scorers/lexicon/owners.h"

static const double CARRIED = 0.4;    /* sureness where nobody is named */
static const double ELSEWHERE = 0.75; /* where the name is in another part of the sentence */
enum { CARRY_SENTENCES = 2, AIM_REACH = 4, RIVAL_REACH = 3, ANY_SEGMENT = -1 };

/* ---- whom a word is about ---- */
/* The first token of a segment that counts: no "but", no later word of a phrase. Or -1. */
static int segment_first(const struct sentence *s, int segment)
{
    for (int i = 0; i < s->n; i++) {
        const struct token *t = &s->t[i];
        bool later = t->flags & IS_INSIDE && !t->about;
        if (t->segment == segment && !token_is(t, WORD_TURN) && !later) return i;
    }
    return -1;
}

/* A part of a sentence that begins with a capitalised word we do not know is about that one: "..,
 * Tesla slumps". At the sentence's own beginning every word has a capital, so there it must act. */
static bool segment_is_foreign(const struct sentence *s, int segment)
{
    static const char no_names[] = "|the|its|it|but|and|their|his|her|this|these|company|in|on|by|"
                                   "a|an|with|q1|q2|q3|q4|net|";
    int i = segment_first(s, segment);
    if (i < 0) return false;
    const struct token *t = &s->t[i];
    bool acts = i + 1 < s->n
                && (token_is(t + 1, WORD_MOVE) || token_is(t + 1, WORD_TONE)
                    || token_is(t + 1, WORD_RIVAL));
    return (i > 0 || acts) && t->flags & HAS_CAPITAL && !(t->flags & IS_NUMBER) && !t->word
           && !t->about && !token_in(s, t, no_names);
}

/* The first mention among `reach` tokens from `from` on, in steps of 1 or -1, inside the
 * segment. */
static uint64_t mention_from(const struct sentence *s, int from, int step, int reach, int segment)
{
    for (int i = from, k = 0; i >= 0 && i < s->n && k < reach; i += step, k++) {
        if (segment != ANY_SEGMENT && s->t[i].segment != segment) return 0;
        if (s->t[i].about) return s->t[i].about;
    }
    return 0;
}

/* The nearest mention: before token i if there is any, else after it. */
static uint64_t mention_around(const struct sentence *s, int i, int segment)
{
    uint64_t who = mention_from(s, i, -1, TOKENS_MAX, segment);
    return who ? who : mention_from(s, i, 1, TOKENS_MAX, segment);
}

/* Whom token i's tone is about, and how surely. */
static uint64_t owner_of(const struct sentence *s, int i, double *sure)
{
    const struct token *t = &s->t[i];
    uint64_t who = 0;
    *sure = 1;
    if (token_is(t, WORD_AIMED) || token_is(t, WORD_CALL)) /* "Broker downgrades Apple" */
        who = mention_from(s, i + t->words, 1, AIM_REACH, t->segment);
    if (!who) who = mention_around(s, i, t->segment);
    if (who || segment_is_foreign(s, t->segment)) return who;
    *sure = ELSEWHERE;
    return mention_around(s, i, ANY_SEGMENT);
}

/* ---- giving it to them ---- */
static void credit(struct subjects *a, uint64_t who, double tone, double weight, bool head)
{
    for (size_t k = 0; k < a->n; k++)
        if (who >> k & 1) evidence_add_tone(&a->of[k].evidence, tone, weight, head);
}

/* "Apple beats Intel": what is good for the one before is bad for the one after. */
static void credit_rival(struct subjects *a, const struct sentence *s, int i, uint64_t who,
                         double weight, bool head)
{
    const struct token *t = &s->t[i];
    uint64_t other = mention_from(s, i + t->words, 1, RIVAL_REACH, t->segment) & ~who;
    credit(a, other, -t->tone, weight, head);
}

/* Whom the next sentences speak of: those named here, if all of them everywhere in it. */
static void carry_on(struct subjects *a, const struct sentence *s, uint64_t named)
{
    if (!named) {
        a->carry_left--;
        return;
    }
    a->carry = named;
    a->carry_left = CARRY_SENTENCES;
    for (int i = 0; i < s->n; i++)
        if (s->t[i].about && s->t[i].about != named) a->carry = 0;
}

void owners_share_out(struct subjects *a, struct sentence *s, uint64_t named, double weight,
                      bool head)
{
    uint64_t present = named ? named : a->carry_left > 0 ? a->carry : 0;
    double sure_of_sentence = named ? 1 : CARRIED;
    if (!present) return;
    for (size_t k = 0; k < a->n; k++)
        if (present >> k & 1)
            evidence_add_sentence(&a->of[k].evidence, weight * sure_of_sentence, head);
    if (named) mentions_join_lists(s);
    for (int i = 0; i < s->n; i++) {
        const struct token *t = &s->t[i];
        if (t->tone == 0) continue;
        double sure = sure_of_sentence;
        uint64_t who = named ? owner_of(s, i, &sure) : present;
        credit(a, who, t->tone, weight * sure, head);
        if (token_is(t, WORD_RIVAL)) credit_rival(a, s, i, who, weight, head);
    }
    carry_on(a, s, named);
}
