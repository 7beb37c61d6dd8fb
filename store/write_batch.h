/* write_batch.h - what one transaction will hold: rows by table.
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
/* Of one without rows: the memory goes back. */
void write_batch_relax(struct write_batch *b);

/* ---- filling; all copy ---- */
/* A row of tables.def. */
void write_row(struct write_batch *b, const struct row_type *type, const void *row);
/* All that comes of what was taken so far has been written: here the batch may be cut. The source
 * then stands at next_offset; source_id 0: none has moved. */
void write_cut(struct write_batch *b, int32_t source_id, int64_t next_offset);
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

/* ---- cutting ---- */
size_t write_batch_cuts(const struct write_batch *b); /* how many there are */
/* What committing it costs, in rows: those in it, and fan_out more an alert (its deliveries). */
size_t write_batch_weight(const struct write_batch *b, size_t fan_out);
/* The last cut so that what lies between `from` cuts and it weighs at most so much; at least the next one. */
size_t write_batch_reach(const struct write_batch *b, size_t from, size_t weight, size_t fan_out);
/* What lies between `from` and `to` cuts, as a batch: it has the rows of `whole` and must be
 * cleared before that is; the last one (to: all cuts) has what lies behind them. */
void write_batch_part(const struct write_batch *whole, size_t from, size_t to,
                      struct write_batch *part);

/* ---- for the transaction ---- */
struct row_run { /* rows of one table, in the order they were written */
    int32_t day; /* of a table by days: of all of them */
    void *rows;
    size_t n, cap;
    uint32_t *cut; /* by row: how many cuts were before it; NULL where seq says it */
    size_t cut_cap;
};
size_t write_batch_count(const struct write_batch *b, enum table_id id);
const struct row_run *write_batch_runs(const struct write_batch *b, enum table_id id, size_t *n);
#endif
