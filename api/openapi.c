/* openapi.c - the OpenAPI 3.0.3 document, made from routes.c and schemas.def. */
#include "api/routes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ' becomes ": so the tables stay readable */
static void put(struct buf *out, const char *quoted)
{
    for (const char *p = quoted; *p; p++) buf_put(out, *p == '\'' ? "\"" : p, 1);
}

static void put_text(struct buf *out, const char *key, const char *text)
{
    buf_printf(out, "\"%s\":", key);
    buf_json_string(out, text, strlen(text));
}

/* every date there is: 30 and 31 by month, 29 February by year */
#define DATE_PATTERN                                                                                         \
    "((19|20)[0-9]{2}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)" \
    "|(19|20)(0[48]|[2468][048]|[13579][26])-02-29|2000-02-29)"
#define TIME_PATTERN                                                                               \
    "^([0-9]{1,18}|" DATE_PATTERN "(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"                     \
    "([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9]))?)$"

static void put_choices(struct buf *out, const char *c)
{
    const char *separator = "";
    for (const char *end; c; c = end ? end + 1 : NULL) {
        end = strchr(c, '|');
        size_t n = end ? (size_t)(end - c) : strlen(c);
        if (n == 0) continue;
        buf_printf(out, "%s\"%.*s\"", separator, (int)n, c);
        separator = ",";
    }
}

static void put_param_schema(struct buf *out, const struct param *p)
{
    switch (p->kind) {
    case PARAM_INT:
        buf_printf(out,
                   "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":%" PRId64
                   ",\"maximum\":%" PRId64,
                   p->min, p->max);
        if (p->missing >= 0) buf_printf(out, ",\"default\":%" PRId64, p->missing);
        buf_puts(out, "}");
        return;
    case PARAM_UUID: put(out, "{'type':'string','format':'uuid'}"); return;
    case PARAM_TIME: put(out, "{'type':'string','pattern':'" TIME_PATTERN "'}"); return;
    case PARAM_CHOICE:
        put(out, "{'type':'string','enum':[");
        put_choices(out, p->choices);
        put(out, "]}");
        return;
    case PARAM_TEXT:
        buf_printf(out,
                   "{\"type\":\"string\",\"minLength\":%" PRId64 ",\"maxLength\":%" PRId64 "%s}",
                   p->min, p->max,
                   p->min == 0             ? ""
                   : p->where == IN_HEADER ? ",\"pattern\":\"^[!-~]+$\""
                                           : ",\"pattern\":\"^[ -~]+$\"");
        return;
    }
}

static void put_param(struct buf *out, const struct param *p)
{
    buf_printf(out, "{\"name\":\"%s\",\"in\":\"%s\",\"required\":%s,", p->name,
               p->where == IN_QUERY ? "query" : "header", p->required ? "true" : "false");
    put_text(out, "description", p->help);
    buf_puts(out, ",\"schema\":");
    if (p->many) put(out, "{'type':'array','maxItems':50,'items':");
    put_param_schema(out, p);
    if (p->many) put(out, "},'style':'form','explode':true");
    bool number = p->kind == PARAM_INT;
    buf_printf(out, ",\"example\":%s%s%s%s%s}", p->many ? "[" : "", number ? "" : "\"", p->example,
               number ? "" : "\"", p->many ? "]" : "");
}

static void put_problem(struct buf *out, const char *status, const char *description,
                        const char *code)
{
    buf_printf(
        out,
        ",\"%s\":{\"description\":\"%s\",\"content\":{\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"},\"example\":"
        "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%s,\"code\":\"%s\",\"request_id\":\"5f2a9c11-000000000001\"}}}}",
        status, description, description, status, code);
}

static void put_success(struct buf *out, const struct route *r, int status, const char *schema,
                        const char *example, const char *description)
{
    buf_printf(out, "\"%d\":{\"description\":\"%s\"", status, description);
    if (r->type) {
        buf_printf(out, ",\"content\":{\"%.*s\":{\"schema\":{\"type\":\"%s\"}",
                   (int)strcspn(r->type, ";"), r->type,
                   strcmp(r->type, "application/json") ? "string" : "object");
        if (strcmp(r->type, "text/event-stream") == 0)
            buf_puts(out, ",\"example\":\"id: 7\\nevent: alert\\ndata: {...}\\n\\n\"");
        buf_puts(out, "}}");
    } else if (schema) {
        buf_printf(
            out,
            ",\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}",
            schema);
        buf_puts(out, ",\"example\":");
        put(out, example);
        buf_puts(out, "}}");
    }
    buf_puts(out, "}");
}

static void put_responses(struct buf *out, const struct route *r)
{
    buf_puts(out, ",\"responses\":{");
    put_success(out, r, r->status, r->response, r->response_example,
                r->status == 201   ? "Created"
                : r->status == 204 ? "Deleted"
                                   : "OK");
    if (r->flags & ROUTE_REPEAT) { /* a repeat never shows a secret */
        bool channel = strcmp(r->response, "ChannelMade") == 0;
        buf_puts(out, ",");
        const char *cut = channel ? strstr(r->response_example, ",'secret'") : NULL;
        char example[1000];
        snprintf(example, sizeof example, "%.*s%s",
                 cut ? (int)(cut - r->response_example) : (int)strlen(r->response_example),
                 r->response_example, cut ? "}" : "");
        put_success(out, r, 200, channel ? "Channel" : r->response, example,
                    "It is there already: the same Idempotency-Key");
    }
    if (r->flags & ROUTE_304) buf_puts(out, ",\"304\":{\"description\":\"Nothing newer\"}");
    put_problem(out, "400", "Bad Request", "invalid");
    if (r->flags & ROUTE_KEY) put_problem(out, "401", "Unauthorized", "unauthorized");
    if (r->flags & ROUTE_404) put_problem(out, "404", "Not Found", "not_found");
    put_problem(out, "405", "Method Not Allowed", "method");
    if (r->flags & ROUTE_409) put_problem(out, "409", "Conflict", "conflict");
    put_problem(out, "413", "Content Too Large", "too_large");
    if (r->request) put_problem(out, "415", "Unsupported Media Type", "media_type");
    if (r->flags & ROUTE_429) put_problem(out, "429", "Too Many Requests", "limit");
    put_problem(out, "500", "Internal Server Error", "internal");
    if (strcmp(r->id, "getReady") == 0)
        put(out,
            ",'503':{'description':'Not ready','content':{'application/json':{'schema':{'$ref':'#/components/schemas/Ready'},'example':{'ready':false,'reasons':["
            "'kafka: no broker']}}}}");
    else if (r->flags & (ROUTE_KEY | ROUTE_503))
        put_problem(out, "503", "Service Unavailable", "db_lost");
    buf_puts(out, "}");
}

static void put_operation(struct buf *out, const struct route *r)
{
    buf_puts(out, "\"");
    for (const char *p = method_name(r->method); *p; p++)
        buf_put(out, (char[]){ (char)(*p + ('a' - 'A')) }, 1);
    buf_printf(out, "\":{\"operationId\":\"%s\",", r->id);
    put_text(out, "summary", r->summary);
    buf_puts(out, ",\"parameters\":[");
    const char *separator = "";
    if (strstr(r->path, "{id}")) {
        put(out,
            "{'name':'id','in':'path','required':true,'schema':{'type':'string','format':'uuid'},'example':'7f2c1f9e-64e4-4d3b-9d5c-0a6d5a0a9b11'}");
        separator = ",";
    }
    for (const struct param *p = r->params; p && p->name; p++, separator = ",") {
        buf_puts(out, separator);
        put_param(out, p);
    }
    buf_puts(out, "]");
    if (r->request) {
        buf_printf(
            out,
            ",\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"},\"example\":",
            r->request);
        put(out, r->request_example);
        buf_puts(out, "}}}");
    }
    put_responses(out, r);
    if (!(r->flags & ROUTE_KEY)) buf_puts(out, ",\"security\":[]");
    buf_puts(out, "}");
}

void openapi_render(struct buf *out)
{
    put(out,
        "{'openapi':'3.0.3','info':{'title':'Tocsin','version':'1','description':'Market alerts and portfolio measures. Every answer carries X-Request-Id. Errors are "
        "RFC 9457 problems whose code is stable.'},'security':[{'key':[]}],'paths':{");
    const char *path = "";
    for (size_t i = 0; i < routes_n; i++) {
        bool same = strcmp(routes[i].path, path) == 0;
        if (!same) buf_printf(out, "%s\"%s\":{", i ? "}," : "", routes[i].path);
        else buf_puts(out, ",");
        path = routes[i].path;
        put_operation(out, &routes[i]);
    }
    put(out,
        "}},'components':{'securitySchemes':{'key':{'type':'http','scheme':'bearer','description':'API key: mk_live_...'}},'schemas':{");
    static const char *const schemas[] = {
#define SCHEMA(name, text) "'" #name "':" text,
#include "api/schemas.def"
#undef SCHEMA
    };
    for (size_t i = 0; i < ARRAY_LEN(schemas); i++) {
        if (i) buf_puts(out, ",");
        put(out, schemas[i]);
    }
    buf_puts(out, "}}}\n");
}
