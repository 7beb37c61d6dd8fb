/* engine.h - the engine's thread: takes batches and commands in one order, applies them through the
 * step, and fills turns with what they cause.
 *
 * Everything in struct engine_loop is this thread's alone once it runs; before, while the state is
 * recovered and the configuration applied, it is main's, and again when the thread has ended. What
 * others see of the state is the picture in a turn. */
#ifndef TOCSIN_APP_THREADS_ENGINE_H
#define TOCSIN_APP_THREADS_ENGINE_H
#include "app/step.h"
#include "app/threads/ebb.h"
#include "app/threads/pipeline.h"
#include "app/threads/source_names.h"
#include "core/arena.h"

enum { TRACKS_MAX = 256 };

struct engine_loop {
    struct pipeline *p;
    struct step step;
    struct turn
        *turn; /* being filled; never NULL after engine_loop_init but while it is handed over */
    struct source_names
        sources;              /* in: those stored, at the start; then the new ones of each batch */
    char *tracks[TRACKS_MAX]; /* measures of the configuration whose subject is not known yet: in at
                                    the start, out when they begin */
    size_t tracks_n;
    struct batch_walk *walk; /* through the batch in hand; NULL between two. apply.c's */
    struct arena scratch;    /* of one record of our own */
    int64_t clock_due_ns;    /* mono_ns() of the next clock record */
    uint64_t saved_seq;      /* of the newest snapshot, and when it was made */
    int64_t saved_ns;
    struct ebb ebb;       /* when the turn in hand gives back memory */
    uint64_t picture_seq; /* of the newest picture, and when it was made; 0: at once */
    int64_t picture_ns;
    int64_t rest_ns; /* mono_ns() until which a turn that nobody waits for is not handed over */
};

/* ---- engine.c: the loop ---- */
/* Takes a turn out of p's spare ones; its step is empty, and nobody hears it yet. Whatever it
 * returns, engine_loop_release is due. */
MUST_USE enum err engine_loop_init(struct engine_loop *l, struct pipeline *p);
void engine_loop_release(struct engine_loop *l);
/* The step has its recovered state, which counts as saved. From here on the turn hears it, and `l`
 * may not move. */
void engine_loop_recovered(struct engine_loop *l);
void *engine_main(void *arg); /* the thread; `arg` is the loop */
/* What has gone into the turn is by half: it may not be committed, and the service ends. */
void engine_loop_broken(struct engine_loop *l);

/* The turn holds as much as one transaction may. */
bool engine_loop_full(const struct engine_loop *l);
/* The turn goes to the writer; waits while all turns are out. Only where the batch may be cut. */
void engine_loop_hand_over(struct engine_loop *l);

/* What the last record caused and could not say, in turns as they get full; where the batch may be cut. */
void engine_loop_go_on(struct engine_loop *l);

/* ---- apply.c: what Kafka and the service itself bring ---- */
void engine_loop_apply(struct engine_loop *l, struct ingest_batch *in);
/* A record of our own is always good; if not, the service ends. `what` is for the log. */
void engine_loop_apply_own(struct engine_loop *l, struct record *r, const char *what);

/* ---- obey.c: what the API asks ---- */
/* Answers it, or leaves it waiting in the turn. */
void engine_loop_obey(struct engine_loop *l, struct command *c);

/* ---- configured.c: what the configuration asks ---- */
/* engine.track's measures that the state does not have yet. Errors name the measure at fault. */
MUST_USE enum err engine_loop_read_tracks(struct engine_loop *l, struct why *why);
/* Begins those of them whose subject is known by now. */
void engine_loop_try_tracks(struct engine_loop *l);
/* A record of the settings, if they are others than the state has. */
void engine_loop_apply_settings(struct engine_loop *l);
#endif
