#include "analytics/news/scorers/lexicon/masses.h"

#include <math.h>

static const double HEAD_SHARE = 0.6; /* of an article that has a headline and a body */
static const double HEAD_DOUBT = 1;
static const double BODY_DOUBT = 0.5;
static const double SENTENCE_DOUBT = 0.5; /* of each sentence of a body */

void evidence_add_sentence(struct evidence *e, double weight, bool head)
{
    if (head) e->in_head = true;
    else {
        e->in_body = true;
        e->body_sentences += weight;
    }
}

void evidence_add_tone(struct evidence *e, double tone, double weight, bool head)
{
    double *to = head ? (tone > 0 ? &e->head_good : &e->head_bad)
                      : (tone > 0 ? &e->body_good : &e->body_bad);
    *to += fabs(tone) * weight;
}

struct sentiment evidence_masses(const struct evidence *e)
{
    double head = e->in_head ? (e->in_body ? HEAD_SHARE : 1) : 0;
    double body = e->in_body ? 1 - head : 0;
    double head_all = e->head_good + e->head_bad + HEAD_DOUBT;
    double body_all = e->body_good + e->body_bad + BODY_DOUBT + SENTENCE_DOUBT * e->body_sentences;
    struct sentiment m = {
        .positive = head * e->head_good / head_all + body * e->body_good / body_all,
        .negative = head * e->head_bad / head_all + body * e->body_bad / body_all,
    };
    m.neutral = 1 - m.positive - m.negative;
    m.score = m.positive - m.negative;
    m.label = sentiment_label_of(m.positive, m.negative);
    return m;
}
