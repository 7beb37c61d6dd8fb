/* channels.c - where a tenant's alerts are pushed to, and how that went. */
#include "api/answer.h"
#include "core/json.h"

#include <stdio.h>
#include <string.h>

enum { CHANNELS_MAX = 100, SECRET_MIN = 24, SECRET_MAX = 64, SECRET_MADE = 32 };

/* ---- reading ---- */
static void list_channels(struct request *r)
{
    int64_t n = request_arg(r, "limit")->number;
    char limit[NUMBER_TEXT];
    const char *const params[] = { limit_plus_one(n, limit), arg_uuid(request_arg(r, "after")) };
    struct json_writer w = json_write(&r->reply.body);
    json_put_object(&w, NULL);
    reply_page(r, &w,
               &(struct page){ .name = "channels",
                               .query = QUERY_CHANNELS,
                               .params = params,
                               .limit = n,
                               .cursor = CURSOR_UUID });
}

static void get_channel(struct request *r) { reply_by_id(r, QUERY_CHANNEL); }

static void get_deliveries(struct request *r)
{
    char id[UUID_TEXT];
    const char *param = id;
    AUTO_BUF struct buf channel = { 0 }, deliveries = { 0 };
    struct why why = { 0 };
    uuid_format(r->path_id, id);
    enum err e = reader_text(r->db, r->tenant, QUERY_CHANNEL, &param, &channel, &why);
    if (!e) e = reader_text(r->db, r->tenant, QUERY_DELIVERIES, &param, &deliveries, &why);
    if (e) return reply_problem(r, e, &why);
    struct json_writer w = json_write(&r->reply.body);
    json_put_object(&w, NULL);
    json_put_raw(&w, "deliveries", deliveries.data, deliveries.len);
    json_put_end(&w);
    reply_json(r, 200);
}

/* ---- changing ---- */
struct channel_input {
    char url[2001];
    uint8_t secret[SECRET_MAX];
    size_t secret_n;
};

/* whsec_ and base64 of 24 to 64 bytes; made here when the tenant gives none. */
static enum err read_secret(const char *text, struct channel_input *out, struct why *why)
{
    static const char prefix[] = "whsec_";
    const size_t prefix_n = sizeof prefix - 1;
    out->secret_n = SECRET_MADE;
    if (!text) {
        random_bytes(out->secret, SECRET_MADE);
        return ERR_OK;
    }
    if (strncmp(text, prefix, prefix_n) != 0
        || !base64_decode(text + prefix_n, strlen(text) - prefix_n, out->secret, SECRET_MAX,
                          &out->secret_n)
        || out->secret_n < SECRET_MIN)
        return err_set(why, ERR_INVALID,
                       "field \"secret\" must be whsec_ and base64 of %d to %d bytes", SECRET_MIN,
                       SECRET_MAX);
    return ERR_OK;
}

static enum err read_channel(struct request *r, struct channel_input *out, struct why *why)
{
    static const char *const kinds[] = { "webhook", NULL };
    const struct api_backend *b = &r->api->backend;
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
    e = read_secret(secret, out, why);
    if (e) return e;
    if (!b->channel_check) return err_set(why, ERR_FORBIDDEN, "channels are switched off");
    return b->channel_check(b->ctx, out->url, why);
}

/* The id was there already, or there are too many. */
static void reply_not_added(struct request *r, const char *id)
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

/* The channel as it was stored, and the secret, which is shown this once. */
static void reply_made(struct request *r, const struct channel_input *in, const char *id)
{
    struct buf *out = &r->reply.body;
    char base64[BASE64_TEXT_MAX(SECRET_MAX)];
    base64_encode(in->secret, in->secret_n, base64);
    out->len--; /* the object's last brace */
    buf_printf(out, ",\"secret\":\"whsec_%s\"}", base64);
    explicit_bzero(base64, sizeof base64);
    snprintf(r->reply.location, sizeof r->reply.location, "/v1/channels/%s", id);
    reply_json(r, 201);
}

static void add_channel(struct request *r, const struct channel_input *in)
{
    char id[UUID_TEXT], hex[2 * SECRET_MAX + 1], most[16];
    struct why why = { 0 };
    uuid_format(object_id(r), id);
    for (size_t i = 0; i < in->secret_n; i++) snprintf(hex + 2 * i, 3, "%02x", in->secret[i]);
    snprintf(most, sizeof most, "%d", CHANNELS_MAX);
    const char *const params[] = { id, in->url, hex, most };
    enum err e = reader_text(r->db, r->tenant, QUERY_CHANNEL_ADD, params, &r->reply.body, &why);
    explicit_bzero(hex, sizeof hex);
    if (e == ERR_NOT_FOUND) reply_not_added(r, id);
    else if (e) reply_problem(r, e, &why);
    else reply_made(r, in, id);
}

static void post_channel(struct request *r)
{
    struct channel_input in = { 0 };
    struct why why = { 0 };
    enum err e = read_channel(r, &in, &why);
    if (e) reply_problem(r, e, &why);
    else add_channel(r, &in);
    explicit_bzero(&in, sizeof in);
}

static void delete_channel(struct request *r)
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

/* ---- the tables ---- */
static const struct arg_spec list_args[] = { ARG_LIMIT(1000, 100), ARG_AFTER_ID, { 0 } };
static const struct arg_spec create_args[] = { ARG_IDEMPOTENCY_KEY, { 0 } };

#define KINDS "webhook"
#define SECRET_PATTERN "^whsec_[A-Za-z0-9+/]{32,86}={0,2}$"

#define CHANNEL_FIELDS                                                                             \
    { .name = "id", .type = FIELD_UUID },                                                          \
        { .name = "kind", .type = FIELD_TEXT, .choices = KINDS },                                  \
        { .name = "url", .type = FIELD_TEXT }, { .name = "enabled", .type = FIELD_BOOL },          \
        { .name = "disabled_reason", .type = FIELD_TEXT, .nullable = true },                       \
        { .name = "failing_since", .type = FIELD_TIME, .nullable = true },                         \
    {                                                                                              \
        .name = "created_at", .type = FIELD_TIME                                                   \
    }

static const struct field input_fields[] = {
    { .name = "kind", .type = FIELD_TEXT, .choices = KINDS },
    { .name = "url",
      .type = FIELD_TEXT,
      .min = 1,
      .max = 2000,
      .pattern = "^https?://[!-~]+$",
      .help = "https URL of a public host" },
    { .name = "secret",
      .type = FIELD_TEXT,
      .optional = true,
      .nullable = true,
      .pattern = SECRET_PATTERN,
      .help = "Made for you when absent" },
    { 0 },
};
static const struct field channel_fields[] = { CHANNEL_FIELDS, { 0 } };
static const struct field made_fields[] = {
    CHANNEL_FIELDS,
    { .name = "secret",
      .type = FIELD_TEXT,
      .pattern = SECRET_PATTERN,
      .help = "whsec_ and base64 of 24 to 64 bytes: the signing key of Standard Webhooks 1.0.0" },
    { 0 },
};
static const struct field channels_fields[] = {
    { .name = "channels", .type = FIELD_LIST, .of = "Channel" },
    { .name = "next", .type = FIELD_UUID, .nullable = true },
    { 0 },
};
static const struct field delivery_fields[] = {
    { .name = "alert_id", .type = FIELD_UUID },
    { .name = "stream_no", .type = FIELD_INT },
    { .name = "status", .type = FIELD_TEXT, .choices = "waiting|delivered|failed|expired" },
    { .name = "attempts", .type = FIELD_INT },
    { .name = "next_attempt", .type = FIELD_TIME, .nullable = true },
    { .name = "last_status", .type = FIELD_INT, .nullable = true },
    { .name = "last_error", .type = FIELD_TEXT, .nullable = true },
    { .name = "created_at", .type = FIELD_TIME },
    { .name = "finished_at", .type = FIELD_TIME, .nullable = true },
    { 0 },
};
static const struct field deliveries_fields[] = {
    { .name = "deliveries", .type = FIELD_LIST, .of = "Delivery" },
    { 0 },
};
static const struct schema schemas[] = {
    { .name = "ChannelInput", .fields = input_fields },
    { .name = "Channel", .fields = channel_fields },
    { .name = "ChannelMade", .fields = made_fields },
    { .name = "Channels", .fields = channels_fields },
    { .name = "Delivery", .fields = delivery_fields },
    { .name = "Deliveries", .fields = deliveries_fields },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/channels",
      .id = "listChannels",
      .summary = "Your channels, oldest first",
      .help = "`next` is the `after` of the next page; null: that was all. Secrets are not shown.",
      .handler = list_channels,
      .flags = ROUTE_KEY | ROUTE_DB,
      .args = list_args,
      .answers = { { .status = 200, .schema = "Channels" } } },
    { .method = METHOD_POST,
      .path = "/v1/channels",
      .id = "createChannel",
      .summary = "Create a channel; the secret is shown this once",
      .help = "Alerts committed from then on are pushed to it, signed as Standard Webhooks "
              "1.0.0 says.",
      .handler = post_channel,
      .flags = ROUTE_KEY | ROUTE_DB | ROUTE_409 | ROUTE_429,
      .args = create_args,
      .body = "ChannelInput",
      .answers = { { .status = 201, .schema = "ChannelMade" },
                   { .status = 200, .schema = "Channel", .text = ANSWER_REPEAT } } },
    { .method = METHOD_GET,
      .path = "/v1/channels/{id}",
      .id = "getChannel",
      .summary = "A channel",
      .help = "`enabled` is false, and `disabled_reason` says why, once it was given up; "
              "`failing_since` is set while deliveries fail.",
      .handler = get_channel,
      .flags = ROUTE_KEY | ROUTE_DB | ROUTE_404,
      .answers = { { .status = 200, .schema = "Channel" } } },
    { .method = METHOD_DELETE,
      .path = "/v1/channels/{id}",
      .id = "deleteChannel",
      .summary = "Delete a channel",
      .help = "What waits to be delivered to it is dropped.",
      .handler = delete_channel,
      .flags = ROUTE_KEY | ROUTE_DB | ROUTE_404,
      .answers = { { .status = 204 } } },
    { .method = METHOD_GET,
      .path = "/v1/channels/{id}/deliveries",
      .id = "getDeliveries",
      .summary = "The newest 100 deliveries of a channel",
      .help = "Newest first: how often each alert was tried, and what the receiver said.",
      .handler = get_deliveries,
      .flags = ROUTE_KEY | ROUTE_DB | ROUTE_404,
      .answers = { { .status = 200, .schema = "Deliveries" } } },
};

const struct resource resource_channels = { .name = "channels",
                                            .help = "Where alerts are pushed to",
                                            RESOURCE_TABLES };
