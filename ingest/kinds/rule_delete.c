/* rule_delete.c - a tenant deletes a rule. Said by this service for a user of the API.
 *
 *     {"kind":"rule_delete","ts":0,"tenant":"7c0a6ae1-...","rule_id":"0b7f1a52-..."}
 */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "tenant", .type = &field_tenant, .at = AT(rule.tenant) },
    { .name = "rule_id", .type = &field_uuid, .at = AT(rule.rule) },
};

const struct record_type kind_rule_delete = { .about = "a rule is deleted", FIELDS(fields) };
