/* routes.h - the one table of the API: dispatch, checks and /openapi.json are all made from it. */
#ifndef TOCSIN_API_ROUTES_H
#define TOCSIN_API_ROUTES_H
#include "api/request.h"

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_DELETE, METHOD_COUNT };

enum param_where { IN_QUERY, IN_HEADER };
enum param_kind { PARAM_INT, PARAM_UUID, PARAM_TIME, PARAM_TEXT, PARAM_CHOICE };

struct param {
    const char *name; /* NULL ends the list */
    enum param_where where;
    enum param_kind kind;
    int64_t min, max;    /* of the number, or of the text's bytes */
    int64_t missing;     /* PARAM_INT: the value when absent; -1: none */
    const char *choices; /* "asc|desc": the first is the default; "" before the first bar: none */
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
    ROUTE_REPEAT = 128, /* takes an Idempotency-Key: 200 with what is there */
    ROUTE_ENGINE = 256, /* waits for the engine or its commit: has workers of its own */
};

struct route {
    enum method method;
    const char *path, *id; /* {id} stands for a uuid; id: OpenAPI's operationId */
    void (*handler)(struct request *r);
    unsigned flags;
    const char *summary;
    const struct param *params;            /* NULL: none */
    const char *request, *request_example; /* schema of the body; NULL: no body is taken */
    int status;                            /* of success */
    const char *response,
        *response_example; /* schema; NULL: no body. Examples and schemas: ' stands for " */
    const char *type;      /* content type of the response; NULL: application/json */
};

extern const struct route routes[];
extern const size_t routes_n;

const char *method_name(enum method m);
/* The route for a path and method. *allow is set to the methods of that path when only the method is wrong, else NULL. */
const struct route *route_find(const char *path, int method, struct uuid *out_id,
                               const char **allow);
/* Reads and checks the arguments of the route; ERR_INVALID for what is unknown, missing or out of range. */
MUST_USE enum err route_args(const struct route *route, struct request *r, struct why *why);

/* The OpenAPI 3.0.3 document. */
void openapi_render(struct buf *out);
#endif
