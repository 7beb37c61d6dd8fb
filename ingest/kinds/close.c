/* close.c - the official close of a session: from it returns and levels are counted. Stored as
 * columns, like trades.
 *
 *     {"kind":"close","ts":1518037200000000000,"symbol":"AAPL","price":"159.54",
 *      "date":"2018-02-07"}
 *
 * `date` is the session's own date and need not be the day of `ts`: a close may come after
 * midnight UTC. */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "symbol", .type = &field_symbol, .at = AT(close.symbol) },
    { .name = "price",
      .type = &field_decimal,
      .at = AT(close.price_e8),
      .min = -PRICE_MAX_E8,
      .max = PRICE_MAX_E8,
      .missing = FIELD_REQUIRED,
      .about = "0 and below of instruments with `negative_prices` alone" },
    { .name = "date",
      .type = &field_day,
      .at = AT(close.day),
      .missing = FIELD_REQUIRED,
      .about = "of the session" },
};

const struct record_type kind_close = { .about = "the official close of a session",
                                        FIELDS(fields) };
