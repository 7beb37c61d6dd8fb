/* pulse.c - how far the order of records has come. */
#include "api/answer.h"

static void get_pulse(struct request *r)
{
    struct picture *s = picture_or_problem(r);
    if (!s) return;
    struct json_writer w = json_write(&r->reply.body);
    json_put_object(&w, NULL);
    json_put_uint(&w, "seq", s->seq);
    json_put_end(&w);
    picture_release(s);
    reply_json(r, 200);
}

static const struct field pulse_fields[] = { { .name = "seq", .type = FIELD_INT }, { 0 } };
static const struct schema schemas[] = { { .name = "Pulse", .fields = pulse_fields } };

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/pulse",
      .id = "getPulse",
      .summary = "How far the order of records has come",
      .help = "The number of the newest record of the picture.",
      .handler = get_pulse,
      .flags = ROUTE_KEY,
      .answers = { { .status = 200, .schema = "Pulse" } } },
};

const struct resource resource_pulse = { .name = "pulse", .help = "A heartbeat", RESOURCE_TABLES };
