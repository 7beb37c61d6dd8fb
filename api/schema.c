#include "api/schema.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define DECIMAL_PATTERN "^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?$"
/* what is read: up to 10 digits before the point and 8 after it */
#define NUMERAL_PATTERN "^-?(0|[1-9][0-9]{0,9})([.][0-9]{1,8})?([eE][+-]?[0-9]{1,2})?( *(%|bps))?$"
enum { NUMERAL_MAX = 31 };

/* What OpenAPI calls each type; a NULL is left out. */
static const struct {
    const char *type, *format, *pattern;
} names[] = {
    [FIELD_TEXT] = { "string", NULL, NULL },
    [FIELD_INT] = { "integer", "int64", NULL },
    [FIELD_REAL] = { "number", "double", NULL },
    [FIELD_BOOL] = { "boolean", NULL, NULL },
    [FIELD_TIME] = { "string", "date-time", NULL },
    [FIELD_UUID] = { "string", "uuid", NULL },
    [FIELD_DECIMAL] = { "string", NULL, DECIMAL_PATTERN },
    [FIELD_OBJECT] = { "object", NULL, NULL },
};

void schema_put_reference(struct json_writer *w, const char *key, const char *name)
{
    char text[100];
    int n = snprintf(text, sizeof text, "#/components/schemas/%s", name);
    assert(n > 0 && (size_t)n < sizeof text); /* a literal of a resource */
    json_put_object(w, key);
    json_put_bytes(w, "$ref", text, (size_t)n);
    json_put_end(w);
}

void schema_put_choices(struct json_writer *w, const char *choices, bool or_null)
{
    json_put_array(w, "enum");
    for (const char *c = choices, *bar; c; c = bar ? bar + 1 : NULL) {
        bar = strchr(c, '|');
        json_put_bytes(w, NULL, c, bar ? (size_t)(bar - c) : strlen(c));
    }
    if (or_null) json_put_null(w, NULL);
    json_put_end(w);
}

static void put_names(struct json_writer *w, const struct names *names, bool or_null)
{
    json_put_array(w, "enum");
    for (int i = 0; i < names->n; i++) json_put_text(w, NULL, names->texts[i]);
    if (or_null) json_put_null(w, NULL);
    json_put_end(w);
}

static void put_bounds(struct json_writer *w, const struct field *f)
{
    bool text = f->type == FIELD_TEXT;
    if (f->min == 0 && f->max == 0) return;
    if (f->min || !text) json_put_int(w, text ? "minLength" : "minimum", f->min);
    if (f->max) json_put_int(w, text ? "maxLength" : "maximum", f->max);
}

static void put_list(struct json_writer *w, const struct field *f)
{
    json_put_text(w, "type", "array");
    if (f->of) {
        schema_put_reference(w, "items", f->of);
        return;
    }
    json_put_object(w, "items");
    json_put_text(w, "type", "string");
    json_put_end(w);
}

/* A decimal as text or as a JSON number. */
static void put_numeral(struct json_writer *w, const struct field *f)
{
    json_put_array(w, "oneOf");
    json_put_object(w, NULL);
    json_put_text(w, "type", "string");
    if (f->nullable) json_put_bool(w, "nullable", true);
    json_put_int(w, "maxLength", NUMERAL_MAX);
    json_put_text(w, "pattern", NUMERAL_PATTERN);
    json_put_end(w);
    json_put_object(w, NULL);
    json_put_text(w, "type", "number");
    json_put_end(w);
    json_put_end(w);
}

static void put_plain(struct json_writer *w, const struct field *f)
{
    const char *pattern = f->pattern ? f->pattern : names[f->type].pattern;
    json_put_text(w, "type", names[f->type].type);
    if (names[f->type].format) json_put_text(w, "format", names[f->type].format);
    if (f->nullable) json_put_bool(w, "nullable", true);
    put_bounds(w, f);
    if (pattern) json_put_text(w, "pattern", pattern);
    if (f->choices) schema_put_choices(w, f->choices, f->nullable);
    if (f->names) put_names(w, f->names, f->nullable);
}

static void put_field(struct json_writer *w, const struct field *f)
{
    if (f->type == FIELD_ONE) {
        schema_put_reference(w, f->name, f->of);
        return;
    }
    json_put_object(w, f->name);
    if (f->type == FIELD_LIST) put_list(w, f);
    else if (f->type == FIELD_NUMERAL) put_numeral(w, f);
    else put_plain(w, f);
    if (f->help) json_put_text(w, "description", f->help);
    json_put_end(w);
}

static void put_required(struct json_writer *w, const struct field *fields)
{
    bool any = false;
    for (const struct field *f = fields; f->name; f++) {
        if (f->optional) continue;
        if (!any) json_put_array(w, "required");
        any = true;
        json_put_text(w, NULL, f->name);
    }
    if (any) json_put_end(w); /* an empty list is not allowed */
}

void schema_put(struct json_writer *w, const char *key, const struct schema *s)
{
    json_put_object(w, key);
    if (s->put) {
        s->put(w);
        json_put_end(w);
        return;
    }
    json_put_text(w, "type", "object");
    if (s->help) json_put_text(w, "description", s->help);
    if (!s->open) json_put_bool(w, "additionalProperties", false);
    put_required(w, s->fields);
    json_put_object(w, "properties");
    for (const struct field *f = s->fields; f->name; f++) put_field(w, f);
    json_put_end(w);
    json_put_end(w);
}
