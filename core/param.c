#include "core/param.h"

#include <inttypes.h>
#include <stdio.h>

/* Clock units, largest first: a span is written in the largest that divides it. */
static const struct {
    char letter;
    int64_t ns;
} units[] = { { 'h', 3600000000000 }, { 'm', 60000000000 }, { 's', 1000000000 } };

static enum err parse_choice(const struct param *p, struct str text, int64_t *out, struct why *why)
{
    AUTO_BUF struct buf list = { 0 };
    for (int i = 0; p->choices[i]; i++) {
        if (str_is(text, p->choices[i])) {
            *out = i;
            return ERR_OK;
        }
        buf_printf(&list, "%s%s", i ? ", " : "", p->choices[i]);
    }
    return err_set(why, ERR_INVALID, "%s is one of %s", p->name, list.data ? list.data : "");
}

/* Digits without a leading zero; -1 when they are no number of at most 12 of them. */
static int64_t whole_number(struct str text)
{
    int64_t v = 0;
    if (text.n == 0 || text.n > 12 || (text.p[0] == '0' && text.n > 1)) return -1;
    for (uint32_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') return -1;
        v = v * 10 + (text.p[i] - '0');
    }
    return v;
}

static enum err parse_int(const struct param *p, struct str text, int64_t *out, struct why *why)
{
    int64_t v = whole_number(text);
    if (v < p->min || v > p->max)
        return err_set(why, ERR_INVALID, "%s is a whole number from %" PRId64 " to %" PRId64,
                       p->name, p->min, p->max);
    *out = v;
    return ERR_OK;
}

static enum err parse_span(const struct param *p, struct str text, int64_t *out, struct why *why)
{
    struct str digits = { text.p, text.n ? text.n - 1 : 0 };
    int64_t n = whole_number(digits), ns = 0;
    char letter = text.n ? text.p[text.n - 1] : '\0';
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (letter == units[i].letter && n > 0 && n <= SPAN_CLOCK_MAX_NS / units[i].ns)
            ns = n * units[i].ns;
    bool sessions = letter == 'd' && n > 0 && n <= SPAN_SESSIONS_MAX;
    if (!sessions && ns == 0)
        return err_set(
            why, ERR_INVALID,
            "%s is a number of sessions from 1d to %dd, or clock time from 1s to 168h as in 90s, 5m, 2h: longer is not kept",
            p->name, SPAN_SESSIONS_MAX);
    *out = sessions ? n : -ns;
    return ERR_OK;
}

static enum err parse_sessions(const struct param *p, struct str text, int64_t *out,
                               struct why *why)
{
    const struct str digits = { text.p, text.n ? text.n - 1 : 0 };
    const char letter = text.n ? text.p[text.n - 1] : '\0';
    const int64_t of = letter == 'd' ? 1 : letter == 'y' ? SESSIONS_A_YEAR : 0;
    const int64_t n = whole_number(digits);
    if (!of || n < 1 || n > p->max / of || n * of < p->min)
        return err_set(why, ERR_INVALID,
                       "%s is a number of sessions from %" PRId64 "d to %" PRId64
                       "d, or of years of %d sessions, as in 60d, 10y",
                       p->name, p->min, p->max, SESSIONS_A_YEAR);
    *out = n * of;
    return ERR_OK;
}

enum err param_parse(const struct param *p, struct str text, int64_t *out, struct why *why)
{
    switch (p->type) {
    case PARAM_CHOICE: return parse_choice(p, text, out, why);
    case PARAM_INT: return parse_int(p, text, out, why);
    case PARAM_SPAN: return parse_span(p, text, out, why);
    case PARAM_SESSIONS: return parse_sessions(p, text, out, why);
    case PARAM_NONE: break;
    }
    return err_set(why, ERR_INTERNAL, "parameter without a type");
}

static size_t format_span(int64_t value, char out[PARAM_TEXT_MAX])
{
    struct span s = span_of(value);
    int written = 0;
    if (!s.clock) written = snprintf(out, PARAM_TEXT_MAX, "%" PRId64 "d", s.n);
    for (size_t i = 0; i < ARRAY_LEN(units) && !written; i++)
        if (s.n % units[i].ns == 0)
            written =
                snprintf(out, PARAM_TEXT_MAX, "%" PRId64 "%c", s.n / units[i].ns, units[i].letter);
    return (size_t)written;
}

size_t param_format(const struct param *p, int64_t value, char out[PARAM_TEXT_MAX])
{
    if (p->type == PARAM_CHOICE)
        return (size_t)snprintf(out, PARAM_TEXT_MAX, "%s", p->choices[value]);
    if (p->type == PARAM_SPAN) return format_span(value, out);
    if (p->type == PARAM_SESSIONS && value % SESSIONS_A_YEAR == 0)
        return (size_t)snprintf(out, PARAM_TEXT_MAX, "%" PRId64 "y", value / SESSIONS_A_YEAR);
    if (p->type == PARAM_SESSIONS)
        return (size_t)snprintf(out, PARAM_TEXT_MAX, "%" PRId64 "d", value);
    return (size_t)snprintf(out, PARAM_TEXT_MAX, "%" PRId64, value);
}

void param_values(const struct param *p, struct buf *out)
{
    char text[PARAM_TEXT_MAX];
    param_format(p, p->missing, text);
    buf_puts(out, text);
    if (p->type == PARAM_CHOICE)
        for (int64_t v = 0; p->choices[v]; v++)
            if (v != p->missing) buf_printf(out, ", %s", p->choices[v]);
    if (p->type == PARAM_INT) buf_printf(out, ", %" PRId64 " to %" PRId64, p->min, p->max);
    if (p->type == PARAM_SPAN)
        buf_printf(out, ", 1d to %dd (sessions), 1s to 168h (clock)", SPAN_SESSIONS_MAX);
    if (p->type == PARAM_SESSIONS)
        buf_printf(out, ", %" PRId64 "d to %" PRId64 "d", p->min, p->max);
}

void param_describe(const struct param *p, struct json_writer *w)
{
    static const char *const types[] = { [PARAM_NONE] = "none",
                                         [PARAM_CHOICE] = "choice",
                                         [PARAM_INT] = "integer",
                                         [PARAM_SPAN] = "span",
                                         [PARAM_SESSIONS] = "sessions" };
    char text[PARAM_TEXT_MAX];
    param_format(p, p->missing, text);
    json_put_object(w, NULL);
    json_put_text(w, "name", p->name);
    json_put_text(w, "type", types[p->type]);
    json_put_text(w, "default", text);
    if (p->type == PARAM_CHOICE) {
        json_put_array(w, "choices");
        for (int i = 0; p->choices[i]; i++) json_put_text(w, NULL, p->choices[i]);
        json_put_end(w);
    }
    if (p->words) {
        json_put_array(w, "words");
        for (int i = 0; p->choices[i]; i++) json_put_text(w, NULL, p->words[i]);
        json_put_end(w);
    }
    if (p->type == PARAM_INT || p->type == PARAM_SESSIONS) {
        json_put_int(w, "min", p->min);
        json_put_int(w, "max", p->max);
    }
    json_put_text(w, "help", p->help);
    json_put_end(w);
}
