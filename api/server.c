/* server.c - one running API: start, stop, and the clock that ends what takes too long. */
#include "api/api_internal.h"
#include "api/intake.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MEMORY = 32 * 1024, BACKLOG = 1024, TICK_MS = 100, HEARTBEAT_MAX_MS = 15000 };

/* ---- deadlines and heartbeats ---- */
static void *tick(void *arg)
{
    struct api *a = arg;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    pthread_mutex_lock(&a->stop_lock);
    while (!atomic_load(&a->stopping)) {
        pthread_mutex_unlock(&a->stop_lock);
        int64_t now = mono_ns();
        metric_add(METRIC_HTTP_DEADLINES, (int64_t)conns_sweep(&a->conns, now));
        hub_tick(a->hub, now);
        pthread_mutex_lock(&a->stop_lock);
        now += TICK_MS * NS_PER_MS;
        until = (struct timespec){ now / NS_PER_S, now % NS_PER_S };
        if (!atomic_load(&a->stopping))
            pthread_cond_timedwait(&a->stop_wake, &a->stop_lock, &until);
    }
    pthread_mutex_unlock(&a->stop_lock);
    return NULL;
}

/* ---- start and stop ---- */
__attribute__((format(printf, 2, 0))) static void library_log(void *ctx, const char *fmt,
                                                              va_list ap)
{
    (void)ctx;
    char text[300];
    vsnprintf(text, sizeof text, fmt, ap);
    text[strcspn(text, "\n")] = '\0';
    log_debug("libmicrohttpd", "text", text);
}

union place {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static enum err place_of(const char *address, int port, union place *out, struct why *why)
{
    *out = (union place){ .v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) } };
    if (inet_pton(AF_INET, address, &out->v4.sin_addr) == 1) return ERR_OK;
    *out = (union place){ .v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) } };
    if (inet_pton(AF_INET6, address, &out->v6.sin6_addr) == 1) return ERR_OK;
    return err_set(why, ERR_INVALID, "bind address \"%s\" is no IP address", address);
}

enum err api_port_check(const char *bind_address, int port, struct why *why)
{
    union place at;
    enum err e = place_of(bind_address, port, &at, why);
    if (e) return e;
    int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0) return err_set(why, ERR_IO, "socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
               sizeof on); /* as the daemon does: a closed connection is no obstacle */
    bool taken = bind(fd, &at.any, at.any.sa_family == AF_INET ? sizeof at.v4 : sizeof at.v6) != 0
                 || listen(fd, 1) != 0;
    int error = errno;
    close(fd);
    return taken ? err_set(why, ERR_IO, "cannot listen on %s port %d: %s", bind_address, port,
                           strerror(error))
                 : ERR_OK;
}

static enum err start_daemon(struct api *a, struct why *why)
{
    const struct api_config *c = &a->cfg;
    union place at;
    enum err e = place_of(c->bind_address, c->port, &at, why);
    if (e) return e;
    bool is_v4 = at.any.sa_family == AF_INET;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG
                     | (is_v4 ? 0u : MHD_USE_IPv6);
    a->daemon = MHD_start_daemon(
        flags, (uint16_t)c->port, NULL, NULL, intake_request, a, MHD_OPTION_EXTERNAL_LOGGER,
        library_log, NULL, MHD_OPTION_SOCK_ADDR, &at.any, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)c->threads, MHD_OPTION_CONNECTION_LIMIT, (unsigned)c->connections_max,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)c->per_ip_max,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MEMORY, MHD_OPTION_LISTEN_BACKLOG_SIZE,
        (unsigned)BACKLOG,
#if MHD_VERSION >= 0x00097701
        MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1,
#else
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
#endif
        MHD_OPTION_URI_LOG_CALLBACK, intake_target, a, MHD_OPTION_NOTIFY_CONNECTION,
        intake_connection, a, MHD_OPTION_NOTIFY_COMPLETED, intake_completed, a, MHD_OPTION_END);
    return a->daemon
               ? ERR_OK
               : err_set(why, ERR_IO, "cannot listen on %s port %d", c->bind_address, c->port);
}

/* What cannot fail, and what only memory can: copies, locks, the document. */
static enum err prepare(struct api *a, const struct api_config *cfg)
{
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_mutex_init(&a->stop_lock, NULL);
    pthread_cond_init(&a->stop_wake, &mono);
    pthread_condattr_destroy(&mono);
    conns_init(&a->conns);
    random_bytes(&a->run, sizeof a->run);
    openapi_render(&a->openapi);
    a->cfg = *cfg;
    a->cfg.database = a->database = strdup(cfg->database);
    a->cfg.bind_address = a->bind_address = strdup(cfg->bind_address);
    if (a->cfg.threads < 1) a->cfg.threads = 1;
    if (a->cfg.stream_heartbeat_ms < 1 || a->cfg.stream_heartbeat_ms > HEARTBEAT_MAX_MS)
        a->cfg.stream_heartbeat_ms = HEARTBEAT_MAX_MS;
    if (!a->database || !a->bind_address || !buf_ok(&a->openapi)) return ERR_NOMEM;
    return auth_init(&a->auth);
}

/* Threads, in the order in which they need each other. */
static enum err start_threads(struct api *a, struct why *why)
{
    enum err e = work_new(a->database, WORKERS, &a->work, why);
    if (!e) e = work_new(a->database, WORKERS / 2 + 1, &a->engine_work, why);
    if (!e && quotas_new(&a->cfg.tenant, &a->quotas)) e = err_set(why, ERR_NOMEM, "out of memory");
    if (!e && hub_new(a->work, a->cfg.stream_heartbeat_ms, a->cfg.public_url, &a->hub))
        e = err_set(why, ERR_NOMEM, "out of memory");
    if (!e) e = start_daemon(a, why);
    if (e) return e;
    if (pthread_create(&a->ticker, NULL, tick, a) != 0)
        return err_set(why, ERR_NOMEM, "cannot start the API's clock");
    a->ticking = true;
    return ERR_OK;
}

enum err api_start(const struct api_config *cfg, const struct api_backend *backend,
                   struct api **out, struct why *why)
{
    struct api *a = calloc(1, sizeof *a);
    if (!a) return err_set(why, ERR_NOMEM, "out of memory");
    a->backend = *backend;
    enum err e = prepare(a, cfg);
    e = e ? err_set(why, e, "out of memory") : start_threads(a, why);
    if (e) {
        api_stop(a);
        return e;
    }
    *out = a;
    return ERR_OK;
}

int api_port(const struct api *a)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(a->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

void api_limit_tenants(struct api *a, const struct quota_limits *limits)
{
    quotas_set(a->quotas, limits);
}

void api_publish_alerts(struct api *a, const struct alert *alerts, size_t n)
{
    hub_publish(a->hub, alerts, n);
}

void api_stop(struct api *a)
{
    if (!a) return;
    pthread_mutex_lock(&a->stop_lock);
    atomic_store(&a->stopping, true);
    pthread_cond_signal(&a->stop_wake);
    pthread_mutex_unlock(&a->stop_lock);
    if (a->ticking) pthread_join(a->ticker, NULL);
    int listening = a->daemon ? MHD_quiesce_daemon(a->daemon)
                              : -1; /* no new connections; ours to close, once nobody polls it */
    if (a->hub)
        hub_stop(
            a->hub); /* from here on nothing is suspended for long: libmicrohttpd refuses to stop over one */
    if (a->work) work_stop(a->work);
    if (a->engine_work) work_stop(a->engine_work);
    if (a->daemon) MHD_stop_daemon(a->daemon);
    if (listening >= 0) close(listening);
    hub_free(a->hub);
    work_free(a->work);
    work_free(a->engine_work);
    auth_release(&a->auth);
    conns_release(&a->conns);
    quotas_free(a->quotas);
    pthread_cond_destroy(&a->stop_wake);
    pthread_mutex_destroy(&a->stop_lock);
    buf_release(&a->openapi);
    free(a->database);
    free(a->bind_address);
    free(a);
}
