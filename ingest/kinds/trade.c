/* trade.c - one trade: the tick that nearly all traffic is. Stored as columns, not as JSON.
 *
 *     {"kind":"trade","ts":1518037200000000000,"symbol":"AAPL","price":"172.5","size":"100"}
 */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "symbol", .type = &field_symbol, .at = AT(trade.symbol) },
    { .name = "price",
      .type = &field_decimal,
      .at = AT(trade.price_e8),
      .min = -PRICE_MAX_E8,
      .max = PRICE_MAX_E8,
      .missing = FIELD_REQUIRED,
      .about = "0 and below of instruments with `negative_prices` alone" },
    { .name = "size",
      .type = &field_decimal,
      .at = AT(trade.size_e8),
      .max = QUANTITY_MAX_E8,
      .missing = 0 },
};

const struct record_type kind_trade = { .about = "a trade", FIELDS(fields) };
