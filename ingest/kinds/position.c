/* position.c - what a tenant holds of a symbol in a book: the whole quantity, not a change of
 * it.
 *
 *     {"kind":"position","ts":0,"tenant":"7c0a6ae1-54c1-4b8e-9d2f-0123456789ab","book":"growth",
 *      "symbol":"NVDA","quantity":"-25.5"}
 *
 * A short position is below 0; 0 closes it. */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "tenant", .type = &field_tenant, .at = AT(position.tenant) },
    { .name = "book", .type = &field_name, .at = AT(position.book), .max = INDEX_NAME_MAX },
    { .name = "symbol", .type = &field_symbol, .at = AT(position.symbol) },
    { .name = "quantity",
      .type = &field_decimal,
      .at = AT(position.quantity_e8),
      .min = -QUANTITY_MAX_E8,
      .max = QUANTITY_MAX_E8,
      .missing = FIELD_REQUIRED,
      .about = "the whole of it; 0 closes the position" },
};

const struct record_type kind_position = { .about = "a tenant's holding", FIELDS(fields) };
