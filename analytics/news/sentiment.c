/* sentiment.c - from the two masses of an article to a word for it:
 *
 *     positive 0.55, negative 0.10   score 0.45                       positive
 *     positive 0.45, negative 0.25   score 0.20, but both are heard   mixed
 *     positive 0.25, negative 0.15   score 0.10                       neutral
 *
 * Without `mixed` an article that praises one half and damns the other would pass for one that says
 * nothing. The bounds 0.15 and 0.35 are also those of the five bands. */
#include "analytics/news/sentiment.h"

#include <math.h>
#include <string.h>

#define SCORER(name) extern const struct scorer scorer_##name;
#include "analytics/news/scorers.def"
#undef SCORER

static const struct scorer *const scorers[] = {
#define SCORER(name) &scorer_##name,
#include "analytics/news/scorers.def"
#undef SCORER
};

const struct scorer *scorer_in_use(void) { return scorers[0]; }

const struct scorer *scorer_find(const char *name, int version)
{
    for (size_t i = 0; i < ARRAY_LEN(scorers); i++)
        if (scorers[i]->version == version && strcmp(scorers[i]->name, name) == 0)
            return scorers[i];
    return NULL;
}

void sentiment_score(struct str headline, struct str body, struct sentiment *out)
{
    scorer_in_use()->read(headline, body, NULL, 0, out, NULL);
}

void sentiment_score_targets(struct str headline, struct str body,
                             const struct sentiment_target *targets, size_t n,
                             struct sentiment_ticker *out)
{
    scorer_in_use()->read(headline, body, targets, n, NULL, out);
}

enum sentiment_label sentiment_label_of(double positive, double negative)
{
    double s = positive - negative;
    if (fmin(positive, negative) >= 0.20 && fabs(s) < 0.35) return SENTIMENT_MIXED;
    return s >= 0.15 ? SENTIMENT_POSITIVE : s <= -0.15 ? SENTIMENT_NEGATIVE : SENTIMENT_NEUTRAL;
}

NAMES(sentiment_label, SENTIMENT_LABELS);
const char *sentiment_label_name(enum sentiment_label l)
{
    return names_text(&sentiment_label_names, (int)l);
}

const char *sentiment_band_name(double s)
{
    return s <= -0.35   ? "bearish"
           : s <= -0.15 ? "somewhat_bearish"
           : s < 0.15   ? "neutral"
           : s < 0.35   ? "somewhat_bullish"
                        : "bullish";
}
