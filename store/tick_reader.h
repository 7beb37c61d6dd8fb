/* tick_reader.h - the ticks in the order of their seq, out of rows and chunks alike, as whoever replays them needs them. Inside a
 * transaction, so that what is read is one view. Thread: the session's. */
#ifndef TOCSIN_STORE_TICK_READER_H
#define TOCSIN_STORE_TICK_READER_H
#include "ingest/stored.h"
#include "store/db.h"

struct tick_reader;
/* Ticks with after < seq <= upto. */
MUST_USE enum err tick_reader_open(struct db *d, uint64_t after, uint64_t upto,
                                   struct tick_reader **out, struct why *why);
/* The next one, valid until the next call; NULL when there is none. ERR_DB: also a chunk that is damaged, which the detail names. */
MUST_USE enum err tick_reader_next(struct tick_reader *t, const struct tick_row **out,
                                   struct why *why);
void tick_reader_close(struct tick_reader *t); /* NULL is fine */
#endif
