/* hints.c - committed positions back to Kafka, so that its own tools show where this service
 * stands. They are hints: nothing here reads them, and one that is lost is made good by the
 * next. */
#include "ingest/kafka/internal.h"

#include <stdlib.h>

/* The place of a source's hint, added if need be; NULL: no memory. */
static struct source_mark *hint_of(struct kafka_source *s, int32_t source_id)
{
    size_t k = 0;
    while (k < s->hint_n && s->hint[k].source_id != source_id) k++;
    if (k == s->hint_cap) {
        const size_t cap = s->hint_cap ? s->hint_cap * 2 : 64;
        struct source_mark *more = realloc(s->hint, cap * sizeof *more);
        if (!more) return NULL;
        s->hint = more;
        s->hint_cap = cap;
    }
    if (k == s->hint_n) s->hint_n++;
    return &s->hint[k];
}

void kafka_source_committed(struct kafka_source *s, const struct source_mark *marks, size_t n)
{
    if (!s->hints) return;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < n; i++) {
        struct source_mark *hint = hint_of(s, marks[i].source_id);
        if (!hint) break;
        *hint = marks[i];
    }
    pthread_mutex_unlock(&s->lock);
}

static void add_offsets(const struct topic *t, const struct source_mark *hint, size_t n,
                        rd_kafka_topic_partition_list_t *list)
{
    for (size_t k = 0; k < t->parts_n; k++)
        for (size_t h = 0; h < n; h++)
            if (t->parts[k].source_id == hint[h].source_id)
                rd_kafka_topic_partition_list_add(list, t->name, (int32_t)k)->offset =
                    hint[h].next_offset;
}

void hints_send(struct kafka_source *s)
{
    pthread_mutex_lock(&s->lock);
    struct source_mark *hint = s->hint;
    const size_t n = s->hint_n;
    s->hint = NULL;
    s->hint_n = s->hint_cap = 0;
    pthread_mutex_unlock(&s->lock);
    if (!n) return;

    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < s->topics_n; i++) add_offsets(&s->topics[i], hint, n, list);
    if (list->cnt) rd_kafka_commit(s->rk, list, 1);
    rd_kafka_topic_partition_list_destroy(list);
    free(hint);
}
