/* writer.c - the writer's thread: commits a turn, and only then tells everybody who waits for it.
 *
 * A commit whose answer got lost is not tried again before the database has said whether it is in
 * (store/writer.h): so a turn is in once, however often the connection breaks. */
#include "api/api.h"
#include "app/app.h"
#include "app/threads/pipeline.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "store/db.h"

#include <pthread.h>
#include <unistd.h>

enum { PAUSE_MIN_MS = 50, PAUSE_MAX_MS = 2000, STOP_GRACE_MS = 4000, IDLE_MS = 1000 };

/* Will trying again not help either? */
static bool is_final(enum err e, const struct why *why)
{
    return e == ERR_FENCED || e == ERR_NOMEM || (e == ERR_DB && !db_retryable(why));
}

/* How long is waited before the next try, and until when there is one. All zero: the first. */
struct patience {
    int64_t pause_ms, give_up_ns;
};

/* false: the service is stopping, and has waited; what is not committed, Kafka still has. */
static bool hold_back(struct pipeline *p, struct patience *x)
{
    if (atomic_load(&p->stopping)) {
        if (!x->give_up_ns) x->give_up_ns = mono_ns() + STOP_GRACE_MS * NS_PER_MS;
        if (mono_ns() > x->give_up_ns) return false;
    }
    if (!x->pause_ms) x->pause_ms = PAUSE_MIN_MS;
    usleep((useconds_t)(x->pause_ms * 1000));
    x->pause_ms = x->pause_ms * 2 < PAUSE_MAX_MS ? x->pause_ms * 2 : PAUSE_MAX_MS;
    return true;
}

static enum err try_again(struct pipeline *p, const struct write_batch *b, int64_t *owed,
                          struct why *why)
{
    bool committed = false;
    enum err e = writer_recover(p->writer, b, &committed, why);
    if (e) return e;
    if (committed) {
        metric_add(METRIC_COMMITS_AMBIGUOUS, 1);
        *owed = 1; /* unknown: have delivery look */
        return ERR_OK;
    }
    metric_add(METRIC_COMMIT_RETRIES, 1);
    return writer_commit(p->writer, b, owed, why);
}

/* Until the batch is in, or it cannot be: false. */
static bool commit(struct pipeline *p, const struct write_batch *b, int64_t *owed)
{
    struct patience patience = { 0 };
    struct why why = { 0 };
    enum err e = writer_commit(p->writer, b, owed, &why);
    while (e) {
        if (e == ERR_FENCED) pipeline_give_up(p, EXIT_FENCED);
        if (is_final(e, &why)) {
            log_error("batch not committed", "reason", err_name(e), "detail", why.text, "last_seq",
                      LOG_I64(write_batch_last_seq(b)));
            return false;
        }
        const char *trouble = db_trouble(e, &why);
        if (atomic_exchange(&p->writer_trouble, trouble) != trouble)
            log_warn("database trouble; holding back", "trouble", trouble, "reason", err_name(e),
                     "detail", why.text);
        if (!hold_back(p, &patience)) return false;
        e = try_again(p, b, owed, &why);
    }
    if (atomic_exchange(&p->writer_trouble, NULL)) log_info("database is back");
    return true;
}

static void count(const struct write_batch *b)
{
    size_t n;
    const struct alert *alerts = write_batch_alerts(b, &n);
    for (size_t i = 0; i < n; i++)
        metric_add(alerts[i].state == ALERT_FIRING ? METRIC_ALERTS_FIRED : METRIC_ALERTS_RESOLVED,
                   1);
    if (!write_batch_empty(b)) metric_add(METRIC_COMMITS, 1);
    if (write_batch_last_seq(b)) metric_set(METRIC_COMMITTED_SEQ, (int64_t)write_batch_last_seq(b));
}

/* The turn is committed: streams, deliveries, the picture, then who waits, and Kafka's hint. */
static void announce(struct pipeline *p, struct turn *t, int64_t owed)
{
    size_t n;
    const struct alert *alerts = write_batch_alerts(t->batch, &n);
    if (n) api_publish_alerts(p->api, alerts, n);
    if (owed) dispatcher_kick(p->delivery);
    if (t->picture) pipeline_show(p, t->picture);
    t->picture = NULL;
    turn_answer(t, ERR_OK);
    count(t->batch);
    const struct source_mark *marks = write_batch_marks(t->batch, &n);
    if (n) kafka_source_committed(p->kafka, marks, n);
}

/* false: from here on nothing is committed any more. */
static bool settle(struct pipeline *p, struct turn *t, bool good)
{
    int64_t owed = 0;
    if (good && !write_batch_empty(t->batch)) good = commit(p, t->batch, &owed);
    if (good) {
        announce(p, t, owed);
        return true;
    }
    turn_answer(t, ERR_STOPPING);
    if (!atomic_load(&p->stopping)) pipeline_give_up(p, EXIT_BROKEN);
    return false;
}

void *writer_main(void *arg)
{
    struct pipeline *p = arg;
    pthread_setname_np(pthread_self(), "writer");
    bool good = true;
    for (;;) {
        struct turn *t = queue_pop(p->turns, IDLE_MS);
        if (!t && queue_closed(p->turns) && queue_len(p->turns) == 0) break;
        if (!t) continue;
        atomic_store(&p->writer_busy, true);
        good = settle(p, t, good);
        turn_clear(t);
        atomic_store(&p->writer_busy, false);
        if (queue_push(p->spare_turns, t, 0)) {} /* as many places as turns: it always fits */
        queue_kick(p->ingested);
    }
    return NULL;
}
