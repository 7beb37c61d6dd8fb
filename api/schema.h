/* schema.h - the shape of a body: a list of fields, from which OpenAPI's schema is written. Pure.
 *
 *     static const struct field point_fields[] = {
 *         { .name = "seq", .type = FIELD_INT },
 *         { .name = "value", .type = FIELD_REAL, .nullable = true },
 *         { 0 },
 *     };
 *
 * is {"type":"object","additionalProperties":false,"required":["seq","value"],"properties":{"seq":{"type":"integer",
 * "format":"int64"},"value":{"type":"number","format":"double","nullable":true}}}. */
#ifndef TOCSIN_API_SCHEMA_H
#define TOCSIN_API_SCHEMA_H
#include "core/json_write.h"
#include "core/names.h"

enum field_type {
    FIELD_TEXT,
    FIELD_INT,
    FIELD_REAL,
    FIELD_BOOL,
    FIELD_TIME, /* RFC 3339 */
    FIELD_UUID,
    FIELD_DECIMAL, /* an exact decimal, as text */
    FIELD_NUMERAL, /* of a request: an exact decimal, as text (with % or bps behind it) or number */
    FIELD_OBJECT,  /* whose fields are not said here */
    FIELD_ONE,     /* of the schema `of` */
    FIELD_LIST,    /* of the schema `of`; of texts when that is NULL */
};

struct field {
    const char *name; /* NULL ends the list */
    enum field_type type;
    bool optional, nullable;
    const char *of;            /* FIELD_ONE, FIELD_LIST: name of a schema */
    const char *choices;       /* a text's values: "fire|wait" */
    const struct names *names; /* or those of an enum */
    const char *pattern;       /* a text's regular expression */
    int64_t min, max;          /* of a number, or of a text's length; 0 and 0: any */
    const char *help;
};

struct schema {
    const char *name;
    const struct field *fields;
    bool open; /* fields may come that are not in the list */
    const char *help;
    /* Instead of all that: writes the schema's own members. For one that is made from a list
     * elsewhere. */
    void (*put)(struct json_writer *w);
};

void schema_put(struct json_writer *w, const char *key, const struct schema *s);
/* {"$ref":"#/components/schemas/NAME"} */
void schema_put_reference(struct json_writer *w, const char *key, const char *name);
/* "enum":["a","b"] of "a|b". */
void schema_put_choices(struct json_writer *w, const char *choices, bool or_null);
#endif
