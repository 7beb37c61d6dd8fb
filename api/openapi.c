/* openapi.c - the OpenAPI 3.0.3 document, made from the resources' tables and the files of examples/.
 *
 * The row of GET /v1/alerts/{id}, say, becomes
 *
 *     "/v1/alerts/{id}":{"get":{"operationId":"getAlert","tags":["alerts"],"summary":"An alert",
 *         "parameters":[{"name":"id","in":"path",...}],
 *         "responses":{"200":{"description":"OK","content":{"application/json":{
 *             "schema":{"$ref":"#/components/schemas/Alert"},"example":{... examples/Alert.json ...}}}},
 *             "400":{...},"401":{...},"404":{...}, ...}}} */
#include "api/examples.h"
#include "api/reply.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* every date there is: 30 and 31 by month, 29 February by year */
#define DATE_PATTERN                                                                               \
    "((19|20)[0-9]{2}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)"            \
    "|(0[13578]|1[02])-31)|(19|20)(0[48]|[2468][048]|[13579][26])-02-29|2000-02-29)"
#define TIME_PATTERN                                                                               \
    "^([0-9]{1,18}|" DATE_PATTERN "(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"                     \
    "([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9]))?)$"
#define UUID_EXAMPLE "7f2c1f9e-64e4-4d3b-9d5c-0a6d5a0a9b11"
enum { MANY_MAX = 50 };

static const struct field problem_fields[] = {
    { .name = "type", .type = FIELD_TEXT },
    { .name = "title", .type = FIELD_TEXT },
    { .name = "status", .type = FIELD_INT },
    { .name = "code", .type = FIELD_TEXT, .help = "stable name of the error" },
    { .name = "detail", .type = FIELD_TEXT, .optional = true },
    { .name = "request_id", .type = FIELD_TEXT },
    { .name = "position",
      .type = FIELD_INT,
      .optional = true,
      .min = 1,
      .help = "1-based character of the rule text that was refused" },
    { 0 },
};
static const struct schema problem_schema = { .name = "Problem",
                                              .fields = problem_fields,
                                              .help = "RFC 9457 problem details" };

/* ---- parameters ---- */
static void put_text_schema(struct json_writer *w, const struct arg_spec *a)
{
    json_put_text(w, "type", "string");
    json_put_int(w, "minLength", a->min);
    json_put_int(w, "maxLength", a->max);
    if (a->min > 0) json_put_text(w, "pattern", a->where == IN_HEADER ? "^[!-~]+$" : "^[ -~]+$");
}

static void put_arg_type(struct json_writer *w, const struct arg_spec *a)
{
    switch (a->type) {
    case ARG_INT:
        json_put_text(w, "type", "integer");
        json_put_text(w, "format", "int64");
        json_put_int(w, "minimum", a->min);
        json_put_int(w, "maximum", a->max);
        if (a->missing >= 0) json_put_int(w, "default", a->missing);
        return;
    case ARG_UUID:
        json_put_text(w, "type", "string");
        json_put_text(w, "format", "uuid");
        return;
    case ARG_TIME:
        json_put_text(w, "type", "string");
        json_put_text(w, "pattern", TIME_PATTERN);
        return;
    case ARG_CHOICE:
        json_put_text(w, "type", "string");
        schema_put_choices(w, a->choices, false);
        return;
    case ARG_TEXT: put_text_schema(w, a); return;
    }
}

static void put_arg_schema(struct json_writer *w, const struct arg_spec *a)
{
    json_put_object(w, "schema");
    if (a->many) {
        json_put_text(w, "type", "array");
        json_put_int(w, "maxItems", MANY_MAX);
        json_put_object(w, "items");
    }
    put_arg_type(w, a);
    if (a->many) json_put_end(w);
    json_put_end(w);
    if (!a->many) return;
    json_put_text(w, "style", "form");
    json_put_bool(w, "explode", true);
}

static void put_arg_example(struct json_writer *w, const struct arg_spec *a)
{
    if (a->many) json_put_array(w, "example");
    const char *key = a->many ? NULL : "example";
    if (a->type == ARG_INT) json_put_raw(w, key, a->example, strlen(a->example));
    else json_put_text(w, key, a->example);
    if (a->many) json_put_end(w);
}

static void put_arg(struct json_writer *w, const struct arg_spec *a)
{
    json_put_object(w, NULL);
    json_put_text(w, "name", a->name);
    json_put_text(w, "in", a->where == IN_QUERY ? "query" : "header");
    json_put_bool(w, "required", a->required);
    json_put_text(w, "description", a->help);
    put_arg_schema(w, a);
    put_arg_example(w, a);
    json_put_end(w);
}

static void put_path_id(struct json_writer *w)
{
    json_put_object(w, NULL);
    json_put_text(w, "name", "id");
    json_put_text(w, "in", "path");
    json_put_bool(w, "required", true);
    json_put_text(w, "description", "The id that its creation answered");
    json_put_object(w, "schema");
    json_put_text(w, "type", "string");
    json_put_text(w, "format", "uuid");
    json_put_end(w);
    json_put_text(w, "example", UUID_EXAMPLE);
    json_put_end(w);
}

static void put_args(struct json_writer *w, const struct route *r)
{
    json_put_array(w, "parameters");
    if (strstr(r->path, "{id}")) put_path_id(w);
    for (const struct arg_spec *a = r->args; a && a->name; a++) put_arg(w, a);
    json_put_end(w);
}

/* ---- bodies ---- */
static void put_example(struct json_writer *w, const char *name)
{
    size_t i = 0;
    while (i < examples_n && strcmp(examples[i].name, name) != 0) i++;
    assert(i < examples_n); /* a body has its example */
    const char *text = examples[i].text;
    if (examples[i].is_json) json_put_raw(w, "example", text, strlen(text));
    else json_put_text(w, "example", text);
}

/* "content":{"application/json":{"schema":{"$ref":...},"example":{...}}} */
static void put_json_content(struct json_writer *w, const char *type, const char *schema,
                             const char *example)
{
    json_put_object(w, "content");
    json_put_object(w, type);
    schema_put_reference(w, "schema", schema);
    put_example(w, example);
    json_put_end(w);
    json_put_end(w);
}

/* What is no JSON, or JSON of no schema here. */
static void put_typed_content(struct json_writer *w, const char *type, const char *example)
{
    char media[64];
    snprintf(media, sizeof media, "%.*s", (int)strcspn(type, ";"), type);
    json_put_object(w, "content");
    json_put_object(w, media);
    json_put_object(w, "schema");
    json_put_text(w, "type", strcmp(media, "application/json") == 0 ? "object" : "string");
    json_put_end(w);
    if (example) put_example(w, example);
    json_put_end(w);
    json_put_end(w);
}

static const char *answer_text(const struct answer *a)
{
    if (a->text) return a->text;
    switch (a->status) {
    case 201: return "Created";
    case 204: return "Deleted";
    }
    assert(a->status == 200); /* another says in its row what it means */
    return "OK";
}

static void put_answer(struct json_writer *w, const struct route *r, const struct answer *a)
{
    char status[12];
    snprintf(status, sizeof status, "%d", a->status);
    json_put_object(w, status);
    json_put_text(w, "description", answer_text(a));
    if (r->type) put_typed_content(w, r->type, a->example);
    else if (a->schema)
        put_json_content(w, "application/json", a->schema, a->example ? a->example : a->schema);
    json_put_end(w);
}

/* ---- problems ---- */
/* What any route may answer, and which ones do: those with one of the flags; all when there is none. */
static const struct problem {
    int status;
    unsigned flags;
    const char *code;
} problems[] = {
    { 400, 0, "invalid" },           { 401, ROUTE_KEY, "unauthorized" },
    { 404, ROUTE_404, "not_found" }, { 405, 0, "method" },
    { 409, ROUTE_409, "conflict" },  { 413, 0, "too_large" },
    { 415, 0, "media_type" },        { 429, ROUTE_429 | ROUTE_KEY, "limit" },
    { 500, 0, "internal" },          { 503, ROUTE_KEY | ROUTE_503, "db_lost" },
};

static void put_problem(struct json_writer *w, const struct problem *p)
{
    char status[12];
    snprintf(status, sizeof status, "%d", p->status);
    json_put_object(w, status);
    json_put_text(w, "description", http_phrase(p->status));
    json_put_object(w, "content");
    json_put_object(w, "application/problem+json");
    schema_put_reference(w, "schema", problem_schema.name);
    json_put_object(w, "example");
    json_put_text(w, "type", "about:blank");
    json_put_text(w, "title", http_phrase(p->status));
    json_put_int(w, "status", p->status);
    json_put_text(w, "code", p->code);
    json_put_text(w, "request_id", "5f2a9c11-000000000001");
    json_put_end(w);
    json_put_end(w);
    json_put_end(w);
    json_put_end(w);
}

static bool may_answer(const struct route *r, const struct problem *p)
{
    if (p->status == 415 && !r->body) return false;
    return p->flags == 0 || (r->flags & p->flags) != 0;
}

static void put_responses(struct json_writer *w, const struct route *r)
{
    json_put_object(w, "responses");
    for (int i = 0; i < ANSWERS_MAX && r->answers[i].status; i++) put_answer(w, r, &r->answers[i]);
    if (r->flags & ROUTE_304) {
        json_put_object(w, "304");
        json_put_text(w, "description", "Nothing newer");
        json_put_end(w);
    }
    for (size_t i = 0; i < ARRAY_LEN(problems); i++)
        if (may_answer(r, &problems[i])) put_problem(w, &problems[i]);
    json_put_end(w);
}

/* ---- operations ---- */
static void put_operation(struct json_writer *w, const struct resource *x, const struct route *r)
{
    char method[8] = "";
    const char *name = method_name(r->method);
    for (size_t i = 0; name[i]; i++) method[i] = (char)(name[i] | 0x20); /* get, post */
    json_put_object(w, method);
    json_put_text(w, "operationId", r->id);
    json_put_array(w, "tags");
    json_put_text(w, NULL, x->name);
    json_put_end(w);
    json_put_text(w, "summary", r->summary);
    if (r->help) json_put_text(w, "description", r->help);
    put_args(w, r);
    if (r->body) {
        json_put_object(w, "requestBody");
        json_put_bool(w, "required", true);
        put_json_content(w, "application/json", r->body, r->body);
        json_put_end(w);
    }
    put_responses(w, r);
    if (!(r->flags & ROUTE_KEY)) {
        json_put_array(w, "security");
        json_put_end(w);
    }
    json_put_end(w);
}

/* Rows of one path stand together. */
static void put_paths(struct json_writer *w, const struct resource *x)
{
    const char *path = "";
    for (size_t i = 0; i < x->routes_n; i++) {
        const struct route *r = &x->routes[i];
        if (r->flags & ROUTE_PAGE) continue;
        bool same = strcmp(r->path, path) == 0;
        if (!same && *path) json_put_end(w);
        if (!same) json_put_object(w, r->path);
        path = r->path;
        put_operation(w, x, r);
    }
    if (*path) json_put_end(w);
}

/* ---- the document ---- */
static void put_info(struct json_writer *w)
{
    json_put_object(w, "info");
    json_put_text(w, "title", "Tocsin");
    json_put_text(w, "version", "1");
    json_put_text(w, "description",
                  "Market alerts and portfolio measures. Every answer carries X-Request-Id. "
                  "Errors are RFC 9457 problems whose code is stable.");
    json_put_end(w);
}

/* Paths are as they stand here, on whatever host the document came from. */
static void put_servers(struct json_writer *w)
{
    json_put_array(w, "servers");
    json_put_object(w, NULL);
    json_put_text(w, "url", "/");
    json_put_end(w);
    json_put_end(w);
}

/* A tag a resource that has something in the document. */
static void put_tags(struct json_writer *w)
{
    json_put_array(w, "tags");
    for (size_t i = 0; i < resources_n; i++) {
        if (resources[i]->routes[0].flags & ROUTE_PAGE) continue;
        json_put_object(w, NULL);
        json_put_text(w, "name", resources[i]->name);
        json_put_text(w, "description", resources[i]->help);
        json_put_end(w);
    }
    json_put_end(w);
}

static void put_security(struct json_writer *w)
{
    json_put_object(w, "securitySchemes");
    json_put_object(w, "key");
    json_put_text(w, "type", "http");
    json_put_text(w, "scheme", "bearer");
    json_put_text(w, "description", "API key: mk_live_...");
    json_put_end(w);
    json_put_end(w);
}

static void put_components(struct json_writer *w)
{
    json_put_object(w, "components");
    put_security(w);
    json_put_object(w, "schemas");
    schema_put(w, problem_schema.name, &problem_schema);
    for (size_t i = 0; i < resources_n; i++)
        for (size_t k = 0; k < resources[i]->schemas_n; k++)
            schema_put(w, resources[i]->schemas[k].name, &resources[i]->schemas[k]);
    json_put_end(w);
    json_put_end(w);
}

void openapi_render(struct buf *out)
{
    struct json_writer w = json_write(out);
    json_put_object(&w, NULL);
    json_put_text(&w, "openapi", "3.0.3");
    put_info(&w);
    put_servers(&w);
    put_tags(&w);
    json_put_array(&w, "security");
    json_put_object(&w, NULL);
    json_put_array(&w, "key");
    json_put_end(&w);
    json_put_end(&w);
    json_put_end(&w);
    json_put_object(&w, "paths");
    for (size_t i = 0; i < resources_n; i++) put_paths(&w, resources[i]);
    json_put_end(&w);
    put_components(&w);
    json_put_end(&w);
}
