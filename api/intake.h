/* intake.h - a request's way in: libmicrohttpd's callbacks, from the connection to the handler and its reply.
 *
 * Of a POST /v1/rules they are called like this; each later one gets what the one before it left:
 *
 *     intake_connection   a struct conn, whose deadline is that of the headers
 *     intake_target       a struct request with the target as it came
 *     intake_request      the headers are there: guard, target, route, key's shape, body wanted? The deadline is now
 *                         that of the whole request
 *     intake_request      once a piece of the body
 *     intake_request      the body is there: arguments are checked, the connection suspended, the task queued; a
 *                         worker looks at the key, has the handler run, and resumes
 *     intake_request      the reply is sent
 *     intake_completed    the request is freed; the connection has 60 s for its next
 *
 * Threads: libmicrohttpd's; a request in a worker's hands is not touched here. */
#ifndef TOCSIN_API_INTAKE_H
#define TOCSIN_API_INTAKE_H
#include <microhttpd.h>

/* `ctx` is the struct api everywhere. */
void intake_connection(void *ctx, struct MHD_Connection *c, void **socket_context,
                       enum MHD_ConnectionNotificationCode code);
void *intake_target(void *ctx, const char *target, struct MHD_Connection *c);
enum MHD_Result intake_request(void *ctx, struct MHD_Connection *c, const char *url,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_n, void **state);
void intake_completed(void *ctx, struct MHD_Connection *c, void **state,
                      enum MHD_RequestTerminationCode code);
#endif
