/* args.c - the arguments of a request, checked against the list of its route. */
#include "api/resource.h"
#include "core/when.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static const char *header_value(const struct request *r, const char *name)
{
    return strcmp(name, "Idempotency-Key") == 0 ? r->idempotency_key
           : strcmp(name, "Last-Event-ID") == 0 ? r->last_event_id
                                                : r->if_none_match;
}

static bool choice_ok(const char *choices, const char *value)
{
    size_t n = strlen(value);
    for (const char *c = choices; n && c; c = strchr(c, '|') ? strchr(c, '|') + 1 : NULL)
        if (strncmp(c, value, n) == 0 && (c[n] == '|' || c[n] == '\0')) return true;
    return false;
}

static enum err read_arg(const struct arg_spec *p, const char *value, struct arg *out,
                         struct why *why)
{
    *out = (struct arg){ .given = value != NULL, .text = value, .number = p->missing };
    if (!value)
        return p->required ? err_set(why, ERR_INVALID, "parameter \"%s\" is missing", p->name)
                           : ERR_OK;
    size_t n = strlen(value);
    switch (p->type) {
    case ARG_INT:
        if (number_parse(value, &out->number) || out->number < p->min || out->number > p->max)
            return err_set(why, ERR_INVALID,
                           "parameter \"%s\" must be an integer from %" PRId64 " to %" PRId64,
                           p->name, p->min, p->max);
        return ERR_OK;
    case ARG_UUID:
        return uuid_parse(value, n, &out->uuid)
                   ? err_set(why, ERR_INVALID, "parameter \"%s\" must be a uuid", p->name)
                   : ERR_OK;
    case ARG_TIME: {
        struct why detail = { 0 };
        if (when_parse(value, n, &out->number, &detail))
            return err_set(why, ERR_INVALID, "parameter \"%s\": %s", p->name, detail.text);
        return ERR_OK;
    }
    case ARG_CHOICE:
        return choice_ok(p->choices, value)
                   ? ERR_OK
                   : err_set(why, ERR_INVALID, "parameter \"%s\" must be one of %s", p->name,
                             p->choices + (*p->choices == '|'));
    case ARG_TEXT: break;
    }
    if ((int64_t)n < p->min || (int64_t)n > p->max)
        return err_set(why, ERR_INVALID,
                       "parameter \"%s\" must have %" PRId64 " to %" PRId64 " bytes", p->name,
                       p->min, p->max);
    for (size_t i = 0; p->min > 0 && i < n; i++)
        if (value[i] < (p->where == IN_HEADER ? 0x21 : 0x20) || value[i] > 0x7E)
            return err_set(why, ERR_INVALID, "\"%s\" must be visible ASCII", p->name);
    return ERR_OK;
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
                                            : header_value(r, p[i].name),
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
