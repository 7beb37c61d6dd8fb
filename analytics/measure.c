#include "analytics/measure.h"

#include <stdio.h>
#include <string.h>

static const struct row {
    const char *name;
    enum measure_subject subject;
    unsigned params;
    const char *unit;
    int version;
    const char *formula;
} rows[MEASURE_COUNT] = {
#define MEASURE(id, name, subject, params, unit, version, formula)                                 \
    [MEASURE_##id] = { name, SUBJECT_##subject, params, unit, version, formula },
#include "analytics/measures.def"
#undef MEASURE
};

static const char *const kind_names[] = { "geom", "arith", "log", "ann", "ratio", "points", NULL };
static const char *const window_names[] = { "1d",   "5d",   "20d",  "60d", "3mo", "6mo",
                                            "12mo", "18mo", "36mo", "ytd", "all", NULL };
static const char *const ew_names[] = { "quarterly", "monthly",      "daily",
                                        "held",      "third_friday", NULL };
static const char *const by_names[] = { "issuer", "line", NULL };

static const struct param {
    unsigned bit;
    const char *name;
    const char *const *choices; /* NULL: an integer from 1 to TOP_N_MAX */
} params[] = {
    { PARAM_KIND, "kind", kind_names },
    { PARAM_WINDOW, "window", window_names },
    { PARAM_EW, "ew", ew_names },
    { PARAM_BY, "by", by_names },
    { PARAM_N, "n", NULL },
};

/* the default of parameter `bit`, which depends on the measure for the window only */
static int default_of(enum measure_id id, unsigned bit)
{
    switch (bit) {
    case PARAM_WINDOW: return id == MEASURE_RET ? WINDOW_1D : WINDOW_60D;
    case PARAM_N: return 10;
    default: return 0;
    }
}

static int get(const struct measure *m, unsigned bit)
{
    switch (bit) {
    case PARAM_KIND: return (int)m->kind;
    case PARAM_WINDOW: return (int)m->window;
    case PARAM_EW: return (int)m->ew;
    case PARAM_BY: return (int)m->by;
    default: return m->n;
    }
}

static void put(struct measure *m, unsigned bit, int v)
{
    switch (bit) {
    case PARAM_KIND: m->kind = (enum spread_kind)v; break;
    case PARAM_WINDOW: m->window = (enum window)v; break;
    case PARAM_EW: m->ew = (enum ew)v; break;
    case PARAM_BY: m->by = (enum by)v; break;
    default: m->n = v;
    }
}

struct cursor {
    const char *s;
    size_t n, i;
    struct why *why;
};

static void spaces(struct cursor *c)
{
    while (c->i < c->n && c->s[c->i] == ' ') c->i++;
}

static bool word_char(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9')
           || ch == '_' || ch == '.' || ch == ':' || ch == '-' || ch == '/';
}

/* the word at the cursor, after spaces; empty when there is none */
static size_t word(struct cursor *c, size_t *from)
{
    spaces(c);
    *from = c->i;
    while (c->i < c->n && word_char(c->s[c->i])) c->i++;
    return c->i - *from;
}

static enum err expect(struct cursor *c, char ch)
{
    spaces(c);
    if (c->i < c->n && c->s[c->i] == ch) {
        c->i++;
        return ERR_OK;
    }
    if (c->i >= c->n)
        return err_at(c->why, (int)c->i + 1, ERR_SYNTAX, "expected '%c', found the end of the text",
                      ch);
    return err_at(c->why, (int)c->i + 1, ERR_SYNTAX, "expected '%c', found '%c'", ch, c->s[c->i]);
}

static bool word_is(const struct cursor *c, size_t from, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(c->s + from, name, len) == 0;
}

static void join(char *out, size_t cap, const char *const *names)
{
    out[0] = '\0';
    for (int i = 0; names[i]; i++) {
        size_t n = strlen(out);
        snprintf(out + n, cap - n, "%s%s", i ? ", " : "", names[i]);
    }
}

static enum err parse_param(struct cursor *c, struct measure *m, unsigned *given)
{
    size_t from, len = word(c, &from);
    const struct param *p = NULL;
    for (size_t k = 0; k < ARRAY_LEN(params); k++)
        if (word_is(c, from, len, params[k].name) && (rows[m->id].params & params[k].bit))
            p = &params[k];
    if (!p) {
        char list[100] = "";
        for (size_t k = 0; k < ARRAY_LEN(params); k++)
            if (rows[m->id].params & params[k].bit) {
                size_t n = strlen(list);
                snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", params[k].name);
            }
        return err_at(c->why, (int)from + 1, ERR_INVALID, "%s takes %s%s", rows[m->id].name,
                      list[0] ? "the parameters " : "no parameters", list);
    }
    if (*given & p->bit)
        return err_at(c->why, (int)from + 1, ERR_INVALID, "parameter %s is given twice", p->name);
    *given |= p->bit;
    enum err e = expect(c, '=');
    if (e) return e;
    len = word(c, &from);
    if (p->choices) {
        for (int v = 0; p->choices[v]; v++)
            if (word_is(c, from, len, p->choices[v])) {
                put(m, p->bit, v);
                return ERR_OK;
            }
        char list[200];
        join(list, sizeof list, p->choices);
        return err_at(c->why, (int)from + 1, ERR_INVALID, "%s is one of %s", p->name, list);
    }
    int v = 0;
    for (size_t k = from; k < from + len && v <= TOP_N_MAX; k++)
        v = c->s[k] >= '0' && c->s[k] <= '9' ? v * 10 + (c->s[k] - '0') : TOP_N_MAX + 1;
    if (len == 0 || v < 1 || v > TOP_N_MAX || c->s[from] == '0')
        return err_at(c->why, (int)from + 1, ERR_INVALID, "%s is a whole number from 1 to %d",
                      p->name, TOP_N_MAX);
    put(m, p->bit, v);
    return ERR_OK;
}

static enum err parse_subject(struct cursor *c, struct measure *m)
{
    static const char *const what[] = { "a symbol", "an index", "an index or book:NAME" };
    size_t from, len = word(c, &from);
    bool book = len > 5 && memcmp(c->s + from, "book:", 5) == 0;
    size_t max = rows[m->id].subject == SUBJECT_INSTRUMENT ? 15 : book ? 36 : 31;
    bool index_chars = true;
    for (size_t k = from + (book ? 5 : 0); k < from + len; k++)
        index_chars &= c->s[k] != ':' && c->s[k] != '/';
    if (len == 0 || len > max || (rows[m->id].subject != SUBJECT_INSTRUMENT && !index_chars)
        || (book && rows[m->id].subject == SUBJECT_INDEX))
        return err_at(c->why, (int)from + 1, ERR_INVALID, "%s is measured on %s", rows[m->id].name,
                      what[rows[m->id].subject]);
    memcpy(m->subject, c->s + from, len);
    return ERR_OK;
}

enum err measure_parse(const char *s, size_t n, struct measure *out, struct why *why)
{
    struct cursor c = { s, n, 0, why };
    struct measure m = { .id = MEASURE_COUNT };
    size_t from, len = word(&c, &from);
    if (len == 0)
        return err_at(why, (int)from + 1, ERR_SYNTAX, "expected a measure such as hhi(SP500)");
    for (int i = 0; i < MEASURE_COUNT; i++)
        if (word_is(&c, from, len, rows[i].name)) m.id = (enum measure_id)i;
    if (m.id == MEASURE_COUNT)
        return err_at(why, (int)from + 1, ERR_UNKNOWN_MEASURE, "there is no measure \"%.*s\"",
                      (int)(len < 40 ? len : 40), s + from);
    for (size_t k = 0; k < ARRAY_LEN(params); k++)
        put(&m, params[k].bit, default_of(m.id, params[k].bit));

    enum err e = expect(&c, '(');
    if (!e) e = parse_subject(&c, &m);
    unsigned given = 0;
    while (!e) {
        spaces(&c);
        if (c.i < n && s[c.i] == ',') {
            c.i++;
            e = parse_param(&c, &m, &given);
        } else break;
    }
    if (!e) e = expect(&c, ')');
    if (e) return e;
    spaces(&c);
    if (c.i != n)
        return err_at(why, (int)c.i + 1, ERR_SYNTAX, "nothing may follow the measure here");
    *out = m;
    return ERR_OK;
}

size_t measure_format(const struct measure *m, char out[MEASURE_TEXT_MAX])
{
    int n = snprintf(out, MEASURE_TEXT_MAX, "%s(%s", rows[m->id].name, m->subject);
    for (size_t k = 0; k < ARRAY_LEN(params); k++) {
        const struct param *p = &params[k];
        int v = get(m, p->bit);
        if (!(rows[m->id].params & p->bit) || v == default_of(m->id, p->bit)) continue;
        if (p->choices)
            n += snprintf(out + n, (size_t)(MEASURE_TEXT_MAX - n), ", %s=%s", p->name,
                          p->choices[v]);
        else n += snprintf(out + n, (size_t)(MEASURE_TEXT_MAX - n), ", %s=%d", p->name, v);
    }
    n += snprintf(out + n, (size_t)(MEASURE_TEXT_MAX - n), ")");
    return (size_t)n;
}

const char *measure_unit(const struct measure *m)
{
    if (m->id != MEASURE_SPREAD) return rows[m->id].unit;
    return m->kind == SPREAD_RATIO ? "ratio" : m->kind == SPREAD_POINTS ? "points" : "%";
}

int measure_version(const struct measure *m) { return rows[m->id].version; }
enum measure_subject measure_subject(const struct measure *m) { return rows[m->id].subject; }
bool measure_is_price(const struct measure *m) { return m->id == MEASURE_LAST; }
bool measure_is_book(const struct measure *m)
{
    return measure_subject(m) == SUBJECT_HOLDINGS && strncmp(m->subject, "book:", 5) == 0;
}

void measures_reference(struct buf *out)
{
    static const char *const example[] = { "AAPL", "SP500", "SP500" };
    buf_puts(
        out,
        "| measure | unit | parameters (default first) | formula | version |\n|---|---|---|---|---|\n");
    for (int i = 0; i < MEASURE_COUNT; i++) {
        struct measure m = { .id = (enum measure_id)i };
        buf_printf(out, "| `%s(%s)` | %s | ", rows[i].name, example[rows[i].subject],
                   i == MEASURE_SPREAD ? "%, ratio or points" : measure_unit(&m));
        const char *sep = "";
        for (size_t k = 0; k < ARRAY_LEN(params); k++) {
            if (!(rows[i].params & params[k].bit)) continue;
            buf_printf(out, "%s`%s`: ", sep, params[k].name);
            int d = default_of(m.id, params[k].bit);
            if (params[k].choices) {
                buf_puts(out, params[k].choices[d]);
                for (int v = 0; params[k].choices[v]; v++)
                    if (v != d) buf_printf(out, ", %s", params[k].choices[v]);
            } else buf_printf(out, "%d, 1 to %d", d, TOP_N_MAX);
            sep = "; ";
        }
        buf_printf(out, " | %s | %d |\n", rows[i].formula, rows[i].version);
    }
    buf_puts(out,
             "\n`ai_sentiment` and `ai_exposure` also take a book: `ai_sentiment(book:growth)`.\n");
}
