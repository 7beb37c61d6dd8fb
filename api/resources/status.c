/* status.c - where the one order and its sources stand. */
#include "api/answer.h"

static const struct field source_fields[] = {
    { .name = "source_id", .type = FIELD_INT },   { .name = "topic", .type = FIELD_TEXT },
    { .name = "partition", .type = FIELD_INT },   { .name = "source_epoch", .type = FIELD_INT },
    { .name = "next_offset", .type = FIELD_INT }, { .name = "reason", .type = FIELD_TEXT },
    { .name = "started_at", .type = FIELD_TIME }, { 0 },
};
static const struct field gap_fields[] = {
    { .name = "source_id", .type = FIELD_INT },
    { .name = "from_offset", .type = FIELD_INT },
    { .name = "to_offset", .type = FIELD_INT },
    { .name = "found_at", .type = FIELD_TIME },
    { 0 },
};
static const struct field status_fields[] = {
    { .name = "seq", .type = FIELD_INT },
    { .name = "sources", .type = FIELD_LIST, .of = "Source" },
    { .name = "gaps", .type = FIELD_LIST, .of = "Gap" },
    { 0 },
};
enum { SOURCE, GAP, STATUS };
static const struct schema schemas[] = {
    [SOURCE] = { .name = "Source", .fields = source_fields },
    [GAP] = { .name = "Gap", .fields = gap_fields },
    [STATUS] = { .name = "Status", .fields = status_fields },
};

static void get_status(struct request *r) { reply_row(r, QUERY_STATUS, NULL, &schemas[STATUS]); }

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/status",
      .id = "getStatus",
      .summary = "Where the one order and its sources stand",
      .help = "`seq` is the newest committed record; of each source partition the offset to "
              "be read next; `gaps` are offsets that Kafka had dropped before they were read.",
      .handler = get_status,
      .flags = ROUTE_KEY | ROUTE_DB,
      .answers = { { .status = 200, .schema = "Status" } } },
};

const struct resource resource_status = { .name = "status",
                                          .help = "The state of the feed",
                                          RESOURCE_TABLES };
