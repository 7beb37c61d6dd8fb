/* membership.c - a symbol joins an index, or leaves it.
 *
 *     {"kind":"membership","ts":0,"index":"SP500","symbol":"AAPL","member":true}
 *
 * `shares` are index shares in place of the instrument's own, for an index that counts in its own
 * way; 0 in the record, which no message can say, is "the instrument's". */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "index", .type = &field_name, .at = AT(membership.index), .max = INDEX_NAME_MAX },
    { .name = "symbol", .type = &field_symbol, .at = AT(membership.symbol) },
    { .name = "member", .type = &field_flag, .at = AT(membership.member), .missing = true },
    { .name = "shares",
      .type = &field_integer,
      .at = AT(membership.shares),
      .min = 1,
      .max = SHARES_MAX,
      .missing = 0,
      .about = "index shares in place of the instrument's" },
};

const struct record_type kind_membership = { .about = "in or out of an index", FIELDS(fields) };
