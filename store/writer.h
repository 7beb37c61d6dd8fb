/* writer.h - the one way into the database: a batch of records and everything they caused, in one transaction behind the fence.
 *
 * A batch is filled by the engine's thread and committed by the writer's. Ticks travel as COPY BINARY straight into their day's
 * partition; the rest, which is little, as JSON arrays that one statement each unpacks. A small batch is one round trip.
 *
 * The fence: tocsin.shard must still hold this writer's epoch and the last_seq it left. A lost COMMIT reply is decided by
 * that row: if last_seq has moved the batch is in, if not it is sent again, whole. */
#ifndef TOCSIN_STORE_WRITER_H
#define TOCSIN_STORE_WRITER_H
#include "alerts/alert.h"
#include "ingest/batch.h"
#include "store/db.h"

struct write_batch;
MUST_USE enum err write_batch_new(struct write_batch **out);
void write_batch_free(struct write_batch *b); /* NULL is fine */
void write_batch_clear(struct write_batch *b);
bool write_batch_ok(const struct write_batch *b);      /* false: out of memory while filling */
bool write_batch_empty(const struct write_batch *b);   /* nothing to commit */
size_t write_batch_rows(const struct write_batch *b);  /* records in it */
size_t write_batch_bytes(const struct write_batch *b); /* about what it takes in memory */
void write_batch_spoil(
    struct write_batch *b); /* it must never be committed: writer_commit says ERR_NOMEM */
uint64_t write_batch_last_seq(const struct write_batch *b);

/* ---- filling; all copy. Thread: engine ---- */
/* A row of tick, event, instrument, series, reading, article_score, rule, rule_version or alert. */
void write_row(struct write_batch *b, const struct row_type *type, const void *row);
void write_ingest(struct write_batch *b,
                  const struct ingest_batch *in); /* its dead letters, marks, lives and gaps */
void write_snapshot(struct write_batch *b, uint64_t seq, int version, const void *state, size_t n);

/* The alerts in it, in order, for the live stream after the commit. */
const struct alert *write_batch_alerts(const struct write_batch *b, size_t *n);
/* Kafka positions in it, for the hint after the commit. */
const struct source_mark *write_batch_marks(const struct write_batch *b, size_t *n);

/* ---- committing. Thread: writer ---- */
struct writer;
/* Takes the shard: raises its epoch, so that every older writer is fenced. Checks the schema's version and that the server keeps
 * what it promises (fsync, full_page_writes). *last_seq is where the order stands. */
MUST_USE enum err writer_open(const char *conninfo, struct writer **out, uint64_t *last_seq,
                              struct why *why);
void writer_close(struct writer *w);
/* ERR_OK: committed; *owed is the number of webhook deliveries it made. ERR_DB_LOST / ERR_DB: not (yet) known to be committed: call again with the same
 * batch after writer_recover says so. ERR_FENCED: another instance owns the shard; end. */
MUST_USE enum err writer_commit(struct writer *w, const struct write_batch *b, int64_t *owed,
                                struct why *why);
/* After a failure: connects again if need be and looks. *committed says whether batch b is in. ERR_DB_LOST: try later. */
MUST_USE enum err writer_recover(struct writer *w, const struct write_batch *b, bool *committed,
                                 struct why *why);
#endif
