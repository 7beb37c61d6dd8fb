/* checkpoint.h - where a replay of a range begins: the first record, or the newest checkpoint before the range.
 *
 * The state of a checkpoint is that of a replay from the first record to there, so what follows is the same from
 * either; only the way to it is shorter, or is all that retention has left. */
#ifndef TOCSIN_APP_CHECKPOINT_H
#define TOCSIN_APP_CHECKPOINT_H
#include "app/step.h"
#include "store/retention.h"

struct beginning {
    uint64_t seq;     /* records behind this one are to be replayed; 0: all */
    int64_t event_ns; /* the time of the state then, where seq is not 0 */
    struct retained retained;
};
/* Into `s`, which is initialised and empty: the newest checkpoint not later than from_ns. INT64_MIN: the first record, if
 * it is still there, else the oldest checkpoint behind which everything is. One that is damaged is told in the log, and
 * another taken. ERR_NOT_FOUND: what was asked for is gone; the detail says from when on there is something. */
MUST_USE enum err checkpoint_begin(struct db *d, struct step *s, int64_t from_ns,
                                   struct beginning *out, struct why *why);
#endif
