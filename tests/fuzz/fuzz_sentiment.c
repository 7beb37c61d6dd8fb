/* fuzz_sentiment.c - any bytes as headline, body, symbols and names. The first byte is the length
 * of the headline, the second that of the first target's symbol; four lines are names, the rest
 * is the body. */
#include "analytics/news/sentiment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void check(const struct sentiment *s)
{
    if (!(s->positive >= 0 && s->neutral >= 0 && s->negative >= 0)
        || fabs(s->positive + s->neutral + s->negative - 1) > 1e-9)
        abort();
    if (s->score != s->positive - s->negative
        || s->label != sentiment_label_of(s->positive, s->negative))
        abort();
    if (!sentiment_label_name(s->label) || !sentiment_band_name(s->score)) abort();
}

static struct str take(const char **p, const char *end, size_t n)
{
    if (n > (size_t)(end - *p)) n = (size_t)(end - *p);
    struct str s = { *p, (uint32_t)n };
    *p += n;
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 100000) return 0;
    const char *p = (const char *)data + 2, *end = (const char *)data + size;
    struct str headline = take(&p, end, data[0]);
    struct sentiment_target target[4] = { 0 };
    target[0].symbol = take(&p, end, data[1] % (SYMBOL_MAX + 1));
    for (size_t i = 0; i < ARRAY_LEN(target); i++) {
        const char *line = memchr(p, '\n', (size_t)(end - p));
        target[i].issuer = take(&p, end, line ? (size_t)(line - p) : 0);
        if (p < end) p++;
    }
    target[1].symbol = (struct str){ "AAPL", 4 };
    target[2].instrument = (struct str){ "Apple Inc.", 10 };
    struct str body = take(&p, end, size);

    struct sentiment whole, again;
    sentiment_score(headline, body, &whole);
    sentiment_score(headline, body, &again);
    check(&whole);
    if (whole.score != again.score) abort();

    struct sentiment_ticker got[ARRAY_LEN(target)];
    sentiment_score_targets(headline, body, target, ARRAY_LEN(target), got);
    for (size_t i = 0; i < ARRAY_LEN(target); i++) {
        check(&got[i].tone);
        if (!(got[i].relevance >= 0 && got[i].relevance <= 1)
            || (got[i].relevance > 0) != (got[i].mentions > 0))
            abort();
        if (got[i].mentions == 0 && got[i].tone.score != 0) abort();
    }
    return 0;
}
