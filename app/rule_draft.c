#include "app/rule_draft.h"

#include <string.h>

/* The definition has been read; now what its text means. */
static enum err complete(struct rule_draft *p, struct rule_draft *out, struct why *why)
{
    char canonical[MEASURE_TEXT_MAX];
    enum err e = measure_parse(p->d.text, p->d.measure_n, &p->m, why);
    if (e) return e;
    measure_format(&p->m, canonical);
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

struct uuid rule_draft_owner(const struct rule_draft *draft, struct uuid tenant)
{
    return measure_is_book(&draft->m) ? tenant : (struct uuid){ { 0 } };
}
