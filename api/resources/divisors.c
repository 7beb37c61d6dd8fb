/* divisors.c - the ledger of divisors: when and why what an index's level is measured by has changed. */
#include "analytics/rows.h"
#include "api/answer.h"

static const struct field divisor_fields[] = {
    { .name = "no", .type = FIELD_INT },
    { .name = "seq", .type = FIELD_INT, .help = "levels after this record are by the new one" },
    { .name = "time", .type = FIELD_TIME },
    { .name = "index", .type = FIELD_TEXT },
    { .name = "session",
      .type = FIELD_TEXT,
      .help = "from that one on; of an action that came late it lies before `time`" },
    { .name = "reason", .type = FIELD_TEXT, .names = &divisor_reason_names },
    { .name = "symbol", .type = FIELD_TEXT, .nullable = true, .help = "over which instrument" },
    { .name = "before",
      .type = FIELD_REAL,
      .nullable = true,
      .help = "currency per point: level = market value / divisor; null: there was no level" },
    { .name = "after", .type = FIELD_REAL, .nullable = true, .help = "null: there is no level" },
    { 0 },
};
static const struct field divisors_fields[] = {
    { .name = "divisors", .type = FIELD_LIST, .of = "Divisor" },
    { .name = "next", .type = FIELD_INT, .nullable = true },
    { 0 },
};
enum { DIVISOR, DIVISORS };
static const struct schema schemas[] = {
    [DIVISOR] = { .name = "Divisor", .fields = divisor_fields },
    [DIVISORS] = { .name = "Divisors", .fields = divisors_fields },
};

static void list_divisors(struct request *r)
{
    static const char *const filters[] = { "index", NULL };
    reply_list(r, &(struct list){ .name = "divisors",
                                  .query = QUERY_DIVISORS,
                                  .row = &schemas[DIVISOR],
                                  .filters = filters });
}

static const struct arg_spec divisors_args[] = {
    ARG_LIMIT(1000, 100),
    ARG_BEFORE(NEXT_OF_PAGE),
    { .name = "index",
      .type = ARG_TEXT,
      .min = 1,
      .max = 63,
      .help = "Only of this index",
      .example = "SP500" },
    { 0 },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/divisors",
      .id = "listDivisors",
      .summary = "Every change of an index's divisor, newest first",
      .help = "A level is the index's market value by its divisor. Prices move the value; who "
              "joins or leaves, share counts and what is paid out of a price move the divisor, and "
              "so not the level. Of the level by market value: a rebalance of equal weights, which "
              "have no divisor, is no row. `next` is the `before` of the next page; null: that was "
              "all.",
      .handler = list_divisors,
      .flags = ROUTE_KEY | ROUTE_DB,
      .args = divisors_args,
      .answers = { { .status = 200, .schema = "Divisors" } } },
};

const struct resource resource_divisors = { .name = "divisors",
                                            .help = "What index levels are measured by",
                                            RESOURCE_TABLES };
