/* issuer_rename.c - a company gets another key, or becomes part of one that is there.
 *
 *     {"kind":"issuer_rename","ts":1690214400000000000,"issuer":"TWITTER","to":"X CORP",
 *      "effective":"2023-07-24","name":"X Corp."}
 *
 * In the order of records it counts from its own place on; `effective` dates it. */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "issuer",
      .type = &field_text,
      .at = AT(issuer_rename.issuer),
      .min = 1,
      .max = NAME_MAX_BYTES,
      .about = "the old one" },
    { .name = "to",
      .type = &field_text,
      .at = AT(issuer_rename.to),
      .min = 1,
      .max = NAME_MAX_BYTES,
      .about = "the new one; where that is a company already, both are one from now on" },
    { .name = "effective",
      .type = &field_day,
      .at = AT(issuer_rename.effective_day),
      .missing = DAY_OF_TS,
      .about = "first day of the new one, at most the one after `ts`" },
    { .name = "name",
      .type = &field_text,
      .at = AT(issuer_rename.name),
      .max = TITLE_MAX,
      .about = "of the company from now on; shown to 63 bytes" },
};

const struct record_type kind_issuer_rename = { .about = "a company is called otherwise, or merges",
                                                FIELDS(fields) };
