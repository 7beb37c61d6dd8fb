/* reply.c - from a handler's verdict to the bytes of a response. */
#include "api/reply.h"

#include "api/api_internal.h"
#include "core/log.h"
#include "core/metrics.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

const char *http_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" },
        { 429, "Too Many Requests" },
        { 500, "Internal Server Error" },
        { 503, "Service Unavailable" },
    };
    for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
        if (phrases[i].status == status) return phrases[i].phrase;
    return "Error";
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
    json_put_text(&w, "title", http_phrase(status));
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

/* What every answer carries, whatever it is. */
static void add_standing_headers(struct MHD_Response *response)
{
    static const char *const headers[][2] = {
        { "X-Content-Type-Options", "nosniff" },
        { "Content-Security-Policy",
          "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" },
        { "Referrer-Policy", "no-referrer" },
    };
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
}

static void add(struct MHD_Response *response, bool wanted, const char *name, const char *value)
{
    if (wanted) MHD_add_response_header(response, name, value);
}

static void add_headers(struct MHD_Response *response, const struct request *r)
{
    const struct reply *p = &r->reply;
    bool has_body = p->status != 204 && p->status != 304;
    add(response, true, "X-Request-Id", r->id);
    add(response, true, MHD_HTTP_HEADER_CACHE_CONTROL, p->cacheable ? "no-cache" : "no-store");
    add(response, p->type && has_body, MHD_HTTP_HEADER_CONTENT_TYPE, p->type);
    add(response, p->etag[0], MHD_HTTP_HEADER_ETAG, p->etag);
    add(response, p->location[0], MHD_HTTP_HEADER_LOCATION, p->location);
    add(response, p->allow[0], MHD_HTTP_HEADER_ALLOW, p->allow);
    add(response, p->status == 401, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"tocsin\"");
    add(response, p->retry_after, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    /* a proxy between must not hold events back */
    add(response, p->stream, "X-Accel-Buffering", "no");
    add(response, p->close || p->stream, MHD_HTTP_HEADER_CONNECTION, "close");
}

bool reply_send(struct request *r)
{
    struct reply *p = &r->reply;
    if (p->status == 0) reply_problem(r, ERR_INTERNAL, NULL);
    struct MHD_Response *response = content(p);
    if (!response) return false;
    add_standing_headers(response);
    add_headers(response, r);
    count(p->status);
    bool queued = MHD_queue_response(r->connection, (unsigned)p->status, response) == MHD_YES;
    MHD_destroy_response(response);
    p->stream = NULL;
    return queued;
}
