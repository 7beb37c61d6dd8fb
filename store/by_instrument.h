/* by_instrument.h - the trades of a stretch of time, out of the ticks in the order of seq, written once more by instrument.
 * Inside the compactor's transaction. Thread: the session's. */
#ifndef TOCSIN_STORE_BY_INSTRUMENT_H
#define TOCSIN_STORE_BY_INSTRUMENT_H
#include "core/buf.h"
#include "core/pace.h"
#include "store/pg.h"

/* Of one UTC day: from_ns <= event_ns < to_ns, seq <= upto_seq. */
struct stretch {
    int64_t from_ns, to_ns, upto_seq;
};

/* " FROM tocsin.tick_row WHERE ...": its ticks that are rows. */
void stretch_rows_text(const struct stretch *s, struct buf *out);
/* About how many ticks it has: by the share of each chunk's time that lies in it. */
MUST_USE enum err stretch_ticks(struct db *d, const struct stretch *s, int64_t *n, struct why *why);

/* Once a session. */
MUST_USE enum err by_instrument_prepare(struct db *d, struct why *why);
/* ERR_DB: also a chunk that is damaged, which the detail names. ERR_STOPPING: `pace` was told to stop. */
MUST_USE enum err by_instrument_write(struct db *d, const struct stretch *s, struct pace *pace,
                                      int64_t *trades, struct why *why);
#endif
