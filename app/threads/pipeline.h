/* pipeline.h - what the service's threads share: the queues between them, the flags they set, and
 * what they all may use. Who moves what in and out is said at each field.
 *
 *                 ingested                 turns
 *     ingest --- ingest_batch ---> engine --- turn ---> writer ---> streams, deliveries,
 *        ^                          |  ^ ^               |  |       waiting API threads
 *        +------ spare_batches -----+  | +- spare_turns -+  +- snapshot ---> keeper
 *                                 commands
 *                                      |
 *                                 API threads
 *
 * A turn is what one transaction will hold. While the writer commits one, the engine fills the
 * next: batches grow with the load by themselves, and an idle writer gets whatever is there at
 * once. Every queue is bounded: when PostgreSQL stands still the engine runs out of turns, then
 * ingest out of batches and stops polling, and Kafka keeps what is not read. Nothing is dropped.
 *
 * The end goes the same way: `stopping`; ingest closes `ingested`; the engine applies what is in
 * it, closes `commands` and, behind its last turn, `turns`; the writer commits that, closes
 * `to_keep` and ends; the keeper stores what is in it. */
#ifndef TOCSIN_APP_THREADS_PIPELINE_H
#define TOCSIN_APP_THREADS_PIPELINE_H
#include "alerts/delivery/dispatcher.h"
#include "app/config.h"
#include "app/threads/skews.h"
#include "app/turn.h"
#include "ingest/kafka/source.h"
#include "store/writer.h"

#include <stdatomic.h>

enum { TURNS = 3 };

struct pipeline {
    /* ---- set before the threads start, and left so ---- */
    const struct config *c;
    struct kafka_source
        *kafka;            /* polled by ingest; told of commits by the writer; API: its state */
    struct writer *writer; /* the writer's alone */
    struct dispatcher *delivery; /* kicked by the writer */
    struct api *api;             /* given committed alerts by the writer */
    struct snapshots *snapshots; /* main's while the state is recovered, then the keeper's */

    /* ---- what goes round ---- */
    struct queue *spare_batches; /* empty. In: engine. Out: ingest */
    struct queue *ingested;      /* In: ingest, which closes it. Out: engine, which sleeps here, so
                                    that who has pushed into another queue of its kicks this one */
    struct queue *spare_turns;   /* empty. In: writer. Out: engine */
    struct queue *turns;         /* In: engine, which closes it. Out: writer */
    struct queue *to_keep;       /* snapshots of committed states. In: writer, which closes it. Out:
                                    keeper */
    struct queue *commands;      /* In: API threads. Out: engine, which closes it */
    struct turn *every_turn[TURNS]; /* wherever they are: for their ages. NULL once freed */

    /* ---- flags: who sets it; who looks ---- */
    atomic_bool stopping;    /* main, once; all */
    atomic_bool caught_up;   /* ingest, once the sources have been read to their end; engine */
    atomic_bool writer_busy; /* writer, while it has a turn in hand; engine */
    _Atomic(const char *)
        writer_trouble; /* db_trouble() of its last failure, NULL once it is over: writer; health */
    _Atomic(const char *) watch_trouble; /* the same of the watch; health */
    _Atomic int64_t round_ns;            /* mono_ns() of the engine's last round; health */
    _Atomic int64_t batch_ns; /* taken_ns of the batch that the engine applies, else 0; health */
    _Atomic int64_t event_ns; /* the engine's time: engine; health */
    atomic_bool keeping;      /* engine, when it has made a snapshot; keeper, when that is stored */
    atomic_int fan_out;       /* about so many deliveries an alert owes: writer; engine */
    _Atomic int64_t due_ms;   /* how long the oldest delivery has been due: watch; health */
    atomic_long rates_s;      /* log.rates_s: main; watch */
    atomic_int exit_code;     /* whoever gives up first; main */

    /* ---- the newest committed picture. In: main, then writer. Out, retained: API threads ---- */
    pthread_mutex_t picture_lock;
    struct picture *picture; /* guarded by it */
    struct retention keep;   /* guarded by it. In: main, also when it reloads. Out: keeper */

    struct skews skews; /* engine; health */
};

/* Queues, batches and turns. Whatever it returns, pipeline_release is due. ERR_NOMEM. */
MUST_USE enum err pipeline_init(struct pipeline *p, const struct config *c);
/* The threads have ended, or never began. What it did not make (kafka, writer ...) is closed. */
void pipeline_release(struct pipeline *p);

/* The service cannot go on: it ends as after SIGTERM, with the first `code` that was given.
 * Thread: any. */
void pipeline_give_up(struct pipeline *p, int code);

/* `picture` becomes the one that others see; may be NULL. Thread: main, writer. */
void pipeline_show(struct pipeline *p, struct picture *picture);
/* Retained; NULL before the first. Thread: any. */
struct picture *pipeline_picture(struct pipeline *p);

/* How long old rows are kept. Thread: any. */
void pipeline_set_keep(struct pipeline *p, struct retention keep);
struct retention pipeline_keep(struct pipeline *p);

/* ---- three of the threads; `arg` is the pipeline. The fourth is engine.h's ---- */
struct source_names;
/* p->kafka, where the database says that the sources stand; `names` gets their names. Thread: main. */
MUST_USE enum err ingest_open(struct pipeline *p, struct source_names *names, struct why *why);
void *ingest_main(void *arg);
void *writer_main(void *arg);
void *keeper_main(void *arg);
void *watch_main(void *arg);
void *compactor_main(void *arg);
#endif
