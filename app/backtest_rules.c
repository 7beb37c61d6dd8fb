#include "app/backtest_rules.h"

#include "core/vec.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By any instrument: whether prices of 0 and below are data of this one is known when its rule is made. */
static enum err check_reachable(const struct rule_draft *draft, struct why *why)
{
    const struct range range = measure_range(&draft->m, true);
    return rule_draft_reachable(draft, &range, why);
}

/* Keeps the rule of this definition, or says in `problems` what is wrong with it. `text` is what the user wrote and the mark
 * points into, NULL when that is JSON, in which the rule's text stands somewhere. */
static enum err keep(struct backtest_rules *r, const char *json, size_t n, const char *text,
                     const char *where, struct buf *problems, struct why *why)
{
    struct backtest_rule rule = { .series = UINT32_MAX };
    struct why wrong = { 0 };
    if (r->n == BACKTEST_RULES_MAX)
        return err_set(why, ERR_LIMIT, "more than %d rules", BACKTEST_RULES_MAX);
    if (!VEC_GROW(&r->rules, &r->cap, r->n + 1)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = rule_draft_read(json, n, &rule.draft, &wrong);
    if (!e) e = check_reachable(&rule.draft, &wrong);
    if (!e && measure_is_book(&rule.draft.m))
        e = err_set(&wrong, ERR_INVALID, "a book belongs to a tenant; a back-test has none");
    if (!e && !rule.draft.d.enabled)
        e = err_set(&wrong, ERR_INVALID, "the rule is not enabled: leave it out, or enable it");
    if (!e) {
        r->rules[r->n++] = rule;
        return ERR_OK;
    }
    buf_printf(problems, "tocsin backtest: %s%s", where, wrong.text);
    if (text) {
        buf_printf(problems, "\n  %s", text);
        if (wrong.at > 0) buf_printf(problems, "\n  %*s^", wrong.at - 1, "");
    } else if (wrong.at > 0) buf_printf(problems, " (character %d of the rule)", wrong.at);
    buf_puts(problems, "\n");
    return ERR_INVALID;
}

/* A --rule and the options after it, as a tenant would write them. */
static void write_definition(const struct rule_words *w, struct buf *out)
{
    buf_puts(out, "{\"rule\":");
    buf_json_string(out, w->text, strlen(w->text));
    if (w->clear) {
        buf_puts(out, ",\"clear\":");
        buf_json_string(out, w->clear, strlen(w->clear));
    }
    if (w->hold) buf_printf(out, ",\"hold_s\":%s", w->hold);
    if (w->hold_in) {
        buf_puts(out, ",\"hold_in\":");
        buf_json_string(out, w->hold_in, strlen(w->hold_in));
    }
    if (w->cooldown) buf_printf(out, ",\"cooldown_s\":%s", w->cooldown);
    if (w->at) {
        buf_puts(out, ",\"at\":");
        buf_json_string(out, w->at, strlen(w->at));
    }
    buf_puts(out, "}");
}

static enum err add(struct backtest_rules *r, const struct rule_words *words, const char *where,
                    struct buf *problems, struct why *why)
{
    AUTO_BUF struct buf definition = { 0 };
    write_definition(words, &definition);
    if (!buf_ok(&definition)) return err_set(why, ERR_NOMEM, "out of memory");
    return keep(r, definition.data, definition.len, words->text, where, problems, why);
}

enum err backtest_rules_add(struct backtest_rules *r, const struct rule_words *words,
                            struct buf *problems, struct why *why)
{
    return add(r, words, "", problems, why);
}

static char *trim(char *s)
{
    char *end = s + strlen(s);
    while (end > s && isspace((unsigned char)end[-1])) *--end = '\0';
    while (isspace((unsigned char)*s)) s++;
    return s;
}

static enum err read_line(struct backtest_rules *r, char *line, const char *where,
                          struct buf *problems, struct why *why)
{
    const char *text = trim(line);
    if (!*text || *text == '#') return ERR_OK;
    if (*text == '{') return keep(r, text, strlen(text), NULL, where, problems, why);
    return add(r, &(struct rule_words){ .text = text }, where, problems, why);
}

enum err backtest_rules_read(struct backtest_rules *r, const char *path, struct buf *problems,
                             struct why *why)
{
    FILE *f = fopen(path, "re");
    if (!f) return err_set(why, ERR_IO, "%s: %s", path, strerror(errno));
    char *line = NULL;
    size_t cap = 0, before = r->n;
    bool wrong = false;
    enum err e = ERR_OK;
    for (long no = 1; !e && getline(&line, &cap, f) >= 0; no++) {
        char where[400];
        snprintf(where, sizeof where, "%.300s:%ld: ", path, no);
        e = read_line(r, line, where, problems, why);
        wrong |= e == ERR_INVALID;
        if (e == ERR_INVALID) e = ERR_OK; /* all that is wrong in one go */
    }
    if (!e && ferror(f)) e = err_set(why, ERR_IO, "%s: %s", path, strerror(errno));
    if (!e && !wrong && r->n == before) e = err_set(why, ERR_IO, "%s holds no rule", path);
    free(line);
    fclose(f);
    return !e && wrong ? ERR_INVALID : e;
}

void backtest_rules_release(struct backtest_rules *r)
{
    free(r->rules);
    *r = (struct backtest_rules){ 0 };
}
