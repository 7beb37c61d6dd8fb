/* relabel.c - an instrument has another name from here on.
 *
 *     {"kind":"relabel","ts":1767225600000000000,"symbol":"FB","name":"Meta Platforms"} */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "symbol", .type = &field_symbol, .at = AT(instrument.symbol) },
    { .name = "name",
      .type = &field_text,
      .at = AT(instrument.name),
      .min = 1,
      .max = TITLE_MAX,
      .about = "its name from here on" },
};

const struct record_type kind_relabel = { .about = "an instrument's name changes", FIELDS(fields) };
