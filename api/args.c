/* args.c - the arguments of a request, checked against the list of its route. */
#include "api/resource.h"
#include "core/when.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static bool choice_ok(const char *choices, const char *value)
{
    size_t n = strlen(value);
    for (const char *c = choices; n && c; c = strchr(c, '|') ? strchr(c, '|') + 1 : NULL)
        if (strncmp(c, value, n) == 0 && (c[n] == '|' || c[n] == '\0')) return true;
    return false;
}

/* ---- one function a type: what the text means, or why it is none ---- */
static enum err read_int(const struct arg_spec *a, const char *value, struct arg *out,
                         struct why *why)
{
    if (!number_parse(value, &out->number) && out->number >= a->min && out->number <= a->max)
        return ERR_OK;
    return err_set(why, ERR_INVALID,
                   "parameter \"%s\" must be an integer from %" PRId64 " to %" PRId64, a->name,
                   a->min, a->max);
}

static enum err read_uuid(const struct arg_spec *a, const char *value, struct arg *out,
                          struct why *why)
{
    if (!uuid_parse(value, strlen(value), &out->uuid)) return ERR_OK;
    return err_set(why, ERR_INVALID, "parameter \"%s\" must be a uuid", a->name);
}

static enum err read_time(const struct arg_spec *a, const char *value, struct arg *out,
                          struct why *why)
{
    struct why detail = { 0 };
    if (!when_parse(value, strlen(value), &out->number, &detail)) return ERR_OK;
    return err_set(why, ERR_INVALID, "parameter \"%s\": %s", a->name, detail.text);
}

static enum err read_choice(const struct arg_spec *a, const char *value, struct arg *out,
                            struct why *why)
{
    (void)out;
    if (choice_ok(a->choices, value)) return ERR_OK;
    return err_set(why, ERR_INVALID, "parameter \"%s\" must be one of %s", a->name, a->choices);
}

/* Visible ASCII, of which a query may have blanks. A text that may be empty may be anything. */
static enum err read_text(const struct arg_spec *a, const char *value, struct arg *out,
                          struct why *why)
{
    const char first = a->where == IN_HEADER ? 0x21 : 0x20;
    int64_t n = (int64_t)strlen(value);
    (void)out;
    if (n < a->min || n > a->max)
        return err_set(why, ERR_INVALID,
                       "parameter \"%s\" must have %" PRId64 " to %" PRId64 " bytes", a->name,
                       a->min, a->max);
    for (const char *c = value; a->min > 0 && *c; c++)
        if (*c < first || *c > 0x7E)
            return err_set(why, ERR_INVALID, "\"%s\" must be visible ASCII", a->name);
    return ERR_OK;
}

static enum err read_arg(const struct arg_spec *a, const char *value, struct arg *out,
                         struct why *why)
{
    *out = (struct arg){ .given = value != NULL, .text = value, .number = a->missing };
    if (!value && a->required)
        return err_set(why, ERR_INVALID, "parameter \"%s\" is missing", a->name);
    if (!value) return ERR_OK;
    switch (a->type) {
    case ARG_INT: return read_int(a, value, out, why);
    case ARG_UUID: return read_uuid(a, value, out, why);
    case ARG_TIME: return read_time(a, value, out, why);
    case ARG_CHOICE: return read_choice(a, value, out, why);
    case ARG_TEXT: return read_text(a, value, out, why);
    }
    return ERR_INTERNAL;
}

static enum err check_query(const struct route *route, const struct target *t, struct why *why)
{
    for (size_t i = 0; i < t->args_n; i++) {
        const struct arg_spec *p = route->args;
        while (p && p->name && (p->where != IN_QUERY || strcmp(p->name, t->args[i].name) != 0)) p++;
        if (!p || !p->name)
            return err_set(why, ERR_INVALID, "unknown query parameter \"%.60s\"", t->args[i].name);
        if (!p->many && target_arg(t, p->name) != t->args[i].value)
            return err_set(why, ERR_INVALID, "parameter \"%s\" came twice", p->name);
        struct arg ignored;
        enum err e = read_arg(p, t->args[i].value, &ignored, why);
        if (e) return e;
    }
    return ERR_OK;
}

enum err route_args(const struct route *route, struct request *r, struct why *why)
{
    enum err e = check_query(route, &r->target, why);
    const struct arg_spec *p = route->args;
    for (int i = 0; !e && p && p[i].name; i++) {
        assert(i < ARGS_MAX);
        e = read_arg(&p[i],
                     p[i].where == IN_QUERY ? target_arg(&r->target, p[i].name)
                                            : request_header(r, p[i].name),
                     &r->args[i], why);
    }
    return e;
}

const struct arg *request_arg(const struct request *r, const char *name)
{
    const struct arg_spec *p = r->route->args;
    int i = 0;
    while (p[i].name && strcmp(p[i].name, name) != 0) i++;
    assert(p[i].name); /* a handler asks only for what its row declares */
    return &r->args[i];
}
