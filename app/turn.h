/* turn.h - what one transaction will hold, on its way from the engine's thread to the writer's.
 *
 * A turn's life: out of spare_turns it comes empty; the engine's thread fills it with the rows of
 * what it applies and with the commands that changed something, puts the newest picture and at times
 * a snapshot of the state in as it hands it over, and takes the next. The writer's thread commits the
 * batch, then shows the picture, gives the snapshot to the keeper and answers the commands, clears the
 * turn and gives it back. Thread: one at a time. */
#ifndef TOCSIN_APP_TURN_H
#define TOCSIN_APP_TURN_H
#include "analytics/picture.h"
#include "app/command.h"
#include "store/snapshots.h"
#include "store/write_batch.h"

#include <stdatomic.h>

enum { TURN_PARTS = 16 };

struct turn {
    struct write_batch *batch; /* rows into it by the engine; committed by the writer */
    struct command *
        *waiting; /* into it by turn_wait, the engine's; out by turn_answer, the writer's */
    size_t waiting_n, waiting_cap;
    struct picture *picture;         /* may be NULL; the writer takes it out, once committed */
    struct state_snapshot *snapshot; /* may be NULL; likewise */
    _Atomic int64_t
        since_ns; /* mono_ns() when the oldest of what is in it was in hand; 0: nothing is. Looked at by any thread */
    struct turn_part {
        int64_t sent_ms; /* when the oldest of these records was sent, by its broker's clock */
        int64_t n;
    } parts[TURN_PARTS];
    size_t parts_n;
};

/* Records of which the oldest was sent at `sent_ms` are in it, in hand since `taken_ns`. */
void turn_took(struct turn *t, int64_t taken_ns, int64_t sent_ms, size_t n);

MUST_USE enum err turn_new(struct turn **out);
void turn_free(struct turn *t); /* NULL is fine; nobody may be waiting in it */

/* Place for one more that waits, made before anything is changed that it would have to be told. */
MUST_USE enum err turn_reserve(struct turn *t);
/* Answered when the turn is committed. After turn_reserve, which made the place. */
void turn_wait(struct turn *t, struct command *c);
/* Everybody who waits is told, and waits no more. */
void turn_answer(struct turn *t, enum err err);
/* Nothing to commit or to store behind it, nobody waiting. A picture does not count. */
bool turn_idle(const struct turn *t);
/* Empty again, with its memory. */
void turn_clear(struct turn *t);
#endif
