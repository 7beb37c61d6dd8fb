/* writer.h - the one way into the database: a write batch in one transaction behind the fence.
 *
 * The fence: tocsin.shard must still hold this writer's epoch, the number of its commits and the last_seq it left. A lost COMMIT
 * reply is decided by that row: if the number has moved the batch is in, if not it is sent again, whole. Thread: the writer's. */
#ifndef TOCSIN_STORE_WRITER_H
#define TOCSIN_STORE_WRITER_H
#include "store/write_batch.h"

struct writer;
/* Takes the shard: raises its epoch, so that every older writer is fenced. Checks the schema's version and that the server
 * keeps what it promises (fsync, full_page_writes). *last_seq is where the order stands. */
MUST_USE enum err writer_open(const char *conninfo, struct writer **out, uint64_t *last_seq,
                              struct why *why);
void writer_close(struct writer *w);
/* The epoch that writer_open took. Thread: any, until writer_close. */
int64_t writer_epoch(const struct writer *w);
/* ERR_OK: committed; *owed is the number of deliveries it made. ERR_DB_LOST / ERR_DB: not (yet) known to be committed: call
 * again with the same batch after writer_recover says so. ERR_FENCED: another instance owns the shard; end. */
MUST_USE enum err writer_commit(struct writer *w, const struct write_batch *b, int64_t *owed,
                                struct why *why);
/* From the next commit on a statement may take so long; 30 s unless said. */
void writer_allow(struct writer *w, int64_t statement_ms);
/* After a failure: connects again if need be and looks. *committed says whether batch b is in. ERR_DB_LOST: try later. */
MUST_USE enum err writer_recover(struct writer *w, const struct write_batch *b, bool *committed,
                                 struct why *why);
#endif
