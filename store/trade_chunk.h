/* trade_chunk.h - trades of one instrument and one UTC day, in the order of time, as a row of tocsin.trade_chunk: the copy that
 * questions about one instrument read. Its checksum is the database's (tocsin.trade_chunk_sum), which reads it too. For the
 * compactor. Thread: any, an object's one at a time. */
#ifndef TOCSIN_STORE_TRADE_CHUNK_H
#define TOCSIN_STORE_TRADE_CHUNK_H
#include "ingest/stored.h"
#include "store/params.h"

enum { TRADE_CHUNK_MAX = 4096, TRADE_CHUNK_COLUMNS = 18 };

/* As the parameters of trade_chunk_insert_text. `upto` is the seq up to which its day is in the copy. False: out of memory. */
MUST_USE bool trade_chunk_pack(struct params *p, const struct tick_row *trades, size_t n,
                               uint64_t upto);
void trade_chunk_insert_text(struct buf *out);
#endif
