/* keeper.c - the keeper's thread: stores snapshots of committed states, in a session of its own.
 *
 * Turns do not wait for it, whatever a snapshot takes: the engine hands it an image of the state and goes on, and makes
 * no other while one is in hand. A snapshot that cannot be stored (no server, no room on its disk) is tried again until
 * it is: until then a restart has more to replay, and nothing else is worse.
 *
 * Every hour, as soon as a checkpoint is kept behind which more may go, and when a reload changes it, it drops what is older than is
 * to be kept. */
#include "app/step.h"
#include "app/threads/pipeline.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum {
    IDLE_MS = 1000,
    PAUSE_MIN_MS = 50,
    PAUSE_MAX_MS = 2000,
    STOP_GRACE_MS = 3000,
    RETAIN_S = 3600
};

struct keeper {
    struct pipeline *p;
    struct db db;
    bool trouble;          /* has been logged */
    struct retention last; /* what was kept when old rows went */
    int64_t retain_ns;     /* mono_ns() when they go next, if it is still so */
};

static void tell(struct keeper *k, enum err e, const struct why *why)
{
    if (!k->trouble)
        log_warn("snapshot not stored; trying again", "reason", err_name(e), "detail", why->text);
    k->trouble = true;
}

static enum err store(struct keeper *k, const struct state_snapshot *x, struct why *why)
{
    struct snapshot_written w;
    const int64_t began = mono_ns();
    enum err e = ERR_OK;
    if (!k->db.name[0])
        e = db_open(k->p->c->database_conninfo, "tocsin_engine", "tocsin keeper", &k->db, why);
    if (!e)
        e = snapshots_write(k->p->snapshots, &k->db, x, (int)k->p->c->engine_checkpoint_days, &w,
                            why);
    if (e) return e;
    metric_add(METRIC_SNAPSHOTS, 1);
    metric_add(METRIC_SNAPSHOT_BYTES, (int64_t)w.bytes);
    if (w.kept || k->trouble)
        log_info(w.kept ? "checkpoint kept" : "snapshot stored", "seq", LOG_I64(x->seq), "pages",
                 LOG_I64(w.pages), "of", LOG_I64(w.all_pages), "bytes", LOG_I64(w.bytes), "ms",
                 LOG_I64((mono_ns() - began) / NS_PER_MS));
    k->trouble = false;
    if (w.kept) k->retain_ns = 0;
    return ERR_OK;
}

static void log_item(void *ctx, const struct retention_item *item)
{
    (void)ctx;
    if (item->refused) log_warn("old rows stay", "what", item->what, "reason", item->refused);
    else if (item->rows < 0)
        log_info("old rows dropped", "what", item->what, "bytes", LOG_I64(item->bytes), "last_seq",
                 LOG_I64(item->last_seq));
    else log_info("old rows dropped", "what", item->what, "rows", LOG_I64(item->rows));
}

/* Of a failure the next time is early enough. */
static void retain(struct keeper *k)
{
    const struct retention keep = pipeline_keep(k->p);
    struct why why = { 0 };
    enum err e = ERR_OK;
    if (memcmp(&keep, &k->last, sizeof keep) != 0) k->retain_ns = 0; /* a reload */
    if (!retention_any(&keep) || mono_ns() < k->retain_ns || atomic_load(&k->p->stopping)) return;
    k->last = keep;
    k->retain_ns = mono_ns() + RETAIN_S * NS_PER_S;
    if (!k->db.name[0])
        e = db_open(k->p->c->database_conninfo, "tocsin_engine", "tocsin keeper", &k->db, &why);
    if (!e) e = retention_run(&k->db, &keep, STEP_STATE_VERSION, false, log_item, NULL, &why);
    if (e) log_warn("old rows stay", "reason", err_name(e), "detail", why.text);
}

/* Until it is in, or somebody else's snapshots are what counts, or the service ends. */
static void keep(struct keeper *k, const struct state_snapshot *x)
{
    struct why why = { 0 };
    int64_t pause_ms = PAUSE_MIN_MS, give_up_ns = 0;
    for (enum err e; (e = store(k, x, &why)) != ERR_OK;) {
        if (e == ERR_FENCED) return; /* the writer says so */
        if (e == ERR_INVALID) { /* the one before was given up, which only happens at the end */
            tell(k, e, &why);
            return;
        }
        tell(k, e, &why);
        if (atomic_load(&k->p->stopping)) {
            if (!give_up_ns) give_up_ns = mono_ns() + STOP_GRACE_MS * NS_PER_MS;
            if (mono_ns() > give_up_ns) return;
        }
        usleep((useconds_t)(pause_ms * 1000));
        pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
    }
}

void *keeper_main(void *arg)
{
    struct keeper k = { .p = arg };
    pthread_setname_np(pthread_self(), "keeper");
    for (;;) {
        struct state_snapshot *x = queue_pop(k.p->to_keep, IDLE_MS);
        if (!x && queue_closed(k.p->to_keep) && queue_len(k.p->to_keep) == 0) break;
        if (x) {
            keep(&k, x);
            state_snapshot_free(x);
            atomic_store(&k.p->keeping, false);
        }
        retain(&k);
    }
    db_close(&k.db);
    return NULL;
}
