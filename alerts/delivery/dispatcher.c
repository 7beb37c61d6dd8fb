/* dispatcher.c - one thread that claims and stores, and workers that send.
 *
 * Two workers, three channels A, B and C. A hangs; each is owed alerts 7 and 8:
 *
 *     0 s      kick: the dispatcher claims (A, 7) and (B, 7) for two idle slots. Both are sent.
 *     0.02 s   B's worker is DONE with 200. The dispatcher marks (B, 7) delivered, and claims for
 *              that slot, with A named as busy: (C, 7), due longest. A's slot is not touched.
 *     0.04 s   C is done: delivered; then (B, 8), (C, 8) one after the other through the same slot.
 *     15 s     A's worker gives up: TIMED_OUT. Marked waiting, next attempt in 5 s +-20 %; and A
 *              rests for 5 s, so that (A, 8), which is due, does not hold the worker as well.
 *     20 s     A's rest is over: (A, 7) again if its retry is due, having the lower stream_no, else
 *              (A, 8). One worker at most has been with A all the time.
 *
 * A claim is a lease of 30 s in the database, longer than an attempt may take. If the process
 * dies after B's 200 and before the mark, the row is still waiting: the next start takes back
 * all leases and sends (B, 7) again, the same id and bytes. If the database is away the results
 * stay in their slots, and their channels count as busy, until they are stored. */
#include "alerts/delivery/dispatcher.h"

#include "alerts/delivery/rest_list.h"
#include "alerts/delivery/sender.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { POLL_MS = 5000, BACKOFF_MIN_MS = 50, BACKOFF_MAX_MS = 2000 };

/* A worker and what it has in hand. Its life:
 *
 *     IDLE     claim_work() puts a delivery into `job`                    -> SENDING
 *     SENDING  the worker sends it and leaves `result`                    -> DONE
 *     DONE     store_results() stores what became of it, and releases it  -> IDLE
 *
 * `job` and `result` are the worker's while it is SENDING and the dispatcher's otherwise, so
 * they need no lock; `state` changes under the dispatcher's. */
enum slot_state { SLOT_IDLE, SLOT_SENDING, SLOT_DONE };
struct slot {
    struct dispatcher *dispatcher;
    pthread_t thread;
    pthread_cond_t filled;
    struct sender sender; /* the worker's, from start to end */
    enum slot_state state;
    struct delivery job;
    struct sent result;
};

struct dispatcher {
    struct outbox_calls outbox;
    int64_t poll_ms, rest_unit_ms;
    atomic_bool cut_off; /* sends in hand end now */

    pthread_mutex_t lock;
    pthread_cond_t wake;            /* the dispatcher's */
    bool kicked, stopping, closing; /* stopping: no more claims; closing: workers end */
    pthread_t thread;
    int slots_n, threads_n;
    struct slot slots[DELIVERY_WORKERS_MAX];

    /* the dispatcher's own */
    bool leases_released, outbox_failing;
    int64_t backoff_ms;
    struct rest_list rests;
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

static void *worker_main(void *arg)
{
    struct slot *s = arg;
    struct dispatcher *p = s->dispatcher;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (s->state != SLOT_SENDING && !p->closing) pthread_cond_wait(&s->filled, &p->lock);
        if (s->state != SLOT_SENDING) break;
        pthread_mutex_unlock(&p->lock);
        sender_send(&s->sender, &s->job, wall_ns() / NS_PER_S, &s->result);
        pthread_mutex_lock(&p->lock);
        s->state = SLOT_DONE;
        pthread_cond_signal(&p->wake);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- the dispatcher ---- */

static struct attempt attempt_of(const struct slot *s)
{
    return (struct attempt){ .number = s->job.attempt,
                             .outcome = s->result.outcome,
                             .wait_s = s->result.wait_s,
                             .failing_s = s->job.failing_s,
                             .gone = s->result.gone };
}

static struct delivery_mark mark_of(const struct slot *s, const struct verdict *v)
{
    struct delivery_mark m = { .tenant = s->job.alert.tenant_id,
                               .alert = s->job.alert.alert_id,
                               .channel = s->job.channel,
                               .error = "" };
    if (s->result.outcome == OUTCOME_CUT_OFF)
        return m; /* waiting, no attempt: only the lease goes back */
    m.status = v->status;
    m.attempt = s->job.attempt;
    m.delay_ms = v->delay_ms;
    m.code = s->result.code;
    m.error = s->result.detail;
    m.disable = v->disable;
    return m;
}

static void count_attempt(const struct alert *a, enum outcome outcome, enum delivery_status status)
{
    static const enum metric of_status[] = {
        [DELIVERY_WAITING] = METRIC_DELIVERIES_RETRY,
        [DELIVERY_DELIVERED] = METRIC_DELIVERIES_OK,
        [DELIVERY_FAILED] = METRIC_DELIVERIES_FAILED,
        [DELIVERY_EXPIRED] = METRIC_DELIVERIES_FAILED,
    };
    if (status == DELIVERY_DELIVERED)
        histogram_add(HISTOGRAM_TICK_TO_SEND, (wall_ns() - a->event_ns) / NS_PER_MS, 1);
    metric_add(outcome == OUTCOME_REFUSED ? METRIC_DELIVERIES_REFUSED : of_status[status], 1);
}

static void log_attempt(const struct slot *s, const struct verdict *v)
{
    char alert[UUID_TEXT], channel[UUID_TEXT];
    uuid_format(s->job.alert.alert_id, alert);
    uuid_format(s->job.channel, channel);
    if (v->disable)
        log_warn("channel disabled", "channel", channel, "alert", alert, "reason", v->disable);
    else if (v->status == DELIVERY_FAILED || v->status == DELIVERY_EXPIRED)
        log_warn("alert not delivered", "channel", channel, "alert", alert, "attempts",
                 LOG_I64(s->job.attempt), "reason", s->result.detail);
    else if (v->status == DELIVERY_WAITING)
        log_info("delivery will be tried again", "channel", channel, "alert", alert, "attempt",
                 LOG_I64(s->job.attempt), "reason", s->result.detail, "in_ms",
                 LOG_I64(v->delay_ms));
}

/* What is stored is also counted, logged, and remembered of the channel. */
static void account(struct dispatcher *p, const struct slot *s, const struct verdict *v)
{
    if (s->result.outcome == OUTCOME_CUT_OFF) return;
    const struct attempt a = attempt_of(s);
    count_attempt(&s->job.alert, s->result.outcome, v->status);
    rest_list_note(&p->rests, s->job.channel, &a, v, mono_ns(), p->rest_unit_ms);
    log_attempt(s, v);
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

/* Stores the results in hand. Until that works they stay in their slots, and with them their
 * channels. */
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

/* The idle slots, and the channels that get nothing now: each that is served or waits for its
 * result to be stored, and each at rest. *wait_ms is lowered to the end of the first rest. */
static size_t idle_slots(struct dispatcher *p, struct slot **idle, struct uuid *busy,
                         size_t *busy_n, int64_t *wait_ms)
{
    size_t n = 0;
    *busy_n = 0;
    for (int i = 0; i < p->slots_n; i++) {
        struct slot *s = &p->slots[i];
        if (slot_state_of(p, s) == SLOT_IDLE) idle[n++] = s;
        else busy[(*busy_n)++] = s->job.channel;
    }
    *busy_n += rest_list_now(&p->rests, mono_ns(), busy + *busy_n, wait_ms);
    return n;
}

/* Fills idle workers. *wait_ms: how long the dispatcher may sleep when nobody wakes it. False: the
 * outbox failed. */
static bool claim_work(struct dispatcher *p, int64_t *wait_ms)
{
    struct slot *idle[DELIVERY_WORKERS_MAX];
    struct uuid busy[DELIVERY_WORKERS_MAX + RESTS_MAX];
    size_t busy_n, idle_n = idle_slots(p, idle, busy, &busy_n, wait_ms);
    if (idle_n == 0) return true; /* the first to be done wakes us */

    struct delivery got[DELIVERY_WORKERS_MAX];
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

static void dispatcher_free(struct dispatcher *p)
{
    for (int i = 0; i < p->slots_n; i++) {
        sender_close(&p->slots[i].sender);
        delivery_release(&p->slots[i].job);
        pthread_cond_destroy(&p->slots[i].filled);
    }
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static enum err start_all(struct dispatcher *p, const struct channel_setup *setup)
{
    for (int i = 0; i < p->slots_n; i++) {
        enum err e = sender_open(&p->slots[i].sender, setup);
        if (e) return e;
    }
    for (; p->threads_n < p->slots_n; p->threads_n++)
        if (start_thread(&p->slots[p->threads_n].thread, worker_main, &p->slots[p->threads_n]))
            return ERR_NOMEM;
    return start_thread(&p->thread, dispatcher_main, p) ? ERR_NOMEM : ERR_OK;
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
        p->slots[i].dispatcher = p;
        pthread_cond_init(&p->slots[i].filled, NULL);
    }
    struct channel_setup setup = cfg->setup;
    setup.stop = &p->cut_off;

    enum err e = start_all(p, &setup);
    if (e) {
        close_workers(p);
        dispatcher_free(p);
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
    pthread_join(p->thread, NULL);

    struct timespec until = after_ms(grace_ms);
    pthread_mutex_lock(&p->lock);
    while (any_slot(p, SLOT_SENDING))
        if (pthread_cond_timedwait(&p->wake, &p->lock, &until)) break;
    pthread_mutex_unlock(&p->lock);

    atomic_store(&p->cut_off, true);
    close_workers(p);
    /* One try: what is not stored keeps its lease until the next start, and is sent again. */
    store_results(p);
    dispatcher_free(p);
}
