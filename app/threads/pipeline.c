#include "app/threads/pipeline.h"

#include "app/app.h"

#include <stdlib.h>

enum {
    INGEST_BATCHES = 4,
    COMMANDS_MAX = 1024,
    SNAPSHOTS_MAX = 2,
    FAN_OUT = 16 /* until it is known */
};

static enum err make_queues(struct pipeline *p)
{
    enum err e = queue_new(INGEST_BATCHES, &p->ingested);
    if (!e) e = queue_new(INGEST_BATCHES, &p->spare_batches);
    if (!e) e = queue_new(1, &p->turns);
    if (!e) e = queue_new(TURNS, &p->spare_turns);
    if (!e) e = queue_new(COMMANDS_MAX, &p->commands);
    if (!e) e = queue_new(SNAPSHOTS_MAX, &p->to_keep);
    return e;
}

static enum err fill_queues(struct pipeline *p)
{
    enum err e = ERR_OK;
    for (int i = 0; i < INGEST_BATCHES && !e; i++) {
        struct ingest_batch *b;
        e = ingest_batch_new(&b);
        if (!e) e = queue_push(p->spare_batches, b, 0);
    }
    for (int i = 0; i < TURNS && !e; i++) {
        struct turn *t;
        e = turn_new(&t);
        if (!e) p->every_turn[i] = t;
        if (!e) e = queue_push(p->spare_turns, t, 0);
    }
    return e;
}

enum err pipeline_init(struct pipeline *p, const struct config *c)
{
    *p = (struct pipeline){ .c = c, .rates_s = c->log_rates_s };
    atomic_store(&p->fan_out, FAN_OUT);
    pthread_mutex_init(&p->picture_lock, NULL);
    skews_init(&p->skews);
    p->keep = config_retention(c);
    enum err e = make_queues(p);
    if (!e) e = snapshots_new(&p->snapshots);
    return e ? e : fill_queues(p);
}

static void free_contents(struct pipeline *p)
{
    if (p->commands)
        for (struct command *c; (c = queue_pop(p->commands, 0)) != NULL;)
            command_answer(c, ERR_STOPPING, NULL);
    if (p->spare_batches)
        for (struct ingest_batch *b; (b = queue_pop(p->spare_batches, 0)) != NULL;)
            ingest_batch_free(b);
    if (p->spare_turns)
        for (struct turn *t; (t = queue_pop(p->spare_turns, 0)) != NULL;) turn_free(t);
    if (p->to_keep)
        for (struct state_snapshot *x; (x = queue_pop(p->to_keep, 0)) != NULL;)
            state_snapshot_free(x);
}

void pipeline_release(struct pipeline *p)
{
    free_contents(p);
    queue_free(p->ingested);
    queue_free(p->spare_batches);
    queue_free(p->turns);
    queue_free(p->spare_turns);
    queue_free(p->commands);
    queue_free(p->to_keep);
    snapshots_free(p->snapshots);
    picture_release(p->picture);
    pthread_mutex_destroy(&p->picture_lock);
    skews_release(&p->skews);
}

void pipeline_give_up(struct pipeline *p, int code)
{
    int fine = EXIT_FINE;
    atomic_compare_exchange_strong(&p->exit_code, &fine, code);
    service_stop();
}

void pipeline_show(struct pipeline *p, struct picture *picture)
{
    pthread_mutex_lock(&p->picture_lock);
    struct picture *old = p->picture;
    p->picture = picture;
    pthread_mutex_unlock(&p->picture_lock);
    picture_release(old);
}

void pipeline_set_keep(struct pipeline *p, struct retention keep)
{
    pthread_mutex_lock(&p->picture_lock);
    p->keep = keep;
    pthread_mutex_unlock(&p->picture_lock);
}

struct retention pipeline_keep(struct pipeline *p)
{
    pthread_mutex_lock(&p->picture_lock);
    const struct retention keep = p->keep;
    pthread_mutex_unlock(&p->picture_lock);
    return keep;
}

struct picture *pipeline_picture(struct pipeline *p)
{
    pthread_mutex_lock(&p->picture_lock);
    struct picture *picture = p->picture ? picture_retain(p->picture) : NULL;
    pthread_mutex_unlock(&p->picture_lock);
    return picture;
}
