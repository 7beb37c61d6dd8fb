/* engine.c - the engine thread's loop, and when a turn is handed over.
 *
 * With an idle writer a tick goes at once: the batch of one record is popped, applied, and its turn
 * handed over, all in one round. While the writer is busy rounds go on filling the same turn, until
 * the writer is free, or the turn is full and the engine waits for it. Nor is it handed over when
 * nobody waits for it and the last one was just now: 500 trades a second that fire nothing are ten
 * commits and not 500, and chunks and not rows. What fills a turn is what its
 * records cause, not how many they are: sixty rules that each tick crosses fill one with a thousand
 * ticks, in the middle of a batch (apply.c). */
#include "app/threads/engine.h"

#include "app/app.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    IDLE_MS = 50, /* with nothing in the turn */
    FULL_MS = 5,  /* with something: soon look again whether the writer is free */
    PICTURE_MS = 100,
    CLOCK_NEAR_S = 3600,
    LARGE_BYTES = 1 << 20,     /* see the writer, which does the same with the turns at rest */
    RESTING_RECORDS = 4096,    /* more of them are not cheaper to store */
    SNAPSHOT_RECORDS = 5000000 /* are read again in some 3 s: no restart has more before it */
};

/* ---- coming and going ---- */
/* The step's sink. */
/* Once, when it is found. */
static void count_quality(const struct quality_row *q)
{
    static const enum metric of[] = {
        [QUALITY_SHARES_JUMP] = METRIC_QUALITY_SHARES_JUMP,
        [QUALITY_SAME_CAP] = METRIC_QUALITY_SAME_CAP,
        [QUALITY_SPLIT_LIKE_PRICE] = METRIC_QUALITY_SPLIT_LIKE_PRICE,
        [QUALITY_CAP_SPIKE] = METRIC_QUALITY_CAP_SPIKE,
        [QUALITY_NO_CLOSE] = METRIC_QUALITY_NO_CLOSE,
        [QUALITY_CLOSE_OUTSIDE_RANGE] = METRIC_QUALITY_CLOSE_OUTSIDE_RANGE,
        [QUALITY_SPIN_OFF_UNPRICED] = METRIC_QUALITY_SPIN_OFF_UNPRICED,
    };
    if (q->seq == q->state_seq) metric_add(of[q->reason], 1);
}

static void on_row(void *ctx, const struct row_type *type, const void *row)
{
    const struct engine_loop *l = ctx;
    if (type == &quality_row) count_quality(row);
    write_row(l->turn->batch, type, row);
}

enum err engine_loop_init(struct engine_loop *l, struct pipeline *p)
{
    *l = (struct engine_loop){ .p = p, .turn = queue_pop(p->spare_turns, 0) };
    return step_init(&l->step);
}

void engine_loop_release(struct engine_loop *l)
{
    step_release(&l->step);
    turn_free(l->turn);
    source_names_release(&l->sources);
    for (size_t i = 0; i < l->tracks_n; i++) free(l->tracks[i]);
    arena_release(&l->scratch);
    *l = (struct engine_loop){ 0 };
}

void engine_loop_recovered(struct engine_loop *l)
{
    step_hear(&l->step, &(struct step_sink){ .ctx = l, .row = on_row });
    l->step.piecewise = true;
    l->saved_seq = engine_seq(l->step.engine);
    l->saved_ns = mono_ns();
}

void engine_loop_broken(struct engine_loop *l)
{
    write_batch_spoil(l->turn->batch);
    pipeline_give_up(l->p, EXIT_BROKEN);
}

/* ---- the clock ---- */
static bool clock_runs(const struct engine_loop *l)
{
    return l->p->c->engine_clock_ms && atomic_load(&l->p->caught_up);
}

/* Today's time has no place amid a backlog: a clock record there would age everything and be
 * sampled with half the history applied. So the clock begins when the sources have been read to
 * their end and what they say is of this hour; from then on it keeps itself going. */
static void tick_clock(struct engine_loop *l)
{
    const int64_t now = wall_ns();
    if (!clock_runs(l) || mono_ns() < l->clock_due_ns) return;
    l->clock_due_ns = mono_ns() + l->p->c->engine_clock_ms * NS_PER_MS;
    const int64_t behind = now - engine_now_ns(l->step.engine);
    if (behind <= 0 || behind > CLOCK_NEAR_S * NS_PER_S) return;
    struct record r = step_clock(&l->step, now);
    engine_loop_apply_own(l, &r, "clock");
    write_cut(l->turn->batch, 0, 0);
    engine_loop_go_on(l);
}

/* ---- what a turn takes along ---- */
static void save_state(struct engine_loop *l, bool now)
{
    if (step_owes(&l->step)) return; /* what it owes is not saved with it */
    const uint64_t seq = engine_seq(l->step.engine);
    const int64_t due_ns = l->saved_ns + l->p->c->engine_snapshot_s * NS_PER_S;
    const bool due = mono_ns() >= due_ns || seq - l->saved_seq >= SNAPSHOT_RECORDS;
    if (seq == l->saved_seq || (!now && (!due || atomic_load(&l->p->keeping)))) return;
    struct state_snapshot *x = calloc(1, sizeof *x);
    if (!x || !step_image(&l->step, &x->image)) {
        state_snapshot_free(x);
        log_error("out of memory", "at", "snapshot");
        pipeline_give_up(l->p, EXIT_BROKEN);
        return;
    }
    x->seq = seq;
    x->event_ns = engine_now_ns(l->step.engine);
    x->version = STEP_STATE_VERSION;
    l->turn->snapshot = x;
    l->saved_seq = seq;
    l->saved_ns = mono_ns();
    atomic_store(&l->p->keeping, true);
}

static bool picture_is_old(const struct engine_loop *l)
{
    return engine_seq(l->step.engine) != l->picture_seq;
}

static bool picture_is_due(const struct engine_loop *l)
{
    return picture_is_old(l) && mono_ns() - l->picture_ns >= PICTURE_MS * NS_PER_MS;
}

static void take_picture(struct engine_loop *l)
{
    if (!picture_is_due(l)) return;
    picture_release(l->turn->picture);
    l->turn->picture = step_picture(&l->step);
    if (l->turn->picture)
        metric_set(METRIC_INSTRUMENTS_REFUSED, (int64_t)l->turn->picture->refused_n);
    l->picture_seq = engine_seq(l->step.engine);
    l->picture_ns = mono_ns();
}

/* ---- handing over ---- */
bool engine_loop_full(const struct engine_loop *l)
{
    const struct write_batch *b = l->turn->batch;
    const struct config *c = l->p->c;
    const size_t fan_out = (size_t)atomic_load(&l->p->fan_out);
    return write_batch_rows(b) >= (size_t)c->engine_batch_records
           || write_batch_weight(b, fan_out) >= (size_t)c->engine_turn_rows
           || write_batch_bytes(b) >= (size_t)c->engine_turn_kb << 10;
}

static bool writer_is_busy(struct pipeline *p)
{
    return atomic_load(&p->writer_busy) || queue_len(p->turns) > 0;
}

void engine_loop_hand_over(struct engine_loop *l)
{
    struct pipeline *p = l->p;
    const int64_t batch_ns = atomic_load(&p->batch_ns);
    turn_took(l->turn, batch_ns ? batch_ns : mono_ns(), 0,
              0); /* in the middle of a batch it is not told yet */
    save_state(l, false);
    take_picture(l);
    if (write_batch_bytes(l->turn->batch) >= LARGE_BYTES) ebb_flood(&l->ebb);
    if (!turn_idle(l->turn)) l->rest_ns = mono_ns() + p->c->engine_commit_ms * NS_PER_MS;
    if (queue_push(p->turns, l->turn, -1)) return;
    l->turn = NULL;
    while (!l->turn) l->turn = queue_pop(p->spare_turns, -1);
}

/* Nobody is to be told of an alert or waits for an answer, and there was a commit just now. */
static bool may_rest(const struct engine_loop *l)
{
    size_t alerts;
    write_batch_alerts(l->turn->batch, &alerts);
    return alerts == 0 && l->turn->waiting_n == 0
           && write_batch_rows(l->turn->batch) < RESTING_RECORDS && mono_ns() < l->rest_ns;
}

/* When the writer has nothing to do, when the turn is full, or when it must be (`now`). */
static void hand_over(struct engine_loop *l, bool now)
{
    if (turn_idle(l->turn) && !picture_is_due(l)) return;
    if (!now && !engine_loop_full(l) && (may_rest(l) || writer_is_busy(l->p))) return;
    engine_loop_hand_over(l);
}

/* ---- the loop ---- */
static int64_t sleep_ms(const struct engine_loop *l)
{
    int64_t wait = write_batch_empty(l->turn->batch) ? IDLE_MS : FULL_MS;
    const int64_t clock = (l->clock_due_ns - mono_ns()) / NS_PER_MS;
    if (clock_runs(l) && clock < wait) wait = clock + 1;
    return wait > 0 ? wait : 0;
}

static void take_batch(struct engine_loop *l, struct ingest_batch *in)
{
    const int64_t taken = in->taken_ns ? in->taken_ns : mono_ns();
    atomic_store(&l->p->batch_ns, taken);
    engine_loop_apply(l, in);
    if (!turn_idle(l->turn))
        turn_took(l->turn, taken, in->records_n ? in->records[0].received_ms : 0, in->records_n);
    skews_note(&l->p->skews, &l->sources, in);
    atomic_store(&l->p->batch_ns, 0);
    ingest_batch_clear(in);
    if (queue_push(l->p->spare_batches, in, 0)) ingest_batch_free(in);
}

static void relax(struct engine_loop *l)
{
    if (turn_idle(l->turn) && ebb_due(&l->ebb)) write_batch_relax(l->turn->batch);
}

/* false: the service is stopping, and nothing comes any more. */
static bool go_round(struct engine_loop *l)
{
    struct pipeline *p = l->p;
    struct ingest_batch *in = queue_pop(p->ingested, sleep_ms(l));
    atomic_store(&p->round_ns, mono_ns());
    if (in) take_batch(l, in);
    else relax(l);
    for (struct command *c; (c = queue_pop(p->commands, 0)) != NULL;) {
        engine_loop_obey(l, c);
        write_cut(l->turn->batch, 0, 0);
        engine_loop_go_on(l);
    }
    tick_clock(l);
    if (picture_is_old(l) && l->turn->waiting_n) l->picture_ns = 0; /* they see what they did */
    if (!turn_idle(l->turn)) turn_took(l->turn, atomic_load(&p->round_ns), 0, 0);
    atomic_store(&p->event_ns, engine_now_ns(l->step.engine));
    hand_over(l, false);
    return in || !atomic_load(&p->stopping) || !queue_closed(p->ingested)
           || queue_len(p->ingested) > 0;
}

/* Nobody answers any more, so whoever asks from now on is told so at once; the last turn has the
 * state, for a quick start. */
static void go_down(struct engine_loop *l)
{
    struct pipeline *p = l->p;
    queue_close(p->commands);
    for (struct command *c; (c = queue_pop(p->commands, 0)) != NULL;)
        command_answer(c, ERR_STOPPING, NULL);
    save_state(l, true);
    l->picture_ns = 0;
    hand_over(l, true);
    queue_close(p->turns);
}

void *engine_main(void *arg)
{
    struct engine_loop *l = arg;
    pthread_setname_np(pthread_self(), "engine");
    engine_loop_go_on(l); /* what was owed when the last life ended */
    while (go_round(l)) {}
    go_down(l);
    return NULL;
}
