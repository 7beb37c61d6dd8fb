/* settings.c - what the engine's answers depend on beside the records: so it is one of them, and
 * a replay has it where it was.
 *
 *     {"kind":"settings","ts":0,"stale_after_ns":5000000000,"sample_ns":1000000000,
 *      "coverage_gate_e8":95000000,"drop_unasked":true,"meaning":1,"hold_shares":true,
 *      "burst_alerts":1000,"readings_on_change":true}
 */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "stale_after_ns",
      .type = &field_integer,
      .at = AT(settings.stale_after_ns),
      .max = INT64_MAX,
      .missing = 0 },
    { .name = "sample_ns",
      .type = &field_integer,
      .at = AT(settings.sample_ns),
      .max = INT64_MAX,
      .missing = 0 },
    { .name = "coverage_gate_e8",
      .type = &field_integer,
      .at = AT(settings.coverage_gate_e8),
      .max = E8,
      .missing = 0 },
    { .name = "drop_unasked",
      .type = &field_flag,
      .at = AT(settings.drop_unasked),
      .missing = false },
    { .name = "meaning",
      .type = &field_integer,
      .at = AT(settings.meaning),
      .max = MEANING_NOW,
      .missing = MEANING_FIRST },
    { .name = "session_grace_ns",
      .type = &field_integer,
      .at = AT(settings.session_grace_ns),
      .max = INT64_MAX,
      .missing = 0 },
    { .name = "hold_shares",
      .type = &field_flag,
      .at = AT(settings.hold_shares),
      .missing = false },
    { .name = "burst_alerts",
      .type = &field_integer,
      .at = AT(settings.burst_alerts),
      .max = INT64_MAX,
      .missing = 0 },
    { .name = "readings_on_change",
      .type = &field_flag,
      .at = AT(settings.readings_on_change),
      .missing = false },
};

const struct record_type kind_settings = { .about = "what answers depend on", FIELDS(fields) };
