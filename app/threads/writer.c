/* writer.c - the writer's thread: commits a turn, and only then tells everybody who waits for it.
 *
 * A commit whose answer got lost is not tried again before the database has said whether it is in
 * (store/writer.h): so a turn is in once, however often the connection breaks.
 *
 * A turn that takes longer than a statement may goes in parts. 100,000 rows of 900 messages:
 *
 *     30 s     57014, canceled by statement_timeout; nothing is in
 *              messages 1 to 450 (50,000 rows) likewise; 1 to 225: in, in 4 s. Announced, and Kafka
 *              told; then 226 to 450 ...
 *     later    parts that take less than a second: twice as large, up to engine.turn_rows
 *
 * A single record that takes too long has twice as long each time it is tried again. */
#include "api/api.h"
#include "app/app.h"
#include "app/threads/ebb.h"
#include "app/threads/pipeline.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "store/db.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum {
    PAUSE_MIN_MS = 50,
    PAUSE_MAX_MS = 2000,
    STOP_GRACE_MS = 4000,
    IDLE_MS = 1000,
    QUICK_MS = 1000,       /* the next part may be larger; */
    SLOW_MS = 2500,        /* has to be smaller */
    LARGE_BYTES = 1 << 20, /* a turn that leaves memory behind */
    STATEMENT_MAX_MS = 30 * 60 * 1000
};

/* The thread's own. */
struct committing {
    struct pipeline *p;
    struct write_batch *part; /* of a turn that is not committed whole */
    size_t weight;            /* a part's, at most */
    int64_t statement_ms;     /* how long one may take */
    struct ebb ebb;           /* when the turns at rest give back memory */
};

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

enum commit_end { COMMITTED, TOO_LARGE, GIVEN_UP };

/* Canceled for taking too long, or for waiting so long for a lock that others hold: less of it may
 * go through. */
static bool took_too_long(enum err e, const struct why *why)
{
    return e == ERR_DB
           && (strncmp(why->text, "57014", 5) == 0 || strncmp(why->text, "55P03", 5) == 0);
}

/* Until the batch is in, takes too long, or cannot be. */
static enum commit_end commit(struct committing *x, const struct write_batch *b, int64_t *owed)
{
    struct pipeline *p = x->p;
    struct patience patience = { 0 };
    struct why why = { 0 };
    enum err e = writer_commit(p->writer, b, owed, &why);
    while (e) {
        if (e == ERR_FENCED) pipeline_give_up(p, EXIT_FENCED);
        if (is_final(e, &why)) {
            log_error("batch not committed", "reason", err_name(e), "detail", why.text, "last_seq",
                      LOG_I64(write_batch_last_seq(b)));
            return GIVEN_UP;
        }
        const char *trouble = db_trouble(e, &why);
        if (atomic_exchange(&p->writer_trouble, trouble) != trouble)
            log_warn("database trouble; holding back", "trouble", trouble, "reason", err_name(e),
                     "detail", why.text);
        if (!hold_back(p, &patience)) return GIVEN_UP;
        if (took_too_long(e, &why)) return TOO_LARGE;
        e = try_again(p, b, owed, &why);
    }
    if (atomic_exchange(&p->writer_trouble, NULL)) log_info("database is back");
    return COMMITTED;
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

/* It is committed: streams, deliveries, and Kafka's hint. */
static void announce(struct pipeline *p, const struct write_batch *b, int64_t owed)
{
    size_t n;
    const struct alert *alerts = write_batch_alerts(b, &n);
    if (n) api_publish_alerts(p->api, alerts, n);
    if (owed) dispatcher_kick(p->delivery);
    count(b);
    const struct source_mark *marks = write_batch_marks(b, &n);
    if (n) kafka_source_committed(p->kafka, marks, n);
}

/* Then the picture, the snapshot, and who waits. */
static void answer(struct pipeline *p, struct turn *t)
{
    if (t->picture) pipeline_show(p, t->picture);
    t->picture = NULL;
    if (t->snapshot && !queue_push(p->to_keep, t->snapshot, -1)) t->snapshot = NULL;
    turn_answer(t, ERR_OK);
    const int64_t now_ms = wall_ns() / NS_PER_MS;
    for (size_t i = 0; i < t->parts_n; i++)
        histogram_add(HISTOGRAM_TICK_TO_COMMIT, now_ms - t->parts[i].sent_ms, t->parts[i].n);
}

/* ---- in parts ---- */
/* Half as much, or for a single record twice as long. */
static void less_at_once(struct committing *x, size_t weight, bool single)
{
    metric_add(METRIC_COMMITS_CUT, 1);
    if (!single) x->weight = weight / 2 ? weight / 2 : 1;
    else if (x->statement_ms < STATEMENT_MAX_MS) x->statement_ms *= 2;
    log_warn("a commit took too long; the next try is smaller, or has longer", "rows",
             LOG_I64((int64_t)weight), "next rows", LOG_I64((int64_t)x->weight), "statement ms",
             LOG_I64(x->statement_ms));
    writer_allow(x->p->writer, x->statement_ms);
}

/* By how long a part took. */
static void adapt(struct committing *x, size_t weight, int64_t took_ms)
{
    const size_t most = (size_t)x->p->c->engine_turn_rows;
    if (took_ms > SLOW_MS && weight > 1) x->weight = weight / 2;
    if (took_ms < QUICK_MS && x->weight < most)
        x->weight = 2 * x->weight < most ? 2 * x->weight : most;
    const int64_t usual = x->p->c->database_commit_s * 1000;
    if (x->statement_ms == usual) return;
    x->statement_ms = usual;
    writer_allow(x->p->writer, x->statement_ms);
}

/* About how many deliveries an alert owes: what the next turns are measured by. It falls slowly. */
static void learn_fan_out(struct pipeline *p, const struct write_batch *b, int64_t owed)
{
    size_t n;
    write_batch_alerts(b, &n);
    if (n == 0) return;
    const int was = atomic_load(&p->fan_out), now = (int)((owed + (int64_t)n - 1) / (int64_t)n);
    atomic_store(&p->fan_out, now >= was ? now : was - 1);
}

/* What lies between two cuts, of so much weight. */
static enum commit_end commit_part(struct committing *x, const struct write_batch *b, size_t weight)
{
    int64_t owed = 0;
    const int64_t began = mono_ns();
    const enum commit_end o = commit(x, b, &owed);
    if (o != COMMITTED) return o;
    const int64_t took_ms = (mono_ns() - began) / NS_PER_MS;
    histogram_add(HISTOGRAM_COMMIT, took_ms, 1);
    adapt(x, weight, took_ms);
    learn_fan_out(x->p, b, owed);
    announce(x->p, b, owed);
    return COMMITTED;
}

/* Nearly always it is one part: the whole. */
static bool commit_turn(struct committing *x, const struct write_batch *b)
{
    const size_t cuts = write_batch_cuts(b);
    size_t at = 0;
    bool good, more;
    do {
        const size_t fan_out = (size_t)atomic_load(&x->p->fan_out),
                     to = write_batch_reach(b, at, x->weight, fan_out);
        const bool whole = at == 0 && to == cuts;
        if (!whole) write_batch_part(b, at, to, x->part);
        const struct write_batch *now = whole ? b : x->part;
        const size_t weight = write_batch_weight(now, fan_out);
        const enum commit_end o = commit_part(x, now, weight);
        if (o == TOO_LARGE) less_at_once(x, weight, to <= at + 1);
        more = o == TOO_LARGE || to < cuts;
        if (o == COMMITTED) at = to;
        good = o != GIVEN_UP;
    } while (good && more);
    write_batch_clear(x->part);
    return good;
}

/* false: from here on nothing is committed any more. */
static bool settle(struct committing *x, struct turn *t, bool good)
{
    if (good && !write_batch_empty(t->batch)) good = commit_turn(x, t->batch);
    if (good) {
        answer(x->p, t);
        return true;
    }
    turn_answer(t, ERR_STOPPING);
    if (!atomic_load(&x->p->stopping)) pipeline_give_up(x->p, EXIT_BROKEN);
    return false;
}

/* ---- after a flood ---- */
/* A turn that was large keeps its memory for the next one; when none has come for a while it goes
 * back, and what other threads have freed meanwhile with it. */
static void relax(struct committing *x)
{
    struct queue *spare = x->p->spare_turns;
    if (!ebb_due(&x->ebb)) return;
    for (size_t n = queue_len(spare); n > 0; n--) {
        struct turn *t = queue_pop(spare, 0);
        if (!t) break; /* the engine was quicker */
        write_batch_relax(t->batch);
        if (queue_push(spare, t, 0)) {} /* as many places as turns */
    }
    write_batch_relax(x->part);
    ebb_trim();
}

void *writer_main(void *arg)
{
    struct pipeline *p = arg;
    struct committing x = { .p = p,
                            .weight = (size_t)p->c->engine_turn_rows,
                            .statement_ms = p->c->database_commit_s * 1000 };
    pthread_setname_np(pthread_self(), "writer");
    bool good = write_batch_new(&x.part) == ERR_OK;
    writer_allow(p->writer, x.statement_ms);
    for (;;) {
        struct turn *t = queue_pop(p->turns, IDLE_MS);
        if (!t && queue_closed(p->turns) && queue_len(p->turns) == 0) break;
        relax(&x);
        if (!t) continue;
        if (write_batch_bytes(t->batch) >= LARGE_BYTES) ebb_flood(&x.ebb);
        atomic_store(&p->writer_busy, true);
        good = settle(&x, t, good);
        turn_clear(t);
        atomic_store(&p->writer_busy, false);
        if (queue_push(p->spare_turns, t, 0)) {} /* as many places as turns: it always fits */
        queue_kick(p->ingested);
    }
    write_batch_free(x.part);
    queue_close(p->to_keep);
    return NULL;
}
