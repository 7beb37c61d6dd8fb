/* source_names.h - what a record's source_id stands for: the topic and partition that a dead letter
 * names. Of every life there was, for messages of an older one may still be in hand when a new one
 * begins. Thread: one at a time. */
#ifndef TOCSIN_APP_THREADS_SOURCE_NAMES_H
#define TOCSIN_APP_THREADS_SOURCE_NAMES_H
#include "ingest/batch.h"

enum { TOPIC_NAME_MAX = 249 }; /* Kafka's own limit */

struct source_name {
    int32_t source_id, part;
    char topic[TOPIC_NAME_MAX + 1];
};
struct source_names { /* all zero is empty */
    struct source_name *of;
    size_t n, cap;
};

/* Copies what it needs. ERR_NOMEM. */
MUST_USE enum err source_names_add(struct source_names *s, const struct source_life *life);
/* The newest of that id; NULL: none. Valid until the next add. */
const struct source_name *source_names_find(const struct source_names *s, int32_t source_id);
void source_names_release(struct source_names *s);
#endif
