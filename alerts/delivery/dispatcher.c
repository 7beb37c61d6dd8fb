#include "alerts/delivery/dispatcher.h"

#include "alerts/delivery/schedule.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { POLL_MS = 5000, BACKOFF_MIN_MS = 50, BACKOFF_MAX_MS = 2000, RESTS_MAX = 1024 };

/* A worker's hand: the dispatcher fills an idle one, the worker turns it into done, the dispatcher stores that and empties it.
 * `job` and `result` are the worker's while it is SENDING and the dispatcher's otherwise, so they need no lock; `state` changes under the pool's. */
enum slot_state { SLOT_IDLE, SLOT_SENDING, SLOT_DONE };
struct slot {
    struct dispatcher *pool;
    pthread_t thread;
    pthread_cond_t filled;
    struct webhook_client *client;
    enum slot_state state;
    struct delivery job;
    struct webhook_result result;
};

/* A channel that has failed since it last succeeded. Dispatcher only; in memory only: after a restart it gets a fresh start. */
struct rest {
    struct uuid channel;
    unsigned failures;
    int64_t until_ns;
};

struct dispatcher {
    struct outbox_calls outbox;
    int64_t poll_ms, rest_unit_ms;
    atomic_bool cut_off; /* sends in hand end now */

    pthread_mutex_t lock;
    pthread_cond_t wake;            /* the dispatcher's */
    bool kicked, stopping, closing; /* stopping: no more claims; closing: workers end */
    pthread_t dispatcher;
    int slots_n, threads_n;
    struct slot slots[DELIVERY_WORKERS_MAX];

    /* the dispatcher's own */
    bool leases_released, outbox_failing;
    int64_t backoff_ms;
    struct rest rests[RESTS_MAX];
    size_t rests_n;
};

static void cond_init_monotonic(pthread_cond_t *c)
{
    pthread_condattr_t a;
    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_cond_init(c, &a);
    pthread_condattr_destroy(&a);
}

/* ---- workers ---- */

static void send_job(struct slot *s)
{
    AUTO_BUF struct buf body = { 0 };
    alert_render(&s->job.alert, &body);
    if (!buf_ok(&body)) {
        s->result = (struct webhook_result){ .error = "out of memory" };
        return;
    }
    const struct webhook_request r = {
        .url = s->job.url,
        .id = s->job.alert.alert_id,
        .body = body.data,
        .body_n = body.len,
        .secret = &s->job.secret,
        .secret_old = &s->job.secret_old,
    };
    webhook_send(s->client, &r, wall_ns() / NS_PER_S, &s->result);
}

static void *worker_main(void *arg)
{
    struct slot *s = arg;
    struct dispatcher *p = s->pool;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (s->state != SLOT_SENDING && !p->closing) pthread_cond_wait(&s->filled, &p->lock);
        if (s->state != SLOT_SENDING) break;
        pthread_mutex_unlock(&p->lock);
        send_job(s);
        pthread_mutex_lock(&p->lock);
        s->state = SLOT_DONE;
        pthread_cond_signal(&p->wake);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- channels at rest ---- */

static struct rest *rest_find(struct dispatcher *p, struct uuid channel)
{
    for (size_t i = 0; i < p->rests_n; i++)
        if (uuid_equal(p->rests[i].channel, channel)) return &p->rests[i];
    return NULL;
}

/* When full, the one that is over soonest makes room: it loses its count of failures, nothing else. */
static struct rest *rest_add(struct dispatcher *p, struct uuid channel)
{
    struct rest *r = &p->rests[0];
    if (p->rests_n < RESTS_MAX) {
        r = &p->rests[p->rests_n++];
    } else {
        for (size_t i = 1; i < RESTS_MAX; i++)
            if (p->rests[i].until_ns < r->until_ns) r = &p->rests[i];
    }
    *r = (struct rest){ .channel = channel };
    return r;
}

static void rest_update(struct dispatcher *p, struct uuid channel, const struct attempt *a,
                        const struct verdict *v)
{
    struct rest *r = rest_find(p, channel);
    if (v->status == DELIVERY_DELIVERED || v->disable) {
        if (r) *r = p->rests[--p->rests_n];
        return;
    }
    if (a->hopeless) return; /* says nothing about the endpoint */
    if (!r) r = rest_add(p, channel);
    r->failures++;
    r->until_ns = mono_ns() + schedule_rest_ms(a, v, r->failures, p->rest_unit_ms) * NS_PER_MS;
}

/* ---- the dispatcher ---- */

static struct attempt attempt_of(const struct slot *s)
{
    const struct webhook_result *r = &s->result;
    return (struct attempt){ .number = s->job.attempt,
                             .http_status = r->http_status,
                             .retry_after_s = r->retry_after_s,
                             .failing_s = s->job.failing_s,
                             .timed_out = r->timed_out,
                             .hopeless = r->too_large };
}

static struct delivery_mark mark_of(const struct slot *s, const struct verdict *v)
{
    struct delivery_mark m = { .tenant = s->job.alert.tenant_id,
                               .alert = s->job.alert.alert_id,
                               .channel = s->job.channel,
                               .error = "" };
    if (s->result.aborted) return m; /* waiting, no attempt: only the lease goes back */
    m.status = v->status;
    m.attempt = s->job.attempt;
    m.delay_ms = v->delay_ms;
    m.http_status = s->result.http_status;
    m.error = s->result.error;
    m.disable = v->disable;
    return m;
}

static void account(struct dispatcher *p, const struct slot *s, const struct verdict *v)
{
    const struct webhook_result *r = &s->result;
    if (r->aborted) return;
    metric_add(r->refused                        ? METRIC_DELIVERIES_REFUSED
               : v->status == DELIVERY_DELIVERED ? METRIC_DELIVERIES_OK
               : v->status == DELIVERY_WAITING   ? METRIC_DELIVERIES_RETRY
                                                 : METRIC_DELIVERIES_FAILED,
               1);
    const struct attempt a = attempt_of(s);
    rest_update(p, s->job.channel, &a, v);

    char alert[UUID_TEXT], channel[UUID_TEXT];
    uuid_format(s->job.alert.alert_id, alert);
    uuid_format(s->job.channel, channel);
    if (v->disable)
        log_warn("channel disabled", "channel", channel, "alert", alert, "reason", v->disable);
    else if (v->status == DELIVERY_FAILED || v->status == DELIVERY_EXPIRED)
        log_warn("alert not delivered", "channel", channel, "alert", alert, "attempts",
                 LOG_I64(s->job.attempt), "reason", r->error);
    else if (v->status == DELIVERY_WAITING)
        log_info("delivery will be tried again", "channel", channel, "alert", alert, "attempt",
                 LOG_I64(s->job.attempt), "reason", r->error, "in_ms", LOG_I64(v->delay_ms));
}

/* Logs the first of a row of failures, and the end of the row. */
static bool outbox_did(struct dispatcher *p, enum err e, const char *what, const struct why *why)
{
    if (e && !p->outbox_failing)
        log_warn("outbox call failed", "call", what, "reason", err_name(e), "detail", why->text);
    if (!e && p->outbox_failing) log_info("outbox works again", "call", what);
    p->outbox_failing = e != ERR_OK;
    if (!e) p->backoff_ms = 0;
    else
        p->backoff_ms = p->backoff_ms == 0                   ? BACKOFF_MIN_MS
                        : p->backoff_ms * 2 < BACKOFF_MAX_MS ? p->backoff_ms * 2
                                                             : BACKOFF_MAX_MS;
    return !e;
}

static enum slot_state slot_state_of(struct dispatcher *p, const struct slot *s)
{
    pthread_mutex_lock(&p->lock);
    enum slot_state t = s->state;
    pthread_mutex_unlock(&p->lock);
    return t;
}

static void slot_set(struct dispatcher *p, struct slot *s, enum slot_state t)
{
    pthread_mutex_lock(&p->lock);
    s->state = t;
    if (t == SLOT_SENDING) pthread_cond_signal(&s->filled);
    pthread_mutex_unlock(&p->lock);
}

/* Stores the results in hand. Until that works they stay in their slots, and with them their channels. */
static bool store_results(struct dispatcher *p)
{
    struct slot *done[DELIVERY_WORKERS_MAX];
    struct verdict verdicts[DELIVERY_WORKERS_MAX];
    struct delivery_mark marks[DELIVERY_WORKERS_MAX];
    size_t n = 0;
    for (int i = 0; i < p->slots_n; i++) {
        struct slot *s = &p->slots[i];
        if (slot_state_of(p, s) != SLOT_DONE) continue;
        const struct attempt a = attempt_of(s);
        verdicts[n] = schedule_judge(s->job.alert.alert_id, &a);
        marks[n] = mark_of(s, &verdicts[n]);
        done[n++] = s;
    }
    if (n == 0) return true;

    struct why why = { .text = "" };
    if (!outbox_did(p, p->outbox.mark(p->outbox.ctx, marks, n, &why), "mark", &why)) return false;
    for (size_t i = 0; i < n; i++) {
        account(p, done[i], &verdicts[i]);
        delivery_release(&done[i]->job);
        slot_set(p, done[i], SLOT_IDLE);
    }
    return true;
}

static bool release_leases(struct dispatcher *p)
{
    if (p->leases_released) return true;
    struct why why = { .text = "" };
    p->leases_released = outbox_did(p, p->outbox.release_all(p->outbox.ctx, &why), "release", &why);
    return p->leases_released;
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

/* Fills idle workers. *wait_ms: how long the dispatcher may sleep when nobody wakes it. False: the outbox failed. */
static bool claim_work(struct dispatcher *p, int64_t *wait_ms)
{
    struct slot *idle[DELIVERY_WORKERS_MAX];
    struct uuid busy[DELIVERY_WORKERS_MAX + RESTS_MAX];
    size_t idle_n = 0, busy_n = 0;
    for (int i = 0; i < p->slots_n; i++) {
        struct slot *s = &p->slots[i];
        if (slot_state_of(p, s) == SLOT_IDLE) idle[idle_n++] = s;
        else busy[busy_n++] = s->job.channel;
    }
    int64_t now = mono_ns();
    for (size_t i = 0; i < p->rests_n; i++) {
        if (p->rests[i].until_ns <= now) continue;
        busy[busy_n++] = p->rests[i].channel;
        *wait_ms = earlier(*wait_ms, (p->rests[i].until_ns - now) / NS_PER_MS + 1);
    }
    if (idle_n == 0) return true; /* the first to be done wakes us */

    struct delivery got[DELIVERY_WORKERS_MAX] = { 0 };
    size_t got_n = 0;
    int64_t due_ms = -1;
    struct why why = { .text = "" };
    enum err e = p->outbox.claim(p->outbox.ctx, busy, busy_n, got, idle_n, &got_n, &due_ms, &why);
    if (!outbox_did(p, e, "claim", &why)) return false;
    assert(got_n <= idle_n);
    if (due_ms >= 0) *wait_ms = earlier(*wait_ms, due_ms + 1);
    for (size_t i = 0; i < got_n; i++) {
        idle[i]->job = got[i];
        slot_set(p, idle[i], SLOT_SENDING);
    }
    explicit_bzero(got, sizeof got); /* the workers have their copies */
    return true;
}

static struct timespec after_ms(int64_t ms)
{
    int64_t at = mono_ns() + ms * NS_PER_MS;
    return (struct timespec){ .tv_sec = at / NS_PER_S, .tv_nsec = at % NS_PER_S };
}

static bool any_slot(const struct dispatcher *p, enum slot_state t)
{
    for (int i = 0; i < p->slots_n; i++)
        if (p->slots[i].state == t) return true;
    return false;
}

/* Until there is work, or wait_ms. While the outbox fails only a stop ends the wait early. */
static void sleep_until_woken(struct dispatcher *p, int64_t wait_ms, bool outbox_failed)
{
    struct timespec until = after_ms(wait_ms);
    pthread_mutex_lock(&p->lock);
    while (!p->stopping && (outbox_failed || (!p->kicked && !any_slot(p, SLOT_DONE))))
        if (pthread_cond_timedwait(&p->wake, &p->lock, &until)) break;
    p->kicked = false;
    pthread_mutex_unlock(&p->lock);
}

static void *dispatcher_main(void *arg)
{
    struct dispatcher *p = arg;
    for (;;) {
        pthread_mutex_lock(&p->lock);
        bool stopping = p->stopping;
        pthread_mutex_unlock(&p->lock);
        if (stopping) break;

        int64_t wait_ms = p->poll_ms;
        bool ok = release_leases(p) && store_results(p) && claim_work(p, &wait_ms);
        sleep_until_woken(p, ok ? wait_ms : p->backoff_ms, !ok);
    }
    return NULL;
}

/* ---- start and stop ---- */

/* Threads of ours take no signals: those are main's. */
static int start_thread(pthread_t *t, void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(t, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static void close_workers(struct dispatcher *p)
{
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    for (int i = 0; i < p->slots_n; i++) pthread_cond_signal(&p->slots[i].filled);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->threads_n; i++) pthread_join(p->slots[i].thread, NULL);
}

static void pool_free(struct dispatcher *p)
{
    for (int i = 0; i < p->slots_n; i++) {
        webhook_client_free(p->slots[i].client);
        delivery_release(&p->slots[i].job);
        pthread_cond_destroy(&p->slots[i].filled);
    }
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static enum err start_all(struct dispatcher *p, const struct webhook_config *cfg)
{
    for (int i = 0; i < p->slots_n; i++) {
        enum err e = webhook_client_new(cfg, &p->slots[i].client);
        if (e) return e;
    }
    for (; p->threads_n < p->slots_n; p->threads_n++)
        if (start_thread(&p->slots[p->threads_n].thread, worker_main, &p->slots[p->threads_n]))
            return ERR_NOMEM;
    return start_thread(&p->dispatcher, dispatcher_main, p) ? ERR_NOMEM : ERR_OK;
}

enum err dispatcher_start(const struct dispatcher_config *cfg, const struct outbox_calls *outbox,
                          struct dispatcher **out, struct why *why)
{
    if (cfg->workers < 1 || cfg->workers > DELIVERY_WORKERS_MAX)
        return err_set(why, ERR_INVALID, "delivery workers must be 1 to %d", DELIVERY_WORKERS_MAX);
    struct dispatcher *p = calloc(1, sizeof *p);
    if (!p) return err_set(why, ERR_NOMEM, "out of memory");
    p->outbox = *outbox;
    p->poll_ms = cfg->poll_ms > 0 ? cfg->poll_ms : POLL_MS;
    p->rest_unit_ms = cfg->rest_unit_ms > 0 ? cfg->rest_unit_ms : SCHEDULE_REST_UNIT_MS;
    pthread_mutex_init(&p->lock, NULL);
    cond_init_monotonic(&p->wake);
    p->slots_n = cfg->workers;
    for (int i = 0; i < p->slots_n; i++) {
        p->slots[i].pool = p;
        pthread_cond_init(&p->slots[i].filled, NULL);
    }
    struct webhook_config webhook = cfg->webhook;
    webhook.stop = &p->cut_off;

    enum err e = start_all(p, &webhook);
    if (e) {
        close_workers(p);
        pool_free(p);
        return err_set(why, e, "cannot start the delivery threads");
    }
    *out = p;
    return ERR_OK;
}

void dispatcher_kick(struct dispatcher *p)
{
    pthread_mutex_lock(&p->lock);
    p->kicked = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

void dispatcher_stop(struct dispatcher *p, int64_t grace_ms)
{
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->dispatcher, NULL);

    struct timespec until = after_ms(grace_ms);
    pthread_mutex_lock(&p->lock);
    while (any_slot(p, SLOT_SENDING))
        if (pthread_cond_timedwait(&p->wake, &p->lock, &until)) break;
    pthread_mutex_unlock(&p->lock);

    atomic_store(&p->cut_off, true);
    close_workers(p);
    store_results(
        p); /* one try: what is not stored keeps its lease until the next start, and is sent again */
    pool_free(p);
}
