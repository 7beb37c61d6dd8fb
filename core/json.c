#include "core/json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char JSON_REQUIRED[] = "";

enum { DEPTH_MAX = 64 };

enum err json_load_strict(const char *s, size_t n, json_t **out, struct why *why)
{
    if (n && memchr(s, '\0', n))
        return err_at(why, (int)((const char *)memchr(s, '\0', n) - s) + 1, ERR_SYNTAX,
                      "NUL byte in JSON");
    int depth = 0; /* jansson allows 2048: cut first, so that a deep bomb costs nothing */
    bool in_string = false;
    for (size_t i = 0; i < n; i++) {
        if (in_string) {
            if (s[i] == '\\') i++;
            else if (s[i] == '"') in_string = false;
        } else if (s[i] == '"') in_string = true;
        else if ((s[i] == '{' || s[i] == '[') && ++depth > DEPTH_MAX)
            return err_at(why, (int)i + 1, ERR_SYNTAX, "JSON nested deeper than 64");
        else if (s[i] == '}' || s[i] == ']') depth--;
    }
    json_error_t e;
    json_t *j = json_loadb(s, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    if (!j)
        return err_at(why, e.position > 0 ? e.position : 1, ERR_SYNTAX, "not valid JSON: %s",
                      e.text);
    *out = j;
    return ERR_OK;
}

struct json_fields json_fields_begin(json_t *object, struct why *why)
{
    struct json_fields f = { .object = object, .why = why };
    if (!json_is_object(object)) f.err = err_set(why, ERR_INVALID, "expected a JSON object");
    return f;
}

enum err json_fail(struct json_fields *f, const char *fmt, ...)
{
    if (f->err) return f->err;
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return f->err = err_set(f->why, ERR_INVALID, "%s", text);
}

json_t *json_want_any(struct json_fields *f, const char *key)
{
    json_t *v = f->err ? NULL : json_object_get(f->object, key);
    assert(f->asked_n < sizeof f->asked / sizeof *f->asked);
    if (!f->err) f->asked[f->asked_n++] = key;
    return json_is_null(v) ? NULL : v;
}

const char *json_want_string(struct json_fields *f, const char *key, size_t min, size_t max,
                             const char *missing)
{
    json_t *v = json_want_any(f, key);
    if (f->err) return missing;
    if (!v) {
        if (missing == JSON_REQUIRED) json_fail(f, "field \"%s\" is missing", key);
        return missing;
    }
    if (!json_is_string(v)) {
        json_fail(f, "field \"%s\" must be a string", key);
        return missing;
    }
    size_t n = json_string_length(v);
    if (n < min || n > max) {
        json_fail(f, "field \"%s\" must have %zu to %zu bytes, has %zu", key, min, max, n);
        return missing;
    }
    if (strlen(json_string_value(v)) != n) {
        json_fail(f, "field \"%s\" holds a NUL", key);
        return missing;
    }
    return json_string_value(v);
}

int64_t json_want_int(struct json_fields *f, const char *key, int64_t min, int64_t max,
                      int64_t missing)
{
    json_t *v = json_want_any(f, key);
    if (f->err) return missing;
    if (!v) {
        if (missing == JSON_REQUIRED_INT) json_fail(f, "field \"%s\" is missing", key);
        return missing;
    }
    if (!json_is_integer(v)) {
        json_fail(f, "field \"%s\" must be an integer", key);
        return missing;
    }
    int64_t i = json_integer_value(v);
    if (i < min || i > max) {
        json_fail(f, "field \"%s\" must be from %" PRId64 " to %" PRId64, key, min, max);
        return missing;
    }
    return i;
}

bool json_want_bool(struct json_fields *f, const char *key, bool missing)
{
    json_t *v = json_want_any(f, key);
    if (f->err || !v) return missing;
    if (!json_is_boolean(v)) {
        json_fail(f, "field \"%s\" must be true or false", key);
        return missing;
    }
    return json_is_true(v);
}

int json_want_choice(struct json_fields *f, const char *key, const char *const *names, int missing)
{
    const char *s = json_want_string(f, key, 0, 40, missing < 0 ? JSON_REQUIRED : NULL);
    if (f->err || !s) return missing;
    for (int i = 0; names[i]; i++)
        if (strcmp(s, names[i]) == 0) return i;
    char list[200] = "";
    for (int i = 0; names[i] && strlen(list) < 150; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
    json_fail(f, "field \"%s\" must be one of %s", key, list);
    return missing;
}

enum err json_fields_end(struct json_fields *f)
{
    if (f->err) return f->err;
    const char *key;
    json_t *value;
    json_object_foreach(f->object, key, value)
    {
        unsigned i = 0;
        while (i < f->asked_n && strcmp(f->asked[i], key) != 0) i++;
        if (i == f->asked_n) return json_fail(f, "unknown field \"%.60s\"", key);
    }
    return ERR_OK;
}
