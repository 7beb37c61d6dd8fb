/* dividend.c - who holds a share at the close before the ex-session is paid for it.
 *
 *     {"kind":"dividend","ts":1517443200000000000,"symbol":"AAPL","amount":"0.63","currency":"USD","ex":"2018-02-09"}
 *
 * Per share as they are in the ex-session, after a split of the same day. A special one adjusts price returns too. */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "symbol", .type = &field_symbol, .at = AT(dividend.symbol) },
    { .name = "amount",
      .type = &field_decimal,
      .at = AT(dividend.amount_e8),
      .min = PRICE_MIN_E8,
      .max = PRICE_MAX_E8,
      .missing = FIELD_REQUIRED,
      .about = "per share, in the currency of the price" },
    { .name = "ex",
      .type = &field_day,
      .at = AT(dividend.day),
      .missing = FIELD_REQUIRED,
      .about = "the first session without it" },
    { .name = "special",
      .type = &field_flag,
      .at = AT(dividend.special),
      .missing = false,
      .about = "price returns and levels do not fall by it" },
    { .name = "currency", .type = &field_text, .at = AT(dividend.currency), .max = 3 },
    ANNOUNCED(dividend),
    ACTION_SOURCE(dividend),
};

const struct record_type kind_dividend = { .about = "cash paid for a share", FIELDS(fields) };
