/* reply.h - sends what a handler left in request.reply. Internal to api/. Thread: libmicrohttpd's. */
#ifndef TOCSIN_API_REPLY_H
#define TOCSIN_API_REPLY_H
#include "api/resource.h"

/* "Not Found" of 404; "Error" of one that we never send. */
const char *http_phrase(int status);

/* False when nothing could be queued: the connection is then dropped. */
MUST_USE bool reply_send(struct request *r);
#endif
