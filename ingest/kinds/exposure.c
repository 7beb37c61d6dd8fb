/* exposure.c - how much an issuer depends on a theme, as somebody dated judged it: the weights
 * of ai_exposure.
 *
 *     {"kind":"exposure","ts":1767225600000000000,"issuer":"NVIDIA","theme":"AI",
 *      "source":"10-K","value":"0.9","effective_from":"2026-01-01"}
 *
 * Dated twice: `ts` is when it became known, `effective_from` from when it counts, by default
 * the day it became known. That day is written into the canonical JSON, so that what is stored
 * says it by itself. */
#include "ingest/kinds/kind.h"

enum { THEME_MAX = 31 }; /* bytes */

static const struct record_field fields[] = {
    { .name = "issuer",
      .type = &field_text,
      .at = AT(exposure.issuer),
      .min = 1,
      .max = NAME_MAX_BYTES },
    { .name = "theme", .type = &field_text, .at = AT(exposure.theme), .min = 1, .max = THEME_MAX },
    { .name = "source", .type = &field_text, .at = AT(exposure.source), .max = SOURCE_MAX },
    { .name = "value",
      .type = &field_decimal,
      .at = AT(exposure.value_e8),
      .max = E8,
      .missing = FIELD_REQUIRED },
    { .name = "effective_from",
      .type = &field_day,
      .at = AT(exposure.effective_day),
      .missing = DAY_OF_TS },
};

const struct record_type kind_exposure = { .about = "how much an issuer depends on a theme",
                                           FIELDS(fields) };
