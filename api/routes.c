#include "api/routes.h"

#include "api/handlers.h"
#include "core/when.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MEASURE_TEXT_MAX = 256 };
#define ID_MAX INT64_MAX

#define LIMIT(most, usual)                                                                         \
    { .name = "limit",                                                                             \
      .kind = PARAM_INT,                                                                           \
      .min = 1,                                                                                    \
      .max = most,                                                                                 \
      .missing = usual,                                                                            \
      .help = "How many, at most",                                                                 \
      .example = "10" }
#define AFTER_ID                                                                                   \
    { .name = "after",                                                                             \
      .kind = PARAM_UUID,                                                                          \
      .help = "Cursor: the next of the page before",                                               \
      .example = "7f2c1f9e-64e4-4d3b-9d5c-0a6d5a0a9b11" }
#define IDEMPOTENCY                                                                                                             \
    { .name = "Idempotency-Key",                                                                                                \
      .where = IN_HEADER,                                                                                                       \
      .kind = PARAM_TEXT,                                                                                                       \
      .min = 1,                                                                                                                 \
      .max = 200,                                                                                                               \
      .help =                                                                                                                   \
          "1 to 200 visible ASCII characters. The same key makes the same object: a repeat is answered 200 with what is there", \
      .example = "order-2026-07-30-a" }

static const struct param measures_params[] = {
    { .name = "m",
      .kind = PARAM_TEXT,
      .min = 1,
      .max = MEASURE_TEXT_MAX,
      .many = true,
      .help = "Canonical text of a measure; all that you may see when absent",
      .example = "hhi(DEMO)" },
    { .name = "If-None-Match",
      .where = IN_HEADER,
      .kind = PARAM_TEXT,
      .min = 0,
      .max = 1000,
      .help = "ETag of an earlier answer: 304 when nothing is newer",
      .example = "\\\"m-0\\\"" },
    { 0 }
};
static const struct param history_params[] = {
    { .name = "m",
      .kind = PARAM_TEXT,
      .min = 1,
      .max = MEASURE_TEXT_MAX,
      .required = true,
      .help = "Canonical text of a measure",
      .example = "hhi(DEMO)" },
    { .name = "from",
      .kind = PARAM_TIME,
      .help = "First event time: RFC 3339, a date, or ns since 1970",
      .example = "2018-01-02" },
    { .name = "to",
      .kind = PARAM_TIME,
      .help = "Event time to end before",
      .example = "2018-02-08T00:00:00Z" },
    { .name = "after",
      .kind = PARAM_INT,
      .min = 0,
      .max = ID_MAX,
      .missing = -1,
      .help = "Cursor: the next of the page before",
      .example = "0" },
    { .name = "order",
      .kind = PARAM_CHOICE,
      .choices = "asc|desc",
      .help = "Oldest or newest first",
      .example = "asc" },
    LIMIT(10000, 1000),
    { 0 }
};
static const struct param constituents_params[] = { { .name = "index",
                                                      .kind = PARAM_TEXT,
                                                      .min = 1,
                                                      .max = 63,
                                                      .required = true,
                                                      .help = "Name of an index",
                                                      .example = "DEMO" },
                                                    { .name = "n",
                                                      .kind = PARAM_INT,
                                                      .min = 1,
                                                      .max = 50,
                                                      .missing = 10,
                                                      .help = "How many of the largest",
                                                      .example = "10" },
                                                    { 0 } };
static const struct param articles_params[] = { LIMIT(100, 20),
                                                { .name = "before",
                                                  .kind = PARAM_INT,
                                                  .min = 0,
                                                  .max = ID_MAX,
                                                  .missing = -1,
                                                  .help = "Cursor: the next of the page before",
                                                  .example = "1000000" },
                                                { 0 } };
static const struct param page_params[] = { LIMIT(1000, 100), AFTER_ID, { 0 } };
static const struct param alerts_params[] = { LIMIT(1000, 100),
                                              { .name = "before",
                                                .kind = PARAM_INT,
                                                .min = 0,
                                                .max = ID_MAX,
                                                .missing = -1,
                                                .help = "Cursor: alerts with a smaller stream_no",
                                                .example = "1000000" },
                                              { .name = "rule",
                                                .kind = PARAM_UUID,
                                                .help = "Only of this rule",
                                                .example = "7f2c1f9e-64e4-4d3b-9d5c-0a6d5a0a9b11" },
                                              { .name = "state",
                                                .kind = PARAM_CHOICE,
                                                .choices = "|firing|resolved",
                                                .help = "Only in this state",
                                                .example = "firing" },
                                              { 0 } };
static const struct param stream_params[] = {
    { .name = "Last-Event-ID",
      .where = IN_HEADER,
      .kind = PARAM_INT,
      .min = 0,
      .max = ID_MAX,
      .missing = -1,
      .help = "stream_no of the last alert read: resumes after it",
      .example = "0" },
    { .name = "last_event_id",
      .kind = PARAM_INT,
      .min = 0,
      .max = ID_MAX,
      .missing = -1,
      .help = "The same where no header can be set; the header wins",
      .example = "0" },
    { 0 }
};
static const struct param create_params[] = { IDEMPOTENCY, { 0 } };

#define RULE_EXAMPLE                                                                                                                        \
    "{'id':'7f2c1f9e-64e4-4d3b-9d5c-0a6d5a0a9b11','version':1,'name':'HHI high','rule':'hhi(DEMO) >= 180','measure':'hhi(DEMO)','op':'>='," \
    "'threshold':'180','clear':'170','hold_s':0,'cooldown_s':0,'severity':'warning','on_create':'fire','enabled':true,'state':'ok',"        \
    "'created_at':'2026-07-30T09:00:00.000000Z','updated_at':'2026-07-30T09:00:00.000000Z'}"
#define RULE_IN_EXAMPLE                                                                            \
    "{'name':'HHI high','rule':'hhi(DEMO) >= 180','clear':'170','severity':'warning'}"
#define VERSION_EXAMPLE                                                                                                               \
    "{'version':1,'seq':1200,'change':'created','made_at':'2026-07-30T09:00:00.000000Z','name':'HHI high','rule':'hhi(DEMO) >= 180'," \
    "'measure':'hhi(DEMO)','op':'>=','threshold':'180','clear':'170','hold_s':0,'cooldown_s':0,'severity':'warning','on_create':'fire','enabled':true}"
#define ALERT_EXAMPLE                                                                                                                         \
    "{'type':'alert.firing','id':'0b54b2a4-8a0e-8d5e-9f3e-6a8f0f7f2b10','stream_no':7,'seq':1234,'time':'2018-02-05T20:00:00Z','rule':{'id':" \
    "'7f2c1f9e-64e4-4d3b-9d5c-0a6d5a0a9b11','version':1,'name':'HHI high','text':'hhi(DEMO) >= 180'},'severity':'warning','state':'firing',"  \
    "'measure':'hhi(DEMO)','value':181.2,'unit':'x 10,000','inputs':{}}"
#define CHANNEL_EXAMPLE_FIELDS                                                                                      \
    "'id':'5d1c0d0e-2f5a-4e0c-8a3b-1b1f6a7c9d22','kind':'webhook','url':'https://example.com/hook','enabled':true," \
    "'disabled_reason':null,'failing_since':null,'created_at':'2026-07-30T09:00:00.000000Z'"
#define SECRET_EXAMPLE "'secret':'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo='"

const struct route routes[] = {
    { METHOD_GET, "/v1/measures", "getMeasures", get_measures,
      ROUTE_KEY | ROUTE_404 | ROUTE_304 | ROUTE_503,
      "Measures as they stand, each with its evidence", measures_params, NULL, NULL, 200,
      "Measures",
      "{'seq':1234,'time':'2018-02-05T20:00:00Z','measures':[{'measure':'hhi(DEMO)','value':181.2,'unit':'x 10,000',"
      "'time':'2018-02-05T20:00:00Z','coverage':1,'staleness_ms':0,'status':'ok','version':1}]}",
      NULL },
    { METHOD_GET, "/v1/measures/history", "getHistory", get_history,
      ROUTE_KEY | ROUTE_DB | ROUTE_404, "A measure over time: a point a clock tick and session end",
      history_params, NULL, NULL, 200, "History",
      "{'measure':'hhi(DEMO)','unit':'x 10,000','points':[{'seq':1234,'time':'2018-02-05T20:00:00Z','value':181.2,"
      "'coverage':1,'status':'ok'}],'next':null}",
      NULL },
    { METHOD_GET, "/v1/constituents", "getConstituents", get_constituents,
      ROUTE_KEY | ROUTE_404 | ROUTE_503, "The largest issuers of an index", constituents_params,
      NULL, NULL, 200, "Constituents",
      "{'index':'DEMO','seq':1234,'time':'2018-02-05T20:00:00Z','members':500,'constituents':[{'issuer':'APPLE',"
      "'name':'Apple Inc.','symbol':'AAPL','price':'156.49','weight':0.0361}]}",
      NULL },
    { METHOD_GET, "/v1/articles", "getArticles", get_articles, ROUTE_KEY | ROUTE_DB,
      "Newest articles with their sentiment", articles_params, NULL, NULL, 200, "Articles",
      "{'articles':[{'seq':1200,'id':'n-1','time':'2018-02-05T20:00:00Z','headline':'Apple beats estimates','source':'wire',"
      "'label':'positive','score':0.8,'positive':0.9,'neutral':0.1,'negative':0.1,'tickers':[{'symbol':'AAPL','score':0.8,'label':'positive','relevance':1}],"
      "'scorer':'lexicon-1'}],'next':null}",
      NULL },
    { METHOD_GET, "/v1/status", "getStatus", get_status, ROUTE_KEY | ROUTE_DB,
      "Where the one order and its sources stand", NULL, NULL, NULL, 200, "Status",
      "{'seq':1234,'sources':[{'source_id':1,'topic':'ticks','partition':0,'epoch':1,'next_offset':1200,'reason':'first seen',"
      "'started_at':'2026-07-30T09:00:00.000000Z'}],'gaps':[]}",
      NULL },
    { METHOD_GET, "/v1/rules", "listRules", list_rules, ROUTE_KEY | ROUTE_DB | ROUTE_ENGINE,
      "Your rules, oldest first", page_params, NULL, NULL, 200, "Rules",
      "{'rules':[" RULE_EXAMPLE "],'next':null}", NULL },
    { METHOD_POST, "/v1/rules", "createRule", post_rule,
      ROUTE_KEY | ROUTE_DB | ROUTE_ENGINE | ROUTE_REPEAT | ROUTE_409 | ROUTE_429, "Create a rule",
      create_params, "RuleInput", RULE_IN_EXAMPLE, 201, "Rule", RULE_EXAMPLE, NULL },
    { METHOD_GET, "/v1/rules/{id}", "getRule", get_rule,
      ROUTE_KEY | ROUTE_DB | ROUTE_ENGINE | ROUTE_404, "A rule", NULL, NULL, NULL, 200, "Rule",
      RULE_EXAMPLE, NULL },
    { METHOD_PUT, "/v1/rules/{id}", "replaceRule", put_rule,
      ROUTE_KEY | ROUTE_DB | ROUTE_ENGINE | ROUTE_404 | ROUTE_409 | ROUTE_429,
      "Replace a rule's definition: a new version", NULL, "RuleInput", RULE_IN_EXAMPLE, 200, "Rule",
      RULE_EXAMPLE, NULL },
    { METHOD_DELETE, "/v1/rules/{id}", "deleteRule", delete_rule,
      ROUTE_KEY | ROUTE_DB | ROUTE_ENGINE | ROUTE_404 | ROUTE_409,
      "Delete a rule; its versions stay", NULL, NULL, NULL, 204, NULL, NULL, NULL },
    { METHOD_GET, "/v1/rules/{id}/versions", "getRuleVersions", get_rule_versions,
      ROUTE_KEY | ROUTE_DB | ROUTE_404, "Every version a rule has had, newest first", NULL, NULL,
      NULL, 200, "RuleVersions", "{'versions':[" VERSION_EXAMPLE "]}", NULL },
    { METHOD_GET, "/v1/alerts", "listAlerts", list_alerts, ROUTE_KEY | ROUTE_DB,
      "Your alerts, newest first", alerts_params, NULL, NULL, 200, "Alerts",
      "{'alerts':[" ALERT_EXAMPLE "],'next':null}", NULL },
    { METHOD_GET, "/v1/alerts/{id}", "getAlert", get_alert, ROUTE_KEY | ROUTE_DB | ROUTE_404,
      "An alert", NULL, NULL, NULL, 200, "Alert", ALERT_EXAMPLE, NULL },
    { METHOD_GET, "/v1/stream", "streamAlerts", get_stream, ROUTE_KEY | ROUTE_DB,
      "Your alerts as they are committed: server-sent events whose id is the stream_no and "
      "whose data is an Alert",
      stream_params, NULL, NULL, 200, NULL, NULL, "text/event-stream" },
    { METHOD_GET, "/v1/channels", "listChannels", list_channels, ROUTE_KEY | ROUTE_DB,
      "Your channels, oldest first", page_params, NULL, NULL, 200, "Channels",
      "{'channels':[{" CHANNEL_EXAMPLE_FIELDS "}],'next':null}", NULL },
    { METHOD_POST, "/v1/channels", "createChannel", post_channel,
      ROUTE_KEY | ROUTE_DB | ROUTE_REPEAT | ROUTE_409 | ROUTE_429,
      "Create a channel; the secret is shown this once", create_params, "ChannelInput",
      "{'kind':'webhook','url':'https://example.com/hook'}", 201, "ChannelMade",
      "{" CHANNEL_EXAMPLE_FIELDS "," SECRET_EXAMPLE "}", NULL },
    { METHOD_GET, "/v1/channels/{id}", "getChannel", get_channel, ROUTE_KEY | ROUTE_DB | ROUTE_404,
      "A channel", NULL, NULL, NULL, 200, "Channel", "{" CHANNEL_EXAMPLE_FIELDS "}", NULL },
    { METHOD_DELETE, "/v1/channels/{id}", "deleteChannel", delete_channel,
      ROUTE_KEY | ROUTE_DB | ROUTE_404, "Delete a channel", NULL, NULL, NULL, 204, NULL, NULL,
      NULL },
    { METHOD_GET, "/v1/channels/{id}/deliveries", "getDeliveries", get_deliveries,
      ROUTE_KEY | ROUTE_DB | ROUTE_404, "The newest 100 deliveries of a channel", NULL, NULL, NULL,
      200, "Deliveries",
      "{'deliveries':[{'alert_id':'0b54b2a4-8a0e-8d5e-9f3e-6a8f0f7f2b10','stream_no':7,'status':'delivered','attempts':1,"
      "'next_attempt':null,'last_status':204,'last_error':null,'created_at':'2026-07-30T09:00:00.000000Z','finished_at':'2026-07-30T09:00:01.000000Z'}]}",
      NULL },
    { METHOD_GET, "/openapi.json", "getOpenapi", get_openapi, 0, "This description", NULL, NULL,
      NULL, 200, NULL, NULL, "application/json" },
    { METHOD_GET, "/healthz", "getHealth", get_healthz, 0, "Whether the process answers", NULL,
      NULL, NULL, 200, "Health", "{'status':'ok'}", NULL },
    { METHOD_GET, "/readyz", "getReady", get_readyz, ROUTE_503,
      "Whether it does its work; 503 with the reasons when not", NULL, NULL, NULL, 200, "Ready",
      "{'ready':true,'reasons':[]}", NULL },
    { METHOD_GET, "/metrics", "getMetrics", get_metrics, 0,
      "Operational counters in Prometheus text format", NULL, NULL, NULL, 200, NULL, NULL,
      "text/plain; version=0.0.4; charset=utf-8" },
};
const size_t routes_n = ARRAY_LEN(routes);

const char *method_name(enum method m)
{
    static const char *const names[METHOD_COUNT] = { "GET", "POST", "PUT", "DELETE" };
    return names[m];
}

/* {id} matches what reads as a uuid and nothing else: an id of another shape is no such path */
static bool path_matches(const char *template, const char *path, struct uuid *out)
{
    while (*template) {
        if (strncmp(template, "{id}", 4) != 0) {
            if (*template ++ != *path++) return false;
            continue;
        }
        size_t n = strcspn(path, "/");
        if (uuid_parse(path, n, out)) return false;
        template += 4;
        path += n;
    }
    return *path == '\0';
}

const struct route *route_find(const char *path, int method, struct uuid *out_id,
                               const char **allow)
{
    static const char *const allows[1 << METHOD_COUNT] = {
        [1 << METHOD_GET] = "GET, HEAD",
        [1 << METHOD_GET | 1 << METHOD_POST] = "GET, HEAD, POST",
        [1 << METHOD_GET | 1 << METHOD_DELETE] = "GET, HEAD, DELETE",
        [1 << METHOD_GET | 1 << METHOD_PUT | 1 << METHOD_DELETE] = "GET, HEAD, PUT, DELETE",
    };
    unsigned there = 0;
    *allow = NULL;
    for (size_t i = 0; i < routes_n; i++) {
        if (!path_matches(routes[i].path, path, out_id)) continue;
        if ((int)routes[i].method == method) return &routes[i];
        there |= 1u << routes[i].method;
    }
    assert(!there || allows[there]); /* a new set of methods needs its row above */
    *allow = allows[there];
    return NULL;
}

static const char *header_value(const struct request *r, const char *name)
{
    return strcmp(name, "Idempotency-Key") == 0 ? r->idempotency_key
           : strcmp(name, "Last-Event-ID") == 0 ? r->last_event_id
                                                : r->if_none_match;
}

static bool choice_ok(const char *choices, const char *value)
{
    size_t n = strlen(value);
    for (const char *c = choices; n && c; c = strchr(c, '|') ? strchr(c, '|') + 1 : NULL)
        if (strncmp(c, value, n) == 0 && (c[n] == '|' || c[n] == '\0')) return true;
    return false;
}

static enum err read_arg(const struct param *p, const char *value, struct arg *out, struct why *why)
{
    *out = (struct arg){ .given = value != NULL, .text = value, .number = p->missing };
    if (!value)
        return p->required ? err_set(why, ERR_INVALID, "parameter \"%s\" is missing", p->name)
                           : ERR_OK;
    size_t n = strlen(value);
    switch (p->kind) {
    case PARAM_INT:
        if (number_parse(value, &out->number) || out->number < p->min || out->number > p->max)
            return err_set(why, ERR_INVALID,
                           "parameter \"%s\" must be an integer from %" PRId64 " to %" PRId64,
                           p->name, p->min, p->max);
        return ERR_OK;
    case PARAM_UUID:
        return uuid_parse(value, n, &out->uuid)
                   ? err_set(why, ERR_INVALID, "parameter \"%s\" must be a uuid", p->name)
                   : ERR_OK;
    case PARAM_TIME: {
        struct why detail = { 0 };
        if (when_parse(value, n, &out->number, &detail))
            return err_set(why, ERR_INVALID, "parameter \"%s\": %s", p->name, detail.text);
        return ERR_OK;
    }
    case PARAM_CHOICE:
        return choice_ok(p->choices, value)
                   ? ERR_OK
                   : err_set(why, ERR_INVALID, "parameter \"%s\" must be one of %s", p->name,
                             p->choices + (*p->choices == '|'));
    case PARAM_TEXT: break;
    }
    if ((int64_t)n < p->min || (int64_t)n > p->max)
        return err_set(why, ERR_INVALID,
                       "parameter \"%s\" must have %" PRId64 " to %" PRId64 " bytes", p->name,
                       p->min, p->max);
    for (size_t i = 0; p->min > 0 && i < n; i++)
        if (value[i] < (p->where == IN_HEADER ? 0x21 : 0x20) || value[i] > 0x7E)
            return err_set(why, ERR_INVALID, "\"%s\" must be visible ASCII", p->name);
    return ERR_OK;
}

static enum err check_query(const struct route *route, const struct target *t, struct why *why)
{
    for (size_t i = 0; i < t->args_n; i++) {
        const struct param *p = route->params;
        while (p && p->name && (p->where != IN_QUERY || strcmp(p->name, t->args[i].name) != 0)) p++;
        if (!p || !p->name)
            return err_set(why, ERR_INVALID, "unknown query parameter \"%.60s\"", t->args[i].name);
        if (!p->many && target_arg(t, p->name) != t->args[i].value)
            return err_set(why, ERR_INVALID, "parameter \"%s\" came twice", p->name);
        struct arg ignored;
        enum err e = read_arg(p, t->args[i].value, &ignored, why);
        if (e) return e;
    }
    return ERR_OK;
}

enum err route_args(const struct route *route, struct request *r, struct why *why)
{
    enum err e = check_query(route, &r->target, why);
    const struct param *p = route->params;
    for (int i = 0; !e && p && p[i].name; i++) {
        assert(i < PARAMS_MAX);
        e = read_arg(&p[i],
                     p[i].where == IN_QUERY ? target_arg(&r->target, p[i].name)
                                            : header_value(r, p[i].name),
                     &r->args[i], why);
    }
    return e;
}

const struct arg *request_arg(const struct request *r, const char *name)
{
    const struct param *p = r->route->params;
    int i = 0;
    while (p[i].name && strcmp(p[i].name, name) != 0) i++;
    assert(p[i].name); /* a handler asks only for what its row declares */
    return &r->args[i];
}
