#include "core/json_write.h"

#include "core/decimal.h"
#include "core/when.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

struct json_writer json_write(struct buf *out) { return (struct json_writer){ .out = out }; }

bool json_write_done(const struct json_writer *w) { return w->depth == 0 && buf_ok(w->out); }

static uint32_t level(const struct json_writer *w) { return (uint32_t)1 << (w->depth - 1); }

/* What stands before a value: the comma, and the key with its colon. */
static void before(struct json_writer *w, const char *key)
{
    if (w->depth == 0) {
        assert(!key);
        return;
    }
    assert(!key == ((w->arrays & level(w)) != 0));
    if (w->begun & level(w)) buf_put(w->out, ",", 1);
    w->begun |= level(w);
    if (!key) return;
    buf_json_string(w->out, key, strlen(key));
    buf_put(w->out, ":", 1);
}

static void enter(struct json_writer *w, const char *key, bool array)
{
    before(w, key);
    assert(w->depth < JSON_WRITE_DEPTH);
    w->depth++;
    w->begun &= ~level(w);
    w->arrays = array ? w->arrays | level(w) : w->arrays & ~level(w);
    buf_put(w->out, array ? "[" : "{", 1);
}

void json_put_object(struct json_writer *w, const char *key) { enter(w, key, false); }
void json_put_array(struct json_writer *w, const char *key) { enter(w, key, true); }

void json_put_end(struct json_writer *w)
{
    assert(w->depth > 0);
    buf_put(w->out, w->arrays & level(w) ? "]" : "}", 1);
    w->depth--;
}

void json_put_bytes(struct json_writer *w, const char *key, const char *s, size_t n)
{
    before(w, key);
    buf_json_string(w->out, s, n);
}

void json_put_text(struct json_writer *w, const char *key, const char *s)
{
    if (s) json_put_bytes(w, key, s, strlen(s));
    else json_put_null(w, key);
}

void json_put_raw(struct json_writer *w, const char *key, const char *json, size_t n)
{
    before(w, key);
    buf_put(w->out, json, n);
}

/* An alert has a dozen numbers: by hand, not by printf. */
static void put_digits(struct buf *out, uint64_t v, bool minus)
{
    char t[24], *end = t + sizeof t, *p = end;
    do *--p = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    if (minus) *--p = '-';
    buf_put(out, p, (size_t)(end - p));
}

void json_put_int(struct json_writer *w, const char *key, int64_t v)
{
    before(w, key);
    put_digits(w->out, v < 0 ? -(uint64_t)v : (uint64_t)v, v < 0);
}

void json_put_uint(struct json_writer *w, const char *key, uint64_t v)
{
    before(w, key);
    put_digits(w->out, v, false);
}

void json_put_real(struct json_writer *w, const char *key, double v)
{
    before(w, key);
    buf_json_double(w->out, v);
}

void json_put_bool(struct json_writer *w, const char *key, bool v)
{
    before(w, key);
    buf_puts(w->out, v ? "true" : "false");
}

void json_put_null(struct json_writer *w, const char *key)
{
    before(w, key);
    buf_put(w->out, "null", 4);
}

void json_put_uuid(struct json_writer *w, const char *key, struct uuid v)
{
    char text[UUID_TEXT];
    uuid_format(v, text);
    json_put_text(w, key, uuid_is_none(v) ? NULL : text);
}

void json_put_time(struct json_writer *w, const char *key, int64_t ns)
{
    char text[WHEN_TEXT_MAX];
    json_put_bytes(w, key, text, when_format(ns, text));
}

void json_put_date(struct json_writer *w, const char *key, int32_t day)
{
    char text[DATE_TEXT_MAX];
    json_put_bytes(w, key, text, date_format(day, text));
}

void json_put_decimal(struct json_writer *w, const char *key, int64_t e8)
{
    char text[DECIMAL_TEXT_MAX];
    json_put_bytes(w, key, text, decimal_format(e8, text));
}
