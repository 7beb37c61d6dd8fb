/* watch.c - the thread that looks after the others: whose the shard is, whether work moves, and what
 * the log should say of it.
 *
 * A writer learns from its next commit that another instance has taken the shard. One with nothing
 * to commit would stay for ever, with streams that are silent because the alerts are the other's: so
 * twice a second the shard is looked at, whatever the writer does. */
#include "app/app.h"
#include "app/threads/health.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "store/db.h"
#include "store/watch.h"

#include <pthread.h>
#include <time.h>

enum { LOOK_MS = 500, SLICE_MS = 50 };

struct watching {
    struct pipeline *p;
    struct watch *watch;
    bool ready, said; /* what the log last said; whether it has said anything */
};

static void fenced(struct watching *w, int64_t stands)
{
    log_error("another instance has taken the shard; ending", "reason", err_name(ERR_FENCED),
              "epoch", LOG_I64(writer_epoch(w->p->writer)), "stands_at", LOG_I64(stands));
    pipeline_give_up(w->p, EXIT_FENCED);
}

static void note_trouble(struct watching *w, enum err e, const struct why *why)
{
    const char *trouble = e ? db_trouble(e, why) : NULL;
    const char *was = atomic_exchange(&w->p->watch_trouble, trouble);
    if (trouble && trouble != was)
        log_warn("the shard cannot be looked at", "trouble", trouble, "reason", err_name(e),
                 "detail", why->text);
}

static void look_at_shard(struct watching *w)
{
    int64_t epoch = 0;
    struct why why = { 0 };
    enum err e = watch_shard(w->watch, &epoch, &why);
    if (e == ERR_FENCED || (!e && epoch != writer_epoch(w->p->writer))) return fenced(w, epoch);
    note_trouble(w, e, &why);
}

/* A change alone is said: what is ready stays so for days. */
static void say_ready(struct watching *w)
{
    AUTO_BUF struct buf reasons = { 0 };
    const bool ready = health_ready(w->p, &reasons);
    if (w->said && ready == w->ready) return;
    if (atomic_load(&w->p->stopping)) return;
    if (ready) log_info("ready", "seq", LOG_I64(metric_get(METRIC_COMMITTED_SEQ)));
    else log_warn("not ready", "reasons", buf_ok(&reasons) ? reasons.data : "out of memory");
    w->ready = ready;
    w->said = true;
}

/* In slices: the end of the service does not wait for the next look. */
static void rest(const struct pipeline *p, int64_t until_ns)
{
    while (!atomic_load(&p->stopping) && mono_ns() < until_ns)
        nanosleep(&(struct timespec){ 0, SLICE_MS * NS_PER_MS }, NULL);
}

void *watch_main(void *arg)
{
    struct watching w = { .p = arg };
    pthread_setname_np(pthread_self(), "watch");
    if (watch_new(w.p->c->database_conninfo, &w.watch)) {
        log_error("out of memory", "at", "watch");
        pipeline_give_up(w.p, EXIT_BROKEN);
        return NULL;
    }
    while (!atomic_load(&w.p->stopping)) {
        const int64_t next = mono_ns() + LOOK_MS * NS_PER_MS;
        look_at_shard(&w);
        say_ready(&w);
        rest(w.p, next);
    }
    watch_free(w.watch);
    return NULL;
}
