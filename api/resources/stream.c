/* stream.c - the live stream's door; what happens behind it is api/stream.h's. */
#include "api/answer.h"
#include "core/when.h"

static void get_stream(struct request *r)
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
    enum err e = quota_take(r->api->quotas, r->tenant, QUOTA_STREAM, mono_ns(), &why);
    r->counts_stream = !e;
    if (!e)
        e = stream_open(r->api->hub, r->db, r->tenant, &r->key,
                        cursor->given ? &cursor->number : NULL, r->connection, r->conn, &r->stream,
                        &r->reply.stream, &why);
    if (e) reply_problem(r, e, &why);
    else r->reply.status = 200;
}

static const struct arg_spec stream_args[] = {
    { .name = "Last-Event-ID",
      .where = IN_HEADER,
      .type = ARG_INT,
      .min = 0,
      .max = INT64_MAX,
      .missing = -1,
      .help = "stream_no of the last alert read: resumes after it",
      .example = "0" },
    { .name = "last_event_id",
      .type = ARG_INT,
      .min = 0,
      .max = INT64_MAX,
      .missing = -1,
      .help = "The same where no header can be set; the header wins",
      .example = "0" },
    { 0 },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/stream",
      .id = "streamAlerts",
      .summary = "Your alerts as they are committed, as server-sent events",
      .help = "The id of an event is the stream_no, its data an Alert. Each alert comes once, in "
              "order, without a gap. It begins with an event `position` without data, whose id is "
              "where it stands; after a break go on with the last id that was read. Without one "
              "it begins with the next alert. An id ahead of the newest alert is of another "
              "database: an event `reset` says so, with `asked` and `newest`, and it goes on from "
              "the newest. A comment comes when nothing else does.",
      .handler = get_stream,
      .flags = ROUTE_KEY | ROUTE_DB,
      .args = stream_args,
      .answers = { { .status = 200, .example = "stream" } },
      .type = "text/event-stream" },
};

const struct resource resource_stream = { .name = "stream",
                                          .help = "Alerts as they come",
                                          RESOURCE_ROUTES };
