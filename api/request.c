#include "api/request.h"

#include "api/api_internal.h"
#include "api/stream.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

void request_free(struct request *r)
{
    if (!r) return;
    if (r->conn) r->conn->request = NULL;
    stream_close(r->stream);
    if (r->counts_stream) quota_give(r->api->quotas, r->tenant, QUOTA_STREAM);
    if (r->reply.stream)
        MHD_destroy_response(r->reply.stream); /* the connection broke before it was sent */
    free(r->raw);
    buf_release(&r->body);
    buf_release(&r->reply.body);
    free(r);
}

void request_keep_header(struct request *r, const char *name, const char *value)
{
    size_t i = 0;
    while (i < r->headers_n && strcmp(r->headers[i].name, name) != 0) i++;
    assert(i < HEADERS_MAX); /* more than that are not wanted */
    if (i == r->headers_n) r->headers_n++;
    r->headers[i] = (struct header){ name, value };
}

const char *request_header(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->headers_n; i++)
        if (strcmp(r->headers[i].name, name) == 0) return r->headers[i].value;
    return NULL;
}
