/* snapshots.h - the engine's state in the database: pages that never change, and snapshots that name them.
 *
 * A snapshot writes the pages that differ from the one before it, and what it is made of: for each part its head and
 * the numbers and checksums of its pages. Of the parts "close", whose rows are appended, and "instrument", of which
 * one row changed, the second snapshot below has written two pages and names five:
 *
 *     snapshot 1000   close: 1 2 3   instrument: 4 5
 *     snapshot 2000   close: 1 2 6   instrument: 4 7
 *
 * The two newest stay, and those that are kept; with the others go the pages that nothing names any more. What is
 * read is looked through first: a page that was cut or altered is named, and who reads takes the snapshot before. The
 * numbers of pages shared run in one line from snapshot to snapshot, so whether a page is still needed is seen from the
 * two snapshots beside the one that goes. Thread: one at a time. */
#ifndef TOCSIN_STORE_SNAPSHOTS_H
#define TOCSIN_STORE_SNAPSHOTS_H
#include "core/buf.h"
#include "core/state_image.h"
#include "store/db.h"

struct state_snapshot {
    uint64_t seq;     /* the last record that it is the state after */
    int64_t event_ns; /* and the time of then */
    int version;
    struct state_image image;
};
void state_snapshot_free(struct state_snapshot *x); /* NULL is fine */

/* What the database has of the snapshot that was read or written last. */
struct snapshots;
MUST_USE enum err snapshots_new(struct snapshots **out);
void snapshots_free(struct snapshots *s); /* NULL is fine */

struct snapshot_wish {
    int version;
    uint64_t before; /* the newest with a seq below this one; UINT64_MAX: of all */
    /* And with an event time of this at most; INT64_MAX: of all, also of older
     * programs'. */
    int64_t until_ns;
    /* Not 0: the oldest with this seq or a later one instead, but no older
     * program's. */
    uint64_t oldest_from;
};
struct snapshot_found {
    uint64_t seq;     /* 0: there is none */
    bool whole;       /* an older program's, in one piece */
    int64_t event_ns; /* 0: it is whole */
};
/* Into *state, as core/state.h reads it. ERR_INVALID: it is damaged, the detail
 * says which page; ask again for one before it. The shard's epoch is kept: what is
 * written later is written only while it stands. */
MUST_USE enum err snapshots_read(struct snapshots *s, struct db *d, const struct snapshot_wish *w,
                                 struct snapshot_found *out, struct buf *state, struct why *why);
/* Are the pages that the image leaves out those that were read? It names every part whose pages it may leave out. */
bool snapshots_have(const struct snapshots *s, const struct state_image *image);
/* What was read was not what the state goes on from: of the next image all pages
 * are written. */
void snapshots_forget(struct snapshots *s);

struct snapshot_written {
    size_t pages, bytes; /* that were written */
    size_t all_pages, all_bytes;
    bool kept;
};
/* One transaction of its own. The records up to x->seq must be committed.
 * `keep_days`: the first snapshot of so many days of event time is kept; 0: none.
 * ERR_FENCED: another instance owns the shard. ERR_INVALID: the image goes on from
 * another than the one before, which so never came to be stored. After ERR_DB and ERR_DB_LOST it may
 * be called again with the same x: if it was in all the same, it is not written
 * twice. */
MUST_USE enum err snapshots_write(struct snapshots *s, struct db *d, const struct state_snapshot *x,
                                  int keep_days, struct snapshot_written *out, struct why *why);
#endif
