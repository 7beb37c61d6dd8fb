/* rule_put.c - a tenant makes a rule, or changes one. Said by this service for a user of the
 * API.
 *
 *     {"kind":"rule_put","ts":0,"tenant":"7c0a6ae1-...","rule_id":"0b7f1a52-...",
 *      "definition":{"rule":"hhi(SP500) > 90"},"ends":true}
 *
 * The definition is JSON as the rules write it; here it is an object and no more. It is kept as
 * its text, and written as that very text, so that what a rule means is known in one place. */
#include "ingest/kinds/kind.h"

static void definition_read(struct fields *f, const struct record_field *d, struct record *r)
{
    const struct field v = fields_find(f, d->name);
    if (v.shape == FIELD_ABSENT) fields_fail(f, "field \"%s\" is missing", d->name);
    else if (v.shape != FIELD_OBJECT) fields_fail(f, "field \"%s\" must be an object", d->name);
    if (!f->err) r->u.rule.definition = fields_keep(f, fields_written(f, d->name));
}

static void definition_write(struct json_writer *w, const struct record_field *d,
                             const struct record *r)
{
    json_put_raw(w, d->name, r->u.rule.definition.p, r->u.rule.definition.n);
}

static void definition_describe(const struct record_field *d, struct buf *out)
{
    (void)d;
    buf_puts(out, "object");
}

static const struct field_type definition = { definition_read, definition_write,
                                              definition_describe };

static const struct record_field fields[] = {
    { .name = "tenant", .type = &field_tenant, .at = AT(rule.tenant) },
    { .name = "rule_id", .type = &field_uuid, .at = AT(rule.rule) },
    { .name = "definition", .type = &definition },
    { .name = "ends",
      .type = &field_flag,
      .at = AT(rule.ends),
      .missing = false,
      .about = "a firing that this ends is said to be resolved" },
};

const struct record_type kind_rule_put = { .about = "a rule is made or changed", FIELDS(fields) };
