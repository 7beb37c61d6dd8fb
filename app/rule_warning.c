/* rule_warning.c - last(A) has been from 100 to 120.
 *
 *     rule      of 100   of 120
 *     >= 130    does not hold   does not hold      never so far
 *     >= 110    does not hold   holds              nothing to say
 *     >= 90     holds           holds              always so far
 *
 * What may be meant instead is the number times 100 where the measure counts in per cent, a hundredth of it where it counts in
 * fractions: when that is no further from what has been than the half of it, and the number itself is. */
#include "app/rule_warning.h"

#include "core/decimal.h"
#include "core/when.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool holds(enum rule_op op, double v, double threshold)
{
    switch (op) {
    case OP_GE: return v >= threshold;
    case OP_GT: return v > threshold;
    case OP_LE: return v <= threshold;
    case OP_LT: return v < threshold;
    }
    return false;
}

static bool is_near(const struct rule_past *p, double v)
{
    const double size = fmax(fabs(p->low), fabs(p->high)), far = fmax(p->high - p->low, size / 2);
    return v >= p->low - far && v <= p->high + far;
}

/* The number that is meant if the one given is in the other unit; false: that is no better. */
static bool other_unit(const struct rule_draft *d, const struct rule_past *p,
                       char out[DECIMAL_TEXT_MAX])
{
    const bool pct = strcmp(measure_unit(&d->m), "%") == 0;
    const char *given = d->d.threshold;
    int64_t e8;
    if ((!pct && !rule_unit_is_fraction(measure_unit(&d->m))) || is_near(p, strtod(given, NULL)))
        return false;
    if (decimal_parse(given, strlen(given), &e8, NULL) || (!pct && e8 % 100)) return false;
    if (pct && (e8 > INT64_MAX / 100 || e8 < -(INT64_MAX / 100))) return false;
    e8 = pct ? e8 * 100 : e8 / 100;
    decimal_format(e8, out);
    return is_near(p, (double)e8 / 1e8);
}

struct rule_warning rule_warn(const struct rule_draft *d, const struct rule_past *p)
{
    struct rule_warning w = { 0 };
    const double threshold = strtod(d->d.threshold, NULL);
    if (p->seen_n < 2) return w;
    const bool low = holds(d->d.op, p->low, threshold), high = holds(d->d.op, p->high, threshold);
    if (low != high) return w;
    char since[DATE_TEXT_MAX], meant[DECIMAL_TEXT_MAX];
    date_format(day_of_ns(p->since_ns), since);
    const bool other = other_unit(d, p, meant);
    w.code = "outside_history";
    w.always = low;
    snprintf(w.detail, sizeof w.detail,
             "%.*s has been from %.6g to %.6g since %s: %s %s %s so far%s%s%s", (int)d->d.measure_n,
             d->d.text, p->low, p->high, since, low ? "always" : "never",
             rule_op_names.texts[d->d.op], d->d.threshold, other ? "; did you mean " : "",
             other ? meant : "", other ? "?" : "");
    return w;
}

void rule_warning_put(const struct rule_warning *w, struct buf *out)
{
    struct json_writer j = json_write(out);
    json_put_array(&j, NULL);
    if (w->code) {
        json_put_object(&j, NULL);
        json_put_text(&j, "code", w->code);
        json_put_text(&j, "detail", w->detail);
        json_put_end(&j);
    }
    json_put_end(&j);
}
