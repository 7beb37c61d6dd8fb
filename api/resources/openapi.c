/* openapi.c - the description of the API, made once at the start. */
#include "api/answer.h"

static void get_openapi(struct request *r)
{
    r->reply.fixed = r->api->openapi.data;
    r->reply.fixed_n = r->api->openapi.len;
    r->reply.cacheable = true;
    reply_json(r, 200);
}

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/openapi.json",
      .id = "getOpenapi",
      .summary = "This description",
      .help = "OpenAPI 3.0.3, made from the tables that the program itself goes by. `tocsin "
              "--openapi` prints the same.",
      .handler = get_openapi,
      .answers = { { .status = 200 } },
      .type = "application/json" },
};

const struct resource resource_openapi = { .name = "openapi",
                                           .help = "What there is to ask",
                                           RESOURCE_ROUTES };
