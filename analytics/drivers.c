/* drivers.c - what each member counts with now and counted with then, side by side: the lines of
 * now, and of the session's end what is kept for its corrections; the kind says what each made of
 * it (measure.h: drivers). See drivers.h for an example. */
#include "analytics/drivers.h"

#include "analytics/exact_sum.h"
#include "analytics/universe.h"
#include "core/when.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- who counts, and counted ---- */

static bool by_line(const struct series *s)
{
    for (int i = 0; i < measure_params_n(s->kind); i++)
        if (strcmp(s->kind->params[i].name, "by") == 0) return s->args.v[i] == BY_LINE;
    return false;
}

static uint32_t who_of(const struct market *m, const struct series *s, uint32_t line)
{
    return by_line(s) ? line : m->store.lines[line].slot;
}

static int by_who(const void *a, const void *b)
{
    const struct driver *x = a, *y = b;
    return (x->who > y->who) - (x->who < y->who);
}

/* Several rows of one company become one. */
static void merge(struct drivers *d)
{
    size_t n = 0;
    qsort(d->of, d->n, sizeof *d->of, by_who);
    for (size_t i = 0; i < d->n; i++) {
        if (n && d->of[n - 1].who == d->of[i].who) {
            d->of[n - 1].value += d->of[i].value;
            d->of[n - 1].then += d->of[i].then;
        } else d->of[n++] = d->of[i];
    }
    d->n = n;
}

/* ERR_NOMEM: there is no room for them. */
static enum err gather(const struct market *m, const struct series *s, struct drivers *d)
{
    const struct universe *u = series_universe(m, s);
    d->of = malloc((u->valued_n + u->closed_n + 1) * sizeof *d->of);
    if (!d->of) return ERR_NOMEM;
    for (uint32_t no = u->first_line; no != NONE; no = m->store.lines[no].next_of_universe) {
        const struct line *l = &m->store.lines[no];
        if (!l->valued) continue;
        d->of[d->n++] = (struct driver){ .who = who_of(m, s, no), .value = l->value };
        d->total += l->value;
    }
    for (size_t i = 0; i < u->closed_n; i++) {
        const struct session_line *x = &u->closed[i];
        if (x->day != d->since) continue;
        const int64_t then = line_value(x->close_e8, x->shares);
        d->of[d->n++] = (struct driver){ .who = who_of(m, s, x->line), .then = then };
        d->total_then += then;
    }
    merge(d);
    return ERR_OK;
}

/* ---- since when ---- */

static bool is_kept(const struct universe *u, int32_t day)
{
    for (size_t i = 0; i < u->refs_n; i++)
        if (u->refs[i].day == day) return true;
    return false;
}

/* The end before the session in progress; when none is, before the one that ended last. */
static int32_t end_before(const struct venue *v)
{
    const size_t back = v->in_session ? 1 : 2;
    return v->ended_n >= back ? v->ended[v->ended_n - back] : NO_DAY;
}

/* *out NO_DAY: there is none yet. ERR_INVALID: the one that was asked for is not kept. */
static enum err find_since(const struct market *m, const struct series *s, int32_t asked,
                           int32_t *out, struct why *why)
{
    const struct universe *u = series_universe(m, s);
    char date[DATE_TEXT_MAX];
    *out = asked == NO_DAY ? end_before(&m->venues[u->venue]) : asked;
    if (*out == NO_DAY || is_kept(u, *out)) return ERR_OK;
    if (asked == NO_DAY) {
        *out = NO_DAY;
        return ERR_OK;
    }
    date_format(*out, date);
    return err_set(why, ERR_INVALID,
                   "since %s: no session end that is kept; the last %d of %s with a level are",
                   date, SESSIONS_KEPT, u->name);
}

/* ---- the answer ---- */

/* Compared by size, then by who, so that the same state gives the same order. */
static int by_part(const void *a, const void *b)
{
    const struct driver *x = a, *y = b;
    const double p = fabs(x->part), q = fabs(y->part);
    return p != q ? (p < q ? 1 : -1) : by_who(a, b);
}

static void put_weight(struct json_writer *w, const char *key, int64_t value, i128 total)
{
    json_put_real(w, key, total > 0 ? ratio((i128)value * 100, total) : NAN);
}

static void put_driver(const struct market *m, const struct series *s, const struct drivers *d,
                       const struct driver *x, struct json_writer *w)
{
    json_put_object(w, NULL);
    if (by_line(s))
        json_put_text(w, "symbol", m->instruments[m->store.lines[x->who].instrument].symbol.s);
    else {
        const struct issuer *issuer = &m->issuers[m->store.slots[x->who].issuer];
        json_put_text(w, "issuer", issuer->key);
        json_put_text(w, "name", issuer->name);
    }
    json_put_real(w, "part", x->part);
    put_weight(w, "weight_pct", x->value, d->total);
    put_weight(w, "weight_then_pct", x->then, d->total_then);
    json_put_int(w, "value_cents", x->value);
    json_put_int(w, "value_then_cents", x->then);
    json_put_end(w);
}

/* What the parts as they are written do not sum up to, rounded once. */
static double remainder_of(const struct drivers *d)
{
    struct exact_sum sum = { 0 };
    exact_sum_add(&sum, d->now, 1);
    exact_sum_add(&sum, -d->change_from, 1);
    for (size_t i = 0; i < d->n; i++) exact_sum_add(&sum, -d->of[i].part, 1);
    return exact_sum_mean(&sum, 1);
}

static void put_all(const struct market *m, const struct series *s, struct drivers *d, size_t n,
                    struct json_writer *w)
{
    char date[DATE_TEXT_MAX];
    struct exact_sum others = { 0 };
    date_format(d->since, date);
    qsort(d->of, d->n, sizeof *d->of, by_part);
    json_put_text(w, "measure", s->text);
    json_put_text(w, "unit", s->unit);
    json_put_text(w, "since", date);
    json_put_real(w, "then", d->change_from);
    json_put_real(w, "now", d->now);
    json_put_real(w, "change", d->now - d->change_from);
    json_put_array(w, "drivers");
    for (size_t i = 0; i < d->n && i < n; i++) put_driver(m, s, d, &d->of[i], w);
    json_put_end(w);
    for (size_t i = n; i < d->n; i++) exact_sum_add(&others, d->of[i].part, 1);
    json_put_int(w, "others", d->n > n ? (int64_t)(d->n - n) : 0);
    json_put_real(w, "others_part", exact_sum_mean(&others, 1));
    json_put_real(w, "remainder", remainder_of(d));
}

/* Then and now; or why there is nothing to tell, which is no error. */
static const char *find_values(const struct market *m, uint32_t no, struct drivers *d)
{
    const struct series *s = &m->series[no];
    const struct reading *r = series_reading(m, no);
    if (d->since == NO_DAY) return "no session has ended before this one";
    if (!reading_has_value(r->status)) return "there is no value now";
    if (d->total <= 0 || d->total_then <= 0) return "there was no value at that session's end";
    d->now = r->value;
    s->kind->drivers(m, s, d);
    return isnan(d->change_from) ? "what it was at that session's end is not kept" : NULL;
}

static void put_nothing(const struct series *s, const struct drivers *d, const char *reason,
                        struct json_writer *w)
{
    static const char *const unknown[] = { "then", "now", "change" };
    json_put_text(w, "measure", s->text);
    json_put_text(w, "unit", s->unit);
    if (d->since == NO_DAY) json_put_null(w, "since");
    else json_put_date(w, "since", d->since);
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) json_put_null(w, unknown[i]);
    json_put_array(w, "drivers");
    json_put_end(w);
    json_put_int(w, "others", 0);
    json_put_null(w, "others_part");
    json_put_null(w, "remainder");
    json_put_text(w, "reason", reason);
}

enum err drivers_put(const struct market *m, uint32_t no, int32_t since, size_t n,
                     struct json_writer *w, struct why *why)
{
    const struct series *s = &m->series[no];
    struct drivers d = { 0 };
    if (!s->kind->drivers || s->subject_type != SUBJECT_INDEX)
        return err_set(why, ERR_INVALID, "%s is not a sum of its members' parts", s->text);
    if (!s->live) return err_set(why, ERR_INVALID, "%s is not computed now", s->text);
    enum err e = find_since(m, s, since, &d.since, why);
    if (!e) e = gather(m, s, &d);
    if (!e) {
        const char *reason = find_values(m, no, &d);
        if (reason) put_nothing(s, &d, reason, w);
        else put_all(m, s, &d, n, w);
    }
    free(d.of);
    return e;
}
