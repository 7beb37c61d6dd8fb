/* skews.h - how far each partition's times lie from its messages': the newest trade's event time less its Kafka timestamp.
 *
 * A gauge: of each batch the newest trades are looked at, SKEW_LOOK records of them, so that a partition which is a few among many says
 * it a batch later. One lock. Thread: any. */
#ifndef TOCSIN_APP_THREADS_SKEWS_H
#define TOCSIN_APP_THREADS_SKEWS_H
#include "app/threads/source_names.h"

#include <pthread.h>

enum { SKEW_LOOK = 256 };

struct skew;
struct skews { /* in struct pipeline */
    pthread_mutex_t lock;
    struct skew *of;
    size_t n, cap;
};

void skews_init(struct skews *s);
void skews_release(struct skews *s);
/* `names` has the sources of the batch. What there is no memory for is left out. Thread: engine. */
void skews_note(struct skews *s, const struct source_names *names, const struct ingest_batch *in);
/* One call for each partition that has had a trade since the start, under the lock. */
void skews_each(struct skews *s,
                void (*each)(void *ctx, const char *topic, int32_t part, int64_t skew_ms),
                void *ctx);
#endif
