#include "ingest/batch.h"

#include "core/vec.h"

#include <string.h>

enum err ingest_batch_new(struct ingest_batch **out)
{
    struct ingest_batch *b = calloc(1, sizeof *b);
    if (!b) return ERR_NOMEM;
    *out = b;
    return ERR_OK;
}

void ingest_batch_clear(struct ingest_batch *b)
{
    arena_clear(&b->arena);
    b->records_n = b->dead_n = b->marks_n = b->lives_n = b->gaps_n = 0;
    b->taken_ns = 0;
}

void ingest_batch_free(struct ingest_batch *b)
{
    if (!b) return;
    arena_release(&b->arena);
    free(b->records);
    free(b->dead);
    free(b->marks);
    free(b->lives);
    free(b->gaps);
    free(b);
}

#define SLOT(type, function, array)                                                                \
    struct type *function(struct ingest_batch *b)                                                  \
    {                                                                                              \
        if (!VEC_GROW(&b->array, &b->array##_cap, b->array##_n + 1)) return NULL;                  \
        return memset(&b->array[b->array##_n++], 0, sizeof *b->array);                             \
    }
SLOT(record, ingest_batch_record, records)
SLOT(dead_letter, ingest_batch_dead, dead)
SLOT(source_life, ingest_batch_life, lives)
SLOT(data_gap, ingest_batch_gap, gaps)
static SLOT(source_mark, mark_new, marks)

    /* A batch speaks of a handful of partitions: a scan is enough. */
    struct source_mark *ingest_batch_mark(struct ingest_batch *b, int32_t source_id)
{
    for (size_t i = 0; i < b->marks_n; i++)
        if (b->marks[i].source_id == source_id) return &b->marks[i];
    struct source_mark *m = mark_new(b);
    if (m) m->source_id = source_id;
    return m;
}
