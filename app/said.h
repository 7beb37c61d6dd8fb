/* said.h - what a replay says, row by row, against what is stored of it. The comparison of `tocsin verify`.
 *
 * Which table is compared how is in store/tables.def. A row that never changes is compared with the next stored one as soon as
 * its record is over; of a row that stands, such as a rule, the last that was said is kept and compared at the end. Of an event
 * the payload is not compared: it is what was replayed, and older programs stored messages as they came. Thread: one. */
#ifndef TOCSIN_APP_SAID_H
#define TOCSIN_APP_SAID_H
#include "store/row_cursor.h"

enum { SAID_SHOWN = 50 }; /* differences that are printed; all are counted */

struct said {
    struct {
        struct row_cursor *stored; /* ALONG: the rows not compared yet */
        void **rows;               /* ALONG: of the record in hand. STANDS: the last of each key */
        size_t n, cap;
        struct map *by_key; /* STANDS: to an index into rows */
        int64_t compared;
        uint64_t after; /* ALONG: rows of earlier records are not compared */
    } tables[TABLE_COUNT];
    uint64_t
        after; /* only what is said of later records is compared; of what stands only what is said anew */
    int64_t values, differing;
    int64_t earlier; /* readings whose value an earlier version of their measure gave */
    enum err err;    /* the first failure; nothing is compared after it */
    struct why why;
};

/* Inside a transaction of history_open's. Compared is what belongs to records after `after`; of readings, of which more may be
 * gone, after `readings_after`. */
MUST_USE enum err said_open(struct said *s, struct db *d, uint64_t after, uint64_t readings_after,
                            struct why *why);
/* A row that the replay says. */
void said_row(struct said *s, const struct row_type *type, const void *row);
/* The record is over, and so are its rows. */
void said_settle(struct said *s);
/* The replay came to its end: what is stored beyond what was said, and what stands. `seq` is the last record's. */
void said_end(struct said *s, struct db *d, uint64_t seq);
void said_close(struct said *s);

/* "seq 7: alert.value: stored 1, now 2", if there is room, and counts it. */
void said_differ(struct said *s, uint64_t seq, const char *what, const char *stored,
                 const char *now);
#endif
