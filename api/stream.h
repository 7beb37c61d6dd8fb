/* stream.h - the live stream: each reader gets every alert of its tenant once, in order, without a gap.
 *
 * It begins with its position, an event without data whose id is remembered: a reader that is cut off before its first alert comes
 * back with that, and loses nothing. One whose cursor lies ahead of the newest alert is told "reset" instead, and goes on from there.
 *
 * stream_no is dense, so a reader is always in one of two states. Catching up: it reads pages of the alert table from its cursor, and
 * what is published meanwhile only says that there is more. Live: what is published is queued for it, as long as it is the very next
 * number; a hole sends it back to catching up. Either way at most 1,000 events or 256 kB wait. A reader that falls behind
 * is closed and resumes by its cursor; one that kept up until a burst came reads the burst from the table.
 *
 * Locks: one for the hub; inside it libmicrohttpd's, never the other way round. */
#ifndef TOCSIN_API_STREAM_H
#define TOCSIN_API_STREAM_H
#include "alerts/alert.h"
#include "api/conns.h"
#include "api/work.h"
#include "store/keys.h"

enum { STREAM_EVENTS_MAX = 1000, STREAM_BYTES_MAX = 256 * 1024, STREAM_PAGE = 256 };

struct MHD_Connection;
struct MHD_Response;
struct hub;
struct stream;

/* `page`: what alerts link to (alert_render); outlives the hub. */
MUST_USE enum err hub_new(struct work *work, int heartbeat_ms, const char *page, struct hub **out);
void hub_free(struct hub *h); /* NULL is fine; every stream has been closed */
/* Never waits for a reader. Thread: store writer. */
void hub_publish(struct hub *h, const struct alert *alerts, size_t n);
/* Heartbeats, pages to try again, and once a second a look whether the keys still live. Thread: the ticker, a few times a second. */
void hub_tick(struct hub *h, int64_t now_ns);
/* Ends all streams; later ones end at once. */
void hub_stop(struct hub *h);

/* A stream that has begun catching up from *cursor (NULL: from now on), with its response. Asks the database, so: on a worker.
 * The request owns *out and ends it with stream_close before its connection goes. */
MUST_USE enum err stream_open(struct hub *h, struct reader *db, struct uuid tenant,
                              const struct key *key, const int64_t *cursor,
                              struct MHD_Connection *connection, struct conn *conn,
                              struct stream **out, struct MHD_Response **out_response,
                              struct why *why);
void stream_close(struct stream *s); /* NULL is fine */
#endif
