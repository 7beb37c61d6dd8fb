#include "app/rule_draft.h"

#include "alerts/rules/key.h"

#include <math.h>
#include <string.h>

/* Of a measure that can be read: behind its last opening parenthesis. */
static int subject_place(const struct rule_definition *d)
{
    size_t i = d->measure_n;
    while (i && d->text[i - 1] != '(') i--;
    return (int)(i + strspn(d->text + i, " ")) + 1;
}

/* The definition has been read; now what its text means. */
static enum err complete(struct rule_draft *p, struct rule_draft *out, struct why *why)
{
    char canonical[MEASURE_TEXT_MAX];
    enum err e = measure_parse(p->d.text, p->d.measure_n, &p->m, why);
    if (e) return e;
    const char *unit = rule_unit_asked(&p->d);
    if (unit)
        measure_set_choice(&p->m, "unit",
                           unit); /* > 20y: in years; one without that choice is told so below */
    measure_format(&p->m, canonical);
    p->subject_at = subject_place(&p->d);
    e = rule_units(&p->d, measure_unit(&p->m), why);
    if (!e) e = rule_term(&p->d, measure_is_price(&p->m), &p->term, why);
    if (!e) e = rule_canonical(&p->d, canonical, why);
    if (!e) *out = *p;
    return e;
}

enum err rule_draft_read(const char *json, size_t n, struct rule_draft *out, struct why *why)
{
    struct rule_draft p;
    enum err e = rule_parse(json, n, &p.d, why);
    return e ? e : complete(&p, out, why);
}

enum err rule_draft_read_stored(const char *json, size_t n, struct rule_draft *out, struct why *why)
{
    struct rule_draft p;
    enum err e = rule_parse_stored(json, n, &p.d, why);
    return e ? e : complete(&p, out, why);
}

/* The keys (alerts/rules/key.h) that values of the range have: [low, high]. */
struct keys {
    int64_t low, high;
};

static int64_t key_at(const struct rule_draft *d, double v)
{
    return measure_is_price(&d->m) ? llround(v * 1e8) : key_of_double(v);
}

static struct keys keys_of(const struct rule_draft *d, const struct range *r)
{
    struct keys k = { INT64_MIN, INT64_MAX };
    if (r->low.kind) k.low = key_at(d, r->low.at) + (r->low.kind == END_EXCLUDED);
    if (r->high.kind) k.high = key_at(d, r->high.at) - (r->high.kind == END_EXCLUDED);
    return k;
}

static enum err unreachable(const struct rule_draft *d, const struct range *range, bool clear,
                            struct why *why)
{
    AUTO_BUF struct buf text = { 0 };
    range_text(range, &text);
    const char *values = text.data ? text.data : "";
    const int n = (int)d->d.measure_n;
    if (!clear)
        return err_at(why, d->d.threshold_at, ERR_INVALID, "%.*s is never %s %s: its values are %s",
                      n, d->d.text, rule_op_names.texts[d->d.op], d->d.threshold, values);
    return err_set(why, ERR_INVALID, "clear: %.*s is never %s %s: its values are %s", n, d->d.text,
                   d->term.above ? "<=" : ">=", d->d.clear, values);
}

enum err rule_draft_reachable(const struct rule_draft *d, const struct range *range,
                              struct why *why)
{
    const struct term *t = &d->term;
    const struct keys k = keys_of(d, range);
    if (t->above ? t->enter > k.high : t->enter <= k.low) return unreachable(d, range, false, why);
    if (d->d.clear[0] && (t->above ? t->clear <= k.low : t->clear > k.high))
        return unreachable(d, range, true, why);
    return ERR_OK;
}

enum err rule_draft_set_symbol(struct rule_draft *draft, const char *symbol, struct why *why)
{
    struct rule_draft p = *draft;
    char canonical[MEASURE_TEXT_MAX];
    measure_set_symbol(&p.m, symbol);
    measure_format(&p.m, canonical);
    enum err e = rule_canonical(&p.d, canonical, why);
    if (!e) *draft = p;
    return e;
}

struct uuid rule_draft_owner(const struct rule_draft *draft, struct uuid tenant)
{
    return measure_is_book(&draft->m) ? tenant : (struct uuid){ { 0 } };
}
