/* clock.c - time passes, or a session has ended. A feed says it; so does the service itself, once
 * a second, when the feeds are still.
 *
 *     {"kind":"clock","ts":1518037200000000000,"session_end":"2018-02-07"}
 *
 * Without `session_end` (NO_DAY) it moves event time and nothing else: values age, hold times run
 * out. */
#include "core/calendar.h"
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "session_end",
      .type = &field_day,
      .at = AT(clock.session_end),
      .missing = NO_DAY,
      .about = "the session that has ended" },
    { .name = "presumed",
      .type = &field_flag,
      .at = AT(clock.presumed),
      .missing = false,
      .about =
          "the service says it itself when the calendar's close is `engine.session_grace_ms` ago, or a price of a later session comes first" },
    { .name = "venue",
      .type = &field_text,
      .at = AT(clock.venue),
      .max = CALENDAR_NAME_MAX,
      .about = "whose session; default of every venue that has had prices" },
};

const struct record_type kind_clock = { .about = "time passes", FIELDS(fields) };
