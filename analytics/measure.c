/* measure.c - from text to measure and back.
 *
 *     " max( last(NVDA) , over=20d)"
 *        max        the kind, by name
 *        last(NVDA) the subject: what is followed by '(' is a measure itself, read the same way, then kept as its
 *                   canonical text; anything else is a symbol, an index or book:NAME, as the kind takes
 *        over=20d   a parameter of the kind; it is the default, so the canonical text is  max(last(NVDA))
 *
 * An error points at a character, counted from 1, and says what would fit there:
 *
 *     change(AAPL)                  8: change is measured on another measure, such as last(AAPL) (measure_mistake.c)
 *     spread(SP500, window=61d)    22: window is one of 1d, 5d, 20d, ...
 *     hhi(SP500) + 1               12: nothing may follow the measure here */
#include "analytics/measure.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MEASURE(name) extern const struct measure_kind measure_##name;
#include "analytics/measures.def"
#undef MEASURE

const struct measure_kind *const measure_kinds[] = {
#define MEASURE(name) &measure_##name,
#include "analytics/measures.def"
#undef MEASURE
};
const size_t measure_kinds_n = ARRAY_LEN(measure_kinds);

struct cursor {
    const char *s;
    size_t n, i;
    struct why *why;
};

static void skip_spaces(struct cursor *c)
{
    while (c->i < c->n && c->s[c->i] == ' ') c->i++;
}

static bool word_char(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9')
           || ch == '_' || ch == '.' || ch == ':' || ch == '-' || ch == '/';
}

/* The word at the cursor, after spaces; empty when there is none. */
static struct str take_word(struct cursor *c)
{
    skip_spaces(c);
    size_t from = c->i;
    while (c->i < c->n && word_char(c->s[c->i])) c->i++;
    return (struct str){ c->s + from, (uint32_t)(c->i - from) };
}

static int place_of(const struct cursor *c, struct str word) { return (int)(word.p - c->s) + 1; }

static bool next_is(struct cursor *c, char ch)
{
    skip_spaces(c);
    return c->i < c->n && c->s[c->i] == ch;
}

/* `text` says what would fit here, ch among it. */
static enum err expect(struct cursor *c, char ch, const char *text)
{
    if (next_is(c, ch)) {
        c->i++;
        return ERR_OK;
    }
    int at = (int)c->i + 1;
    if (c->i >= c->n)
        return err_at(c->why, at, ERR_SYNTAX, "expected %s, found the end of the text", text);
    return err_at(c->why, at, ERR_SYNTAX, "expected %s, found '%c'", text, c->s[c->i]);
}

/* ---- parameters ---- */
int measure_params_n(const struct measure_kind *k)
{
    int n = 0;
    while (n < ARGS_MAX && k->params[n].type != PARAM_NONE) n++;
    return n;
}

static enum err parse_param(struct cursor *c, struct measure *m, unsigned *given)
{
    struct str word = take_word(c);
    int i = 0;
    while (i < measure_params_n(m->kind) && !str_is(word, m->kind->params[i].name)) i++;
    if (i == measure_params_n(m->kind))
        return measure_mistake_param(m->kind, place_of(c, word), word, next_is(c, '='), c->why);
    const struct param *p = &m->kind->params[i];
    if (*given & 1u << i)
        return err_at(c->why, place_of(c, word), ERR_INVALID, "parameter %s is given twice",
                      p->name);
    *given |= 1u << i;
    enum err e = expect(c, '=', "'='");
    if (e) return e;
    word = take_word(c);
    e = param_parse(p, word, &m->args.v[i], c->why);
    if (e && c->why) c->why->at = place_of(c, word);
    return e;
}

/* ---- subjects ---- */
/* Is it a name of this type? Symbols may hold ':' and '/', names of indices and books may not. */
static bool fits(enum subject type, struct str word)
{
    size_t skip = type == SUBJECT_BOOK ? strlen("book:") : 0;
    size_t max = type == SUBJECT_INSTRUMENT ? SYMBOL_SUBJECT_MAX : NAME_SUBJECT_MAX + skip;
    if (type == SUBJECT_SERIES || word.n <= skip || word.n > max) return false;
    if (type == SUBJECT_BOOK && memcmp(word.p, "book:", skip) != 0) return false;
    if (type == SUBJECT_INSTRUMENT) return true;
    return !memchr(word.p + skip, ':', word.n - skip) && !memchr(word.p + skip, '/', word.n - skip);
}

const char *measure_example(const struct measure_kind *k)
{
    return k->example                         ? k->example
           : k->subjects & SUBJECT_INSTRUMENT ? "AAPL"
           : k->subjects & SUBJECT_SERIES     ? "last(AAPL)"
                                              : "SP500";
}

static enum err parse_call(struct cursor *c, struct measure *out);

static enum err parse_inner(struct cursor *c, struct measure *m, size_t from)
{
    struct measure inner;
    c->i = from;
    enum err e = parse_call(c, &inner);
    if (e) return e;
    m->subject_type = SUBJECT_SERIES;
    measure_format(&inner, m->subject);
    return ERR_OK;
}

static enum err parse_subject(struct cursor *c, struct measure *m)
{
    static const enum subject types[] = { SUBJECT_INSTRUMENT, SUBJECT_INDEX, SUBJECT_BOOK };
    struct str word = take_word(c);
    size_t from = (size_t)(word.p - c->s);
    const bool inner = word.n && next_is(c, '(');
    if (inner && (m->kind->subjects & SUBJECT_SERIES)) return parse_inner(c, m, from);
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (!inner && (m->kind->subjects & types[i]) && fits(types[i], word)) {
            m->subject_type = types[i];
            memcpy(m->subject, word.p, word.n);
            return ERR_OK;
        }
    return measure_mistake_subject(m->kind, (int)from + 1, word, inner, c->why);
}

/* ---- the whole ---- */
static const struct measure_kind *kind_named(struct str word)
{
    for (size_t i = 0; i < measure_kinds_n; i++)
        if (str_is(word, measure_kinds[i]->name)) return measure_kinds[i];
    return NULL;
}

static void set_defaults(struct measure *m)
{
    for (int i = 0; i < measure_params_n(m->kind); i++) m->args.v[i] = m->kind->params[i].missing;
}

/* What stands at the bottom of a subject: of "change(last(NVDA), over=5m)" NVDA. */
static struct str bottom_of(const char *subject)
{
    const char *call = strrchr(subject, '('), *from = call ? call + 1 : subject;
    return (struct str){ from, (uint32_t)strcspn(from, ",)") };
}

/* Canonical length, without building it: does it fit where texts are kept, and would with a symbol
 * of any length? That bounds how deep measures can be nested, and with it the recursion in
 * series.c. */
static bool text_fits(const struct measure *m)
{
    size_t n = strlen(m->kind->name) + strlen(m->subject) + 2;
    const size_t bottom = bottom_of(m->subject).n;
    if (bottom < SYMBOL_SUBJECT_MAX) n += SYMBOL_SUBJECT_MAX - bottom;
    for (int i = 0; i < measure_params_n(m->kind); i++) {
        char value[PARAM_TEXT_MAX];
        if (m->args.v[i] == m->kind->params[i].missing) continue;
        n += strlen(", =") + strlen(m->kind->params[i].name)
             + param_format(&m->kind->params[i], m->args.v[i], value);
    }
    return n < MEASURE_TEXT_MAX;
}

static enum err parse_call(struct cursor *c, struct measure *out)
{
    struct measure m;
    memset(&m, 0, sizeof m);
    struct str word = take_word(c);
    int at = place_of(c, word);
    if (word.n == 0) return err_at(c->why, at, ERR_SYNTAX, "expected a measure such as hhi(SP500)");
    m.kind = kind_named(word);
    if (!m.kind) return measure_mistake_name(at, word, c->why);
    set_defaults(&m);
    enum err e = expect(c, '(', "'('");
    if (!e) e = parse_subject(c, &m);
    for (unsigned given = 0; !e && next_is(c, ',');) {
        c->i++;
        e = parse_param(c, &m, &given);
    }
    if (!e) e = expect(c, ')', "',' or ')'");
    if (!e && !text_fits(&m))
        e = err_at(
            c->why, at, ERR_INVALID,
            "nested too deep: a measure's text has at most %d characters, its symbol counted as %d",
            MEASURE_TEXT_MAX - 1, SYMBOL_SUBJECT_MAX);
    struct why why = { .text = "" };
    if (!e && m.kind->fits && m.kind->fits(&m, &why))
        e = err_at(c->why, at, ERR_INVALID, "%s", why.text);
    if (!e) *out = m;
    return e;
}

enum err measure_parse(const char *s, size_t n, struct measure *out, struct why *why)
{
    struct cursor c = { s, n, 0, why };
    struct measure m;
    enum err e = parse_call(&c, &m);
    if (e) return e;
    skip_spaces(&c);
    if (c.i != n)
        return err_at(why, (int)c.i + 1, ERR_SYNTAX, "nothing may follow the measure here");
    *out = m;
    return ERR_OK;
}

size_t measure_format(const struct measure *m, char out[MEASURE_TEXT_MAX])
{

    int n = snprintf(out, MEASURE_TEXT_MAX, "%s(%s", m->kind->name, m->subject);
    for (int i = 0; i < measure_params_n(m->kind); i++) {
        char value[PARAM_TEXT_MAX];
        if (m->args.v[i] == m->kind->params[i].missing) continue;
        param_format(&m->kind->params[i], m->args.v[i], value);
        n += snprintf(out + n, (size_t)(MEASURE_TEXT_MAX - n), ", %s=%s", m->kind->params[i].name,
                      value);
    }
    n += snprintf(out + n, (size_t)(MEASURE_TEXT_MAX - n), ")");
    assert(n < MEASURE_TEXT_MAX); /* parse_call refuses what would not fit */
    return (size_t)n;
}

void measure_definition(const struct measure *m, struct json_writer *w, const char *key)
{
    json_put_object(w, key);
    json_put_text(w, "measure", m->kind->name);
    if (m->subject_type == SUBJECT_SERIES) {
        const struct measure inner = measure_inner(m);
        measure_definition(&inner, w, "of");
    } else json_put_text(w, "of", m->subject);
    json_put_int(w, "version", m->kind->version);
    json_put_object(w, "parameters");
    for (int i = 0; i < measure_params_n(m->kind); i++) {
        char value[PARAM_TEXT_MAX];
        param_format(&m->kind->params[i], m->args.v[i], value);
        json_put_text(w, m->kind->params[i].name, value);
    }
    json_put_end(w);
    json_put_end(w);
}

/* ---- what it is ---- */
struct measure measure_inner(const struct measure *m)
{
    struct measure inner = *m;
    if (measure_parse(m->subject, strlen(m->subject), &inner, NULL))
        return *m; /* canonical texts read back */
    return inner;
}

const char *measure_unit(const struct measure *m)
{
    return m->kind->unit ? m->kind->unit : m->kind->unit_of(m);
}
int measure_version(const struct measure *m) { return m->kind->version; }

struct range measure_range(const struct measure *m, bool negative)
{
    return m->kind->range_of ? m->kind->range_of(m, negative) : m->kind->range;
}

bool range_has(const struct range *r, double v)
{
    const bool above =
                   !r->low.kind || v > r->low.at || (r->low.kind == END_INCLUDED && v == r->low.at),
               below = !r->high.kind || v < r->high.at
                       || (r->high.kind == END_INCLUDED && v == r->high.at);
    return above && below;
}

void range_text(const struct range *r, struct buf *out)
{
    static const char *const low[] = { "", "at least ", "above " }, *const high[] = { "",
                                                                                      "at most ",
                                                                                      "below " };
    if (!r->low.kind && !r->high.kind) buf_puts(out, "any number");
    buf_puts(out, low[r->low.kind]);
    if (r->low.kind) buf_json_double(out, r->low.at);
    if (r->low.kind && r->high.kind) buf_puts(out, " and ");
    buf_puts(out, high[r->high.kind]);
    if (r->high.kind) buf_json_double(out, r->high.at);
}

bool measure_is_price(const struct measure *m) { return m->kind->exact_e8 != NULL; }

bool measure_set_choice(struct measure *m, const char *name, const char *choice)
{
    for (int i = 0; i < measure_params_n(m->kind); i++) {
        const struct param *p = &m->kind->params[i];
        if (p->type == PARAM_CHOICE && strcmp(p->name, name) == 0)
            return param_parse(p, str_of(choice), &m->args.v[i], NULL) == ERR_OK;
    }
    return false;
}

bool measure_symbol(const struct measure *m, char *out)
{
    if (m->subject_type == SUBJECT_SERIES) {
        const struct measure inner = measure_inner(m);
        return measure_symbol(&inner, out);
    }
    if (m->subject_type != SUBJECT_INSTRUMENT) return false;
    memcpy(out, m->subject, SYMBOL_SUBJECT_MAX);
    out[SYMBOL_SUBJECT_MAX] = '\0';
    return true;
}

void measure_set_symbol(struct measure *m, const char *symbol)
{
    const struct str old = bottom_of(m->subject);
    const size_t at = (size_t)(old.p - m->subject), n = strlen(symbol);
    const size_t rest = strlen(old.p + old.n);
    assert(n && n <= SYMBOL_SUBJECT_MAX && at + n + rest < MEASURE_TEXT_MAX);
    memmove(m->subject + at + n, old.p + old.n, rest);
    memcpy(m->subject + at, symbol, n);
    memset(m->subject + at + n + rest, 0, MEASURE_TEXT_MAX - (at + n + rest));
}

bool measure_is_book(const struct measure *m)
{
    if (m->subject_type != SUBJECT_SERIES) return m->subject_type == SUBJECT_BOOK;
    struct measure inner = measure_inner(m);
    return measure_is_book(&inner);
}
