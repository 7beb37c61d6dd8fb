/* channels.c - where a tenant's alerts are pushed to, and how that went. */
#include "alerts/delivery/channel.h"
#include "api/answer.h"
#include "api/render.h"
#include "core/json.h"
#include "store/channel_secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS_MAX = 100 };

/* ---- a channel as it is shown ---- */
enum { C_ID, C_KIND, C_SETTINGS, C_ENABLED, C_DISABLED_REASON, C_FAILING_SINCE, C_CREATED_AT };

/* In the order of its kind; as they are stored where this program does not know the kind. */
static void put_settings(struct json_writer *w, const char *kind, const char *settings)
{
    const struct channel_kind *k = channel_kind_find(kind);
    const char *order[CHANNEL_SETTINGS_MAX + 1] = { NULL };
    for (size_t i = 0; k && k->settings[i].name; i++) order[i] = k->settings[i].name;
    render_members(w, settings, k ? order : NULL);
}

static void put_time(struct json_writer *w, const char *key, const char *ns)
{
    json_put_time_or_null(w, key, ns ? strtoll(ns, NULL, 10) : 0);
}

/* `made`: of one that was just made, whose secrets are shown this once; else NULL. */
static void put_channel(struct json_writer *w, const char *const *c,
                        const struct channel_values *made)
{
    json_put_object(w, NULL);
    json_put_text(w, "id", c[C_ID]);
    json_put_text(w, "kind", c[C_KIND]);
    put_settings(w, c[C_KIND], c[C_SETTINGS]);
    json_put_bool(w, "enabled", c[C_ENABLED][0] == 't');
    json_put_text(w, "disabled_reason", c[C_DISABLED_REASON]);
    put_time(w, "failing_since", c[C_FAILING_SINCE]);
    put_time(w, "created_at", c[C_CREATED_AT]);
    if (made) channel_values_write(made, VALUES_MADE, w);
    json_put_end(w);
}

static void put_listed(struct json_writer *w, const char *const *columns)
{
    put_channel(w, columns, NULL);
}

/* ---- reading ---- */
struct one_channel {
    struct json_writer w;
    const struct channel_values *made;
    int64_t n;
};

static void put_one(void *ctx, const char *const *columns)
{
    struct one_channel *one = ctx;
    one->n++;
    put_channel(&one->w, columns, one->made);
}

/* The query's channel into r->reply.body; ERR_NOT_FOUND when there is none. */
static enum err read_one(struct request *r, enum query q, const char *const *params,
                         const struct channel_values *made, struct why *why)
{
    struct one_channel one = { .w = json_write(&r->reply.body), .made = made };
    enum err e = reader_rows(r->db, r->tenant, q, params, put_one, &one, why);
    if (!e && one.n == 0) e = err_set(why, ERR_NOT_FOUND, "no such thing");
    return e;
}

static void reply_channel(struct request *r, const char *id)
{
    struct why why = { 0 };
    enum err e = read_one(r, QUERY_CHANNEL, &id, NULL, &why);
    if (e) reply_problem(r, e, &why);
    else reply_json(r, 200);
}

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
                               .cursor = CURSOR_UUID,
                               .put = put_listed });
}

static void get_channel(struct request *r)
{
    char id[UUID_TEXT];
    uuid_format(r->path_id, id);
    reply_channel(r, id);
}

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
static const struct schema delivery = { .name = "Delivery", .fields = delivery_fields };

static void put_delivery(void *ctx, const char *const *columns)
{
    render_row(ctx, NULL, &delivery, columns);
}

static void get_deliveries(struct request *r)
{
    char id[UUID_TEXT];
    const char *param = id;
    AUTO_BUF struct buf state = { 0 };
    struct why why = { 0 };
    uuid_format(r->path_id, id);
    enum err e = reader_text(r->db, r->tenant, QUERY_CHANNEL_STATE, &param, &state, &why);
    if (!e && strcmp(state.data, "there") != 0) e = err_set(&why, ERR_NOT_FOUND, "no such thing");
    if (e) return reply_problem(r, e, &why);
    struct json_writer w = json_write(&r->reply.body);
    json_put_object(&w, NULL);
    json_put_array(&w, "deliveries");
    e = reader_rows(r->db, r->tenant, QUERY_DELIVERIES, &param, put_delivery, &w, &why);
    if (e) return reply_problem(r, e, &why);
    json_put_end(&w);
    json_put_end(&w);
    reply_json(r, 200);
}

/* ---- changing ---- */

/* The kind by its name, "field \"kind\" must be one of webhook" when there is no such one. */
static const struct channel_kind *want_kind(struct json_fields *f)
{
    const char *names[CHANNEL_KINDS + 1] = { NULL };
    for (size_t i = 0; i < CHANNEL_KINDS; i++) names[i] = channel_kinds[i]->name;
    int place = json_want_choice(f, "kind", names, -1);
    return f->err ? NULL : channel_kinds[place];
}

/* What the body asks for, checked and complete. End *out whatever happened. */
static enum err read_channel(struct request *r, struct channel_values *out, struct why *why)
{
    AUTO_JSON json_t *body = NULL;
    *out = (struct channel_values){ .kind = NULL };
    enum err e = json_load_strict(r->body.data ? r->body.data : "", r->body.len, &body, why);
    if (e) return e;
    struct json_fields f = json_fields_begin(body, why);
    const struct channel_kind *kind = want_kind(&f);
    if (kind) channel_values_take(kind, &f, out);
    e = json_fields_end(&f);
    if (!e) e = kind->check(out, &r->api->cfg.channel_limits, why);
    if (!e && kind->complete) e = kind->complete(out);
    return e;
}

/* The open settings as JSON, the secret ones as JSON that is sealed for the channel: as hex, and
 * empty when there are none. */
static enum err write_parts(struct request *r, const struct channel_values *in, struct uuid id,
                            struct buf *settings, struct buf *sealed, struct why *why)
{
    AUTO_BUF struct buf secrets = { 0 };
    struct json_writer open = json_write(settings), secret = json_write(&secrets);
    json_put_object(&open, NULL);
    channel_values_write(in, VALUES_OPEN, &open);
    json_put_end(&open);
    json_put_object(&secret, NULL);
    channel_values_write(in, VALUES_SECRET, &secret);
    json_put_end(&secret);
    if (!json_write_done(&open) || !json_write_done(&secret))
        return err_set(why, ERR_NOMEM, "out of memory");
    if (strcmp(secrets.data, "{}") == 0) return ERR_OK;
    enum err e =
        channel_secrets_seal(r->api->cfg.seal_keys, r->tenant, id, secrets.data, sealed, why);
    explicit_bzero(secrets.data, secrets.len);
    return e;
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
    else reply_channel(r, id);
}

/* What a service without a key answers: nothing that its tenant could mend. */
static void reply_no_key(struct request *r)
{
    const struct why why = { .text = "the service has no key to keep a channel's secrets under: "
                                     "its operator sets secrets.key_file" };
    reply_problem_as(r, ERR_INTERNAL, 503, "no_secrets_key", &why);
}

static void add_channel(struct request *r, const struct channel_values *in)
{
    char id[UUID_TEXT], most[16];
    AUTO_BUF struct buf settings = { 0 }, sealed = { 0 };
    struct why why = { 0 };
    struct uuid channel = object_id(r);
    uuid_format(channel, id);
    snprintf(most, sizeof most, "%d", CHANNELS_MAX);
    enum err e = write_parts(r, in, channel, &settings, &sealed, &why);
    if (e == ERR_FORBIDDEN) return reply_no_key(r);
    if (e) return reply_problem(r, e, &why);

    const char *const params[] = { id, in->kind->name, settings.data,
                                   sealed.len ? sealed.data : NULL, most };
    e = read_one(r, QUERY_CHANNEL_ADD, params, in, &why);
    if (e == ERR_NOT_FOUND) return reply_not_added(r, id);
    if (e) return reply_problem(r, e, &why);
    snprintf(r->reply.location, sizeof r->reply.location, "/v1/channels/%s", id);
    reply_json(r, 201);
}

static void post_channel(struct request *r)
{
    struct channel_values in;
    struct why why = { 0 };
    enum err e = read_channel(r, &in, &why);
    if (e) reply_problem(r, e, &why);
    else add_channel(r, &in);
    channel_values_release(&in);
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

/* The bodies with settings are made from the kinds: one object a kind, told apart by `kind`. */
enum body { BODY_INPUT, BODY_SHOWN, BODY_MADE };

static const struct field fields_before[] = { { .name = "id", .type = FIELD_UUID }, { 0 } };
static const struct field fields_after[] = {
    { .name = "enabled", .type = FIELD_BOOL },
    { .name = "disabled_reason", .type = FIELD_TEXT, .nullable = true },
    { .name = "failing_since", .type = FIELD_TIME, .nullable = true },
    { .name = "created_at", .type = FIELD_TIME },
    { 0 },
};

static struct field field_of(const struct setting *s, enum body body)
{
    static const enum field_type types[] = { [SETTING_TEXT] = FIELD_TEXT,
                                             [SETTING_NUMBER] = FIELD_INT,
                                             [SETTING_FLAG] = FIELD_BOOL,
                                             [SETTING_CHOICE] = FIELD_TEXT };
    bool left_out = !s->required && (body == BODY_INPUT || !s->secret);
    return (struct field){ .name = s->name,
                           .type = types[s->type],
                           .optional = left_out,
                           .nullable = body == BODY_INPUT && !s->required,
                           .names = s->type == SETTING_CHOICE ? s->choices : NULL,
                           .pattern = s->pattern,
                           .min = s->min,
                           .max = s->max,
                           .help = s->help };
}

static bool shows(const struct setting *s, enum body body)
{
    switch (body) {
    case BODY_INPUT:
    case BODY_MADE: return !s->own;
    case BODY_SHOWN: return !s->secret;
    }
    return false;
}

static size_t add_fields(struct field *out, size_t n, const struct field *some)
{
    for (; some->name; some++) out[n++] = *some;
    return n;
}

static void put_kind(struct json_writer *w, const struct channel_kind *kind, enum body body)
{
    struct field all[CHANNEL_SETTINGS_MAX + ARRAY_LEN(fields_before) + ARRAY_LEN(fields_after) + 1];
    size_t n = 0;
    if (body != BODY_INPUT) n = add_fields(all, n, fields_before);
    all[n++] = (struct field){ .name = "kind", .type = FIELD_TEXT, .choices = kind->name };
    for (const struct setting *s = kind->settings; s->name; s++)
        if (shows(s, body)) all[n++] = field_of(s, body);
    if (body != BODY_INPUT) n = add_fields(all, n, fields_after);
    all[n] = (struct field){ .name = NULL };
    schema_put(w, NULL, &(struct schema){ .fields = all, .help = kind->help });
}

static void put_kinds(struct json_writer *w, enum body body)
{
    json_put_array(w, "oneOf");
    for (size_t i = 0; i < CHANNEL_KINDS; i++) put_kind(w, channel_kinds[i], body);
    json_put_end(w);
}

static void put_input(struct json_writer *w) { put_kinds(w, BODY_INPUT); }
static void put_shown(struct json_writer *w) { put_kinds(w, BODY_SHOWN); }
static void put_made(struct json_writer *w) { put_kinds(w, BODY_MADE); }

static const struct field channels_fields[] = {
    { .name = "channels", .type = FIELD_LIST, .of = "Channel" },
    { .name = "next", .type = FIELD_UUID, .nullable = true },
    { 0 },
};
static const struct field deliveries_fields[] = {
    { .name = "deliveries", .type = FIELD_LIST, .of = "Delivery" },
    { 0 },
};
static const struct schema schemas[] = {
    { .name = "ChannelInput", .put = put_input },
    { .name = "Channel", .put = put_shown },
    { .name = "ChannelMade", .put = put_made },
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
