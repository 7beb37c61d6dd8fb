/* service.c - the running service: opens what its threads need, in the order in which a failure
 * costs least, starts them, waits for a signal, and ends it all. What the threads do is in
 * app/threads/. */
#include "app/app.h"
#include "app/backend.h"
#include "app/recover.h"
#include "app/reload.h"
#include "app/secrets.h"
#include "app/threads/engine.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "store/api_login.h"
#include "store/migrate.h"
#include "store/outbox.h"

#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { STOP_S = 9, DELIVERY_STOP_MS = 2000 };

struct service {
    const struct config *c;
    struct pipeline pipeline;
    struct engine_loop engine;
    struct seal_keys *seal_keys; /* NULL: none are configured */
    struct outbox *outbox;
    struct buf api_conninfo; /* of the API's sessions; holds a password */
    pthread_t ingest_thread, engine_thread, writer_thread, keeper_thread, watch_thread,
        compactor_thread;
};

void service_stop(void) { kill(getpid(), SIGTERM); }

/* ---- starting ---- */
/* Takes the shard, and the state as the database has it. */
static enum err open_state(struct service *s, struct why *why)
{
    uint64_t last_seq;
    const char *database = s->c->database_conninfo;
    enum err e = secrets_read(s->c, &s->seal_keys, why);
    if (!e) e = writer_open(database, &s->pipeline.writer, &last_seq, why);
    if (!e) e = secrets_settle(s->c, s->seal_keys, why);
    if (!e) e = engine_loop_init(&s->engine, &s->pipeline);
    if (!e) e = recover_state(database, &s->engine.step, s->pipeline.snapshots, why);
    if (e) return e;
    const uint64_t seq = engine_seq(s->engine.step.engine);
    if (seq != last_seq)
        return err_set(why, ERR_DB,
                       "the order stands at %" PRIu64 ", the stored records end at %" PRIu64,
                       last_seq, seq);
    metric_set(METRIC_COMMITTED_SEQ, (int64_t)last_seq);
    engine_loop_recovered(&s->engine);
    return ERR_OK;
}

static enum err configure_engine(struct service *s, struct why *why)
{
    enum err e = engine_loop_read_tracks(&s->engine, why);
    if (e) return e;
    engine_loop_apply_settings(&s->engine);
    engine_loop_try_tracks(&s->engine);
    pipeline_show(&s->pipeline, step_picture(&s->engine.step));
    return ERR_OK;
}

static struct channel_limits channel_limits(const struct config *c)
{
    return (struct channel_limits){ .allow_plain = c->webhooks_allow_http,
                                    .allow_private = c->webhooks_allow_private };
}

static enum err open_delivery(struct service *s, struct why *why)
{
    const struct dispatcher_config cfg = { .workers = (int)s->c->webhooks_workers,
                                           .setup = { .limits = channel_limits(s->c),
                                                      .page = s->c->api_public_url } };
    enum err e = outbox_new(s->c->database_conninfo, s->seal_keys, &s->outbox);
    if (e) return e;
    const struct outbox_calls outbox = outbox_calls(s->outbox);
    return dispatcher_start(&cfg, &outbox, &s->pipeline.delivery, why);
}

/* As whom the API asks. Without a login of its own it asks as before, and that is said. */
static void choose_api_login(struct service *s)
{
    const char *own = s->c->database_api_conninfo;
    struct why why = { 0 };
    bool above = false;
    enum err e = own[0] ? api_login_check(own, &why)
                        : api_login_find(s->c->database_conninfo, &s->api_conninfo, &why);
    if (own[0] || e) {
        buf_clear(&s->api_conninfo);
        buf_puts(&s->api_conninfo, own[0] ? own : s->c->database_conninfo);
    }
    if (e)
        log_warn(own[0] ? "the API's login is not as it should be"
                        : "the API has no login of its own: its sessions can become the engine",
                 "reason", err_name(e), "detail", why.text);
    if (login_is_above_rows(s->c->database_conninfo, &above, &why) == ERR_OK && above)
        log_warn("the database user is a superuser, or above row-level security; the service needs "
                 "neither: a member of tocsin_engine and tocsin_api is enough");
}

/* Once a start, for whoever wonders about the server's CPU and disk. */
static void tell_packing(const struct service *s)
{
    struct why why = { 0 };
    bool lz4 = true;
    if (migrate_packs_lz4(s->c->database_conninfo, &lz4, &why) == ERR_OK && !lz4)
        log_warn(
            "no lz4 at this PostgreSQL when its tables were made: ticks and pages of the state "
            "are packed with pglz, which takes longer");
}

static enum err open_api(struct service *s, struct why *why)
{
    const struct config *c = s->c;
    choose_api_login(s);
    if (!buf_ok(&s->api_conninfo)) return err_set(why, ERR_NOMEM, "out of memory");
    const struct api_config cfg = { .bind_address = c->api_bind,
                                    .port = (int)c->api_port,
                                    .threads = (int)c->api_threads,
                                    .public_url = c->api_public_url,
                                    .database = s->api_conninfo.data,
                                    .connections_max = (int)c->api_connections_max,
                                    .per_ip_max = (int)c->api_per_ip_max,
                                    .tenant = config_tenant_limits(c),
                                    .header_timeout_ms = (int)c->api_header_timeout_ms,
                                    .request_timeout_ms = (int)c->api_request_timeout_ms,
                                    .stream_heartbeat_ms = (int)c->api_heartbeat_ms,
                                    .channel_limits = channel_limits(c),
                                    .seal_keys = s->seal_keys };
    const struct api_backend backend = backend_of(&s->pipeline);
    return api_start(&cfg, &backend, &s->pipeline.api, why);
}

static void start_threads(struct service *s)
{
    if (pthread_create(&s->keeper_thread, NULL, keeper_main, &s->pipeline)
        || pthread_create(&s->writer_thread, NULL, writer_main, &s->pipeline)
        || pthread_create(&s->engine_thread, NULL, engine_main, &s->engine)
        || pthread_create(&s->ingest_thread, NULL, ingest_main, &s->pipeline)
        || pthread_create(&s->watch_thread, NULL, watch_main, &s->pipeline)
        || pthread_create(&s->compactor_thread, NULL, compactor_main, &s->pipeline)) {
        log_error("cannot start threads");
        _exit(EXIT_BROKEN);
    }
}

/* The port comes first, before the shard is taken from an instance that is well. */
static enum err start(struct service *s, struct why *why)
{
    enum err e = pipeline_init(&s->pipeline, s->c);
    if (e) return err_set(why, e, "out of memory");
    e = api_port_check(s->c->api_bind, (int)s->c->api_port, why);
    if (!e) e = open_state(s, why);
    if (!e) e = configure_engine(s, why);
    if (!e) e = ingest_open(&s->pipeline, &s->engine.sources, why);
    if (!e) e = open_delivery(s, why);
    if (!e) e = open_api(s, why);
    if (!e) tell_packing(s);
    if (!e) start_threads(s);
    return e;
}

/* ---- ending ---- */
static void join_threads(struct service *s)
{
    pthread_join(s->ingest_thread, NULL);
    pthread_join(s->engine_thread, NULL);
    pthread_join(s->writer_thread, NULL);
    pthread_join(s->keeper_thread, NULL);
    pthread_join(s->watch_thread, NULL);
    pthread_join(s->compactor_thread, NULL);
}

static void release(struct service *s)
{
    struct pipeline *p = &s->pipeline;
    api_stop(p->api);
    dispatcher_stop(p->delivery, DELIVERY_STOP_MS);
    kafka_source_close(p->kafka);
    outbox_free(s->outbox);
    if (s->api_conninfo.data) explicit_bzero(s->api_conninfo.data, s->api_conninfo.len);
    buf_release(&s->api_conninfo);
    seal_keys_free(s->seal_keys);
    writer_close(p->writer);
    engine_loop_release(&s->engine);
    pipeline_release(p);
}

static int exit_code_of(enum err e)
{
    if (e == ERR_INVALID || e == ERR_SYNTAX || e == ERR_UNKNOWN_MEASURE) return EXIT_CONFIG;
    return e == ERR_DB_LOST ? EXIT_UNAVAILABLE : EXIT_BROKEN;
}

/* Ends the process at a second signal, or when the end takes too long. Within the first second a
 * signal is the same wish: make passes a group's signal on. */
static void *second_signal(void *arg)
{
    const sigset_t *set = arg;
    const int64_t began = mono_ns();
    int sig;
    do sig = sigtimedwait(set, NULL, &(struct timespec){ 1, 0 });
    while (mono_ns() < began + (sig > 0 ? 1 : STOP_S) * NS_PER_S);
    log_warn(sig > 0 ? "second signal; ending at once"
                     : "not ended in time; what is not committed, Kafka still has");
    _exit(EXIT_BROKEN);
}

static void stop(struct service *s, sigset_t *signals)
{
    pthread_t impatient;
    const bool watched = pthread_create(&impatient, NULL, second_signal, signals) == 0;
    atomic_store(&s->pipeline.stopping, true);
    join_threads(s);
    const uint64_t seq = engine_seq(s->engine.step.engine);
    release(s);
    if (watched) {
        pthread_cancel(impatient);
        pthread_join(impatient, NULL);
    }
    log_info("stopped", "seq", LOG_I64(seq));
}

/* ---- all of it ---- */
/* Blocked in every thread that is started from here on: main waits for them. `ends`: those that end it. */
static void block_signals(sigset_t *all, sigset_t *ends)
{
    sigemptyset(ends);
    sigaddset(ends, SIGTERM);
    sigaddset(ends, SIGINT);
    *all = *ends;
    sigaddset(all, SIGHUP);
    pthread_sigmask(SIG_BLOCK, all, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Until a signal ends it. */
static void serve(struct service *s, const char *path, const sigset_t *signals)
{
    int sig = 0;
    while (sigwait(signals, &sig) == 0 && sig == SIGHUP && path)
        reload(path, s->c, &s->pipeline, s->seal_keys);
}

/* Threads with heaps of their own each keep what their largest flood took: malloc_trim (writer.c)
 * gives back what lies between, but the end of the first heap alone. Here few threads allocate much,
 * and what one does another frees, under the same lock either way. Before the first thread. */
static void share_one_heap(void)
{
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 1);
#endif
}

int service_run(const struct config *c, const char *path, void (*started)(void *ctx, int port),
                void *ctx)
{
    static sigset_t signals, ends;
    struct service s = { .c = c };
    struct why why = { 0 };
    share_one_heap();
    block_signals(&signals, &ends);
    enum err e = start(&s, &why);
    if (e) {
        log_error("cannot start", "reason", err_name(e), "detail", why.text);
        release(&s);
        return exit_code_of(e);
    }
    const int port = api_port(s.pipeline.api);
    log_info("listening", "address", c->api_bind, "port", LOG_I64(port), "seq",
             LOG_I64(metric_get(METRIC_COMMITTED_SEQ)));
    if (started) started(ctx, port);

    serve(&s, path, &signals);
    log_info("stopping", "exit_code", LOG_I64(atomic_load(&s.pipeline.exit_code)));
    stop(&s, &ends);
    return atomic_load(&s.pipeline.exit_code);
}
