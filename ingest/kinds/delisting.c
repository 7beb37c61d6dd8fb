/* delisting.c - an instrument trades no more: it leaves its indices at the open of a session, at what its shares are then worth.
 *
 *     {"kind":"delisting","ts":1529539200000000000,"symbol":"TWX","effective":"2018-06-15","price":"98.77"} */
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
      .about = "what a share is worth then; 0: its last price" },
    ANNOUNCED(delisting),
    ACTION_SOURCE(delisting),
};

const struct record_type kind_delisting = { .about = "an instrument trades no more",
                                            FIELDS(fields) };
