/* dispatcher.h - sends what the outbox owes: one thread that owns the outbox, and workers that
 * each send one alert at a time.
 *
 * At most one worker serves a channel, so a hung one holds one worker for one timeout; a channel
 * that keeps failing rests (rest_list.h) and leaves its worker to others. Memory is bounded by
 * the number of workers: what is owed stays in the outbox until one is free. A failing database
 * delays marks and claims, and a channel whose result is not stored yet gets nothing new. */
#ifndef TOCSIN_ALERTS_DELIVERY_DISPATCHER_H
#define TOCSIN_ALERTS_DELIVERY_DISPATCHER_H
#include "alerts/delivery/channel.h"

enum { DELIVERY_WORKERS_MAX = 64 };

struct dispatcher_config {
    int workers;                /* 1 .. DELIVERY_WORKERS_MAX */
    struct channel_setup setup; /* `stop` is ours */
    /* Looks at the outbox at least so often; 0: 5000. A kick or a due time comes earlier. */
    int64_t poll_ms;
    int64_t rest_unit_ms; /* 0: SCHEDULE_REST_UNIT_MS */
};

struct dispatcher;

/* Starts the threads, which first take back the leases of whoever ran before. *outbox is copied;
 * its ctx must outlive the dispatcher. */
MUST_USE enum err dispatcher_start(const struct dispatcher_config *cfg,
                                   const struct outbox_calls *outbox, struct dispatcher **out,
                                   struct why *why);

/* Something new is owed: call right after the commit. Cheap, never blocks on I/O. Thread: any. */
void dispatcher_kick(struct dispatcher *p);

/* Claims nothing more, lets sends in hand finish for grace_ms, then cuts them off (they count as
 * not attempted, and are sent again after the next start), stores what became of them with one
 * try, joins and frees. Takes at most about a second more than grace_ms, plus one call of the
 * outbox. NULL is fine. */
void dispatcher_stop(struct dispatcher *p, int64_t grace_ms);
#endif
