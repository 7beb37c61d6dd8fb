/* reply.c - from a handler's verdict to the bytes of a response. */
#include "api/reply.h"

#include "api/api_internal.h"
#include "core/log.h"
#include "core/metrics.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

static const char *phrase(int status)
{
    switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Error";
    }
}

void reply_json(struct request *r, int status)
{
    if (!buf_ok(&r->reply.body)) return reply_problem(r, ERR_NOMEM, NULL);
    r->reply.status = status;
    r->reply.type = "application/json";
}

void reply_problem(struct request *r, enum err e, const struct why *why)
{
    reply_problem_as(r, e, err_http_status(e), NULL, why);
}

void reply_problem_as(struct request *r, enum err e, int status, const char *code,
                      const struct why *why)
{
    struct buf *out = &r->reply.body;
    bool ours = status >= 500; /* what happened inside is for the log */
    const char *detail = why && why->text[0] && (!ours || code) ? why->text : err_text(e);
    if (ours && !code && e != ERR_STOPPING
        && e != ERR_FULL) /* those two are answers, not failures */
        log_warn("request failed", "request_id", r->id, "route", r->route ? r->route->id : "",
                 "code", err_name(e), "detail", why ? why->text : "");
    buf_clear(out);
    struct json_writer w = json_write(out);
    json_put_object(&w, NULL);
    json_put_text(&w, "type", "about:blank");
    json_put_text(&w, "title", phrase(status));
    json_put_int(&w, "status", status);
    json_put_text(&w, "code", code ? code : err_name(e));
    json_put_text(&w, "detail", detail);
    json_put_text(&w, "request_id", r->id);
    if (why && why->at > 0 && status == 400) json_put_int(&w, "position", why->at);
    json_put_end(&w);
    r->reply.status = status;
    r->reply.type = "application/problem+json";
    r->reply.fixed = NULL;
    r->reply.retry_after = err_retryable(e);
}

static void count(int status)
{
    metric_add(status < 300   ? METRIC_HTTP_2XX
               : status < 400 ? METRIC_HTTP_3XX
               : status < 500 ? METRIC_HTTP_4XX
                              : METRIC_HTTP_5XX,
               1);
}

static struct MHD_Response *content(struct reply *p)
{
    if (p->stream) return p->stream;
    if (p->fixed)
        return MHD_create_response_from_buffer(p->fixed_n, (void *)(uintptr_t)p->fixed,
                                               MHD_RESPMEM_PERSISTENT);
    if (!buf_ok(&p->body)) return NULL;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(p->body.len, p->body.data, MHD_RESPMEM_MUST_FREE);
    if (response) p->body = (struct buf){ 0 }; /* it is the response's now */
    return response;
}

bool reply_send(struct request *r)
{
    struct reply *p = &r->reply;
    if (p->status == 0) reply_problem(r, ERR_INTERNAL, NULL);
    struct MHD_Response *response = content(p);
    if (!response) return false;
    static const char *const always[][2] = {
        { "X-Content-Type-Options", "nosniff" },
        { "Content-Security-Policy",
          "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" },
        { "Referrer-Policy", "no-referrer" },
    };
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        MHD_add_response_header(response, always[i][0], always[i][1]);
    MHD_add_response_header(response, "X-Request-Id", r->id);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            p->cacheable ? "no-cache" : "no-store");
    if (p->type && p->status != 204 && p->status != 304)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, p->type);
    if (p->etag[0]) MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, p->etag);
    if (p->location[0]) MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, p->location);
    if (p->allow[0]) MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, p->allow);
    if (p->status == 401)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                "Bearer realm=\"tocsin\"");
    if (p->retry_after) MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    if (p->stream)
        MHD_add_response_header(response, "X-Accel-Buffering",
                                "no"); /* a proxy between must not hold events back */
    if (p->close || p->stream)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    count(p->status);
    bool queued = MHD_queue_response(r->connection, (unsigned)p->status, response) == MHD_YES;
    MHD_destroy_response(response);
    p->stream = NULL;
    return queued;
}
