/* retention.h - old rows go: whole partitions of ticks and readings, the rest by rows.
 *
 * Days are counted back from the time that the newest snapshot has, which is event time: a history that is being replayed is not
 * old because it is of long ago. What has a clock of its own (dead letters, deliveries) goes by that. A partition goes only when
 * the newest kept checkpoint is behind every record in it, and is whole: from there a replay, and a service whose last snapshots
 * are damaged, can still begin. Thread: the session's. */
#ifndef TOCSIN_STORE_RETENTION_H
#define TOCSIN_STORE_RETENTION_H
#include "store/snapshots.h"

struct retention { /* days; 0: for ever */
    int64_t ticks, readings, dead_letters, deliveries, checkpoints;
};
static inline bool retention_any(const struct retention *k)
{
    return k->ticks || k->readings || k->dead_letters || k->deliveries || k->checkpoints;
}

struct retention_item {
    const char *what;    /* "tick_20260203", "dead letters" */
    int64_t rows, bytes; /* of a partition the bytes, rows -1; else the rows, bytes -1 */
    uint64_t last_seq;   /* of a partition: the last record in it */
    const char *refused; /* why it stays; NULL: it goes */
};

/* Tells of each that is old, and drops it unless `dry`. ERR_DB, ERR_DB_LOST: what
 * was told before has gone. */
MUST_USE enum err retention_run(struct db *d, const struct retention *k, int version, bool dry,
                                void (*each)(void *ctx, const struct retention_item *item),
                                void *ctx, struct why *why);

/* Up to which record ticks and readings may be missing; 0: all are there. */
struct retained {
    uint64_t ticks, readings;
};
MUST_USE enum err retention_done(struct db *d, struct retained *out, struct why *why);
#endif
