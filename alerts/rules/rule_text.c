/* rule_text.c - "spread(SP500, window=36mo) > 2.5", clear 2: what is found where.
 *
 *     spread(SP500, window=36mo)   the measure, up to its own closing parenthesis; measure_n is 26
 *     >                            the operator, OP_GT
 *     2.5                          the threshold, a decimal number as JSON has it
 *
 * rule_term then makes levels of it: above, enter key(2.5) + 1, clear key(2) + 1. A wrong
 * character is pointed at, from 1. */
#include "alerts/rules/rule_text.h"

#include "alerts/rules/key.h"
#include "alerts/rules/rule_mistake.h"
#include "core/decimal.h"
#include "core/json.h"
#include "core/json_write.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const on_creates[] = { "fire", "wait", NULL };

/* Where the measure ends: behind the parenthesis that closes its first one. NULL when there is
 * none:
 *
 *     max(change(last(NVDA), over=5m), over=20d) >= 2
 *        1      2    3    2         1         0 */
static const char *measure_end(const char *s)
{
    int depth = 0;
    for (const char *p = s; *p; p++) {
        if (*p == '(') ++depth;
        if (*p == ')' && --depth <= 0) return p + 1;
    }
    return NULL;
}

/* One of >= > <= <, all of it; *at moves behind it. */
static bool read_op(const char **at, enum rule_op *out)
{
    const char *p = *at;
    if (*p != '>' && *p != '<') return false;
    bool greater = *p++ == '>', equal = *p == '=';
    p += equal;
    if (*p == '=' || *p == '>' || *p == '<') return false;
    *out = greater ? (equal ? OP_GE : OP_GT) : equal ? OP_LE : OP_LT;
    *at = p;
    return true;
}

static const char *skip_spaces(const char *p)
{
    while (*p == ' ') p++;
    return p;
}

/* The threshold is what is left, without the spaces at its end; whether it is a number is
 * asked later. */
static enum err read_threshold(struct rule_definition *d, const char *number, struct why *why)
{
    size_t n = strlen(number);
    d->threshold_at = (int)(number - d->text) + 1;
    while (n && number[n - 1] == ' ') n--;
    if (n >= sizeof d->threshold)
        return strspn(number, "0123456789.-+eE") < n
                   ? rule_mistake_threshold(number, d->threshold_at, why)
                   : err_at(why, d->threshold_at, ERR_INVALID, "the threshold has too many digits");
    memcpy(d->threshold, number, n);
    d->threshold[n] = '\0';
    return ERR_OK;
}

/* Not what a threshold or an operator begins with. */
static bool may_begin_measure(char c) { return !c || !strchr("0123456789-+.<>=", c); }

/* "hhi(DEMO) >= 180" is a measure, an operator and a threshold. An operator inside the
 * measure's parentheses is the measure's own. */
static enum err parse_text(struct rule_definition *d, struct why *why)
{
    const char *s = d->text, *end = measure_end(s);
    if (!end || !may_begin_measure(*skip_spaces(s))) return rule_mistake_measure(s, why);
    d->measure_n = (uint32_t)(end - s);
    const char *p = skip_spaces(end);
    if (!read_op(&p, &d->op)) return rule_mistake_operator(s, p, why);
    return read_threshold(d, skip_spaces(p), why);
}

static const char *skip_digits(const char *p)
{
    while (*p >= '0' && *p <= '9') p++;
    return p;
}

/* JSON's number grammar, and finite. strtod alone would take " 1", "0x10", "inf" and "1." too. */
static bool number_of(const char *s, double *out)
{
    const char *p = s + (s[0] == '-'), *end = skip_digits(p);
    if (end == p || (*p == '0' && end - p > 1)) return false;
    if (*end == '.') {
        p = end + 1;
        end = skip_digits(p);
        if (end == p) return false;
    }
    if (*end == 'e' || *end == 'E') {
        p = end + 1;
        if (*p == '+' || *p == '-') p++;
        end = skip_digits(p);
        if (end == p) return false;
    }
    if (*end) return false;
    *out = strtod(s, NULL);
    return isfinite(*out);
}

/* ---- %, bps, and times ---- */
static const struct ending {
    const char *text;
    int64_t of_pct, of_fraction; /* how many make 1 % and how many make 1 */
    const char *unit;            /* or the one unit that it is; NULL: none */
} endings[] = { { "%", 1, 100, NULL },
                { "bps", 100, 10000, NULL },
                { "y", 0, 0, "years" },
                { "d", 0, 0, "sessions" } };

/* The one that the text ends with, which is cut off with the spaces before it; NULL: none. */
static const struct ending *cut_ending(char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        const size_t length = strlen(endings[i].text);
        if (n <= length || strcmp(text + n - length, endings[i].text) != 0) continue;
        for (n -= length; n && text[n - 1] == ' '; n--) {}
        text[n] = '\0';
        return &endings[i];
    }
    return NULL;
}

/* A decimal number, and perhaps what it is a number of. */
static bool is_amount(const char *s)
{
    char text[sizeof(((struct rule_definition *)NULL)->threshold)];
    double ignored;
    snprintf(text, sizeof text, "%s", s);
    cut_ending(text);
    return number_of(text, &ignored);
}

bool rule_unit_is_fraction(const char *unit)
{
    static const char *const units[] = { "0..1", "-1..1", "ratio" };
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (strcmp(unit, units[i]) == 0) return true;
    return false;
}

/* "50bps" of per cent: 50 / 100 is 0.5, in 1e-8ths throughout. */
static enum err plain_number(char text[40], const char *unit, struct why *why)
{
    const struct ending *e = cut_ending(text);
    int64_t e8;
    if (!e) return ERR_OK;
    if (e->unit && strcmp(e->unit, unit) == 0) return ERR_OK;
    const int64_t many = strcmp(unit, "%") == 0        ? e->of_pct
                         : rule_unit_is_fraction(unit) ? e->of_fraction
                                                       : 0;
    if (many == 0)
        return err_set(why, ERR_INVALID, "\"%s\" of a measure in %s: give a number in that unit",
                       e->text, unit);
    enum err err = decimal_parse(text, strlen(text), &e8, why);
    if (err) return err;
    if (e8 % many) return err_set(why, ERR_INVALID, "finer than 1e-8 in the measure's unit");
    decimal_format(e8 / many, text);
    return ERR_OK;
}

/* A string, so that every digit arrives, or a number. What is cut off by `cap` differs in
 * length and is refused. */
static void want_decimal(struct json_fields *f, const char *key, char *out, size_t cap)
{
    json_t *v = json_want_any(f, key);
    out[0] = '\0';
    if (!v) return;
    if (json_is_string(v)) snprintf(out, cap, "%s", json_string_value(v));
    else if (json_is_integer(v)) snprintf(out, cap, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_real(v)) {
        AUTO_BUF struct buf b = { 0 };
        buf_json_double(&b, json_real_value(v));
        snprintf(out, cap, "%s", b.data ? b.data : "");
    }
    if ((json_is_string(v) && json_string_length(v) != strlen(out)) || !is_amount(out))
        json_fail(f, "field \"%s\" must be a decimal number", key);
}

/* What rule_render derives from the text. */
static void know_derived(struct json_fields *f)
{
    json_want_any(f, "measure");
    json_want_any(f, "op");
    json_want_any(f, "threshold");
}

static enum err read_fields(json_t *j, bool stored, struct rule_definition *d, struct why *why)
{
    struct json_fields f = json_fields_begin(j, why);
    if (stored) know_derived(&f);
    const char *text = json_want_string(&f, "rule", 1, RULE_TEXT_MAX, JSON_REQUIRED);
    const char *name = json_want_string(&f, "name", 0, RULE_NAME_MAX, "");
    want_decimal(&f, "clear", d->clear, sizeof d->clear);
    d->hold_s = json_want_int(&f, "hold_s", 0, RULE_SECONDS_MAX, 0);
    d->hold_in = (enum rule_hold)json_want_choice(&f, "hold_in", rule_hold_names.texts, HOLD_CLOCK);
    d->cooldown_s = json_want_int(&f, "cooldown_s", 0, RULE_SECONDS_MAX, 0);
    d->severity =
        (enum severity)json_want_choice(&f, "severity", severity_names.texts, SEVERITY_WARNING);
    d->wait = json_want_choice(&f, "on_create", on_creates, 0) == 1;
    d->at = (enum rule_at)json_want_choice(&f, "at", rule_at_names.texts, AT_TRADE);
    d->enabled = json_want_bool(&f, "enabled", true);
    enum err e = json_fields_end(&f);
    if (e) return e;
    snprintf(d->text, sizeof d->text, "%s", text);
    snprintf(d->name, sizeof d->name, "%s", name);
    return ERR_OK;
}

static enum err parse(const char *json, size_t n, bool stored, struct rule_definition *out,
                      struct why *why)
{
    AUTO_JSON json_t *j = NULL;
    enum err e = json_load_strict(json, n, &j, why);
    if (e) {
        if (why) why->at = 0; /* positions are for the rule text only */
        return e;
    }
    struct rule_definition d = { 0 };
    e = read_fields(j, stored, &d, why);
    if (!e) e = parse_text(&d, why);
    if (!e && !is_amount(d.threshold)) e = rule_mistake_threshold(d.threshold, d.threshold_at, why);
    if (!e) *out = d;
    return e;
}

enum err rule_parse(const char *json, size_t n, struct rule_definition *out, struct why *why)
{
    return parse(json, n, false, out, why);
}

enum err rule_parse_stored(const char *json, size_t n, struct rule_definition *out, struct why *why)
{
    return parse(json, n, true, out, why);
}

const char *rule_unit_asked(const struct rule_definition *d)
{
    char text[sizeof d->threshold];
    snprintf(text, sizeof text, "%s", d->threshold);
    const struct ending *e = cut_ending(text);
    return e ? e->unit : NULL;
}

enum err rule_units(struct rule_definition *d, const char *unit, struct why *why)
{
    enum err e = plain_number(d->threshold, unit, why);
    if (e) {
        const int at = d->threshold_at;
        if (why)
            why->at = at + (int)strcspn(d->text + at - 1, "%byd"); /* where the ending begins */
        return e;
    }
    e = plain_number(d->clear, unit, why);
    if (e && why) why->at = 0; /* clear is no part of the text */
    return e;
}

enum err rule_canonical(struct rule_definition *d, const char *measure, struct why *why)
{
    char text[RULE_TEXT_MAX + 1];
    int n =
        snprintf(text, sizeof text, "%s %s %s", measure, rule_op_names.texts[d->op], d->threshold);
    if (n < 0 || (size_t)n >= sizeof text)
        return err_set(why, ERR_INVALID, "the rule text is too long");
    memcpy(d->text, text, (size_t)n + 1);
    d->measure_n = (uint32_t)strlen(measure);
    return ERR_OK;
}

void rule_render(const struct rule_definition *d, struct buf *out)
{
    struct json_writer w = json_write(out);
    json_put_object(&w, NULL);
    json_put_text(&w, "name", d->name);
    json_put_text(&w, "rule", d->text);
    json_put_bytes(&w, "measure", d->text, d->measure_n);
    json_put_text(&w, "op", rule_op_names.texts[d->op]);
    json_put_text(&w, "threshold", d->threshold);
    json_put_text(&w, "clear", d->clear[0] ? d->clear : NULL);
    json_put_int(&w, "hold_s", d->hold_s);
    json_put_int(&w, "cooldown_s", d->cooldown_s);
    json_put_text(&w, "severity", severity_name(d->severity));
    json_put_text(&w, "on_create", on_creates[d->wait]);
    /* which definitions had not before there was a choice, and what they were is compared with what
     * they are */
    if (d->at != AT_TRADE) json_put_text(&w, "at", names_text(&rule_at_names, (int)d->at));
    if (d->hold_in != HOLD_CLOCK)
        json_put_text(&w, "hold_in", names_text(&rule_hold_names, (int)d->hold_in));
    json_put_bool(&w, "enabled", d->enabled);
    json_put_end(&w);
}

/* ---- from texts to keys ---- */
static enum err key_of_text(const char *s, bool price, int64_t *out, struct why *why)
{
    if (price) return decimal_parse(s, strlen(s), out, why);
    double v;
    if (!number_of(s, &v)) return err_set(why, ERR_INVALID, "not a decimal number: %s", s);
    *out = key_of_double(v);
    return ERR_OK;
}

/* A key that has a neighbour above it, so that k + 1 is a key too. */
static enum err threshold_key(const struct rule_definition *d, bool price, int64_t *out,
                              struct why *why)
{
    enum err e = key_of_text(d->threshold, price, out, why);
    if (!e && *out == INT64_MAX) e = err_set(why, ERR_INVALID, "the threshold is out of range");
    if (e && why) why->at = d->threshold_at;
    return e;
}

/* The four operators as half-open ranges of keys, k the threshold's and c that of clear:
 *
 *     v >= k    key >= k          clear  v <= c    key <  c + 1
 *     v >  k    key >= k + 1
 *     v <  k    key <  k                 v >= c    key >= c
 *     v <= k    key <  k + 1
 *
 * A clear level never reaches into the condition: v >= 180 with clear 180 is clear below 180,
 * not at it. */
enum err rule_term(const struct rule_definition *d, bool price, struct term *out, struct why *why)
{
    int64_t k, c;
    enum err e = threshold_key(d, price, &k, why);
    if (e) return e;
    struct term t = { .above = d->op == OP_GE || d->op == OP_GT };
    t.enter = d->op == OP_GE || d->op == OP_LT ? k : k + 1;
    t.clear = t.enter;
    if (d->clear[0]) {
        e = key_of_text(d->clear, price, &c, why);
        if (e) return e;
        if (t.above ? c > k : c < k)
            return err_set(
                why, ERR_INVALID, "clear must be %s the threshold of a rule with %s: it is %s",
                t.above ? "at or below" : "at or above", rule_op_names.texts[d->op], d->clear);
        if (t.above) t.clear = c < t.enter ? c + 1 : t.enter;
        else t.clear = c > t.enter ? c : t.enter;
    }
    *out = t;
    return ERR_OK;
}

/* The key that clear was given as: the threshold's own, where none was. */
static int64_t clear_key(const struct term *t) { return t->above ? t->clear - 1 : t->clear; }

void rule_text_of(const char *text, size_t measure_n, const struct term *t, bool price,
                  struct rule_definition *out)
{
    const char *op = text + measure_n + 1;
    assert(strlen(text) < sizeof out->text && measure_n < strlen(text));
    snprintf(out->text, sizeof out->text, "%s", text);
    out->measure_n = (uint32_t)measure_n;
    if (!read_op(&op, &out->op)) abort(); /* the text is canonical */
    snprintf(out->threshold, sizeof out->threshold, "%s", op + 1);
    out->clear[0] = '\0';
    if (t->clear == t->enter) return;
    AUTO_BUF struct buf b = { 0 };
    char decimal[DECIMAL_TEXT_MAX];
    if (price) {
        decimal_format(clear_key(t), decimal);
        buf_puts(&b, decimal);
    } else buf_json_double(&b, key_to_double(clear_key(t)));
    snprintf(out->clear, sizeof out->clear, "%s", b.data ? b.data : "");
}

struct rule_condition rule_condition(const char *text, const struct term *t, bool price)
{
    struct rule_condition c = { .op = OP_GE };
    const char *number = strrchr(text, ' ') + 1, *op = number - 2;
    while (op[-1] != ' ') op--;
    if (!read_op(&op, &c.op)) abort(); /* the text is canonical */
    c.threshold = c.clear = strtod(number, NULL);
    if (t->clear == t->enter) return c;
    c.clear = price ? (double)clear_key(t) / 1e8 : key_to_double(clear_key(t));
    return c;
}
