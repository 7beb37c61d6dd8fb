/* write_batch.h - what one transaction will hold: rows by table, and perhaps a snapshot of the state.
 *
 * Filled by the engine's thread with rows as they are (copied, texts into an arena); the writer's thread turns them into COPY
 * or JSON, whichever their number asks for. The rows of a table that is partitioned by day lie in runs, one a day.
 * Thread: one at a time. */
#ifndef TOCSIN_STORE_WRITE_BATCH_H
#define TOCSIN_STORE_WRITE_BATCH_H
#include "alerts/alert.h"
#include "ingest/batch.h"
#include "store/table.h"

struct write_batch;
MUST_USE enum err write_batch_new(struct write_batch **out);
void write_batch_free(struct write_batch *b);  /* NULL is fine */
void write_batch_clear(struct write_batch *b); /* keeps the memory for the next turn */

/* ---- filling; all copy ---- */
/* A row of tables.def. */
void write_row(struct write_batch *b, const struct row_type *type, const void *row);
/* Its lives, gaps, dead letters and marks. Its records are the step's to say. */
void write_ingest(struct write_batch *b, const struct ingest_batch *in);
/* The state after record seq, of which there is at most one in a batch: the last. */
void write_snapshot(struct write_batch *b, uint64_t seq, int version, const void *state, size_t n);
/* It must never be committed: writer_commit says ERR_NOMEM. */
void write_batch_spoil(struct write_batch *b);

/* ---- looking ---- */
bool write_batch_ok(
    const struct write_batch *b); /* false: spoilt, or out of memory while filling */
bool write_batch_empty(const struct write_batch *b);        /* nothing to commit */
size_t write_batch_rows(const struct write_batch *b);       /* records in it: ticks and events */
size_t write_batch_bytes(const struct write_batch *b);      /* about what it takes in memory */
uint64_t write_batch_last_seq(const struct write_batch *b); /* of its records; 0: none */
/* The alerts in it, in order, for the live stream after the commit. */
const struct alert *write_batch_alerts(const struct write_batch *b, size_t *n);
/* Kafka positions in it, for the hint after the commit. */
const struct source_mark *write_batch_marks(const struct write_batch *b, size_t *n);

/* ---- for the transaction ---- */
struct row_run { /* rows of one table, in the order they were written */
    int32_t day; /* of a table by days: of all of them */
    void *rows;
    size_t n, cap;
};
size_t write_batch_count(const struct write_batch *b, enum table_id id);
const struct row_run *write_batch_runs(const struct write_batch *b, enum table_id id, size_t *n);
struct state_snapshot {
    uint64_t seq; /* 0: none */
    int version;
    const char *bytes;
    size_t n;
};
struct state_snapshot write_batch_snapshot(const struct write_batch *b);
#endif
