/* actions.c - corporate actions as they were said, and what has become of each. */
#include "analytics/rows.h"
#include "api/answer.h"

static const struct field action_fields[] = {
    { .name = "no", .type = FIELD_INT },
    { .name = "seq", .type = FIELD_INT, .help = "known from this record on" },
    { .name = "time", .type = FIELD_TIME, .help = "that record's" },
    { .name = "symbol", .type = FIELD_TEXT, .help = "as it was said" },
    { .name = "symbol_now", .type = FIELD_TEXT },
    { .name = "kind", .type = FIELD_TEXT, .names = &action_kind_names },
    { .name = "state",
      .type = FIELD_TEXT,
      .names = &action_state_names,
      .help = "presumed: a price says so, and nobody else; refused: when its session opened it did "
              "not fit any more; superseded: it was corrected while it waited" },
    { .name = "state_seq", .type = FIELD_INT, .help = "the record that made it so" },
    { .name = "effective", .type = FIELD_TEXT, .help = "the session at whose open it counts" },
    { .name = "announced", .type = FIELD_TEXT, .nullable = true },
    { .name = "new",
      .type = FIELD_INT,
      .nullable = true,
      .help = "shares, of the same instrument, the child or the acquirer, for `old` ones" },
    { .name = "old", .type = FIELD_INT, .nullable = true },
    { .name = "amount",
      .type = FIELD_DECIMAL,
      .nullable = true,
      .help = "paid for a share; what a share of the child is worth; what the terms give" },
    { .name = "currency", .type = FIELD_TEXT, .nullable = true },
    { .name = "other",
      .type = FIELD_TEXT,
      .nullable = true,
      .help = "the child, the acquirer, or the new symbol" },
    { .name = "source", .type = FIELD_TEXT, .nullable = true },
    { 0 },
};
static const struct field actions_fields[] = {
    { .name = "actions", .type = FIELD_LIST, .of = "Action" },
    { .name = "next", .type = FIELD_INT, .nullable = true },
    { 0 },
};
enum { ACTION, ACTIONS };
static const struct schema schemas[] = {
    [ACTION] = { .name = "Action", .fields = action_fields },
    [ACTIONS] = { .name = "Actions", .fields = actions_fields },
};

static void list_actions(struct request *r)
{
    static const char *const filters[] = { "symbol", "kind", NULL };
    reply_list(r, &(struct list){ .name = "actions",
                                  .query = QUERY_ACTIONS,
                                  .row = &schemas[ACTION],
                                  .filters = filters });
}

static const struct arg_spec actions_args[] = {
    ARG_LIMIT(1000, 100),
    ARG_BEFORE(NEXT_OF_PAGE),
    { .name = "symbol",
      .type = ARG_TEXT,
      .min = 1,
      .max = 63,
      .help =
          "Only of instruments that have or had this symbol, as themselves, as a child or acquirer",
      .example = "AAPL" },
    { .name = "kind",
      .type = ARG_CHOICE,
      .choices = "split|dividend|special_dividend|spin_off|delisting|merger|rename",
      .help = "Only of this kind",
      .example = "split" },
    { 0 },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/actions",
      .id = "listActions",
      .summary = "Corporate actions, the newest known first",
      .help =
          "Splits, dividends, spin-offs, mergers, delistings and renames as they were said, and "
          "what has become of each. `next` is the `before` of the next page; null: that was "
          "all.",
      .handler = list_actions,
      .flags = ROUTE_KEY | ROUTE_DB,
      .args = actions_args,
      .answers = { { .status = 200, .schema = "Actions" } } },
};

const struct resource resource_actions = { .name = "actions",
                                           .help = "Corporate actions",
                                           RESOURCE_TABLES };
