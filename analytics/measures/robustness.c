/* robustness.c - in how many definitions of a spread does a claim hold? (metrics.md 2)
 *
 *     highest_since(spread(SP500, window=36mo))   24 March 2000, by geometric returns of 36 months
 *     robustness(that)                            17: of the 5 kinds times 4 windows, 17 are the highest
 *                                                 since that day or an earlier one; `fails` names the 3
 *     robustness(that, kinds=2, windows=2)        of 4: geom and arith, 3mo and 12mo
 *
 * Each definition is a series of its own, highest_since(spread(SP500, kind=.., window=..)), which
 * this one begins and looks at; its past begins when somebody first asked for it. One that has no
 * value, or whose past does not reach back so far, does not confirm the claim. */
#include "analytics/measures/sentence.h"
#include "analytics/measures/since.h"

#include "core/vec.h"

#include <assert.h>
#include <inttypes.h>

enum { KINDS, WINDOWS };
enum { KINDS_MAX = 5, WINDOWS_MAX = 4 };
static const char *const kinds[KINDS_MAX] = { "geom", "arith", "log", "ann", "ratio" };
static const char *const windows[WINDOWS_MAX] = { "3mo", "12mo", "18mo", "36mo" };

static_assert((int)KINDS_MAX * WINDOWS_MAX <= (int)LOOKED_AT_MAX, "all of them");

/* ---- which they are ---- */

/* `claim` is highest_since(spread(X, ...)): the same of X's spread of that kind and window. */
static bool redefine(const struct measure *claim, const char *kind, const char *window,
                     struct measure *out)
{
    struct measure spread = measure_inner(claim);
    *out = *claim;
    if (!measure_set_choice(&spread, "kind", kind)
        || !measure_set_choice(&spread, "window", window))
        return false;
    memset(out->subject, 0, sizeof out->subject);
    measure_format(&spread, out->subject);
    return true;
}

static enum err of_a_spread(const struct measure *m, struct why *why)
{
    const struct measure claim = measure_inner(m);
    struct measure other;
    if (since_is(claim.kind) && redefine(&claim, kinds[0], windows[0], &other)) return ERR_OK;
    return err_set(
        why, ERR_INVALID,
        "robustness is measured on highest_since or lowest_since of a spread, such as %s",
        measure_example(m->kind));
}

/* ---- begun and ended ---- */

/* NULL: it has not begun. */
static const struct looks *looks_of(const struct market *m, const struct series *s)
{
    const uint32_t no = (uint32_t)(s - m->series);
    for (size_t i = 0; i < m->looks_n; i++)
        if (m->looks[i].series == no) return &m->looks[i];
    return NULL;
}

/* All series may move while it begins others. */
static enum err begin_definitions(struct market *m, struct series *s)
{
    const size_t kinds_n = (size_t)s->args.v[KINDS], windows_n = (size_t)s->args.v[WINDOWS];
    const struct uuid tenant = s->tenant;
    const char *text = m->series[s->subject].text;
    struct looks l = { .series = (uint32_t)(s - m->series) };
    struct measure claim, other;
    struct why why;
    enum err e = measure_parse(text, strlen(text), &claim, &why);
    for (size_t i = 0; i < kinds_n * windows_n && !e; i++) {
        if (!redefine(&claim, kinds[i / windows_n], windows[i % windows_n], &other)) continue;
        e = series_track(m, tenant, &other, &l.at[l.n], &why);
        if (!e) e = series_lean(m, l.at[l.n], 1);
        l.n += !e;
    }
    if (!VEC_GROW(&m->looks, &m->looks_cap, m->looks_n + 1)) return ERR_NOMEM;
    m->looks[m->looks_n++] = l;
    return e;
}

static void end_definitions(struct market *m, struct series *s)
{
    const struct looks *of = looks_of(m, s);
    if (!of) return;
    const struct looks gone = *of;
    m->looks[of - m->looks] = m->looks[--m->looks_n];
    for (size_t i = 0; i < gone.n; i++) {
        const enum err e = series_lean(m, gone.at[i], -1);
        (void)e; /* to let go of something takes no memory */
    }
}

static enum err claim_moved(const struct market *m, struct series *s, const struct reading *r)
{
    (void)m, (void)s, (void)r;
    return ERR_OK;
}

/* ---- how many ---- */

static bool confirms(const struct market *m, uint32_t no, const struct since_found *claim)
{
    struct since_found f;
    return since_find(m, &m->series[no], &f) && f.day != NO_DAY && f.day <= claim->day;
}

static bool find_claim(const struct market *m, const struct series *s, struct since_found *out)
{
    return since_find(m, &m->series[s->subject], out) && out->day != NO_DAY;
}

static void read_robustness(const struct market *m, const struct series *s, struct reading *out)
{
    struct since_found claim;
    const struct looks *of = looks_of(m, s);
    *out = *series_reading(m, s->subject);
    if (!reading_has_value(out->status)) return;
    out->value = 0;
    if (!of || !find_claim(m, s, &claim)) {
        out->value = NAN;
        out->status = READING_NO_HISTORY;
        return;
    }
    for (size_t i = 0; i < of->n; i++) out->value += confirms(m, of->at[i], &claim);
}

static void put_those(const struct market *m, const struct looks *of,
                      const struct since_found *claim, bool that, const char *key,
                      struct json_writer *w)
{
    json_put_array(w, key);
    for (size_t i = 0; i < of->n; i++)
        if (confirms(m, of->at[i], claim) == that)
            json_put_text(w, NULL, m->series[m->series[of->at[i]].subject].text);
    json_put_end(w);
}

static void robustness_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    AUTO_BUF struct buf tail = { 0 };
    const struct looks *looks = looks_of(m, s);
    const struct series *of = &m->series[s->subject], *spread = &m->series[of->subject];
    const struct reading *now = series_reading(m, (uint32_t)(s - m->series));
    struct since_found claim;
    json_put_text(w, "of", of->text);
    if (looks && reading_has_value(now->status) && find_claim(m, s, &claim)) {
        json_put_int(w, "definitions", looks->n);
        put_those(m, looks, &claim, true, "holds", w);
        put_those(m, looks, &claim, false, "fails", w);
        since_words(m, of, &claim, &tail);
        buf_printf(&tail, ", and so in %.0f of %" PRIu32 " definitions", now->value, looks->n);
        sentence_put(spread, series_reading(m, of->subject)->value, &tail, w);
    }
    json_put_object(w, "inputs");
    of->kind->inputs(m, of, w);
    json_put_end(w);
}

const struct measure_kind measure_robustness = {
    .name = "robustness",
    .unit = "definitions",
    .range = { RANGE_FROM(0), RANGE_UP_TO(KINDS_MAX *WINDOWS_MAX) },
    .formula =
        "of the first kinds of geom, arith, log, ann, ratio times the first windows of 3mo, 12mo, 18mo, 36mo: in how many definitions of the spread it is as long ago as in x that it was as high (as low)",
    .source = "metrics.md 2: robustness of a claim",
    .version = 1,
    .subjects = SUBJECT_SERIES,
    .moved_by = CAUSE_SUBJECT,
    .params = { [KINDS] = { .name = "kinds",
                            .help = "how many kinds of spread",
                            .type = PARAM_INT,
                            .min = 1,
                            .max = KINDS_MAX,
                            .missing = KINDS_MAX },
                [WINDOWS] = { .name = "windows",
                              .help = "how many windows",
                              .type = PARAM_INT,
                              .min = 1,
                              .max = WINDOWS_MAX,
                              .missing = WINDOWS_MAX } },
    .page = { .decimals = NO_DECIMALS },
    .fits = of_a_spread,
    .example = "highest_since(spread(SP500, window=36mo))",
    .begin = begin_definitions,
    .end = end_definitions,
    .subject_moved = claim_moved,
    .read = read_robustness,
    .inputs = robustness_inputs,
};
