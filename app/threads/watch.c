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

#include <assert.h>
#include <pthread.h>
#include <time.h>

enum { LOOK_MS = 500, START_MS = 5000, OWED_MS = 5000, SLICE_MS = 50, COUNTED = 6 };

struct watching {
    struct pipeline *p;
    struct watch *watch;
    int64_t began_ns;
    int64_t owed_ns;  /* mono_ns() of the last look at what is owed */
    int64_t rates_ns; /* of the last line of rates, and how much was counted then */
    int64_t counts[COUNTED], dead;
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

/* Seldom: of many channels it takes the server some milliseconds. */
static void look_at_owed(struct watching *w)
{
    int64_t due_ms = 0;
    struct why why = { 0 };
    const int64_t now = mono_ns();
    if (w->owed_ns && now - w->owed_ns < OWED_MS * NS_PER_MS) return;
    w->owed_ns = now;
    if (!watch_owed(w->watch, &due_ms, &why)) atomic_store(&w->p->due_ms, due_ms);
}

/* A change alone is said: what is ready stays so for days. A start has a moment to connect. */
static void say_ready(struct watching *w)
{
    AUTO_BUF struct buf reasons = { 0 };
    const bool ready = health_ready(w->p, &reasons);
    if (w->said ? ready == w->ready : !ready && mono_ns() < w->began_ns + START_MS * NS_PER_MS)
        return;
    if (atomic_load(&w->p->stopping)) return;
    if (ready) log_info("ready", "seq", LOG_I64(metric_get(METRIC_COMMITTED_SEQ)));
    else log_warn("not ready", "reasons", buf_ok(&reasons) ? reasons.data : "out of memory");
    w->ready = ready;
    w->said = true;
}

static const enum metric counted[] = { METRIC_RECORDS_CONSUMED, METRIC_RECORDS_APPLIED,
                                       METRIC_COMMITS,          METRIC_ALERTS_FIRED,
                                       METRIC_ALERTS_RESOLVED,  METRIC_DELIVERIES_OK };
static_assert(ARRAY_LEN(counted) == COUNTED, "one place each");

static void add_lag(void *ctx, const char *topic, int32_t part, int64_t lag)
{
    (void)topic;
    (void)part;
    *(int64_t *)ctx += lag;
}

/* What went through since the last such line, a second. */
static void say_rates(struct watching *w)
{
    const int64_t now = mono_ns(), every_ns = atomic_load(&w->p->rates_s) * NS_PER_S;
    if (!w->rates_ns) w->rates_ns = now;
    if (every_ns == 0 || now - w->rates_ns < every_ns) return;
    const double s = (double)(now - w->rates_ns) / NS_PER_S;
    double rate[COUNTED];
    for (size_t i = 0; i < COUNTED; i++) {
        const int64_t n = metric_get(counted[i]);
        rate[i] = (double)(n - w->counts[i]) / s;
        w->counts[i] = n;
    }
    const int64_t dead = metric_dead_letters(), refused = dead - w->dead;
    int64_t lag = 0;
    kafka_source_part_lags(w->p->kafka, add_lag, &lag);
    w->dead = dead;
    w->rates_ns = now;
    log_info("rates", "span_s", LOG_F64(s), "messages_per_s", LOG_F64(rate[0]), "records_per_s",
             LOG_F64(rate[1]), "commits_per_s", LOG_F64(rate[2]), "alerts_per_s",
             LOG_F64(rate[3] + rate[4]), "deliveries_per_s", LOG_F64(rate[5]), "refused",
             LOG_I64(refused), "lag", LOG_I64(lag), "uncommitted_ms",
             LOG_I64(health_uncommitted_ms(w->p)), "delivery_due_ms",
             LOG_I64(health_delivery_due_ms(w->p)), "seq",
             LOG_I64(metric_get(METRIC_COMMITTED_SEQ)));
}

/* In slices: the end of the service does not wait for the next look. */
static void rest(const struct pipeline *p, int64_t until_ns)
{
    while (!atomic_load(&p->stopping) && mono_ns() < until_ns)
        nanosleep(&(struct timespec){ 0, SLICE_MS * NS_PER_MS }, NULL);
}

void *watch_main(void *arg)
{
    struct watching w = { .p = arg, .began_ns = mono_ns() };
    pthread_setname_np(pthread_self(), "watch");
    if (watch_new(w.p->c->database_conninfo, &w.watch)) {
        log_error("out of memory", "at", "watch");
        pipeline_give_up(w.p, EXIT_BROKEN);
        return NULL;
    }
    while (!atomic_load(&w.p->stopping)) {
        const int64_t next = mono_ns() + LOOK_MS * NS_PER_MS;
        look_at_shard(&w);
        if (!atomic_load(&w.p->watch_trouble)) look_at_owed(&w);
        say_ready(&w);
        say_rates(&w);
        rest(w.p, next);
    }
    watch_free(w.watch);
    return NULL;
}
