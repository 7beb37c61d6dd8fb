/* metrics.c - operational counters, for Prometheus.
 *
 * Without a key: there is nothing of a tenant's in them. */
#include "api/answer.h"
#include "core/metrics.h"

static void get_metrics(struct request *r)
{
    const struct api_backend *backend = &r->api->backend;
    metrics_render(&r->reply.body);
    if (backend->metrics) backend->metrics(backend->ctx, &r->reply.body);
    reply_json(r, 200);
    r->reply.type = r->route->type;
}

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/metrics",
      .id = "getMetrics",
      .summary = "Operational counters in Prometheus text format",
      .help = "Counters of all tenants together; there is nothing of any one tenant in them.",
      .handler = get_metrics,
      .answers = { { .status = 200, .example = "metrics" } },
      .type = "text/plain; version=0.0.4; charset=utf-8" },
};

const struct resource resource_metrics = { .name = "metrics",
                                           .help = "Operational counters",
                                           RESOURCE_ROUTES };
