/* issuer.c - who stands behind instruments: one company may have several share classes.
 *
 *     {"kind":"issuer","ts":0,"issuer":"ALPHABET","name":"Alphabet Inc.",
 *      "sector":"Communication Services"}
 * / */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "issuer",
      .type = &field_text,
      .at = AT(issuer.issuer),
      .min = 1,
      .max = NAME_MAX_BYTES },
    { .name = "name",
      .type = &field_text,
      .at = AT(issuer.name),
      .max = TITLE_MAX,
      .about = "shown to 63 bytes" },
    { .name = "sector", .type = &field_text, .at = AT(issuer.sector), .max = TITLE_MAX },
};

const struct record_type kind_issuer = { .about = "a company", FIELDS(fields) };
