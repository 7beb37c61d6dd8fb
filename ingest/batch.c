#include "ingest/batch.h"

#include "core/vec.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct column dead_letter_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct dead_letter, type, name)
#include "ingest/dead_letter.def"
};
const struct row_type dead_letter_row =
    ROW_TYPE("dead_letter", struct dead_letter, dead_letter_columns);

static const struct column source_mark_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct source_mark, type, name)
#include "ingest/source_mark.def"
};
const struct row_type source_mark_row = ROW_TYPE("source", struct source_mark, source_mark_columns);

static const struct column source_life_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct source_life, type, name)
#include "ingest/source_life.def"
};
const struct row_type source_life_row = ROW_TYPE("source", struct source_life, source_life_columns);

static const struct column data_gap_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct data_gap, type, name)
#include "ingest/data_gap.def"
};
const struct row_type data_gap_row = ROW_TYPE("data_gap", struct data_gap, data_gap_columns);

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
    b->records_n = b->messages_n = b->bytes = b->dead_n = b->marks_n = b->lives_n = b->gaps_n = 0;
    b->taken_ns = 0;
}

void ingest_batch_relax(struct ingest_batch *b)
{
    assert(b->records_n + b->messages_n + b->dead_n == 0);
    free(b->records);
    free(b->messages);
    free(b->dead);
    b->records = NULL;
    b->messages = NULL;
    b->dead = NULL;
    b->records_cap = b->messages_cap = b->dead_cap = 0;
    arena_trim(&b->arena);
}

void ingest_batch_free(struct ingest_batch *b)
{
    if (!b) return;
    arena_release(&b->arena);
    free(b->records);
    free(b->messages);
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
SLOT(ingest_message, ingest_batch_message, messages)
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

bool dead_letter_keep(struct ingest_batch *b, struct dead_letter *d, struct str message,
                      const char *detail, size_t most)
{
    char text[400];
    const bool cut = most && message.n > most;
    if (cut)
        snprintf(text, sizeof text, "%.300s (%u bytes; the first %zu are kept)", detail, message.n,
                 most);
    const char *why = cut ? text : detail;
    d->detail = arena_copy(&b->arena, why, strlen(why));
    d->message = (struct str){ NULL, cut ? (uint32_t)most : message.n };
    if (message.p) d->message.p = arena_copy(&b->arena, message.p, d->message.n);
    return d->detail && (d->message.p || !message.p);
}
