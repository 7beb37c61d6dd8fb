#include "app/threads/source_names.h"

#include "core/vec.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum err source_names_add(struct source_names *s, const struct source_life *life)
{
    if (!VEC_GROW(&s->of, &s->cap, s->n + 1)) return ERR_NOMEM;
    struct source_name *x = &s->of[s->n++];
    *x = (struct source_name){ .source_id = life->source_id, .part = life->part };
    const int n = snprintf(x->topic, sizeof x->topic, "%s", life->topic);
    assert(n > 0 && (size_t)n < sizeof x->topic); /* Kafka has no longer names */
    return ERR_OK;
}

const struct source_name *source_names_find(const struct source_names *s, int32_t source_id)
{
    for (size_t i = s->n; i-- > 0;)
        if (s->of[i].source_id == source_id) return &s->of[i];
    return NULL;
}

void source_names_release(struct source_names *s)
{
    free(s->of);
    *s = (struct source_names){ 0 };
}
