/* alerts.c - what the rules have said. */
#include "api/answer.h"

struct alert_page {
    struct json_writer *w;
    const char *url; /* of the page that alerts link to */
    int64_t limit, n;
    uint64_t last; /* stream_no of the last one shown */
};

static void add_alert(void *ctx, const struct alert *a)
{
    struct alert_page *p = ctx;
    if (p->n++ >= p->limit) return;
    AUTO_BUF struct buf text = { 0 };
    alert_render(a, p->url, &text);
    if (buf_ok(&text)) json_put_raw(p->w, NULL, text.data, text.len);
    else p->w->out->failed = true;
    p->last = a->stream_no;
}

static void list_alerts(struct request *r)
{
    int64_t n = request_arg(r, "limit")->number;
    char limit[NUMBER_TEXT], before[NUMBER_TEXT];
    const struct arg *state = request_arg(r, "state");
    const char *const params[] = { limit_plus_one(n, limit),
                                   arg_number(request_arg(r, "before"), before),
                                   arg_uuid(request_arg(r, "rule")),
                                   state->given ? state->text : NULL };
    struct json_writer w = json_write(&r->reply.body);
    struct alert_page p = { .w = &w, .url = r->api->cfg.public_url, .limit = n };
    struct why why = { 0 };
    json_put_object(&w, NULL);
    json_put_array(&w, "alerts");
    enum err e = reader_alerts(r->db, r->tenant, QUERY_ALERTS, params, add_alert, &p, &why);
    if (e) return reply_problem(r, e, &why);
    json_put_end(&w);
    if (p.n > n) json_put_uint(&w, "next", p.last);
    else json_put_null(&w, "next");
    json_put_end(&w);
    reply_json(r, 200);
}

static void get_alert(struct request *r)
{
    char id[UUID_TEXT];
    const char *param = id;
    uuid_format(r->path_id, id);
    struct json_writer w = json_write(&r->reply.body);
    struct alert_page p = { .w = &w, .url = r->api->cfg.public_url, .limit = 1 };
    struct why why = { 0 };
    enum err e = reader_alerts(r->db, r->tenant, QUERY_ALERT, &param, add_alert, &p, &why);
    if (!e && p.n == 0) e = err_set(&why, ERR_NOT_FOUND, "no such alert");
    if (e) reply_problem(r, e, &why);
    else reply_json(r, 200);
}

static const struct arg_spec alerts_args[] = {
    ARG_LIMIT(1000, 100),
    ARG_BEFORE("Cursor: alerts with a smaller stream_no"),
    { .name = "rule",
      .type = ARG_UUID,
      .help = "Only of this rule",
      .example = "7f2c1f9e-64e4-4d3b-9d5c-0a6d5a0a9b11" },
    { .name = "state",
      .type = ARG_CHOICE,
      .choices = "firing|resolved",
      .help = "Only in this state",
      .example = "firing" },
    { 0 },
};

static const struct field alert_rule_fields[] = {
    { .name = "id", .type = FIELD_UUID },
    { .name = "version", .type = FIELD_INT },
    { .name = "name", .type = FIELD_TEXT },
    { .name = "text", .type = FIELD_TEXT },
    { 0 },
};
static const struct field condition_fields[] = {
    { .name = "op", .type = FIELD_TEXT, .names = &rule_op_names },
    { .name = "threshold", .type = FIELD_REAL },
    { .name = "clear", .type = FIELD_REAL, .help = "it resolves beyond this" },
    { .name = "hold_s", .type = FIELD_INT },
    { .name = "hold_in", .type = FIELD_TEXT, .names = &rule_hold_names },
    { .name = "at", .type = FIELD_TEXT, .names = &rule_at_names },
    { 0 },
};
static const struct field alert_fields[] = {
    { .name = "type", .type = FIELD_TEXT, .choices = "alert.firing|alert.resolved" },
    { .name = "id", .type = FIELD_UUID },
    { .name = "stream_no", .type = FIELD_INT },
    { .name = "seq", .type = FIELD_INT },
    { .name = "time", .type = FIELD_TIME },
    { .name = "rule", .type = FIELD_ONE, .of = "AlertRule" },
    { .name = "severity", .type = FIELD_TEXT, .names = &severity_names },
    { .name = "state", .type = FIELD_TEXT, .names = &alert_state_names },
    { .name = "reason",
      .type = FIELD_TEXT,
      .names = &alert_reason_names,
      .help = "met of a firing; why a resolution is one" },
    { .name = "episode",
      .type = FIELD_UUID,
      .nullable = true,
      .help = "one for a firing and its resolution; null: from before there were any" },
    { .name = "since",
      .type = FIELD_TIME,
      .nullable = true,
      .help = "when the condition of the episode came true" },
    { .name = "measure", .type = FIELD_TEXT },
    { .name = "definition",
      .type = FIELD_OBJECT,
      .nullable = true,
      .help = "the measure, what it is `of` (a name, or a measure like this one), its version, and "
              "every parameter spelled out; null: from before there were any" },
    { .name = "condition", .type = FIELD_ONE, .of = "AlertCondition" },
    { .name = "value", .type = FIELD_REAL, .nullable = true },
    { .name = "previous",
      .type = FIELD_REAL,
      .nullable = true,
      .help = "the value before this one" },
    { .name = "unit", .type = FIELD_TEXT },
    { .name = "inputs",
      .type = FIELD_OBJECT,
      .help = "what the value was computed from; shares and returns in per cent, as in values" },
    { .name = "summary", .type = FIELD_TEXT, .help = "a sentence for a person" },
    { .name = "link",
      .type = FIELD_TEXT,
      .nullable = true,
      .help = "the page, at this alert; null: the service has no api.public_url" },
    { 0 },
};
static const struct field alerts_fields[] = {
    { .name = "alerts", .type = FIELD_LIST, .of = "Alert" },
    { .name = "next", .type = FIELD_INT, .nullable = true },
    { 0 },
};
static const struct schema schemas[] = {
    { .name = "AlertRule", .fields = alert_rule_fields },
    { .name = "AlertCondition", .fields = condition_fields },
    { .name = "Alert", .fields = alert_fields },
    { .name = "Alerts", .fields = alerts_fields },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/alerts",
      .id = "listAlerts",
      .summary = "Your alerts, newest first",
      .help = "`next` is the `before` of the next page; null: that was all. An alert is the "
              "same, byte for byte, here, on the stream and in a webhook.",
      .handler = list_alerts,
      .flags = ROUTE_KEY | ROUTE_DB,
      .args = alerts_args,
      .answers = { { .status = 200, .schema = "Alerts" } } },
    { .method = METHOD_GET,
      .path = "/v1/alerts/{id}",
      .id = "getAlert",
      .summary = "An alert",
      .help = "By the `id` that stream and webhook name.",
      .handler = get_alert,
      .flags = ROUTE_KEY | ROUTE_DB | ROUTE_404,
      .answers = { { .status = 200, .schema = "Alert" } } },
};

const struct resource resource_alerts = { .name = "alerts",
                                          .help = "What the rules have said",
                                          RESOURCE_TABLES };
