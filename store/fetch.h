/* fetch.h - what a SELECT gives, read in pages, of which the next is asked for before this one is worked at: so the server
 * makes one while its reader is busy with the other.
 *
 *     fetch_open    DECLARE rows_1 ...
 *     fetch_page    FETCH 10000 FROM rows_1, takes the answer, sends the FETCH after it, gives the first 10,000 rows
 *     fetch_page    ... the rest; the FETCH after it will say that nothing is left
 *     fetch_page    NULL
 *
 * One answer of a session can be on its way. Whoever asks something else of it meanwhile takes it in first, for its owner
 * (db_settle, of db.c and of the other cursors): several cursors are read side by side. For sessions that are asked through
 * db.c alone. Inside a transaction; thread: the session's. */
#ifndef TOCSIN_STORE_FETCH_H
#define TOCSIN_STORE_FETCH_H
#include "store/db.h"
#include "store/pg.h"

struct fetch { /* stays where it is until it is closed */
    struct db *db;
    char sql
        [60]; /* "FETCH 10000 FROM rows_2": names are counted up in the session and never used again */
    PGresult *page;   /* that was given away last */
    PGresult *answer; /* that has come and was not given away */
    bool open, ended; /* ended: an empty page has come */
};

/* `select` is the statement; *f is zeroed by this. */
MUST_USE enum err fetch_open(struct fetch *f, struct db *d, const char *select, int rows,
                             struct why *why);
/* The next page, in binary, valid until the next call; NULL: there is none. */
MUST_USE enum err fetch_page(struct fetch *f, const PGresult **page, struct why *why);
void fetch_close(struct fetch *f); /* fine on a zeroed or closed one */
#endif
