/* request.h - one request on its way through api/: what came, who asks, what is answered. Internal to api/.
 *
 * Made by the raw-URI hook, freed when libmicrohttpd says the request is over. One thread at a time has it: libmicrohttpd's while it
 * is read and written, a worker's while the connection is suspended. */
#ifndef TOCSIN_API_REQUEST_H
#define TOCSIN_API_REQUEST_H
#include "api/api.h"
#include "api/conns.h"
#include "api/guard.h"
#include "store/keys.h"
#include "store/reader.h"

struct MHD_Connection;
struct MHD_Response;
struct route;
struct stream;
struct arg_spec;

struct header {
    const char *name, *value; /* name: as the one who reads it spells it */
};

enum { BODY_MAX = 64 * 1024, ARGS_MAX = 8, ALLOW_MAX = 40, HEADERS_MAX = 12, REQUEST_ID_TEXT = 28 };

enum stage { STAGE_NEW, STAGE_READING, STAGE_WORKING, STAGE_DONE };

struct arg {
    bool given;
    int64_t number;
    const char *text;
    struct uuid uuid;
}; /* as its arg_spec says */

struct reply {
    int status; /* 0: none yet */
    const char *type;
    struct buf body;
    const void *fixed; /* bytes that outlive everything, instead of body */
    size_t fixed_n;
    struct MHD_Response *stream; /* instead of body: its own content */
    char allow[ALLOW_MAX];       /* 405: the methods there are */
    char etag[48], location[64];
    bool close, cacheable, retry_after;
};

struct request {
    struct api *api;
    struct MHD_Connection *connection;
    struct conn *conn;
    enum stage stage;
    char id[REQUEST_ID_TEXT];

    char *raw; /* the request target; `target` points into it */
    struct target target;
    struct guard guard;
    const struct route *route;
    bool head;
    struct header headers[HEADERS_MAX]; /* those that somebody here reads */
    size_t headers_n;
    struct uuid path_id;       /* the {id} of the path */
    struct arg args[ARGS_MAX]; /* as route->args */
    struct buf body;
    size_t received_n; /* of the body, kept or not */

    struct key key;
    bool keyed; /* the tenant is known */
    struct uuid tenant;
    struct reader *db; /* a worker's session; NULL on libmicrohttpd's threads */

    struct reply reply;
    struct stream *stream;
    bool counts_stream; /* one of its tenant's streams, until it is freed */
};

void request_free(struct request *r); /* NULL is fine */

/* Keeps one that somebody reads (header_wanted). Of several with one name the last one counts. */
void request_keep_header(struct request *r, const char *name, const char *value);
/* NULL when it did not come. */
const char *request_header(const struct request *r, const char *name);

/* The argument of that name in the route's list. */
const struct arg *request_arg(const struct request *r, const char *name);

/* Answers. The JSON text is in r->reply.body already for reply_json. */
void reply_json(struct request *r, int status);
/* An RFC 9457 problem. `why` may be NULL; of a 5xx its text goes to the log, not to the caller. */
void reply_problem(struct request *r, enum err e, const struct why *why);
/* The same with another status or code than the error's own; code NULL: the error's name. */
void reply_problem_as(struct request *r, enum err e, int status, const char *code,
                      const struct why *why);
#endif
