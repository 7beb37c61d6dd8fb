/* measure_phrase.c - a measure as a sentence calls it.
 *
 *     spread(SP500, window=36mo)   its kind says: "spread of ... returns, {kind}"
 *                                  kind=geom says "{window}, geometric", and window=36mo "36 months"
 *     the phrase                   SP500's spread of ... returns, 36 months, geometric
 *
 * The words of a choice may have a {name} of their own, so what is filled in is filled in once
 * more: as the page does with its titles (api/web/text.js). */
#include "analytics/measure.h"

#include <string.h>

/* The parameter's value in words, or as it is written; false: there is none of that name. */
static bool put_value(const struct measure *m, struct str name, struct buf *out)
{
    char text[PARAM_TEXT_MAX];
    for (int i = 0; i < measure_params_n(m->kind); i++) {
        const struct param *p = &m->kind->params[i];
        if (!str_is(name, p->name)) continue;
        param_format(p, m->args.v[i], text);
        buf_puts(out, p->words ? p->words[m->args.v[i]] : text);
        return true;
    }
    return false;
}

static void fill(const struct measure *m, const char *text, struct buf *out)
{
    while (*text) {
        const size_t plain = strcspn(text, "{");
        buf_put(out, text, plain);
        text += plain;
        const char *end = *text ? strchr(text, '}') : NULL;
        if (!end) return buf_puts(out, text);
        const struct str name = { text + 1, (uint32_t)(end - text - 1) };
        if (!put_value(m, name, out)) buf_put(out, text, (size_t)(end - text) + 1);
        text = end + 1;
    }
}

void measure_phrase(const struct measure *m, struct buf *out)
{
    char canonical[MEASURE_TEXT_MAX];
    AUTO_BUF struct buf once = { 0 };
    if (!m->kind->phrase || m->subject_type == SUBJECT_SERIES) {
        measure_format(m, canonical);
        return buf_puts(out, canonical);
    }
    fill(m, m->kind->phrase, &once);
    buf_printf(out, "%s's ", m->subject);
    fill(m, once.data ? once.data : "", out);
    if (!buf_ok(&once)) out->failed = true;
}
