/* api.h - the HTTP API: measures, rules, alerts, channels, the live stream, the first page. See api/README.md.
 *
 * The server owns its threads (libmicrohttpd's) and its own read-only database connections (store/reader.h). What it needs
 * of the running engine comes through struct api_backend, wired in app/. */
#ifndef TOCSIN_API_API_H
#define TOCSIN_API_API_H
#include "alerts/delivery/channel.h"
#include "analytics/picture.h"
#include "api/quota.h"
#include "core/buf.h"
#include "core/json_write.h"

enum rule_change { RULE_CREATE, RULE_REPLACE, RULE_DELETE };

struct rule_request {
    struct uuid tenant,
        rule; /* RULE_CREATE: none, or the id to use (derived from an Idempotency-Key) */
    enum rule_change change;
    const char *definition; /* JSON text of the request body; NULL for delete */
    size_t definition_n;
    int32_t if_version; /* RULE_REPLACE: only where it is at that version; 0: at any */
    const char *
        standing; /* RULE_REPLACE: the definition at if_version, as the database has it; one that comes to the same makes no
                   * version. NULL: every one makes a version */
};

enum { API_MEASURE_MAX = 200, API_NO_DAY = INT32_MIN };

struct api_backend {
    void *ctx;
    /* Sends a rule change through the engine's one order and returns when it is committed, so that the database
     * has it. ERR_NOT_FOUND for a missing or foreign id, and when RULE_CREATE names one that has been deleted; ERR_SYNTAX /
     * ERR_UNKNOWN_MEASURE / ERR_INVALID with why->at pointing into the "rule" text where that is what is wrong; ERR_CONFLICT when
     * RULE_CREATE names an id that is there, or the rule is not at if_version: then also when what made the other version is
     * committed. A definition that is wrong is told only when nothing else is. *state: the rule's after
     * the change, as rule_states has it; also with ERR_CONFLICT; else NULL. `warnings`: appended to, a JSON array of {"code":...,"detail":...}. Blocks up to 10 s, then ERR_STOPPING or ERR_DB.
     * Thread: any. */
    enum err (*rule_change)(void *ctx, const struct rule_request *r, const char **state,
                            struct buf *warnings, struct why *why);
    /* The share count that is held under that id counts from now on; returns when that is committed. ERR_NOT_FOUND: none is held
     * under it. ERR_INVALID: it does not fit any more. Blocks as rule_change. Thread: any. */
    enum err (*quality_release)(void *ctx, struct uuid tenant, struct uuid flag, struct why *why);
    /* States of rules as the engine has them: out[i] is "ok", "pending", "firing", "stale", or NULL when it does not know the rule. */
    enum err (*rule_states)(void *ctx, struct uuid tenant, const struct uuid *rules, size_t n,
                            const char **out);
    /* Appends a JSON object: who moved that measure (canonical) since the end of the session of that day (API_NO_DAY: of the one
     * before), the n largest parts. ERR_UNKNOWN_MEASURE; ERR_INVALID: it is not additive, or that session is not kept. Blocks as
     * rule_change. Thread: any. */
    enum err (*drivers)(void *ctx, const char *measure, int32_t since, size_t n, struct buf *out,
                        struct why *why);
    /* The picture of the newest commit, retained; NULL before the first. */
    struct picture *(*picture)(void *ctx);
    /* Appends {"ready":true|false,"reasons":["kafka: ...", ...], ...} and returns the flag. */
    bool (*ready)(void *ctx, struct buf *out);
    /* Appends metrics that are looked up rather than counted, in Prometheus text; NULL: there are none. Thread: any. */
    void (*metrics)(void *ctx, struct buf *out);
    /* The members "measures", "statuses" and "records" of /v1/definitions, into an object that has been begun. Thread: any. */
    void (*definitions)(void *ctx, struct json_writer *w);
    /* The canonical text of a measure, as a rule on it would have it; else the error of a rule. NULL: only canonical texts are known. Thread: any. */
    enum err (*measure)(void *ctx, const char *text, char out[API_MEASURE_MAX], struct why *why);
};

struct seal_keys;

struct api_config {
    const char *bind_address; /* "127.0.0.1" */
    int port;                 /* 0: any free one; see api_port */
    int threads;              /* of libmicrohttpd's epoll pool */
    const char *database;     /* conninfo for readers */
    int connections_max, per_ip_max;
    struct quota_limits tenant;                /* what one may have */
    int header_timeout_ms, request_timeout_ms; /* absolute deadlines */
    int stream_heartbeat_ms;                   /* at most 15000 */
    const char *public_url; /* where browsers find the page; "" or NULL: alerts have no link */
    struct channel_limits channel_limits; /* what the operator allows a channel */
    const struct seal_keys *seal_keys;    /* for their secrets; NULL: none. Outlive the API */
};

struct api;
/* Could api_start listen there? ERR_IO with the reason. For who has something to lose by finding out later. */
MUST_USE enum err api_port_check(const char *bind_address, int port, struct why *why);
MUST_USE enum err api_start(const struct api_config *cfg, const struct api_backend *backend,
                            struct api **out, struct why *why);
int api_port(const struct api *a);
/* The OpenAPI 3.0.3 document, as /openapi.json says it. Pure; thread: any. */
void openapi_render(struct buf *out);
/* What one tenant may have, from now on. Thread: any. */
void api_limit_tenants(struct api *a, const struct quota_limits *limits);
/* Alerts that have just been committed, in stream order; copied. Wakes the streams of their tenants. Thread: store writer. */
void api_publish_alerts(struct api *a, const struct alert *alerts, size_t n);
/* Ends streams, finishes requests in hand, joins threads. NULL is fine. */
void api_stop(struct api *a);
#endif
