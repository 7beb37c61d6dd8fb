/* chunk.h - ticks as rows of tocsin.tick_chunk: a few thousand of one turn and one UTC day as arrays, a fifth of what they are as
 * rows and a third of the work. For writer and readers of this folder. Thread: any, an object's one at a time.
 *
 * Of 4,096 trades of a quarter of a second, prices in cents: event_ns is from_ns + 1 * event[i], price_e8 is price_base +
 * 1,000,000 * price[i]. Whatever does not fit an integer so, such as times that are hours apart by nanoseconds, is a bigint of its
 * own (x_wide). What comes back is what was written, to the bit. */
#ifndef TOCSIN_STORE_CHUNK_H
#define TOCSIN_STORE_CHUNK_H
#include "ingest/stored.h"
#include "store/params.h"
#include "store/pg.h"

enum {
    CHUNK_MIN = 16,       /* ticks: fewer cost less as rows */
    CHUNK_MAX = 4096,     /* ticks */
    CHUNK_SPAN = 1 << 20, /* last_seq - first_seq is less */
    CHUNK_COLUMNS = 28,
};

/* How many of the rows, which are in the order of their seq and of one day, the next chunk takes: at least one. */
size_t chunk_cut(const struct tick_row *rows, size_t n);

/* As the parameters of chunk_insert_text, of rows that chunk_cut took. False: out of memory. */
MUST_USE bool chunk_pack(struct params *p, const struct tick_row *rows, size_t n);

/* "INSERT INTO tocsin.tick_chunk (...) VALUES ($1, ...)" and "first_seq, last_seq, ...": in the order of the parameters. */
void chunk_insert_text(struct buf *out);
void chunk_columns(struct buf *out);

uint64_t chunk_first_seq(const PGresult *r,
                         int i); /* of a binary result of those columns; 0: it has none */
/* Row i of a binary result of those columns; `out` has room for CHUNK_MAX. ERR_DB: it is damaged; the detail names it. */
MUST_USE enum err chunk_unpack(const PGresult *r, int i, struct tick_row *out, size_t *n,
                               struct why *why);
#endif
