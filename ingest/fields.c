#include "ingest/fields.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct fields fields_begin(const struct field_source *source, const void *message,
                           struct arena *arena, struct why *why)
{
    return (struct fields){ .source = source, .message = message, .arena = arena, .why = why };
}

enum err fields_end(struct fields *f)
{
    const char *stray = f->err ? NULL : f->source->stray(f->message, f->asked, f->asked_n);
    if (stray) fields_fail(f, "unknown field \"%.60s\"", stray);
    return f->err;
}

struct field fields_find(struct fields *f, const char *name)
{
    if (f->err) return (struct field){ 0 };
    assert(f->asked_n < FIELDS_MAX);
    f->asked[f->asked_n++] = name;
    return f->source->find(f->message, name);
}

struct str fields_written(const struct fields *f, const char *name)
{
    return f->source->written(f->message, name);
}

struct field fields_item(const struct fields *f, const struct field *list, uint32_t i)
{
    return f->source->item(list, i);
}

void fields_fail(struct fields *f, const char *fmt, ...)
{
    if (f->err) return;
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    f->err = err_set(f->why, ERR_INVALID, "%s", text);
}

void *fields_alloc(struct fields *f, size_t n)
{
    void *p = f->err ? NULL : arena_alloc(f->arena, n);
    if (!p && !f->err) f->err = err_set(f->why, ERR_NOMEM, "no memory for %zu bytes", n);
    return p;
}

struct str fields_keep(struct fields *f, struct str s)
{
    char *copy = s.n ? fields_alloc(f, s.n) : NULL;
    if (!copy) return (struct str){ "", 0 };
    memcpy(copy, s.p, s.n);
    return (struct str){ copy, s.n };
}

struct str fields_text(struct fields *f, const char *name, size_t min, size_t max, bool required)
{
    const struct field v = fields_find(f, name);
    const struct str none = { NULL, 0 };
    if (v.shape == FIELD_ABSENT && required) fields_fail(f, "field \"%s\" is missing", name);
    if (v.shape == FIELD_ABSENT) return none;
    if (v.shape != FIELD_TEXT) fields_fail(f, "field \"%s\" must be a string", name);
    else if (v.text.n < min || v.text.n > max)
        fields_fail(f, "field \"%s\" must have %zu to %zu bytes, has %" PRIu32, name, min, max,
                    v.text.n);
    else if (memchr(v.text.p, '\0', v.text.n)) fields_fail(f, "field \"%s\" holds a NUL", name);
    return f->err ? none : v.text;
}

int64_t fields_integer(struct fields *f, const char *name, int64_t min, int64_t max,
                       int64_t missing)
{
    const struct field v = fields_find(f, name);
    if (v.shape == FIELD_ABSENT && missing == FIELD_REQUIRED)
        fields_fail(f, "field \"%s\" is missing", name);
    if (v.shape == FIELD_ABSENT) return missing;
    if (v.shape != FIELD_NUMBER || !v.whole)
        fields_fail(f, "field \"%s\" must be an integer", name);
    else if (v.integer < min || v.integer > max)
        fields_fail(f, "field \"%s\" must be from %" PRId64 " to %" PRId64, name, min, max);
    return f->err ? missing : v.integer;
}
