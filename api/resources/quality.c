/* quality.c - what looked wrong in the data, and what became of it. */
#include "analytics/rows.h"
#include "api/answer.h"

static const struct field flag_fields[] = {
    { .name = "no", .type = FIELD_INT },
    { .name = "id", .type = FIELD_UUID },
    { .name = "seq", .type = FIELD_INT },
    { .name = "time", .type = FIELD_TIME },
    { .name = "symbol", .type = FIELD_TEXT },
    { .name = "reason", .type = FIELD_TEXT, .names = &quality_reason_names },
    { .name = "before",
      .type = FIELD_REAL,
      .nullable = true,
      .help = "shares, a price or a cap, by reason; null: nothing" },
    { .name = "after", .type = FIELD_REAL, .nullable = true, .help = "what came; null: nothing" },
    { .name = "state", .type = FIELD_TEXT, .names = &quality_state_names },
    { .name = "detail", .type = FIELD_TEXT, .help = "a sentence for a person" },
    { 0 },
};
static const struct field flags_fields[] = {
    { .name = "quality", .type = FIELD_LIST, .of = "QualityFlag" },
    { .name = "next", .type = FIELD_INT, .nullable = true },
    { 0 },
};
enum { FLAG, FLAGS };
static const struct schema schemas[] = {
    [FLAG] = { .name = "QualityFlag", .fields = flag_fields },
    [FLAGS] = { .name = "Quality", .fields = flags_fields },
};

static void list_quality(struct request *r)
{
    static const char *const filters[] = { "symbol", "reason", "state", NULL };
    reply_list(r, &(struct list){ .name = "quality",
                                  .query = QUERY_QUALITY,
                                  .row = &schemas[FLAG],
                                  .filters = filters });
}

/* Once more is no mistake: what is released stays so. */
static void release_quality(struct request *r)
{
    char id[UUID_TEXT];
    const char *param = id;
    struct why why = { 0 };
    const struct api_backend *b = &r->api->backend;
    enum err e = b->quality_release(b->ctx, r->tenant, r->path_id, &why);
    if (e && e != ERR_NOT_FOUND) return reply_problem(r, e, &why);
    uuid_format(r->path_id, id);
    reply_row(r, QUERY_QUALITY_RELEASED, &param, &schemas[FLAG]);
}

static const struct arg_spec quality_args[] = {
    ARG_LIMIT(1000, 100),
    ARG_BEFORE(NEXT_OF_PAGE),
    { .name = "symbol",
      .type = ARG_TEXT,
      .min = 1,
      .max = 63,
      .help = "Only of this instrument",
      .example = "AAPL" },
    { .name = "reason",
      .type = ARG_CHOICE,
      .choices = "shares_jump|same_cap|split_like_price|cap_spike|no_close|close_outside_range|"
                 "spin_off_unpriced",
      .help = "Only for this reason",
      .example = "shares_jump" },
    { .name = "state",
      .type = ARG_CHOICE,
      .choices =
          "flagged|held|confirmed_by_price|confirmed_by_action|released|superseded|withdrawn",
      .help = "Only in this state",
      .example = "flagged" },
    { 0 },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/quality",
      .id = "listQuality",
      .summary = "What looked wrong in the data, newest first",
      .help = "A flag says what a feed said and why it is doubtful; prices are flagged, never "
              "changed. `next` is the `before` of the next page; null: that was all.",
      .handler = list_quality,
      .flags = ROUTE_KEY | ROUTE_DB,
      .args = quality_args,
      .answers = { { .status = 200, .schema = "Quality" } } },
    { .method = METHOD_POST,
      .path = "/v1/quality/{id}:release",
      .id = "releaseQuality",
      .summary = "A share count that is held is right",
      .help = "It counts from then on, and the flag says `released`: index levels do not move. "
              "404 when none is held under that id. What has been released stays so: a repeat is "
              "answered the same.",
      .handler = release_quality,
      .flags = ROUTE_KEY | ROUTE_DB | ROUTE_ENGINE | ROUTE_404,
      .answers = { { .status = 200, .schema = "QualityFlag" } } },
};

const struct resource resource_quality = { .name = "quality",
                                           .help = "What looked wrong in the data",
                                           RESOURCE_TABLES };
