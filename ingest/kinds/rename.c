/* rename.c - an instrument gets another symbol and stays what it is.
 *
 *     {"kind":"rename","ts":1654780800000000000,"symbol":"FB","to":"META","effective":"2022-06-09",
 *      "name":"Meta Platforms"}
 *
 * In the order of records it counts from its own place on; `effective` dates it for people and SQL. */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "symbol", .type = &field_symbol, .at = AT(rename.symbol), .about = "the old one" },
    { .name = "to", .type = &field_symbol, .at = AT(rename.to), .about = "the new one" },
    { .name = "effective",
      .type = &field_day,
      .at = AT(rename.effective_day),
      .missing = DAY_OF_TS,
      .about = "first day of the new one, at most the one after `ts`" },
    { .name = "name",
      .type = &field_text,
      .at = AT(rename.name),
      .max = TITLE_MAX,
      .about = "of the instrument from now on" },
};

const struct record_type kind_rename = { .about = "an instrument gets another symbol",
                                         FIELDS(fields) };
