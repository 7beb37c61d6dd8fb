/* json.c - a JSON message as fields: the law. jansson parses it strictly, and what the kinds ask
 * for is looked up in its tree; only the digits of a number, which jansson rounds to a double,
 * are read from the bytes themselves.
 *
 *     {"kind":"index","ts":1,"index":"SP500","base":1.25e3}
 *
 * find("index") is TEXT "SP500"; find("base") is a NUMBER that is not whole, and written("base")
 * walks over the members of the outermost object to "base" and answers "1.25e3", from which an
 * exact 1250 is read. */
#include "ingest/formats/json.h"

#include "core/json.h"
#include "ingest/formats/format.h"
#include "ingest/kinds/kind.h"

#include <string.h>

struct message {
    const char *bytes;
    size_t n;
    json_t *root;
};

/* ---- the text of a number ----
 *
 * jansson keeps a real as a double, whose text is gone. It has already said that the bytes are
 * valid JSON without duplicate keys, so a walk over the members of the outermost object finds the
 * one value of that name as it was written. */

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static size_t skip_spaces(const char *s, size_t n, size_t i)
{
    while (i < n && is_space(s[i])) i++;
    return i;
}

static size_t skip_string(const char *s, size_t n,
                          size_t i) /* from its opening quote to past its closing one */
{
    for (i++; i < n && s[i] != '"'; i++) i += s[i] == '\\';
    return i + 1;
}

static size_t skip_value(const char *s, size_t n, size_t i)
{
    int depth = 0;
    while (i < n) {
        if (s[i] == '"') i = skip_string(s, n, i);
        else if (depth == 0 && (s[i] == ',' || s[i] == '}' || is_space(s[i]))) break;
        else if (s[i] == '{' || s[i] == '[') depth++, i++;
        else if (s[i] == '}' || s[i] == ']') depth--, i++;
        else i++;
        if (depth == 0 && (s[i - 1] == '"' || s[i - 1] == '}' || s[i - 1] == ']')) break;
    }
    return i;
}

/* `raw` is a key with its quotes. One written with escapes is read by jansson, as it was the
 * first time. */
static bool key_is(struct str raw, const char *key)
{
    size_t n = strlen(key);
    if (!memchr(raw.p, '\\', raw.n)) return raw.n == n + 2 && memcmp(raw.p + 1, key, n) == 0;
    AUTO_JSON json_t *j = NULL;
    return json_load_strict(raw.p, raw.n, &j, NULL) == ERR_OK
           && strcmp(json_string_value(j), key) == 0;
}

static struct str span(const char *s, size_t from, size_t to)
{
    return (struct str){ s + from, (uint32_t)(to - from) };
}

static struct str value_text(const char *s, size_t n, const char *key)
{
    size_t i = skip_spaces(s, n, 0) + 1; /* past { */
    while (i < n) {
        size_t key_at = skip_spaces(s, n, i), key_end = skip_string(s, n, key_at);
        size_t value_at = skip_spaces(s, n, skip_spaces(s, n, key_end) + 1),
               value_end = skip_value(s, n, value_at);
        if (value_end > n) break;
        if (key_is(span(s, key_at, key_end), key)) return span(s, value_at, value_end);
        i = skip_spaces(s, n, value_end) + 1; /* past the comma */
    }
    return (struct str){ NULL, 0 };
}

/* ---- what the kinds ask ---- */

static struct field field_of(const json_t *v)
{
    struct field f = { .own = v };
    switch (json_typeof(v)) {
    case JSON_NULL: f.shape = FIELD_ABSENT; break;
    case JSON_STRING:
        f.shape = FIELD_TEXT;
        f.text = (struct str){ json_string_value(v), (uint32_t)json_string_length(v) };
        break;
    case JSON_INTEGER:
        f.shape = FIELD_NUMBER;
        f.whole = true;
        f.integer = json_integer_value(v);
        break;
    case JSON_REAL: f.shape = FIELD_NUMBER; break;
    case JSON_TRUE:
    case JSON_FALSE:
        f.shape = FIELD_FLAG;
        f.flag = json_is_true(v);
        break;
    case JSON_ARRAY:
        f.shape = FIELD_LIST;
        f.items = (uint32_t)json_array_size(v);
        break;
    case JSON_OBJECT: f.shape = FIELD_OBJECT; break;
    }
    return f;
}

static struct field find(const void *message, const char *name)
{
    const json_t *v = json_object_get(((const struct message *)message)->root, name);
    return v ? field_of(v) : (struct field){ 0 };
}

static struct str written(const void *message, const char *name)
{
    const struct message *m = message;
    return value_text(m->bytes, m->n, name);
}

static struct field item(const struct field *list, uint32_t i)
{
    return field_of(json_array_get(list->own, i));
}

static const char *stray(const void *message, const char *const *asked, unsigned n)
{
    const char *key;
    json_t *value;
    json_object_foreach(((const struct message *)message)->root, key, value)
    {
        unsigned i = 0;
        while (i < n && strcmp(asked[i], key) != 0) i++;
        if (i == n) return key;
    }
    return NULL;
}

static const struct field_source json_fields = { find, written, item, stray };

/* ---- a message ---- */

struct reading { /* what one message is read with */
    struct message m;
    struct fields f;
};

/* On ERR_OK the tree is the caller's. */
static enum err begin(const char *bytes, size_t n, struct arena *arena, struct reading *out,
                      struct why *why)
{
    json_t *root = NULL;
    enum err e = json_load_strict(bytes, n, &root, why);
    if (e) return e;
    if (!json_is_object(root)) {
        json_decref(root);
        return err_set(why, ERR_INVALID, "expected a JSON object");
    }
    out->m = (struct message){ bytes, n, root };
    out->f = fields_begin(&json_fields, &out->m, arena, why);
    return ERR_OK;
}

enum err record_decode_dom(const char *bytes, size_t n, struct arena *arena, struct record *out,
                           struct why *why)
{
    struct reading r;
    if (n > MESSAGE_MAX)
        return err_set(why, ERR_TOO_LARGE, "message of %zu bytes, at most %d are taken", n,
                       MESSAGE_MAX);
    if (n == 0) return err_set(why, ERR_SYNTAX, "empty message");
    enum err e = begin(bytes, n, arena, &r, why);
    if (e) return e;
    e = record_read(&r.f, out);
    json_decref(r.m.root);
    return e;
}

enum err record_from_stored(const struct record *columns, struct uuid tenant, const char *text,
                            size_t n, struct arena *arena, struct record *out, struct why *why)
{
    struct reading r;
    enum err e = begin(text, n, arena, &r, why);
    if (e) return e;
    e = record_read_stored(&r.f, columns, tenant, out);
    json_decref(r.m.root);
    return e;
}

enum err record_decode(const char *bytes, size_t n, struct arena *arena, struct record *out,
                       struct why *why)
{
    if (n > 0 && n <= MESSAGE_MAX && json_scan_tick(bytes, n, out)) return ERR_OK;
    return record_decode_dom(bytes, n, arena, out, why);
}

/* ---- the format ---- */

static enum err work(void *state, const char *bytes, size_t n, const struct intake *to,
                     struct why *why)
{
    (void)state;
    struct record *r = intake_record(to);
    if (!r) return err_set(why, ERR_NOMEM, "no memory for a record");
    return record_decode(bytes, n, to->arena, r, why);
}

const struct format format_json = { .name = "json",
                                    .help = "a JSON object a message, one record each",
                                    .work = work };
