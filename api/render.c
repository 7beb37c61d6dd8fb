#include "api/render.h"

#include "api/resource.h"
#include "core/json.h"

#include <stdlib.h>
#include <string.h>

static void put_value(struct json_writer *w, const char *key, json_t *v, const struct schema *s);

/* The fields that are there, in the schema's order; what it does not know is not shown. */
static void put_fields(struct json_writer *w, json_t *object, const struct schema *s)
{
    for (const struct field *f = s->fields; f->name; f++) {
        json_t *v = json_object_get(object, f->name);
        if (v && f->type == FIELD_TIME && json_is_integer(v))
            json_put_time(w, f->name, json_integer_value(v));
        else if (v) put_value(w, f->name, v, f->of ? schema_find(f->of) : NULL);
    }
}

static void put_members(struct json_writer *w, json_t *object)
{
    const char *name;
    json_t *v;
    json_object_foreach(object, name, v) put_value(w, name, v, NULL);
}

/* A stored value written anew. `s` is the schema of the object that it is, or of those in the list that it is. */
static void put_value(struct json_writer *w, const char *key, json_t *v, const struct schema *s)
{
    switch (json_typeof(v)) {
    case JSON_NULL: json_put_null(w, key); return;
    case JSON_TRUE: json_put_bool(w, key, true); return;
    case JSON_FALSE: json_put_bool(w, key, false); return;
    case JSON_INTEGER: json_put_int(w, key, json_integer_value(v)); return;
    case JSON_REAL: json_put_real(w, key, json_real_value(v)); return;
    case JSON_STRING: json_put_text(w, key, json_string_value(v)); return;
    case JSON_ARRAY:
        json_put_array(w, key);
        for (size_t i = 0; i < json_array_size(v); i++) put_value(w, NULL, json_array_get(v, i), s);
        json_put_end(w);
        return;
    case JSON_OBJECT:
        json_put_object(w, key);
        if (s && s->fields) put_fields(w, v, s);
        else put_members(w, v);
        json_put_end(w);
        return;
    }
}

static void put_json(struct json_writer *w, const struct field *f, const char *text)
{
    AUTO_JSON json_t *v = NULL;
    if (json_load_strict(text, strlen(text), &v, NULL)) w->out->failed = true;
    else put_value(w, f->name, v, f->of ? schema_find(f->of) : NULL);
}

void render_members(struct json_writer *w, const char *text, const char *const *order)
{
    AUTO_JSON json_t *object = NULL;
    if (json_load_strict(text, strlen(text), &object, NULL)) w->out->failed = true;
    else if (!order) put_members(w, object);
    for (; object && order && *order; order++) {
        json_t *v = json_object_get(object, *order);
        if (v) put_value(w, *order, v, NULL);
    }
}

static void put_column(struct json_writer *w, const struct field *f, const char *column)
{
    if (!column) {
        json_put_null(w, f->name);
        return;
    }
    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_UUID:
    case FIELD_DECIMAL:
    case FIELD_NUMERAL: json_put_text(w, f->name, column); return;
    case FIELD_INT: json_put_int(w, f->name, strtoll(column, NULL, 10)); return;
    case FIELD_REAL: json_put_real(w, f->name, strtod(column, NULL)); return;
    case FIELD_BOOL: json_put_bool(w, f->name, column[0] == 't'); return;
    case FIELD_TIME: json_put_time(w, f->name, strtoll(column, NULL, 10)); return;
    case FIELD_OBJECT:
    case FIELD_ONE:
    case FIELD_LIST: put_json(w, f, column); return;
    }
}

void render_row(struct json_writer *w, const char *key, const struct schema *s,
                const char *const *columns)
{
    json_put_object(w, key);
    for (size_t i = 0; s->fields[i].name; i++)
        if (columns[i] || !s->fields[i].optional || s->fields[i].nullable)
            put_column(w, &s->fields[i], columns[i]);
    json_put_end(w);
}
