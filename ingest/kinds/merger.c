/* merger.c - a company is taken over: its shares leave their indices at the open of a session, at what the terms make of them.
 *
 *     {"kind":"merger","ts":1529539200000000000,"symbol":"MON","effective":"2018-06-07","price":"128","acquirer":"BAYN"}
 *     {"kind":"merger","ts":1479600000000000000,"symbol":"LLTC","effective":"2017-03-10","price":"46","new":2321,"old":10000,"acquirer":"ADI"}
 *
 * In cash, in shares of the acquirer (`new` of them for `old`), or in both. */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "symbol", .type = &field_symbol, .at = AT(delisting.symbol) },
    EFFECTIVE(delisting),
    { .name = "price",
      .type = &field_decimal,
      .at = AT(delisting.price_e8),
      .min = 0,
      .max = PRICE_MAX_E8,
      .missing = 0,
      .about = "cash for a share" },
    { .name = "new",
      .type = &field_integer,
      .at = AT(delisting.to),
      .min = 1,
      .max = SPLIT_SHARES_MAX,
      .missing = 0,
      .about = "shares of the acquirer, at its close before" },
    { .name = "old",
      .type = &field_integer,
      .at = AT(delisting.from),
      .min = 1,
      .max = SPLIT_SHARES_MAX,
      .missing = 0,
      .about = "for so many" },
    { .name = "acquirer",
      .type = &field_text,
      .at = AT(delisting.acquirer),
      .max = NAME_MAX_BYTES,
      .about = "its symbol, where there are shares of it" },
    ANNOUNCED(delisting),
    ACTION_SOURCE(delisting),
};

const struct record_type kind_merger = { .about = "a company is taken over", FIELDS(fields) };
