/* outbox.h - the outbox as delivery sees it: what is owed, claimed under a lease, and what became
 * of it. Plain data.
 *
 * store/outbox.c implements it on PostgreSQL, the unit test in memory. An alert's outbox row is
 * made in the transaction of the alert itself, so nothing committed goes untold; a row leaves
 * `waiting` only by a mark. Between a send and its mark a crash leaves the row waiting: it is sent
 * again with the same id and the same body (at least once on the wire).
 * Thread: one, the dispatcher's. */
#ifndef TOCSIN_ALERTS_DELIVERY_OUTBOX_H
#define TOCSIN_ALERTS_DELIVERY_OUTBOX_H
#include "alerts/alert.h"
#include "core/arena.h"

#include <string.h>

enum { DELIVERY_LEASE_S = 30 };

enum delivery_status { DELIVERY_WAITING, DELIVERY_DELIVERED, DELIVERY_FAILED, DELIVERY_EXPIRED };

/* One alert owed to one channel. Its texts live in `memory`. */
struct delivery {
    struct uuid channel; /* tenant and alert id: in `alert` */
    struct alert alert;
    const char *kind;       /* the channel's, by name; this program may not know it */
    const char *settings;   /* the channel's, a JSON object: {"url":"https://..."} */
    char *secrets;          /* the same of what is kept encrypted; wiped at release */
    const char *problem;    /* why the secrets cannot be had; NULL: they can */
    const char *unreadable; /* why the alert can never be sent by this program; NULL: it can */
    int attempt;            /* 1 for the first */
    int64_t failing_s;      /* how long nothing has reached this channel; 0 after a success */
    struct arena memory;
};

/* Ends one. Fine on a zeroed one. */
static inline void delivery_release(struct delivery *d)
{
    if (d->secrets) explicit_bzero(d->secrets, strlen(d->secrets));
    arena_release(&d->memory);
    *d = (struct delivery){ .attempt = 0 };
}

struct delivery_mark {
    struct uuid tenant, alert, channel;
    enum delivery_status status;
    int attempt;         /* the one just made; 0: none was (a stop), only the lease goes back */
    int64_t delay_ms;    /* waiting: from now to the next attempt */
    int code;            /* the receiver's own number for its answer (HTTP: the status); 0: none */
    const char *error;   /* "" when there is none */
    const char *disable; /* why the channel is turned off with this mark; NULL: it is not */
};

struct outbox_calls {
    void *ctx;
    /* Gives back every lease: whoever held one is gone, since a shard has one owner. Called once,
     * before the first claim. */
    enum err (*release_all)(void *ctx, struct why *why);
    /* Leases up to `max` due deliveries, at most one a channel and none for a channel in `busy` or
     * one already leased; within a channel the lowest stream_no that is due. Each out[i] is then
     * the caller's, to end with delivery_release(). *next_due_ms: until the next delivery becomes
     * due, -1 when none waits for its time. On failure nothing is handed out; a lease that was
     * taken all the same runs out. */
    enum err (*claim)(void *ctx, const struct uuid *busy, size_t busy_n, struct delivery *out,
                      size_t max, size_t *out_n, int64_t *next_due_ms, struct why *why);
    /* Stores all of them or none, ends their leases and keeps the channels' failing_since. Doing
     * it again is harmless. A channel that is disabled has everything still waiting for it marked
     * failed. */
    enum err (*mark)(void *ctx, const struct delivery_mark *marks, size_t n, struct why *why);
};
#endif
