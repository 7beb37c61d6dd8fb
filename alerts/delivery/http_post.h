/* http_post.h - one POST to a server that somebody else chose, and no way into our own network.
 * What every channel that speaks HTTP is made of.
 *
 * The address is looked at in the socket hook, after name resolution: behind every disguise a
 * URL or a name server can put on it, and at the very moment it is used. Certificates are always
 * verified; redirects and proxies are never used; nothing is shared between attempts but the CA
 * store. */
#ifndef TOCSIN_ALERTS_DELIVERY_HTTP_POST_H
#define TOCSIN_ALERTS_DELIVERY_HTTP_POST_H
#include "alerts/delivery/channel.h"

enum {
    HTTP_ANSWER_MAX = 64 * 1024, /* of the answer's body; the rest is not read */
    HTTP_ANSWER_HEADERS_MAX = 32 * 1024,
    HTTP_HEADERS_MAX = 8,
};

/* What an answer's status means; 0 (there was no answer) is a retry. Pure. */
enum outcome http_outcome(int status);

/* One connection at a time; a worker owns one. */
struct http_client;
MUST_USE enum err http_client_new(const struct channel_setup *setup, struct http_client **out);
void http_client_free(struct http_client *c); /* NULL is fine */

struct http_request {
    const char *url;
    const char *headers[HTTP_HEADERS_MAX + 1]; /* "name: value"; NULL ends them */
    const char *body;
    size_t body_n;
};

/* One attempt, at most timeout_ms. The answer counts as soon as its headers are complete: of its
 * body at most HTTP_ANSWER_MAX bytes are read for at most 2 s, and cutting it off takes nothing
 * from a 2xx (the receiver has taken the alert; a retry would only repeat it). out->code is the
 * status. A URL that url_check() does not like, or whose every address is reserved, is REFUSED. */
void http_post(struct http_client *c, const struct http_request *r, struct sent *out);
#endif
