/* compact.h - a day of ticks that is over: what came few at a time goes into chunks, and its trades are written once more by
 * instrument (schema/020_compaction.sql). A piece of it is a transaction of its own, beside a service that goes on writing:
 * broken off anywhere, the next call goes on. Replays read the same as before. Thread: the session's. */
#ifndef TOCSIN_STORE_COMPACT_H
#define TOCSIN_STORE_COMPACT_H
#include "core/pace.h"
#include "store/db.h"

#include <stdbool.h>
#include <stdint.h>

struct compacted {
    bool more;       /* this was a piece; false: there is nothing to do */
    bool day_done;   /* the last of its partition */
    int64_t from_ns; /* where its partition begins */
    int64_t folded;  /* ticks that were rows and are in chunks now */
    int64_t trades;  /* written by instrument */
};

/* Sets the session up, as tocsin_engine. Once after db_open. */
MUST_USE enum err compact_prepare(struct db *d, struct why *why);
/* The next piece of partitions that ended at or before that moment. ERR_DB: also a lock that somebody held too long, and a chunk
 * that is damaged. ERR_STOPPING: `pace` was told to stop, and nothing of the piece is in. */
MUST_USE enum err compact_piece(struct db *d, int64_t over_ns, struct pace *pace,
                                struct compacted *out, struct why *why);
/* Tells of what in the copies is not as it was written: chunks that are not what their checksum is of, days that miss some or have too many.
 * Only of days with records after `after`. `seq` is the last record that the copy may have. */
MUST_USE enum err compact_look(struct db *d, uint64_t after,
                               void (*each)(void *ctx, uint64_t seq, const char *what,
                                            const char *stored, const char *now),
                               void *ctx, struct why *why);
#endif
