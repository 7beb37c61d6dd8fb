/* rule_delete.c - a tenant deletes a rule. Said by this service for a user of the API.
 *
 *     {"kind":"rule_delete","ts":0,"tenant":"7c0a6ae1-...","rule_id":"0b7f1a52-...",
 *      "ends":true}
 */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "tenant", .type = &field_tenant, .at = AT(rule.tenant) },
    { .name = "rule_id", .type = &field_uuid, .at = AT(rule.rule) },
    { .name = "ends",
      .type = &field_flag,
      .at = AT(rule.ends),
      .missing = false,
      .about = "a firing that this ends is said to be resolved" },
};

const struct record_type kind_rule_delete = { .about = "a rule is deleted", FIELDS(fields) };
