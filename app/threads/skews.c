#include "app/threads/skews.h"

#include "core/vec.h"
#include "core/when.h"

#include <stdlib.h>
#include <string.h>

struct skew {
    struct source_name of; /* its newest life */
    int64_t ms;
    bool noted; /* of the batch in hand */
};

void skews_init(struct skews *s)
{
    *s = (struct skews){ 0 };
    pthread_mutex_init(&s->lock, NULL);
}

void skews_release(struct skews *s)
{
    free(s->of);
    pthread_mutex_destroy(&s->lock);
}

static bool same_part(const struct source_name *a, const struct source_name *b)
{
    return a->part == b->part && strcmp(a->topic, b->topic) == 0;
}

/* NULL: none can be had. A life that begins takes the place of the one before. */
static struct skew *skew_of(struct skews *s, const struct source_names *names, int32_t source_id)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->of[i].of.source_id == source_id) return &s->of[i];
    const struct source_name *name = source_names_find(names, source_id);
    if (!name) return NULL;
    size_t at = 0;
    while (at < s->n && !same_part(&s->of[at].of, name)) at++;
    if (at == s->n && !VEC_GROW(&s->of, &s->cap, s->n + 1)) return NULL;
    if (at == s->n) s->n++;
    s->of[at] = (struct skew){ .of = *name };
    return &s->of[at];
}

/* From the end: the first that is met of each partition is its newest. */
void skews_note(struct skews *s, const struct source_names *names, const struct ingest_batch *in)
{
    size_t left = in->marks_n;
    pthread_mutex_lock(&s->lock);
    for (size_t i = in->records_n; left && i-- > 0 && in->records_n - i <= SKEW_LOOK;) {
        const struct record *r = &in->records[i];
        struct skew *x = r->kind == RECORD_TRADE ? skew_of(s, names, r->source_id) : NULL;
        if (!x || x->noted) continue;
        x->ms = r->event_ns / NS_PER_MS - r->received_ms;
        x->noted = true;
        left--;
    }
    for (size_t i = 0; i < s->n; i++) s->of[i].noted = false;
    pthread_mutex_unlock(&s->lock);
}

void skews_each(struct skews *s,
                void (*each)(void *ctx, const char *topic, int32_t part, int64_t skew_ms),
                void *ctx)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n; i++) each(ctx, s->of[i].of.topic, s->of[i].of.part, s->of[i].ms);
    pthread_mutex_unlock(&s->lock);
}
