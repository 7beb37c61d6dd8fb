/* resource.h - what the API is made of. A resource is one file of resources/: its routes, its handlers and the shapes
 * of its bodies, ending in ONE const struct. One row of resources.def names it, and nobody else does.
 *
 * Dispatch, the check of arguments and /openapi.json come from these tables. So a resource that says what is playing
 * is this file, examples/Tune.json, and RESOURCE(tunes):
 *
 *     static const struct field tune_fields[] = { { .name = "title", .type = FIELD_TEXT }, { .name = "seconds", .type = FIELD_INT }, { 0 } };
 *     static const struct schema schemas[] = { { .name = "Tune", .fields = tune_fields } };
 *
 *     static void get_tune(struct request *r) { ... reply_json(r, 200); }
 *
 *     static const struct route routes[] = {
 *         { .method = METHOD_GET,
 *           .path = "/v1/tune",
 *           .id = "getTune",
 *           .summary = "What is playing",
 *           .help = "The tune of the newest alert, for who cannot look.",
 *           .handler = get_tune,
 *           .flags = ROUTE_KEY,
 *           .answers = { { .status = 200, .schema = "Tune" } } },
 *     };
 *     const struct resource resource_tunes = { .name = "tunes", .help = "Music", RESOURCE_TABLES };
 *
 * A GET of /v1/tune is then answered by get_tune once the key is good, a POST with 405 and "Allow: GET, HEAD", and
 * /openapi.json shows the operation, the shape and the example. Internal to api/. */
#ifndef TOCSIN_API_RESOURCE_H
#define TOCSIN_API_RESOURCE_H
#include "api/request.h"
#include "api/schema.h"

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE, METHOD_COUNT };

enum arg_where { IN_QUERY, IN_HEADER };
enum arg_type { ARG_INT, ARG_UUID, ARG_TIME, ARG_TEXT, ARG_CHOICE };

/* One argument that a route takes, in its query or as a header. */
struct arg_spec {
    const char *name; /* NULL ends the list */
    enum arg_where where;
    enum arg_type type;
    int64_t min, max;    /* of the number, or of the text's bytes */
    int64_t missing;     /* ARG_INT: the value when absent; -1: none */
    const char *choices; /* ARG_CHOICE: "asc|desc" */
    bool required, many;
    const char *help, *example;
};

enum route_flags {
    ROUTE_KEY = 1, /* needs an API key */
    ROUTE_DB = 2,  /* runs on a worker, with a database session */
    ROUTE_404 = 4,
    ROUTE_409 = 8,
    ROUTE_429 = 16,
    ROUTE_304 = 32,
    ROUTE_503 = 64,     /* what else it may answer */
    ROUTE_ENGINE = 128, /* waits for the engine or its commit: has workers of its own */
    ROUTE_PAGE =
        256, /* a file of the page: takes whatever comes with it, and is not in the document */
};

/* One answer that is no problem. Its example is examples/<example>.json. */
struct answer {
    int status;          /* 0 ends the list */
    const char *schema;  /* NULL: no body, or one of the route's type */
    const char *text;    /* what it says; NULL: OK, Created or Deleted, by status */
    const char *example; /* NULL: the one named as the schema */
};
enum { ANSWERS_MAX = 2 };

struct route {
    enum method method;
    const char *path; /* {id} stands for a uuid, {file} for a file of the page */
    const char *id;   /* OpenAPI's operationId */
    const char *summary, *help;
    void (*handler)(struct request *r);
    unsigned flags;
    const struct arg_spec *args;        /* NULL: none */
    const char *body;                   /* schema of the request's body; NULL: none is taken */
    struct answer answers[ANSWERS_MAX]; /* the usual success first */
    const char *type;                   /* content type of the answer; NULL: application/json */
};

struct resource {
    const char *name, *help; /* the tag in OpenAPI, and a line about it */
    const struct route *routes;
    size_t routes_n;
    const struct schema *schemas; /* bodies; a name is one thing in all of the API */
    size_t schemas_n;
};
#define RESOURCE_ROUTES .routes = routes, .routes_n = ARRAY_LEN(routes)
#define RESOURCE_TABLES RESOURCE_ROUTES, .schemas = schemas, .schemas_n = ARRAY_LEN(schemas)

/* All of them, in the order of resources.def. */
extern const struct resource *const resources[];
extern const size_t resources_n;

/* Of any resource; that there is none of that name is our own mistake. */
const struct schema *schema_find(const char *name);

const char *method_name(enum method m);
/* The route for a path and method; *out_id is set where the path has an {id}. NULL when there is none: then `allow`
 * says which methods the path has ("GET, HEAD"), and is "" when it has none. */
const struct route *route_find(const char *path, int method, struct uuid *out_id,
                               char allow[ALLOW_MAX]);

/* A header's name as the one who reads it spells it: three, and those that some route declares. NULL: nobody does. */
const char *header_wanted(const char *name);

/* Reads and checks the arguments of the route into r->args; ERR_INVALID for what is unknown, missing or out of range. */
MUST_USE enum err route_args(const struct route *route, struct request *r, struct why *why);
#endif
