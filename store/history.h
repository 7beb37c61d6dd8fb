/* history.h - what is stored, read back: the records in their one order, for recovery, verify and back-tests; and where a service
 * begins. Thread: one at a time. */
#ifndef TOCSIN_STORE_HISTORY_H
#define TOCSIN_STORE_HISTORY_H
#include "ingest/batch.h"
#include "ingest/record.h"
#include "store/db.h"

struct stored {
    struct record record; /* of a tick complete; of an event its seq, times, source and kind */
    bool is_event;
    struct uuid tenant; /* of an event: its owner */
    struct str payload; /* of an event: its text; valid until the next history_next */
};

struct history;
/* Records with after < seq <= upto (UINT64_MAX: all there are), in one consistent view. Uses the session alone until
 * history_close; row cursors opened meanwhile are of the same view. */
MUST_USE enum err history_open(struct db *d, uint64_t after, uint64_t upto, struct history **out,
                               struct why *why);
/* *more false at the end. */
MUST_USE enum err history_next(struct history *h, struct stored *out, bool *more, struct why *why);
/* What it was called at that record, as stored when the history was opened; "" when there is no such instrument. */
const char *history_symbol(const struct history *h, int32_t instrument, uint64_t seq);
/* What the instrument was called at that record that is called `symbol` now or, if none is, was the last to be; "": none ever. */
const char *history_called(const struct history *h, const char *symbol, uint64_t seq);
/* Does an instrument of that number or a later one begin under that symbol? */
bool history_begins(const struct history *h, const char *symbol, size_t from);
void history_close(struct history *h); /* NULL is fine */

/* ---- where to begin ---- */
/* Where the order stands. ERR_CONFLICT when tocsin.shard has lost its row. */
MUST_USE enum err history_last_seq(struct db *d, uint64_t *out, struct why *why);
/* The newest life of every partition, all in `arena`; and the next free source_id. */
MUST_USE enum err history_sources(struct db *d, struct arena *arena, struct source_life **out,
                                  size_t *n, int32_t *next_id, struct why *why);
#endif
