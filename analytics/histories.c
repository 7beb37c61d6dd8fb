/* histories.c - the history of spread(SP500, window=36mo), which is measured here since 8 February
 * 2016, and is 24 now:
 *
 *     1999-12-31,21.4
 *     2000-03-24,30.4     the last that is as high as 24: since then it was lower
 *     2001-06-29,18.0
 *     2016-02-08,99       of the seam or later: not looked at
 *
 * All points lie in one array, a history's behind each other, so that they are saved as they are. */
#include "analytics/histories.h"

#include "analytics/series.h"
#include "analytics/symbols.h"
#include "core/decimal.h"
#include "core/vec.h"
#include "core/when.h"

#include <math.h>
#include <string.h>

/* ---- looking ---- */

const struct long_history *histories_of(const struct market *m, const char *measure)
{
    for (size_t i = 0; i < m->histories_n; i++)
        if (strcmp(m->histories[i].measure, measure) == 0) return &m->histories[i];
    return NULL;
}

size_t histories_before(const struct market *m, const struct long_history *h, int32_t before)
{
    size_t low = 0, high = h->n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (histories_point(m, h, mid)->day < before) low = mid + 1;
        else high = mid;
    }
    return low;
}

long histories_reached(const struct market *m, const struct long_history *h, int32_t before,
                       double now, bool high)
{
    for (size_t i = histories_before(m, h, before); i-- > 0;) {
        const double v = histories_point(m, h, i)->value;
        if (high ? v >= now : v <= now) return (long)i;
    }
    return -1;
}

/* ---- reading one ---- */

/* The canonical text of the measure, as instruments are called now. */
static enum err read_measure(const struct market *m, struct str text, struct measure *x,
                             struct why *why)
{
    struct why mine;
    if (measure_parse(text.p, text.n, x, &mine))
        return err_set(why, ERR_INVALID, "field \"measure\": %s", mine.text);
    if (measure_is_book(x))
        return err_set(why, ERR_INVALID, "field \"measure\": a book's past is its tenant's own");
    symbols_canonical(m, x);
    return ERR_OK;
}

/* "2000-03-24,30.4" */
static enum err read_line(struct str line, struct history_point *out, struct why *why)
{
    const char *comma = memchr(line.p, ',', line.n);
    int64_t e8;
    if (!comma) return err_set(why, ERR_INVALID, "expected DATE,VALUE");
    enum err e = date_parse(line.p, (size_t)(comma - line.p), &out->day, why);
    const char *value = comma + 1;
    if (!e) e = decimal_parse(value, (size_t)(line.p + line.n - value), &e8, why);
    if (!e) out->value = (double)e8 / 1e8;
    return e;
}

static enum err check_point(const struct history_point *p, const struct history_point *before,
                            const struct range *range, struct why *why)
{
    AUTO_BUF struct buf text = { 0 };
    if (before && p->day == before->day)
        return err_set(why, ERR_INVALID, "the date of the line before once more");
    if (before && p->day < before->day)
        return err_set(why, ERR_INVALID, "is dated before the line above it");
    if (range_has(range, p->value)) return ERR_OK;
    range_text(range, &text);
    return err_set(why, ERR_INVALID, "%.9g is no value of the measure, which is %s", p->value,
                   buf_ok(&text) ? text.data : "");
}

/* Behind the points that there are. On failure what was put there is to be forgotten. */
static enum err read_points(struct market *m, struct str text, const struct range *range, size_t *n,
                            struct why *why)
{
    const char *p = text.p, *end = text.p + text.n;
    const size_t first = m->history_points_n;
    for (int line = 1; p < end; line++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        if (!stop) stop = end;
        struct why mine = { .text = "" };
        if (!VEC_GROW(&m->history_points, &m->history_points_cap, first + *n + 1)) return ERR_NOMEM;
        struct history_point *at = &m->history_points[first + *n];
        enum err e = read_line((struct str){ p, (uint32_t)(stop - p) }, at, &mine);
        if (!e) e = check_point(at, *n ? at - 1 : NULL, range, &mine);
        if (e) return err_set(why, ERR_INVALID, "field \"text\", line %d: %s", line, mine.text);
        ++*n;
        p = stop + 1;
    }
    return ERR_OK;
}

/* ---- keeping it ---- */

/* The points of history i go, those behind them move up, and the histories that they belong to know. */
static void drop(struct market *m, size_t i)
{
    const struct long_history gone = m->histories[i];
    struct history_point *at = m->history_points + gone.first;
    m->history_points_n -= gone.n;
    memmove(at, at + gone.n, (m->history_points_n - gone.first) * sizeof *at);
    m->histories_n--;
    memmove(m->histories + i, m->histories + i + 1, (m->histories_n - i) * sizeof *m->histories);
    for (size_t k = i; k < m->histories_n; k++) m->histories[k].first -= gone.n;
}

static bool takes_back(const struct record *r)
{
    return r->u.history.source.n == 0 && str_is(r->u.history.text, "none");
}

enum err histories_record(struct market *m, const struct record *r, struct why *why)
{
    struct measure x;
    struct long_history h = { 0 };
    size_t n = 0;
    enum err e = read_measure(m, r->u.history.measure, &x, why);
    if (e) return e;
    const struct range range = series_range(m, &x);
    if (!takes_back(r)) e = read_points(m, r->u.history.text, &range, &n, why);
    if (!e && !VEC_GROW(&m->histories, &m->histories_cap, m->histories_n + 1)) e = ERR_NOMEM;
    if (e) return e;
    measure_format(&x, h.measure);
    copy_name(h.source, sizeof h.source, r->u.history.source);
    h.first = (uint32_t)m->history_points_n;
    h.n = (uint32_t)n;
    const struct long_history *was = histories_of(m, h.measure);
    const size_t old = was ? (size_t)(was - m->histories) : 0;
    m->history_points_n += n;
    if (n) m->histories[m->histories_n++] = h;
    if (was) drop(m, old);
    series_touch_all(m); /* who is held against it looks again */
    return ERR_OK;
}

/* By the text that its points give back. */
bool histories_known(const struct market *m, struct str measure, struct str source, struct str text)
{
    struct measure x;
    char canonical[MEASURE_TEXT_MAX];
    AUTO_BUF struct buf b = { 0 };
    if (read_measure(m, measure, &x, NULL)) return false;
    measure_format(&x, canonical);
    const struct long_history *h = histories_of(m, canonical);
    if (!h || !str_is(source, h->source)) return false;
    for (size_t i = 0; i < h->n; i++) {
        const struct history_point *p = histories_point(m, h, i);
        char date[DATE_TEXT_MAX], value[DECIMAL_TEXT_MAX];
        date_format(p->day, date);
        decimal_format(llround(p->value * 1e8), value);
        buf_printf(&b, "%s,%s\n", date, value);
    }
    return buf_ok(&b) && b.len == text.n && memcmp(b.data, text.p, text.n) == 0;
}

void histories_rename(struct market *m, const struct symbol *from, const struct symbol *to)
{
    for (size_t i = 0; i < m->histories_n; i++) {
        struct measure x;
        char name[SYMBOL_SUBJECT_MAX + 1];
        struct long_history *h = &m->histories[i];
        if (measure_parse(h->measure, strlen(h->measure), &x, NULL) || !measure_symbol(&x, name)
            || strcmp(name, from->s) != 0)
            continue;
        measure_set_symbol(&x, to->s);
        memset(h->measure, 0, sizeof h->measure);
        measure_format(&x, h->measure);
    }
}

bool histories_restore(struct market *m)
{
    size_t first = 0;
    for (size_t i = 0; i < m->histories_n; i++) {
        m->histories[i].first = (uint32_t)first;
        first += m->histories[i].n;
        if (first > m->history_points_n) return false;
    }
    return first == m->history_points_n;
}
