/* alias.c - another way to write a symbol, as another feed does.
 *
 *     {"kind":"alias","ts":0,"alias":"BRK-B","symbol":"BRK.B"}
 *     {"kind":"alias","ts":0,"alias":"BRK-B","symbol":"BRK-B"}        taken back
 *
 * A table of spellings, of which the engine knows nothing by itself: BF-B and BF/B may be two things. */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "alias", .type = &field_symbol, .at = AT(alias.alias) },
    { .name = "symbol",
      .type = &field_symbol,
      .at = AT(alias.symbol),
      .about = "what it means; itself: nothing any more" },
};

const struct record_type kind_alias = { .about = "another spelling of a symbol", FIELDS(fields) };
