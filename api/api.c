/* api.c - the server: connections, requests on their way through, deadlines, start and stop. */
#include "api/api_internal.h"

#include "api/reply.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MEMORY = 32 * 1024, BACKLOG = 1024, TICK_MS = 100, BODY_DISCARD_MAX = 1 << 20 };
#define KEEPALIVE_NS (60 * NS_PER_S) /* how long a connection may wait for its next request */

/* ---- connections ---- */
static struct conn *conn_of(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void deadline(struct conn *k, int64_t from_now_ns)
{
    atomic_store(&k->deadline_ns, mono_ns() + from_now_ns);
}

static void request_free(struct request *r)
{
    if (!r) return;
    if (r->conn) r->conn->request = NULL;
    stream_close(r->stream);
    if (r->reply.stream)
        MHD_destroy_response(
            r->reply.stream); /* made, and the connection broke before it was sent */
    free(r->raw);
    buf_release(&r->body);
    buf_release(&r->reply.body);
    free(r);
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct api *a = ctx;
    struct conn *k = *socket_context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (!k) return;
        request_free(k->request); /* of a request that broke off before the library knew about it */
        conns_remove(&a->conns, k);
        *socket_context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!info) return;
    unsigned unsent_ms = (unsigned)a->cfg.stream_heartbeat_ms * 3
                         / 2; /* a vanished peer: a heartbeat later the next one waits this long */
    setsockopt(info->connect_fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unsent_ms, sizeof unsent_ms);
    *socket_context =
        conns_add(&a->conns, info->connect_fd, mono_ns() + a->cfg.header_timeout_ms * NS_PER_MS);
}

/* ---- a request begins: the request target as it came, before the library touches it ---- */
static void *on_target(void *ctx, const char *target, struct MHD_Connection *c)
{
    struct api *a = ctx;
    struct conn *k = conn_of(c);
    struct request *r = k ? calloc(1, sizeof *r) : NULL;
    if (!r) return NULL;
    if (k->request) request_free(k->request);
    r->api = a;
    r->connection = c;
    r->conn = k;
    k->request = r;
    r->raw = strdup(target);
    snprintf(r->id, sizeof r->id, "%08" PRIx32 "-%012" PRIx64, a->run,
             (uint64_t)atomic_fetch_add(&a->requests, 1));
    deadline(k, a->cfg.header_timeout_ms * NS_PER_MS);
    if (!r->raw) {
        request_free(r);
        return NULL;
    }
    return r;
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)ctx;
    (void)c;
    (void)code;
    struct request *r = *state;
    if (!r) return;
    struct conn *k = r->conn;
    request_free(r);
    if (k) deadline(k, KEEPALIVE_NS);
    *state = NULL;
}

static enum MHD_Result on_header(void *ctx, enum MHD_ValueKind kind, const char *name,
                                 size_t name_n, const char *value, size_t value_n)
{
    (void)kind;
    struct request *r = ctx;
    guard_header(&r->guard, name, name_n, value ? value : "", value_n);
    static const struct {
        const char *name;
        size_t at;
    } kept[] = {
        { "Authorization", offsetof(struct request, authorization) },
        { "Content-Type", offsetof(struct request, content_type) },
        { "If-None-Match", offsetof(struct request, if_none_match) },
        { "Last-Event-ID", offsetof(struct request, last_event_id) },
        { "Idempotency-Key", offsetof(struct request, idempotency_key) },
    };
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        if (strcasecmp(kept[i].name, name) == 0)
            *(const char **)((char *)r + kept[i].at) = value ? value : "";
    return MHD_YES;
}

/* GET, POST ... as enum method; METHOD_COUNT for one we know and never offer; -1 for anything else */
static int method_of(const char *m, bool *head)
{
    static const char *const known[] = { "OPTIONS", "PATCH", "TRACE", "CONNECT", "QUERY" };
    *head = strcmp(m, "HEAD") == 0;
    if (*head) return METHOD_GET;
    for (int i = 0; i < METHOD_COUNT; i++)
        if (strcmp(m, method_name((enum method)i)) == 0) return i;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(m, known[i]) == 0) return METHOD_COUNT;
    return -1;
}

static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    if (!type || strncasecmp(type, json, sizeof json - 1) != 0) return false;
    const char *rest = type + sizeof json - 1;
    rest += strspn(rest, " \t");
    return *rest == '\0' || *rest == ';';
}

/* What can be said once the headers are there. A guarded request, and one whose body is not wanted, is answered at once and its
 * connection closed, so that nothing after the headers is ever looked at. Returns true when it must be answered now. */
static bool begin(struct request *r, const char *method, const char *version)
{
    struct why why = { 0 };
    int m = method_of(method, &r->head);
    const char *reason = m < 0 ? "unknown method" : guard_end(&r->guard, version);
    enum err e =
        reason ? err_set(&why, ERR_INVALID, "%s", reason) : target_parse(r->raw, &r->target, &why);
    if (e) {
        metric_add(METRIC_HTTP_GUARDED, 1);
        reply_problem(r, e, &why);
        return r->reply.close = true;
    }
    r->route = route_find(r->target.path, m, &r->path_id, r->reply.allow);
    if (r->route && (r->route->flags & ROUTE_PAGE)) {
        r->route->handler(r);
        return false;
    }
    bool takes_body = r->route && r->route->body;
    if (r->reply.allow[0]) {
        reply_problem(r, ERR_METHOD, NULL);
    } else if (!r->route) {
        reply_problem(r, ERR_NOT_FOUND, NULL);
    } else if ((r->route->flags & ROUTE_KEY) && !auth_header_key(r->authorization, &r->key)) {
        reply_problem(r, ERR_UNAUTHORIZED, NULL);
    } else if (r->guard.content_length > BODY_MAX) {
        err_set(&why, ERR_TOO_LARGE, "a body has at most %d bytes", BODY_MAX);
        reply_problem(r, ERR_TOO_LARGE, &why);
    } else if (takes_body && !is_json(r->content_type)) {
        err_set(&why, ERR_MEDIA_TYPE, "Content-Type must be application/json");
        reply_problem(r, ERR_MEDIA_TYPE, &why);
    } else if (!takes_body && guard_has_body(&r->guard)) {
        err_set(&why, ERR_INVALID, "no body is taken here");
        reply_problem(r, ERR_INVALID, &why);
    }
    return r->reply.close = r->reply.status && guard_has_body(&r->guard);
}

/* ---- a request runs ---- */
struct task {
    struct job job;
    struct request *request;
};

static void run_task(struct job *j, struct reader *db)
{
    struct task *t = (struct task *)j;
    struct request *r = t->request;
    free(t);
    struct why why = { 0 };
    r->db = db;
    enum err e = r->keyed || !(r->route->flags & ROUTE_KEY)
                     ? ERR_OK
                     : auth_ask(&r->api->auth, db, &r->key, mono_ns(), &r->tenant, &why);
    if (e) reply_problem(r, e, &why);
    else r->route->handler(r);
    r->db = NULL;
    MHD_resume_connection(
        r->connection); /* the request is libmicrohttpd's again: not touched after this */
}

/* Answers now, or suspends the connection until a worker has. */
static void run(struct request *r)
{
    struct why why = { 0 };
    r->stage = STAGE_DONE;
    if (r->reply.status) return;
    if (r->received_n > BODY_MAX) {
        err_set(&why, ERR_TOO_LARGE, "a body has at most %d bytes", BODY_MAX);
        return reply_problem(r, ERR_TOO_LARGE, &why);
    }
    if (!buf_ok(&r->body)) return reply_problem(r, ERR_NOMEM, NULL);
    enum err e = route_args(r->route, r, &why);
    if (e) return reply_problem(r, e, &why);
    bool key = r->route->flags & ROUTE_KEY;
    r->keyed = key && auth_cached(&r->api->auth, &r->key, mono_ns(), &r->tenant);
    if (!(r->route->flags & ROUTE_DB) && (!key || r->keyed)) return r->route->handler(r);

    struct task *t = malloc(sizeof *t);
    if (!t) return reply_problem(r, ERR_NOMEM, NULL);
    *t = (struct task){ .job = { run_task }, .request = r };
    r->stage = STAGE_WORKING;
    MHD_suspend_connection(r->connection); /* before the push: the worker may be done at once */
    e = work_push(r->route->flags & ROUTE_ENGINE ? r->api->engine_work : r->api->work, &t->job);
    if (!e) return;
    free(t);
    reply_problem(r, e, NULL);
    MHD_resume_connection(r->connection);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **state)
{
    (void)ctx;
    (void)url;
    struct request *r = *state;
    if (!r) return MHD_NO;
    switch (r->stage) {
    case STAGE_NEW:
        r->stage = STAGE_READING;
        deadline(r->conn, r->api->cfg.request_timeout_ms * NS_PER_MS);
        MHD_get_connection_values_n(c, MHD_HEADER_KIND, on_header, r);
        if (!begin(r, method, version)) return MHD_YES;
        return reply_send(r) ? MHD_YES : MHD_NO;
    case STAGE_READING:
        if (*upload_n) {
            r->received_n += *upload_n;
            if (r->received_n <= BODY_MAX) buf_put(&r->body, upload, *upload_n);
            *upload_n = 0;
            return r->received_n > BODY_DISCARD_MAX ? MHD_NO : MHD_YES;
        }
        run(r);
        if (r->stage == STAGE_WORKING) return MHD_YES;
        return reply_send(r) ? MHD_YES : MHD_NO;
    case STAGE_WORKING: /* a worker has resumed it */
        r->stage = STAGE_DONE;
        return reply_send(r) ? MHD_YES : MHD_NO;
    case STAGE_DONE: break;
    }
    return MHD_NO;
}

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
        flags, (uint16_t)c->port, NULL, NULL, on_request, a, MHD_OPTION_EXTERNAL_LOGGER,
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
        MHD_OPTION_URI_LOG_CALLBACK, on_target, a, MHD_OPTION_NOTIFY_CONNECTION, on_connection, a,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, a, MHD_OPTION_END);
    return a->daemon
               ? ERR_OK
               : err_set(why, ERR_IO, "cannot listen on %s port %d", c->bind_address, c->port);
}

enum err api_start(const struct api_config *cfg, const struct api_backend *backend,
                   struct api **out, struct why *why)
{
    struct api *a = calloc(1, sizeof *a);
    if (!a) return err_set(why, ERR_NOMEM, "out of memory");
    a->cfg = *cfg;
    a->backend = *backend;
    if (a->cfg.threads < 1) a->cfg.threads = 1;
    if (a->cfg.stream_heartbeat_ms < 1 || a->cfg.stream_heartbeat_ms > 15000)
        a->cfg.stream_heartbeat_ms = 15000;
    conns_init(&a->conns);
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_mutex_init(&a->stop_lock, NULL);
    pthread_cond_init(&a->stop_wake, &mono);
    pthread_condattr_destroy(&mono);
    random_bytes(&a->run, sizeof a->run);
    openapi_render(&a->openapi);
    a->database = strdup(cfg->database);
    a->bind_address = strdup(cfg->bind_address);
    a->cfg.database = a->database;
    a->cfg.bind_address = a->bind_address;
    enum err e =
        a->database && a->bind_address && buf_ok(&a->openapi) ? auth_init(&a->auth) : ERR_NOMEM;
    if (e) err_set(why, e, "out of memory");
    if (!e) e = work_new(a->database, WORKERS, &a->work, why);
    if (!e) e = work_new(a->database, WORKERS / 2, &a->engine_work, why);
    if (!e && (e = hub_new(a->work, a->cfg.stream_heartbeat_ms, &a->hub)))
        err_set(why, e, "out of memory");
    if (!e) e = start_daemon(a, why);
    if (!e && pthread_create(&a->ticker, NULL, tick, a) != 0)
        e = err_set(why, ERR_NOMEM, "cannot start the API's clock");
    if (e) {
        api_stop(a);
        return e;
    }
    a->ticking = true;
    *out = a;
    return ERR_OK;
}

int api_port(const struct api *a)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(a->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
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
    pthread_cond_destroy(&a->stop_wake);
    pthread_mutex_destroy(&a->stop_lock);
    buf_release(&a->openapi);
    free(a->database);
    free(a->bind_address);
    free(a);
}
