/* calendar.c - the sessions of a venue, for one year or many: core/calendar.h says what the text looks like.
 *
 *     {"kind":"calendar","ts":1704200000000000000,"text":"calendar,XEX,Europe/Paris,2024,2024\nhours,2024-01-01,..."}
 *
 * It comes before the instruments and indices that name it. Those that are shipped (tocsin calendar list) come by themselves
 * when the first of these names one. */
#include "core/calendar.h"
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "text",
      .type = &field_text,
      .at = AT(calendar.text),
      .min = 1,
      .max = CALENDAR_TEXT_MAX,
      .about = "as a calendar's CSV file has it" },
};

const struct record_type kind_calendar = { .about = "a venue's sessions", FIELDS(fields) };
