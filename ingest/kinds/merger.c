/* merger.c - a company is taken over: its shares leave their indices at the open of a session, at what the terms make of them.
 *
 *     {"kind":"merger","ts":1529539200000000000,"symbol":"MON","effective":"2018-06-07","price":"128","acquirer":"BAYN"} */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "symbol", .type = &field_symbol, .at = AT(delisting.symbol) },
    EFFECTIVE(delisting),
    { .name = "price",
      .type = &field_decimal,
      .at = AT(delisting.price_e8),
      .min = PRICE_MIN_E8,
      .max = PRICE_MAX_E8,
      .missing = FIELD_REQUIRED,
      .about = "what the terms give for a share" },
    { .name = "acquirer",
      .type = &field_text,
      .at = AT(delisting.acquirer),
      .max = NAME_MAX_BYTES },
    ANNOUNCED(delisting),
    ACTION_SOURCE(delisting),
};

const struct record_type kind_merger = { .about = "a company is taken over", FIELDS(fields) };
