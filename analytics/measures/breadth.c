/* breadth.c - breadth, dispersion: how many members move with their index, and how far apart they
 * do (metrics.md 4).
 *
 *     of the session     A +3 %, B +1 %, C -2 %     worth 103, 202 and 98 now, so 100, 200, 100 before
 *     breadth(X)                  2 up, 1 down: +1
 *     breadth(X, form=up)         2 of 3: 66.7 %
 *     the index                   (3 + 2 - 2) / 400: +0.75 %
 *     breadth(X, form=beating)    A and B: 66.7 %
 *     dispersion(X)               sqrt((2.25^2 * 100 + 0.25^2 * 200 + 2.75^2 * 100) / 400) = 1.79 %
 *     dispersion(X, weights=equal)   around their mean of 0.667: 2.05 %
 *
 * A look walks the members, each an own line: so many as have a close before the session. The
 * weight of before is the value of now less what it has gained, so that shares which change
 * overnight, as in a split, weigh what they were worth. Sums go along the members' chain, which is
 * the same after a restart. */
#include "analytics/measures/index_reading.h"
#include "analytics/measures/returns.h"

enum { FORM };
enum { FORM_NET, FORM_UP, FORM_BEATING };
static const char *const form_names[] = {
    [FORM_NET] = "net", [FORM_UP] = "up", [FORM_BEATING] = "beating", NULL
};
static const char *const form_words[] = { [FORM_NET] = "members up less members down",
                                          [FORM_UP] = "share of members that are up",
                                          [FORM_BEATING] = "share of members that beat it" };
enum { WEIGHTS };
enum { WEIGHTS_CAP, WEIGHTS_EQUAL };
static const char *const weight_names[] = {
    [WEIGHTS_CAP] = "cap", [WEIGHTS_EQUAL] = "equal", NULL
};

/* ---- the members, one by one ---- */

/* The next of them from line `*no` on that counts and has a return; *no is then behind it. */
static bool next_member(const struct market *m, uint32_t *no, double *pct, double *before)
{
    while (*no != NONE) {
        const struct line *l = &m->store.lines[*no];
        *no = l->next_of_universe;
        if (!l->valued || !returns_of_session(m, &m->instruments[l->instrument], pct)) continue;
        *before = (double)l->value / (1 + *pct / 100);
        return true;
    }
    return false;
}

/* Their mean return, by what they were worth or each as one. n: how many there are. */
static double mean_return(const struct market *m, const struct universe *u, bool equal, int *n)
{
    double pct, before, sum = 0, weights = 0;
    *n = 0;
    for (uint32_t no = u->first_line; next_member(m, &no, &pct, &before); ++*n) {
        const double w = equal ? 1 : before;
        sum += w * pct;
        weights += w;
    }
    return sum / weights;
}

/* Has it a value, of a session with closes before it? */
static bool has_returns(const struct market *m, const struct universe *u, bool equal, double *mean,
                        int *n, struct reading *r)
{
    if (!index_has_value(m, u, false, r)) return false;
    *mean = mean_return(m, u, equal, n);
    if (*n) return true;
    r->status = READING_NO_HISTORY;
    reading_finish(m, u->venue, r);
    return false;
}

/* ---- breadth ---- */
static void read_breadth(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    double mean, pct, before;
    int n, up = 0, down = 0, beating = 0;
    if (!has_returns(m, u, false, &mean, &n, r)) return;
    for (uint32_t no = u->first_line; next_member(m, &no, &pct, &before);) {
        up += pct > 0;
        down += pct < 0;
        beating += pct > mean;
    }
    r->value = s->args.v[FORM] == FORM_NET  ? up - down
               : s->args.v[FORM] == FORM_UP ? ratio(100 * up, n)
                                            : ratio(100 * beating, n);
    reading_finish(m, u->venue, r);
}

static const char *breadth_unit(const struct measure *x)
{
    return x->args.v[FORM] == FORM_NET ? "members" : "%";
}

static struct range breadth_range(const struct measure *x, bool negative)
{
    (void)negative;
    return x->args.v[FORM] == FORM_NET ? (struct range){ 0 }
                                       : (struct range){ RANGE_FROM(0), RANGE_UP_TO(100) };
}

/* ---- dispersion ---- */
static void read_dispersion(const struct market *m, const struct series *s, struct reading *r)
{
    const struct universe *u = series_universe(m, s);
    const bool equal = s->args.v[WEIGHTS] == WEIGHTS_EQUAL;
    double mean, pct, before, squares = 0, weights = 0;
    int n;
    if (!has_returns(m, u, equal, &mean, &n, r)) return;
    for (uint32_t no = u->first_line; next_member(m, &no, &pct, &before);) {
        const double w = equal ? 1 : before;
        squares += w * (pct - mean) * (pct - mean);
        weights += w;
    }
    r->value = sqrt(squares / weights);
    reading_finish(m, u->venue, r);
}

/* ---- where they came from ---- */
static void breadth_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    const struct universe *u = series_universe(m, s);
    double pct, before;
    int n, up = 0, down = 0;
    const double mean = mean_return(m, u, false, &n);
    for (uint32_t no = u->first_line; next_member(m, &no, &pct, &before);) {
        up += pct > 0;
        down += pct < 0;
    }
    json_put_int(w, "up", up);
    json_put_int(w, "down", down);
    json_put_int(w, "of", n);
    json_put_real(w, "return_pct", n ? mean : NAN);
    index_inputs(m, u, w);
}

const struct measure_kind measure_breadth = {
    .name = "breadth",
    .phrase = "{form}",
    .units = "members, or %",
    .unit_of = breadth_unit,
    .range_of = breadth_range,
    .ranges = "of net any number; else 0 to 100",
    .formula =
        "of the members' returns since the close before the session: how many are above 0 less how many below (net); 100 times the share above 0 (up), or above the cap-weighted mean (beating)",
    .source = "metrics.md 4: breadth",
    .version = 1,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [FORM] = { .name = "form",
                           .help =
                               "members up less members down; the share of members up; that of members beating the index",
                           .type = PARAM_CHOICE,
                           .choices = form_names,
                           .words = form_words,
                           .missing = FORM_NET } },
    .read = read_breadth,
    .inputs = breadth_inputs,
};

const struct measure_kind measure_dispersion = {
    .name = "dispersion",
    .phrase = "dispersion of returns",
    .unit = "%",
    .range = { RANGE_FROM(0) },
    .formula =
        "square root of the mean of (r - R)^2, r the members' returns since the close before the session and R their mean: both by what they were worth then, or each as one",
    .source = "metrics.md 4: dispersion",
    .version = 1,
    .subjects = SUBJECT_INDEX,
    .moved_by = CAUSE_PRICE,
    .params = { [WEIGHTS] = { .name = "weights",
                              .help = "by capitalisation, or equal",
                              .type = PARAM_CHOICE,
                              .choices = weight_names,
                              .missing = WEIGHTS_CAP } },
    .read = read_dispersion,
    .inputs = breadth_inputs,
};
