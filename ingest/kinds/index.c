/* index.c - an index exists, and the level it begins with.
 *
 *     {"kind":"index","ts":1704200000000000000,"index":"SP500","name":"S&P 500","base":"1000",
 *      "calendar":"XNYS"}
 *
 * Its members come as membership records; its base counts from its first session end at which all
 * of them have a price. */
#include "core/calendar.h"
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "index", .type = &field_name, .at = AT(index.index), .max = INDEX_NAME_MAX },
    { .name = "name",
      .type = &field_text,
      .at = AT(index.name),
      .max = TITLE_MAX,
      .about = "shown to 63 bytes" },
    { .name = "base",
      .type = &field_decimal,
      .at = AT(index.base_e8),
      .min = PRICE_MIN_E8,
      .max = PRICE_MAX_E8,
      .missing = 1000 * E8,
      .about = "its level at its first complete session end" },
    { .name = "calendar",
      .type = &field_text,
      .at = AT(index.calendar),
      .max = CALENDAR_NAME_MAX,
      .about = "whose sessions it counts, such as XNYS; default `engine.calendar`" },
};

const struct record_type kind_index = { .about = "an index", FIELDS(fields) };
