/* handlers.c - what each route does. Those without ROUTE_DB run on libmicrohttpd's threads and must not wait. */
#include "api/handlers.h"

#include "api/api_internal.h"
#include "api/routes.h"
#include "core/decimal.h"
#include "core/json.h"
#include "core/metrics.h"
#include "core/utf8.h"
#include "core/when.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS_MAX = 100, SECRET_MIN = 24, SECRET_MAX = 64, SECRET_MADE = 32 };

/* ---- small helpers ---- */
static void put_time(struct buf *out, int64_t ns) /* 0: no time yet */
{
    char text[WHEN_TEXT_MAX];
    if (ns == 0) return buf_puts(out, "null");
    when_format(ns, text);
    buf_printf(out, "\"%s\"", text);
}

static void put_field(struct buf *out, const char *before, const char *s)
{
    buf_puts(out, before);
    buf_json_string(out, s, strlen(s));
}

static const char *number_or_null(const struct arg *a, char out[24])
{
    if (a->number < 0) return NULL;
    snprintf(out, 24, "%" PRId64, a->number);
    return out;
}

static const char *uuid_or_null(const struct arg *a) { return a->given ? a->text : NULL; }

/* Answers with the query's one text, or with the problem. */
static void reply_query(struct request *r, enum query q, const char *const *params)
{
    struct why why = { 0 };
    enum err e = reader_text(r->db, r->tenant, q, params, &r->reply.body, &why);
    if (e) reply_problem(r, e, &why);
    else reply_json(r, 200);
}

/* Rows of (cursor, json) as a list; one row more than the limit says that there is a next page. */
struct page {
    struct buf *out;
    int64_t limit, n;
    char cursor[UUID_TEXT];
    bool more;
};

static void page_row(void *ctx, const char *const *c)
{
    struct page *p = ctx;
    if (p->n++ == p->limit) {
        p->more = true;
        return;
    }
    if (p->n > 1) buf_puts(p->out, ",");
    buf_puts(p->out, c[1]);
    snprintf(p->cursor, sizeof p->cursor, "%s", c[0]);
}

static void reply_page(struct request *r, const char *open, enum query q, const char *const *params,
                       int64_t limit, bool number_cursor)
{
    struct buf *out = &r->reply.body;
    struct page p = { .out = out, .limit = limit };
    struct why why = { 0 };
    buf_puts(out, open);
    enum err e = reader_rows(r->db, r->tenant, q, params, page_row, &p, &why);
    if (e) return reply_problem(r, e, &why);
    const char *quote = p.more && !number_cursor ? "\"" : "";
    buf_printf(out, "],\"next\":%s%s%s}", quote, p.more ? p.cursor : "null", quote);
    reply_json(r, 200);
}

static const char *limit_plus_one(int64_t limit, char out[24])
{
    snprintf(out, 24, "%" PRId64, limit + 1);
    return out;
}

/* ---- from the snapshot ---- */
static struct snapshot *snapshot_or_problem(struct request *r)
{
    struct snapshot *s = r->api->backend.snapshot(r->api->backend.ctx);
    struct why why = { .text = "no snapshot yet: the engine is still starting" };
    if (!s) reply_problem_as(r, ERR_STOPPING, 503, "starting", &why);
    if (!s) r->reply.retry_after = true;
    return s;
}

static void put_measure(struct buf *out, const struct snapshot_row *row)
{
    const struct reading *g = &row->reading;
    bool has_value = g->status == READING_OK || g->status == READING_STALE;
    put_field(out, "{\"measure\":", row->measure);
    buf_puts(out, ",\"value\":");
    buf_json_double(out, has_value ? g->value : NAN);
    put_field(out, ",\"unit\":", row->unit);
    buf_puts(out, ",\"time\":");
    put_time(out, g->event_ns);
    buf_puts(out, ",\"coverage\":");
    buf_json_double(out, isfinite(g->coverage) ? g->coverage : 0);
    buf_printf(out, ",\"staleness_ms\":%" PRId64 ",\"status\":\"%s\",\"version\":%d}",
               (int64_t)(g->staleness_ns / NS_PER_MS), reading_status_name(g->status),
               row->version);
}

/* Rows are sorted by tenant: everybody's first, then each tenant's own. */
static bool put_all(struct buf *out, const struct snapshot *s, struct uuid tenant)
{
    bool any = false;
    for (size_t i = 0; i < s->rows_n; i++) {
        const struct snapshot_row *row = &s->rows[i];
        if (!uuid_is_none(row->tenant) && !uuid_equal(row->tenant, tenant)) continue;
        if (any) buf_puts(out, ",");
        put_measure(out, row);
        any = true;
    }
    return any;
}

static bool matches_etag(const char *header, const char *etag)
{
    return header && (strcmp(header, "*") == 0 || strstr(header, etag));
}

/* What a rule takes for a measure is one here too: hhi( DEMO ), or a parameter at its default. */
static enum err canonical(const struct request *r, const char *text, char out[API_MEASURE_MAX],
                          struct why *why)
{
    if (r->api->backend.measure)
        return r->api->backend.measure(r->api->backend.ctx, text, out, why);
    snprintf(out, API_MEASURE_MAX, "%s", text);
    return ERR_OK;
}

static const struct snapshot_row *find_measure(const struct request *r, const struct snapshot *s,
                                               const char *text, struct why *why)
{
    char name[API_MEASURE_MAX];
    const struct snapshot_row *row = snapshot_find(s, r->tenant, text);
    if (row || canonical(r, text, name, why)) return row;
    row = snapshot_find(s, r->tenant, name);
    if (!row)
        err_set(why, ERR_UNKNOWN_MEASURE,
                "%s is not tracked; a rule on it makes it so, or engine.track", name);
    return row;
}

void get_measures(struct request *r)
{
    struct snapshot *s = snapshot_or_problem(r);
    if (!s) return;
    struct buf *out = &r->reply.body;
    snprintf(r->reply.etag, sizeof r->reply.etag, "\"m-%" PRIu64 "\"", s->seq);
    struct why why = { 0 };
    bool missing = false;
    for (size_t i = 0; i < r->target.args_n && !missing; i++)
        missing = !find_measure(r, s, r->target.args[i].value, &why);
    if (missing) {
        r->reply.etag[0] = '\0';
        reply_problem_as(r, ERR_UNKNOWN_MEASURE, 404, NULL, &why);
    } else if (matches_etag(r->if_none_match, r->reply.etag)) {
        r->reply.status = 304;
    } else {
        buf_printf(out, "{\"seq\":%" PRIu64 ",\"time\":", s->seq);
        put_time(out, s->event_ns);
        buf_puts(out, ",\"measures\":[");
        for (size_t i = 0; i < r->target.args_n; i++) {
            if (i) buf_puts(out, ",");
            put_measure(out, find_measure(r, s, r->target.args[i].value, &why));
        }
        if (r->target.args_n == 0) put_all(out, s, r->tenant);
        buf_puts(out, "]}");
        reply_json(r, 200);
    }
    snapshot_release(s);
}

static void put_constituent(struct buf *out, const struct snapshot_member *m)
{
    char price[DECIMAL_TEXT_MAX];
    put_field(out, "{\"issuer\":", m->issuer);
    put_field(out, ",\"name\":", m->name);
    put_field(out, ",\"symbol\":", m->symbol);
    decimal_format(m->price_e8, price);
    if (m->price_e8 > 0) buf_printf(out, ",\"price\":\"%s\",\"weight\":", price);
    else buf_puts(out, ",\"price\":null,\"weight\":");
    buf_json_double(out, isfinite(m->weight) ? m->weight : 0);
    buf_puts(out, "}");
}

void get_constituents(struct request *r)
{
    struct snapshot *s = snapshot_or_problem(r);
    if (!s) return;
    const char *name = request_arg(r, "index")->text;
    const struct snapshot_index *x = NULL;
    for (size_t i = 0; i < s->indexes_n && !x; i++)
        if (strcmp(s->indexes[i].name, name) == 0) x = &s->indexes[i];
    if (!x) {
        struct why why;
        err_set(&why, ERR_NOT_FOUND, "no index \"%s\"", name);
        reply_problem(r, ERR_NOT_FOUND, &why);
    } else {
        struct buf *out = &r->reply.body;
        put_field(out, "{\"index\":", x->name);
        buf_printf(out, ",\"seq\":%" PRIu64 ",\"time\":", s->seq);
        put_time(out, s->event_ns);
        buf_printf(out, ",\"members\":%" PRIu32 ",\"constituents\":[", x->members_n);
        for (uint32_t i = 0; i < x->top_n && i < (uint32_t)request_arg(r, "n")->number; i++) {
            if (i) buf_puts(out, ",");
            put_constituent(out, &x->top[i]);
        }
        buf_puts(out, "]}");
        reply_json(r, 200);
    }
    snapshot_release(s);
}

/* ---- from the database ---- */
struct series {
    char id[16];
    struct buf *out;
    bool found;
};

static void series_row(void *ctx, const char *const *c)
{
    struct series *s = ctx;
    s->found = true;
    snprintf(s->id, sizeof s->id, "%s", c[0]);
    put_field(s->out, ",\"unit\":", c[1]);
}

void get_history(struct request *r)
{
    char name[API_MEASURE_MAX];
    const char *measure = name;
    struct buf *out = &r->reply.body;
    struct series s = { .out = out };
    struct why why = { 0 };
    if (canonical(r, request_arg(r, "m")->text, name, &why))
        return reply_problem_as(r, ERR_UNKNOWN_MEASURE, 404, NULL, &why);
    put_field(out, "{\"measure\":", measure);
    enum err e = reader_rows(r->db, r->tenant, QUERY_SERIES, &measure, series_row, &s, &why);
    if (e) return reply_problem(r, e, &why);
    if (!s.found) {
        err_set(&why, ERR_UNKNOWN_MEASURE, "no history of that measure");
        return reply_problem_as(r, ERR_UNKNOWN_MEASURE, 404, NULL, &why);
    }
    const struct arg *from = request_arg(r, "from"), *to = request_arg(r, "to"),
                     *order = request_arg(r, "order");
    char from_text[24], to_text[24], after[24], limit[24];
    snprintf(from_text, sizeof from_text, "%" PRId64, from->given ? from->number : INT64_MIN);
    snprintf(to_text, sizeof to_text, "%" PRId64, to->given ? to->number : INT64_MAX);
    int64_t n = request_arg(r, "limit")->number;
    const char *const params[] = { s.id, from_text, to_text,
                                   number_or_null(request_arg(r, "after"), after),
                                   limit_plus_one(n, limit) };
    bool down = order->given && strcmp(order->text, "desc") == 0;
    reply_page(r, ",\"points\":[", down ? QUERY_HISTORY_DOWN : QUERY_HISTORY_UP, params, n, true);
}

void get_articles(struct request *r)
{
    int64_t n = request_arg(r, "limit")->number;
    char limit[24], before[24];
    const char *const params[] = { limit_plus_one(n, limit),
                                   number_or_null(request_arg(r, "before"), before) };
    reply_page(r, "{\"articles\":[", QUERY_ARTICLES, params, n, true);
}

void get_status(struct request *r) { reply_query(r, QUERY_STATUS, NULL); }

/* ---- rules ---- */
struct rule_rows {
    struct uuid *ids;
    char **texts;
    size_t n, cap;
    bool failed;
};

static void add_rule(void *ctx, const char *const *c)
{
    struct rule_rows *rows = ctx;
    if (rows->failed || rows->n == rows->cap) return;
    char *text = strdup(c[1]);
    if (!text || uuid_parse(c[0], strlen(c[0]), &rows->ids[rows->n])) {
        free(text);
        rows->failed = true;
        return;
    }
    rows->texts[rows->n++] = text;
}

/* Up to `cap` rules with the state the engine has them in, which is not in the database. */
static enum err put_rules(struct request *r, enum query q, const char *const *params, size_t cap,
                          struct rule_rows *rows, struct why *why)
{
    *rows = (struct rule_rows){ .ids = calloc(cap, sizeof *rows->ids),
                                .texts = calloc(cap, sizeof *rows->texts),
                                .cap = cap };
    const char **states = calloc(cap, sizeof *states);
    enum err e = !rows->ids || !rows->texts || !states
                     ? err_set(why, ERR_NOMEM, "out of memory")
                     : reader_rows(r->db, r->tenant, q, params, add_rule, rows, why);
    if (!e && rows->failed) e = err_set(why, ERR_NOMEM, "out of memory");
    if (!e && rows->n)
        e = r->api->backend.rule_states(r->api->backend.ctx, r->tenant, rows->ids, rows->n, states);
    for (size_t i = 0; !e && i < rows->n;
         i++) { /* the object's last brace makes room for the state */
        size_t n = strlen(rows->texts[i]);
        char *longer = realloc(rows->texts[i], n + 32);
        if (!longer) {
            e = ERR_NOMEM;
            break;
        }
        rows->texts[i] = longer;
        snprintf(longer + n - 1, 33, ",\"state\":\"%s\"}", states[i] ? states[i] : "stale");
    }
    free(states);
    return e;
}

static void free_rules(struct rule_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) free(rows->texts[i]);
    free(rows->texts);
    free(rows->ids);
}

void list_rules(struct request *r)
{
    int64_t n = request_arg(r, "limit")->number;
    char limit[24], next[UUID_TEXT];
    const char *const params[] = { limit_plus_one(n, limit),
                                   uuid_or_null(request_arg(r, "after")) };
    struct rule_rows rows;
    struct why why = { 0 };
    enum err e = put_rules(r, QUERY_RULES, params, (size_t)n + 1, &rows, &why);
    struct buf *out = &r->reply.body;
    buf_puts(out, "{\"rules\":[");
    for (size_t i = 0; !e && i < rows.n && i < (size_t)n; i++) {
        if (i) buf_puts(out, ",");
        buf_puts(out, rows.texts[i]);
    }
    bool more = !e && rows.n > (size_t)n;
    if (more) uuid_format(rows.ids[n - 1], next);
    buf_printf(out, more ? "],\"next\":\"%s\"}" : "],\"next\":null%s}", more ? next : "");
    free_rules(&rows);
    if (e) reply_problem(r, e, &why);
    else reply_json(r, 200);
}

/* The rule at r->path_id as it stands, answered with `status`. */
static void reply_rule(struct request *r, int status)
{
    char id[UUID_TEXT];
    const char *param = id;
    uuid_format(r->path_id, id);
    struct rule_rows rows;
    struct why why = { 0 };
    enum err e = put_rules(r, QUERY_RULE, &param, 1, &rows, &why);
    if (!e && rows.n == 0) e = err_set(&why, ERR_NOT_FOUND, "no such rule");
    if (!e) buf_puts(&r->reply.body, rows.texts[0]);
    free_rules(&rows);
    if (e) reply_problem(r, e, &why);
    else reply_json(r, status);
}

void get_rule(struct request *r) { reply_rule(r, 200); }

/* The id of what this request makes: a function of tenant, route and Idempotency-Key when there is one, so that a repeat finds it. */
static struct uuid object_id(const struct request *r)
{
    const struct arg *key = request_arg(r, "Idempotency-Key");
    if (!key->given) return uuid_random();
    char text[512];
    uint8_t sum[SHA256_SIZE];
    int n = snprintf(text, sizeof text, "%s %s\n%s", method_name(r->route->method), r->route->path,
                     key->text);
    sha256(text, (size_t)n, sum);
    uint64_t x = 0, y = 0;
    for (int i = 0; i < 8; i++) {
        x = x << 8 | sum[i];
        y = y << 8 | sum[8 + i];
    }
    return uuid_derive(r->tenant, x, y);
}

static void change_rule(struct request *r, enum rule_change change, struct uuid id, int success)
{
    const struct rule_request q = { .tenant = r->tenant,
                                    .rule = id,
                                    .change = change,
                                    .definition = change == RULE_DELETE ? NULL : r->body.data,
                                    .definition_n = r->body.len };
    struct why why = { 0 };
    enum err e = r->api->backend.rule_change(r->api->backend.ctx, &q, &why);
    r->path_id = id;
    if (e == ERR_CONFLICT && change == RULE_CREATE) {
        reply_rule(r, 200);
        if (r->reply.status != 404) return;
        e = err_set(&why, ERR_DB,
                    "the first request with this Idempotency-Key is not committed yet");
    }
    if (e == ERR_NOT_FOUND && change == RULE_CREATE)
        e = err_set(&why, ERR_CONFLICT, "what this Idempotency-Key made has been deleted");
    if (e) return reply_problem(r, e, &why);
    if (change == RULE_CREATE) {
        char text[UUID_TEXT];
        uuid_format(id, text);
        snprintf(r->reply.location, sizeof r->reply.location, "/v1/rules/%s", text);
    }
    if (success == 204) reply_json(r, success);
    else reply_rule(r, success);
}

void post_rule(struct request *r) { change_rule(r, RULE_CREATE, object_id(r), 201); }
void put_rule(struct request *r) { change_rule(r, RULE_REPLACE, r->path_id, 200); }
void delete_rule(struct request *r) { change_rule(r, RULE_DELETE, r->path_id, 204); }

static void reply_by_id(struct request *r, enum query q)
{
    char id[UUID_TEXT];
    const char *param = id;
    uuid_format(r->path_id, id);
    reply_query(r, q, &param);
}

void get_rule_versions(struct request *r)
{
    char id[UUID_TEXT];
    const char *param = id;
    struct why why = { 0 };
    uuid_format(r->path_id, id);
    buf_puts(&r->reply.body, "{\"versions\":");
    enum err e = reader_text(r->db, r->tenant, QUERY_RULE_VERSIONS, &param, &r->reply.body, &why);
    buf_puts(&r->reply.body, "}");
    if (e) reply_problem(r, e, &why);
    else reply_json(r, 200);
}

/* ---- alerts ---- */
struct alert_page {
    struct buf *out;
    int64_t limit, n;
    uint64_t last;
    bool more;
};

static void add_alert(void *ctx, const struct alert *a)
{
    struct alert_page *p = ctx;
    if (p->n++ == p->limit) {
        p->more = true;
        return;
    }
    if (p->n > 1) buf_puts(p->out, ",");
    alert_render(a, p->out);
    p->last = a->stream_no;
}

void list_alerts(struct request *r)
{
    int64_t n = request_arg(r, "limit")->number;
    char limit[24], before[24];
    const struct arg *state = request_arg(r, "state");
    const char *const params[] = { limit_plus_one(n, limit),
                                   number_or_null(request_arg(r, "before"), before),
                                   uuid_or_null(request_arg(r, "rule")),
                                   state->given ? state->text : NULL };
    struct buf *out = &r->reply.body;
    struct alert_page p = { .out = out, .limit = n };
    struct why why = { 0 };
    buf_puts(out, "{\"alerts\":[");
    enum err e = reader_alerts(r->db, r->tenant, QUERY_ALERTS, params, add_alert, &p, &why);
    if (e) return reply_problem(r, e, &why);
    if (p.more) buf_printf(out, "],\"next\":%" PRIu64 "}", p.last);
    else buf_puts(out, "],\"next\":null}");
    reply_json(r, 200);
}

void get_alert(struct request *r)
{
    char id[UUID_TEXT];
    const char *param = id;
    uuid_format(r->path_id, id);
    struct alert_page p = { .out = &r->reply.body, .limit = 1 };
    struct why why = { 0 };
    enum err e = reader_alerts(r->db, r->tenant, QUERY_ALERT, &param, add_alert, &p, &why);
    if (!e && p.n == 0) e = err_set(&why, ERR_NOT_FOUND, "no such alert");
    if (e) reply_problem(r, e, &why);
    else reply_json(r, 200);
}

void get_stream(struct request *r)
{
    struct why why = { 0 };
    const struct arg *header = request_arg(r, "Last-Event-ID"),
                     *query = request_arg(r, "last_event_id");
    const struct arg *cursor = header->given ? header : query;
    r->reply.type = r->route->type;
    if (r->head) {
        r->reply.status = 200;
        return;
    }
    enum err e =
        stream_open(r->api->hub, r->db, r->tenant, &r->key, cursor->given ? &cursor->number : NULL,
                    r->connection, r->conn, &r->stream, &r->reply.stream, &why);
    if (e) reply_problem(r, e, &why);
    else r->reply.status = 200;
}

/* ---- channels ---- */
void list_channels(struct request *r)
{
    int64_t n = request_arg(r, "limit")->number;
    char limit[24];
    const char *const params[] = { limit_plus_one(n, limit),
                                   uuid_or_null(request_arg(r, "after")) };
    reply_page(r, "{\"channels\":[", QUERY_CHANNELS, params, n, false);
}

struct channel_input {
    char url[2001];
    uint8_t secret[SECRET_MAX];
    size_t secret_n;
};

static enum err read_channel(struct request *r, struct channel_input *out, struct why *why)
{
    static const char *const kinds[] = { "webhook", NULL };
    static const char prefix[] = "whsec_";
    AUTO_JSON json_t *body = NULL;
    enum err e = json_load_strict(r->body.data ? r->body.data : "", r->body.len, &body, why);
    if (e) return e;
    struct json_fields f = json_fields_begin(body, why);
    json_want_choice(&f, "kind", kinds, -1);
    const char *url = json_want_string(&f, "url", 1, sizeof out->url - 1, JSON_REQUIRED);
    const char *secret = json_want_string(&f, "secret", 1, 200, NULL);
    e = json_fields_end(&f);
    if (e) return e;
    snprintf(out->url, sizeof out->url, "%s", url);
    out->secret_n = SECRET_MADE;
    if (!secret) random_bytes(out->secret, SECRET_MADE);
    else if (strncmp(secret, prefix, sizeof prefix - 1) != 0
             || !base64_decode(secret + sizeof prefix - 1, strlen(secret) - (sizeof prefix - 1),
                               out->secret, SECRET_MAX, &out->secret_n)
             || out->secret_n < SECRET_MIN)
        return err_set(why, ERR_INVALID,
                       "field \"secret\" must be whsec_ and base64 of %d to %d bytes", SECRET_MIN,
                       SECRET_MAX);
    if (!r->api->backend.channel_check)
        return err_set(why, ERR_FORBIDDEN, "channels are switched off");
    return r->api->backend.channel_check(r->api->backend.ctx, out->url, why);
}

/* The id was there already, or there are too many. */
static void reply_channel_not_added(struct request *r, const char *id)
{
    AUTO_BUF struct buf state = { 0 };
    struct why why = { 0 };
    enum err e = reader_text(r->db, r->tenant, QUERY_CHANNEL_STATE, &id, &state, &why);
    if (e == ERR_NOT_FOUND) e = err_set(&why, ERR_LIMIT, "at most %d channels", CHANNELS_MAX);
    else if (!e && strcmp(state.data, "there") != 0)
        e = err_set(&why, ERR_CONFLICT, "what this Idempotency-Key made has been deleted");
    if (e) reply_problem(r, e, &why);
    else reply_query(r, QUERY_CHANNEL, &id);
}

void post_channel(struct request *r)
{
    struct channel_input in = { 0 };
    struct why why = { 0 };
    enum err e = read_channel(r, &in, &why);
    if (e) return reply_problem(r, e, &why);
    char id[UUID_TEXT], hex[2 * SECRET_MAX + 1], most[16], base64[BASE64_TEXT_MAX(SECRET_MAX)];
    uuid_format(object_id(r), id);
    for (size_t i = 0; i < in.secret_n; i++) snprintf(hex + 2 * i, 3, "%02x", in.secret[i]);
    snprintf(most, sizeof most, "%d", CHANNELS_MAX);
    const char *const params[] = { id, in.url, hex, most };
    struct buf *out = &r->reply.body;
    e = reader_text(r->db, r->tenant, QUERY_CHANNEL_ADD, params, out, &why);
    if (e == ERR_NOT_FOUND) {
        reply_channel_not_added(r, id);
    } else if (e) {
        reply_problem(r, e, &why);
    } else {
        out->len--; /* the object's last brace */
        base64_encode(in.secret, in.secret_n, base64);
        buf_printf(out, ",\"secret\":\"whsec_%s\"}", base64);
        snprintf(r->reply.location, sizeof r->reply.location, "/v1/channels/%s", id);
        reply_json(r, 201);
    }
    explicit_bzero(&in, sizeof in);
    explicit_bzero(hex, sizeof hex);
    explicit_bzero(base64, sizeof base64);
}

void get_channel(struct request *r) { reply_by_id(r, QUERY_CHANNEL); }

void delete_channel(struct request *r)
{
    char id[UUID_TEXT];
    const char *param = id;
    struct why why = { 0 };
    uuid_format(r->path_id, id);
    enum err e = reader_text(r->db, r->tenant, QUERY_CHANNEL_DELETE, &param, &r->reply.body, &why);
    buf_clear(&r->reply.body);
    if (e) reply_problem(r, e, &why);
    else reply_json(r, 204);
}

void get_deliveries(struct request *r)
{
    char id[UUID_TEXT];
    const char *param = id;
    AUTO_BUF struct buf channel = { 0 };
    struct why why = { 0 };
    uuid_format(r->path_id, id);
    enum err e = reader_text(r->db, r->tenant, QUERY_CHANNEL, &param, &channel, &why);
    buf_puts(&r->reply.body, "{\"deliveries\":");
    if (!e) e = reader_text(r->db, r->tenant, QUERY_DELIVERIES, &param, &r->reply.body, &why);
    buf_puts(&r->reply.body, "}");
    if (e) reply_problem(r, e, &why);
    else reply_json(r, 200);
}

/* ---- without a key ---- */
void get_openapi(struct request *r)
{
    r->reply.fixed = r->api->openapi.data;
    r->reply.fixed_n = r->api->openapi.len;
    r->reply.cacheable = true;
    reply_json(r, 200);
}

void get_healthz(struct request *r)
{
    buf_puts(&r->reply.body, "{\"status\":\"ok\"}");
    reply_json(r, 200);
}

void get_readyz(struct request *r)
{
    bool ready = r->api->backend.ready(r->api->backend.ctx, &r->reply.body);
    reply_json(r, ready ? 200 : 503);
}

void get_metrics(struct request *r)
{
    metrics_render(&r->reply.body);
    reply_json(r, 200);
    r->reply.type = r->route->type;
}
