#include "api/intake.h"

#include "api/api_internal.h"
#include "api/reply.h"
#include "core/metrics.h"
#include "core/when.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { BODY_DISCARD_MAX = 1 << 20 };
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

void intake_connection(void *ctx, struct MHD_Connection *c, void **socket_context,
                       enum MHD_ConnectionNotificationCode code)
{
    struct api *a = ctx;
    struct conn *k = *socket_context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (!k) return;
        request_free(k->request); /* of a request that broke off before the library knew about it */
        if (k->counted) quota_give(a->quotas, k->tenant, QUOTA_CONNECTION);
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

/* The library takes the query apart as well, into the connection's memory, and when that is full, as of 500 parameters, it closes
 * without a word. Nobody reads its work: r->target is ours. So it gets none: the query ends where it begins. The target is in the
 * library's own read buffer, in which it unescapes in place. */
static void hide_query(const char *target)
{
    char *query = strchr((char *)(uintptr_t)target, '?');
    if (query) query[1] = '\0';
}

/* ---- a request begins: the request target as it came, before the library touches it ---- */
void *intake_target(void *ctx, const char *target, struct MHD_Connection *c)
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
    hide_query(target);
    snprintf(r->id, sizeof r->id, "%08" PRIx32 "-%012" PRIx64, a->run,
             (uint64_t)atomic_fetch_add(&a->requests, 1));
    deadline(k, a->cfg.header_timeout_ms * NS_PER_MS);
    if (!r->raw) {
        request_free(r);
        return NULL;
    }
    return r;
}

void intake_completed(void *ctx, struct MHD_Connection *c, void **state,
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
    const char *wanted = header_wanted(name);
    if (wanted) request_keep_header(r, wanted, value ? value : "");
    return MHD_YES;
}

/* GET, POST ... as enum method; METHOD_COUNT for one we know and never offer; -1 for anything else */
static int method_of(const char *m, bool *head)
{
    static const char *const known[] = { "OPTIONS", "TRACE", "CONNECT", "QUERY" };
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

/* Whether the request may go on, as its headers stand; the first thing that is wrong otherwise. */
static enum err check_headers(struct request *r, struct why *why)
{
    const struct route *route = r->route;
    if (r->reply.allow[0]) return ERR_METHOD;
    if (!route) return ERR_NOT_FOUND;
    if ((route->flags & ROUTE_KEY) && !auth_header_key(request_header(r, "Authorization"), &r->key))
        return ERR_UNAUTHORIZED;
    if (r->guard.content_length > BODY_MAX)
        return err_set(why, ERR_TOO_LARGE, "a body has at most %d bytes", BODY_MAX);
    if (route->body && !is_json(request_header(r, "Content-Type")))
        return err_set(why, ERR_MEDIA_TYPE, "Content-Type must be application/json");
    if (!route->body && guard_has_body(&r->guard))
        return err_set(why, ERR_INVALID, "no body is taken here");
    return ERR_OK;
}

/* What can be said once the headers are there. A guarded request, and one whose body is not wanted, is answered at
 * once and its connection closed, so that nothing after the headers is ever looked at. true: it must be answered now. */
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
    e = check_headers(r, &why);
    if (e) reply_problem(r, e, &why);
    return r->reply.close = e && guard_has_body(&r->guard);
}

/* ---- a request runs ---- */
struct task {
    struct job job;
    struct request *request;
};

/* A connection is its tenant's from the first request with a key on: of another one it becomes another's. */
static enum err count_connection(struct request *r, int64_t now, struct why *why)
{
    struct conn *k = r->conn;
    if (k->counted && uuid_equal(k->tenant, r->tenant)) return ERR_OK;
    if (k->counted) quota_give(r->api->quotas, k->tenant, QUOTA_CONNECTION);
    enum err e = quota_take(r->api->quotas, r->tenant, QUOTA_CONNECTION, now, why);
    k->counted = !e;
    k->tenant = r->tenant;
    if (e) r->reply.close = true;
    return e;
}

/* The tenant is known: may it ask this now? */
static enum err admit(struct request *r, struct why *why)
{
    const int64_t now = mono_ns();
    enum err e = count_connection(r, now, why);
    if (!e) e = quota_take(r->api->quotas, r->tenant, QUOTA_REQUEST, now, why);
    if (!e && r->route->method != METHOD_GET)
        e = quota_take(r->api->quotas, r->tenant, QUOTA_CHANGE, now, why);
    if (e == ERR_LIMIT) metric_add(METRIC_HTTP_LIMITED, 1);
    return e;
}

/* Asks for the key where that is not remembered. */
static enum err find_tenant(struct request *r, struct reader *db, struct why *why)
{
    if (r->keyed || !(r->route->flags & ROUTE_KEY)) return ERR_OK;
    enum err e = auth_ask(&r->api->auth, db, &r->key, mono_ns(), &r->tenant, why);
    return e ? e : admit(r, why);
}

static void run_task(struct job *j, struct reader *db)
{
    struct task *t = (struct task *)j;
    struct request *r = t->request;
    free(t);
    struct why why = { 0 };
    r->db = db;
    enum err e = find_tenant(r, db, &why);
    if (e) reply_problem(r, e, &why);
    else r->route->handler(r);
    r->db = NULL;
    MHD_resume_connection(
        r->connection); /* the request is libmicrohttpd's again: not touched after this */
}

/* Its tenant's. Keys that were never good share few lanes, however many are made up. */
static struct uuid lane_of(struct request *r)
{
    struct uuid lane = { 0 };
    if (r->keyed) return r->tenant;
    if (!auth_known(&r->api->auth, &r->key, &lane)) lane.b[15] = r->key.sha256[0];
    return lane;
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
    if (r->keyed && (e = admit(r, &why)) != ERR_OK) return reply_problem(r, e, &why);
    if (!(r->route->flags & ROUTE_DB) && (!key || r->keyed)) return r->route->handler(r);

    struct task *t = malloc(sizeof *t);
    if (!t) return reply_problem(r, ERR_NOMEM, NULL);
    *t = (struct task){ .job = { .run = run_task, .lane = lane_of(r) }, .request = r };
    r->stage = STAGE_WORKING;
    MHD_suspend_connection(r->connection); /* before the push: the worker may be done at once */
    e = work_push(r->route->flags & ROUTE_ENGINE ? r->api->engine_work : r->api->work, &t->job);
    if (!e) return;
    free(t);
    reply_problem(r, e, NULL);
    MHD_resume_connection(r->connection);
}

enum MHD_Result intake_request(void *ctx, struct MHD_Connection *c, const char *url,
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
