/* fuzz_rule.c - any bytes as a rule's JSON: what is read renders to JSON that reads back as the
 * same rule and the same levels. */
#include "alerts/rules/rule_text.h"

#include "core/utf8.h"

#include <stdlib.h>
#include <string.h>

static void same_terms(const struct rule_definition *a, const struct rule_definition *b, bool price)
{
    struct term x, y;
    struct why why = { 0 };
    enum err e = rule_term(a, price, &x, &why);
    if (rule_term(b, price, &y, NULL) != e) abort();
    if (e) {
        if (!why.text[0] || why.at < 0 || (size_t)why.at > strlen(a->text) + 1) abort();
        return;
    }
    if (x.above != y.above || x.enter != y.enter || x.clear != y.clear) abort();
    /* no value both holds and re-arms */
    if (x.above ? x.clear > x.enter : x.clear < x.enter) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rule_definition d, again;
    struct why why = { .at = -1 };
    if (n > 10000) return 0;
    enum err e = rule_parse((const char *)data, n, &d, &why);
    if (e) {
        if (why.at < 0 || why.at > RULE_TEXT_MAX + 1 || !why.text[0]
            || !utf8_valid(why.text, strlen(why.text)))
            abort();
        return 0;
    }
    if (rule_units(&d, n % 2 ? "%" : "0..1", &why)) {
        if (why.at < 0 || why.at > RULE_TEXT_MAX + 1 || !why.text[0]) abort();
        return 0;
    }
    char measure[RULE_TEXT_MAX + 1];
    memcpy(measure, d.text, d.measure_n);
    measure[d.measure_n] = '\0';
    if (rule_canonical(&d, measure, &why))
        return 0; /* the canonical text may be longer than a text may be */

    AUTO_BUF struct buf one = { 0 }, two = { 0 };
    rule_render(&d, &one);
    if (rule_parse(one.data, one.len, &again, NULL) != ERR_INVALID) abort(); /* "measure" */
    if (rule_parse_stored(one.data, one.len, &again, NULL)) abort();
    rule_render(&again, &two);
    if (one.len != two.len || memcmp(one.data, two.data, one.len) != 0) abort();
    same_terms(&d, &again, false);
    same_terms(&d, &again, true);
    return 0;
}
