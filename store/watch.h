/* watch.h - a session that only looks: whose the shard is, and how long what is owed has waited.
 *
 * It is asked while nothing is committed, and while a commit hangs. So it is a session of its own,
 * no answer is waited for longer than WATCH_ANSWER_MS (a new connection: 5 s), and after a failure
 * the next look connects anew. Thread: one at a time. */
#ifndef TOCSIN_STORE_WATCH_H
#define TOCSIN_STORE_WATCH_H
#include "core/err.h"

#include <stdint.h>

enum { WATCH_ANSWER_MS = 2500 };

struct watch;
/* Connects to nothing yet; copies the connection string. ERR_NOMEM. */
MUST_USE enum err watch_new(const char *conninfo, struct watch **out);
void watch_free(struct watch *w); /* NULL is fine */

/* The epoch at which the shard stands: another than the writer's own (writer_epoch) means that
 * another instance has it. ERR_DB_LOST, ERR_DB: not known; db_trouble() says why. */
MUST_USE enum err watch_shard(struct watch *w, int64_t *epoch, struct why *why);

/* How long the oldest delivery that could be sent now has been due; 0: there is none. One whose channel
 * has another in hand cannot: a channel is given one at a time. Costs two looks into an index a
 * channel that is owed something. */
MUST_USE enum err watch_owed(struct watch *w, int64_t *oldest_ms, struct why *why);
#endif
