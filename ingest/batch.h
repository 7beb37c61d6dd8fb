/* batch.h - what one turn of ingest hands over: records, refused messages, and where the sources
 * then stand. Filled by one thread, then owned by the next; the arena holds every string in it. */
#ifndef TOCSIN_INGEST_BATCH_H
#define TOCSIN_INGEST_BATCH_H
#include "core/row.h"
#include "ingest/record.h"

/* A message that was refused, as it came, with the reason. */
struct dead_letter {
#define COLUMN ROW_FIELD
#include "ingest/dead_letter.def"
};
extern const struct row_type dead_letter_row;

/* After this batch `source_id` stands at `next_offset`. */
struct source_mark {
#define COLUMN ROW_FIELD
#include "ingest/source_mark.def"
};
extern const struct row_type source_mark_row;

/* A Kafka partition in one of its lives. */
struct source_life {
#define COLUMN ROW_FIELD
#include "ingest/source_life.def"
};
extern const struct row_type source_life_row;

/* What the broker had already deleted when it was due. */
struct data_gap {
#define COLUMN ROW_FIELD
#include "ingest/data_gap.def"
};
extern const struct row_type data_gap_row;

/* One message that was taken: which of the records and dead letters came of it, and where its
 * source stands behind it. */
struct ingest_message {
    int32_t source_id;
    uint32_t records_end, dead_end; /* the first that are not its own, nor of one before it */
    int64_t next_offset;
    int64_t fingerprint; /* 0: to be made of sent_ms, key, and the message of its last record */
    int64_t sent_ms;
    struct str key;
};

struct ingest_batch {
    struct arena arena;
    struct ingest_message *messages; /* in the order they were taken */
    size_t messages_n, messages_cap;
    struct record *records;
    size_t records_n, records_cap;
    struct dead_letter *dead;
    size_t dead_n, dead_cap;
    struct source_mark *marks; /* at most one a source */
    size_t marks_n, marks_cap;
    struct source_life *lives; /* new ones, to be inserted before the marks apply */
    size_t lives_n, lives_cap;
    struct data_gap *gaps;
    size_t gaps_n, gaps_cap;
    size_t bytes;     /* of the messages it holds */
    int64_t taken_ns; /* mono_ns() when its first message was in hand */
};

MUST_USE enum err ingest_batch_new(struct ingest_batch **out);
void ingest_batch_clear(struct ingest_batch *b); /* keeps the memory for the next turn */
void ingest_batch_relax(struct ingest_batch *b); /* of a cleared one: the memory goes back */
void ingest_batch_free(struct ingest_batch *b);
/* The next free slot, zeroed; NULL when out of memory. */
struct record *ingest_batch_record(struct ingest_batch *b);
struct ingest_message *ingest_batch_message(struct ingest_batch *b);
struct dead_letter *ingest_batch_dead(struct ingest_batch *b);
/* Its bytes and why it was refused, in the batch's arena: of more than `most` (0: any number) the first, and `detail` says so.
 * false: out of memory. */
MUST_USE bool dead_letter_keep(struct ingest_batch *b, struct dead_letter *d, struct str message,
                               const char *detail, size_t most);
struct source_mark *ingest_batch_mark(struct ingest_batch *b,
                                      int32_t source_id); /* finds or adds */
struct source_life *ingest_batch_life(struct ingest_batch *b);
struct data_gap *ingest_batch_gap(struct ingest_batch *b);
#endif
