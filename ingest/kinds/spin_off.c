/* spin_off.c - holders of a share get shares of a company that was a part of it.
 *
 *     {"kind":"spin_off","ts":1437350400000000000,"parent":"EBAY","child":"PYPL","new":1,"old":1,"effective":"2015-07-20",
 *      "value":"38.39"}
 *
 * `new` shares of the child for `old` of the parent. */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "parent", .type = &field_symbol, .at = AT(spin_off.parent) },
    { .name = "child", .type = &field_symbol, .at = AT(spin_off.child) },
    { .name = "new",
      .type = &field_integer,
      .at = AT(spin_off.to),
      .min = 1,
      .max = SPLIT_SHARES_MAX,
      .missing = FIELD_REQUIRED,
      .about = "shares of the child" },
    { .name = "old",
      .type = &field_integer,
      .at = AT(spin_off.from),
      .min = 1,
      .max = SPLIT_SHARES_MAX,
      .missing = FIELD_REQUIRED,
      .about = "for so many of the parent" },
    EFFECTIVE(spin_off),
    { .name = "value",
      .type = &field_decimal,
      .at = AT(spin_off.value_e8),
      .min = 0,
      .max = PRICE_MAX_E8,
      .missing = 0,
      .about = "what a share of the child is worth; 0: its first price" },
    ANNOUNCED(spin_off),
    ACTION_SOURCE(spin_off),
};

const struct record_type kind_spin_off = { .about = "a part of a company becomes one of its own",
                                           FIELDS(fields) };
