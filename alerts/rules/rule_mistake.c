/* rule_mistake.c - the slips that people make, each in words of its own:
 *
 *     hhi(DEMO > 200          4: the parenthesis at character 4 is not closed
 *     hhi > 200               4: expected "(" behind the name of the measure, as in hhi(SP500) >= 180
 *     200 < hhi(DEMO)         1: the measure comes first, then the operator and the threshold, as in ...
 *     hhi(DEMO) => 200       11: "=>" is no operator: did you mean >=? ...
 *     hhi(DEMO) 200          11: expected an operator before the threshold: one of >= > <= <
 *     hhi(DEMO) > ret(A)     13: expected a decimal number as the threshold, found "ret(A)"; ... */
#include "alerts/rules/rule_mistake.h"

#include <stdio.h>
#include <string.h>

#define OPERATORS "one of >= > <= <"
#define EXAMPLE "hhi(SP500) >= 180"

static int place(const char *text, const char *at) { return (int)(at - text) + 1; }

/* The innermost parenthesis that is still open at the end; NULL: none is. */
static const char *still_open(const char *text)
{
    int closed = 0;
    for (const char *p = text + strlen(text); p > text;) {
        p--;
        if (*p == ')') closed++;
        if (*p == '(' && closed-- == 0) return p;
    }
    return NULL;
}

enum err rule_mistake_measure(const char *text, struct why *why)
{
    const char *first = text + strspn(text, " "), *open = still_open(text);
    if (*first && strchr("0123456789-+.<>=", *first))
        return err_at(
            why, place(text, first), ERR_SYNTAX,
            "the measure comes first, then the operator and the threshold, as in " EXAMPLE);
    if (open)
        return err_at(why, place(text, open), ERR_SYNTAX,
                      "the parenthesis at character %d is not closed", place(text, open));
    return err_at(why, place(text, first + strcspn(first, " <>=")), ERR_SYNTAX,
                  "expected \"(\" behind the name of the measure, as in " EXAMPLE);
}

/* Longer ones before those that they begin with. `meant` NULL: equal or not equal, which no rule asks for. */
static const struct {
    const char *text, *meant;
} slips[] = {
    { ">==", ">=" }, { "<==", "<=" }, { "=>", ">=" }, { "=<", "<=" }, { ">>", ">" },
    { "<<", "<" },   { "≥", ">=" },   { "≤", "<=" },  { "<>", NULL }, { "==", NULL },
    { "!=", NULL },  { "≠", NULL },   { "=", NULL },
};

static enum err no_operator(int at, const char *found, struct why *why)
{
    for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
        if (strncmp(found, slips[i].text, strlen(slips[i].text)) != 0) continue;
        if (slips[i].meant)
            return err_at(why, at, ERR_SYNTAX,
                          "\"%s\" is no operator: did you mean %s? It is " OPERATORS, slips[i].text,
                          slips[i].meant);
        return err_at(why, at, ERR_SYNTAX, "\"%s\" is no operator of a rule: it is " OPERATORS,
                      slips[i].text);
    }
    return err_at(why, at, ERR_SYNTAX, "expected " OPERATORS ", found \"%.*s\"",
                  (int)strcspn(found, " "), found);
}

enum err rule_mistake_operator(const char *text, const char *at, struct why *why)
{
    const int n = place(text, at);
    if (!*at)
        return err_at(why, n, ERR_SYNTAX,
                      "expected an operator and a threshold behind the measure: " OPERATORS
                      ", as in " EXAMPLE);
    if (*at == ')')
        return err_at(why, n, ERR_SYNTAX,
                      "this parenthesis closes nothing: expected " OPERATORS " here");
    if (strchr("0123456789-.", *at))
        return err_at(why, n, ERR_SYNTAX, "expected an operator before the threshold: " OPERATORS);
    return no_operator(n, at, why);
}

/* What is found in a threshold that is none, and what that tells. */
static const struct {
    const char *holds, *says;
} hints[] = {
    { "=", "; an operator has no blank in it" },
    { " and ", "; a rule has one condition: make one of each" },
    { " or ", "; a rule has one condition: make one of each" },
    { "(", "; a measure is compared with a number, not with another measure" },
    { ",", "; write it without commas, 1234.5" },
};

enum err rule_mistake_threshold(const char *found, int at, struct why *why)
{
    const char *hint = "";
    if (!*found)
        return err_at(why, at, ERR_SYNTAX,
                      "expected a threshold behind the operator, a number such as 180");
    for (size_t i = 0; i < ARRAY_LEN(hints) && !*hint; i++)
        if (strstr(found, hints[i].holds)) hint = hints[i].says;
    return err_at(why, at, ERR_SYNTAX,
                  "expected a decimal number as the threshold, found \"%.30s\"%s", found, hint);
}
