/* split.c - shares are divided, or put together: `new` shares stand for `old` ones from the open of a session on.
 *
 *     {"kind":"split","ts":1598860800000000000,"symbol":"AAPL","new":4,"old":1,"effective":"2020-08-31"}
 *
 * One of ten is "new":1,"old":10. It may be said long before, or long after: analytics/actions.h. */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "symbol", .type = &field_symbol, .at = AT(split.symbol) },
    { .name = "new",
      .type = &field_integer,
      .at = AT(split.to),
      .min = 1,
      .max = SPLIT_SHARES_MAX,
      .missing = FIELD_REQUIRED,
      .about = "shares after it" },
    { .name = "old",
      .type = &field_integer,
      .at = AT(split.from),
      .min = 1,
      .max = SPLIT_SHARES_MAX,
      .missing = FIELD_REQUIRED,
      .about = "shares before it" },
    EFFECTIVE(split),
    ANNOUNCED(split),
    ACTION_SOURCE(split),
};

const struct record_type kind_split = { .about = "shares are divided or put together",
                                        FIELDS(fields) };
