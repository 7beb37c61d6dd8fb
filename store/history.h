/* history.h - what is stored, read back in the one order: for recovery, verify and back-tests. Thread: one at a time. */
#ifndef TOCSIN_STORE_HISTORY_H
#define TOCSIN_STORE_HISTORY_H
#include "ingest/record.h"
#include "store/db.h"

struct stored {
    struct record
        record; /* trade and close: complete. Others: seq, times, source, kind; the rest is in payload */
    bool is_event;
    struct uuid tenant;
    struct str payload; /* valid until the next history_next */
};

struct history;
/* Records with after < seq <= upto (UINT64_MAX: all there are), in one consistent view. Uses the session alone until history_close. */
MUST_USE enum err history_open(struct db *d, uint64_t after, uint64_t upto, struct history **out,
                               struct why *why);
/* *more false at the end. */
MUST_USE enum err history_next(struct history *h, struct stored *out, bool *more, struct why *why);
/* As stored when the history was opened; "" when there is no such instrument. */
const char *history_symbol(const struct history *h, int32_t instrument);
void history_close(struct history *h); /* NULL is fine */

/* A cursor over any ordered query, a row at a time, all columns as text; the session must be inside history_open's transaction. */
struct row_cursor {
    struct db *db;
    char name[32];
    PGresult *page;
    int at;
    bool ended;
};
MUST_USE enum err row_cursor_open(struct db *d, const char *name, const char *sql,
                                  struct row_cursor *out, struct why *why);
/* NULL at the end or on failure (*e). */
const PGresult *row_cursor_next(struct row_cursor *c, int *row, enum err *e, struct why *why);
void row_cursor_close(struct row_cursor *c);

/* The newest engine snapshot: *seq 0 and *state NULL when there is none. *state is the caller's (PQclear of *holder). */
MUST_USE enum err history_snapshot(struct db *d, int version, uint64_t *seq, const void **state,
                                   size_t *n, PGresult **holder, struct why *why);
/* The newest life of every partition, strings in `arena`; and the next free source_id. */
struct arena;
struct source_life;
MUST_USE enum err history_sources(struct db *d, struct arena *arena, struct source_life **out,
                                  size_t *n, int32_t *next_id, struct why *why);
#endif
