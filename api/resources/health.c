/* health.c - whether the process answers, and whether it does its work. Without a key. */
#include "api/answer.h"

static void get_healthz(struct request *r)
{
    struct json_writer w = json_write(&r->reply.body);
    json_put_object(&w, NULL);
    json_put_text(&w, "status", "ok");
    json_put_end(&w);
    reply_json(r, 200);
}

static void get_readyz(struct request *r)
{
    bool ready = r->api->backend.ready(r->api->backend.ctx, &r->reply.body);
    reply_json(r, ready ? 200 : 503);
}

static const struct field health_fields[] = {
    { .name = "status", .type = FIELD_TEXT, .choices = "ok" },
    { 0 },
};
static const struct field ready_fields[] = {
    { .name = "ready", .type = FIELD_BOOL },
    { .name = "reasons", .type = FIELD_LIST },
    { .name = "uncommitted_ms", .type = FIELD_INT },
    { .name = "delivery_due_ms", .type = FIELD_INT },
    { .name = "refused_instruments", .type = FIELD_INT },
    { .name = "refused", .type = FIELD_LIST, .of = "RefusedInstrument" },
    { 0 },
};
static const struct field refused_fields[] = {
    { .name = "symbol", .type = FIELD_TEXT },
    { .name = "count", .type = FIELD_INT },
    { .name = "reason", .type = FIELD_TEXT },
    { 0 },
};
static const struct schema schemas[] = {
    { .name = "Health", .fields = health_fields },
    { .name = "Ready",
      .fields = ready_fields,
      .help = "`uncommitted_ms`: for how long the oldest record that was read and is not committed "
              "has been in hand; `delivery_due_ms`: for how long the oldest delivery that could be "
              "sent has been due. 0: there is none." },
    { .name = "RefusedInstrument",
      .fields = refused_fields,
      .help = "An instrument whose prices are being refused: how many since the last that was "
              "taken, and why the newest was. It makes nothing else wait." },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/healthz",
      .id = "getHealth",
      .summary = "Whether the process answers",
      .help = "Answers as long as the process does; for a supervisor's liveness probe.",
      .handler = get_healthz,
      .answers = { { .status = 200, .schema = "Health" } } },
    { .method = METHOD_GET,
      .path = "/readyz",
      .id = "getReady",
      .summary = "Whether it does its work; 503 with the reasons when not",
      .help = "Not ready means that nothing is lost but nothing new is seen: Kafka or "
              "PostgreSQL is away, full or locked (the reason names it), what was read is not "
              "committed for 15 s, or the service is stopping.",
      .handler = get_readyz,
      .answers = { { .status = 200, .schema = "Ready" },
                   { .status = 503,
                     .schema = "Ready",
                     .text = "Not ready",
                     .example = "NotReady" } } },
};

const struct resource resource_health = { .name = "health",
                                          .help = "For who looks after it",
                                          RESOURCE_TABLES };
