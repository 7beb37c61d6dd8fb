/* shares.c - how many shares an instrument has, and which part of them floats freely: its weight
 * in an index.
 *
 *     {"kind":"shares","ts":0,"symbol":"AAPL","shares":5109000000,"float":"0.99"}
 *
 * 2^42 shares at 90,000,000 a piece are what the engine's 128-bit sums have room for, times the
 * members of an index. */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "symbol", .type = &field_symbol, .at = AT(shares.symbol) },
    { .name = "shares",
      .type = &field_integer,
      .at = AT(shares.shares),
      .min = 1,
      .max = SHARES_MAX,
      .missing = FIELD_REQUIRED },
    { .name = "float",
      .type = &field_decimal,
      .at = AT(shares.float_e8),
      .min = 1,
      .max = E8,
      .missing = E8,
      .about = "the part of them that floats freely" },
    { .name = "effective",
      .type = &field_day,
      .at = AT(shares.day),
      .missing = NO_DAY,
      .about = "the session at whose open they take effect; without it at once" },
};

const struct record_type kind_shares = { .about = "shares outstanding", FIELDS(fields) };
