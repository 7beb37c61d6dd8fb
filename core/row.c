/* row.c - the loops over columns: each does for one column what its type asks for, and there is no other place that does. */
#include "core/row.h"

#include "core/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one field, by its type ---- */
#define FIELD(type, c, row) (*(const type *)row_field(c, row))

static int64_t whole_field(const struct column *c, const void *row)
{
    switch (c->type) {
    case COLUMN_I64: return FIELD(int64_t, c, row);
    case COLUMN_U64: return (int64_t)FIELD(uint64_t, c, row);
    case COLUMN_I32: return FIELD(int32_t, c, row);
    case COLUMN_U32: return FIELD(uint32_t, c, row);
    case COLUMN_I16: return FIELD(int16_t, c, row);
    case COLUMN_BOOL: return FIELD(bool, c, row);
    case COLUMN_ENUM: return FIELD(int, c, row);
    case COLUMN_F64:
    case COLUMN_UUID:
    case COLUMN_TEXT:
    case COLUMN_STR:
    case COLUMN_BYTES:
    case COLUMN_JSON: break;
    }
    assert(false && "a column of whole numbers");
    return 0;
}

/* The text of a column that has one, with p NULL for null (and for an empty STR); else nothing. */
static struct str text_field(const struct column *c, const void *row)
{
    if (c->type == COLUMN_STR || c->type == COLUMN_BYTES) return FIELD(struct str, c, row);
    if (c->type != COLUMN_TEXT && c->type != COLUMN_JSON) return (struct str){ 0 };
    const char *s = FIELD(char *, c, row);
    assert(s);
    return (struct str){ s, (uint32_t)strlen(s) };
}

const struct column *row_column(const struct row_type *t, const char *name)
{
    for (size_t i = 0; i < t->columns_n; i++)
        if (strcmp(t->columns[i].name, name) == 0) return &t->columns[i];
    return NULL;
}

/* ---- copying ---- */
size_t row_text_bytes(const struct row_type *t, const void *row)
{
    size_t n = 0;
    for (size_t i = 0; i < t->columns_n; i++) {
        struct str s = text_field(&t->columns[i], row);
        if (s.p) n += (size_t)s.n + 1;
    }
    return n;
}

/* `texts` has room for row_text_bytes. */
static void copy_into(const struct row_type *t, const void *row, void *out, char *texts)
{
    memcpy(out, row, t->size);
    for (size_t i = 0; i < t->columns_n; i++) {
        const struct column *c = &t->columns[i];
        struct str s = text_field(c, row);
        if (!s.p) continue;
        memcpy(texts, s.p, s.n);
        texts[s.n] = '\0';
        /* the pointer is a text's whole field, and the first of a str's two */
        memcpy((char *)out + c->offset, &(const char *){ texts }, sizeof(const char *));
        texts += (size_t)s.n + 1;
    }
}

bool row_copy(const struct row_type *t, const void *row, struct arena *arena, void *out)
{
    size_t n = row_text_bytes(t, row);
    char *texts = n ? arena_alloc(arena, n) : NULL;
    if (n && !texts) return false;
    copy_into(t, row, out, texts);
    return true;
}

void *row_new(const struct row_type *t, const void *row)
{
    char *out = malloc(t->size + row_text_bytes(t, row));
    if (out) copy_into(t, row, out, out + t->size);
    return out;
}

/* ---- JSON ---- */
static void put_bytes(struct json_writer *w, const char *key, struct str s)
{
    static const char digits[] = "0123456789abcdef";
    AUTO_BUF struct buf hex = { 0 };
    if (!s.p) {
        json_put_null(w, key);
        return;
    }
    buf_puts(&hex, "\\x");
    if (buf_reserve(&hex, 2 * (size_t)s.n))
        for (uint32_t i = 0; i < s.n; i++) {
            hex.data[hex.len++] = digits[(unsigned char)s.p[i] >> 4];
            hex.data[hex.len++] = digits[s.p[i] & 15];
        }
    w->out->failed |= hex.failed;
    json_put_bytes(w, key, hex.data, hex.len);
}

static void put_column(struct json_writer *w, const struct column *c, const void *row)
{
    const struct str s = text_field(c, row);
    switch (c->type) {
    case COLUMN_I64:
    case COLUMN_U64:
    case COLUMN_I32:
    case COLUMN_U32:
    case COLUMN_I16: json_put_int(w, c->name, whole_field(c, row)); return;
    case COLUMN_BOOL: json_put_bool(w, c->name, FIELD(bool, c, row)); return;
    case COLUMN_F64: json_put_real(w, c->name, FIELD(double, c, row)); return;
    case COLUMN_UUID: json_put_uuid(w, c->name, FIELD(struct uuid, c, row)); return;
    case COLUMN_TEXT:
    case COLUMN_STR: json_put_bytes(w, c->name, s.p ? s.p : "", s.p ? s.n : 0); return;
    case COLUMN_BYTES: put_bytes(w, c->name, s); return;
    case COLUMN_JSON: json_put_raw(w, c->name, s.p, s.n); return;
    case COLUMN_ENUM: json_put_text(w, c->name, names_text(c->names, FIELD(int, c, row))); return;
    }
}

void row_json(struct json_writer *w, const char *key, const struct row_type *t, const void *row)
{
    json_put_object(w, key);
    for (size_t i = 0; i < t->columns_n; i++) put_column(w, &t->columns[i], row);
    json_put_end(w);
}

/* ---- for people ---- */
void row_text(const struct column *c, const void *row, char *out, size_t cap)
{
    const struct str s = text_field(c, row);
    switch (c->type) {
    case COLUMN_I64:
    case COLUMN_U64:
    case COLUMN_I32:
    case COLUMN_U32:
    case COLUMN_I16: snprintf(out, cap, "%" PRId64, whole_field(c, row)); return;
    case COLUMN_BOOL: snprintf(out, cap, "%s", FIELD(bool, c, row) ? "true" : "false"); return;
    case COLUMN_F64: {
        double v = FIELD(double, c, row);
        if (isfinite(v)) snprintf(out, cap, "%.17g", v);
        else snprintf(out, cap, "null");
        return;
    }
    case COLUMN_UUID: {
        char text[UUID_TEXT];
        uuid_format(FIELD(struct uuid, c, row), text);
        snprintf(out, cap, "%s", uuid_is_none(FIELD(struct uuid, c, row)) ? "null" : text);
        return;
    }
    case COLUMN_BYTES: /* what they are is nothing to read */
        if (s.p) snprintf(out, cap, "%" PRIu32 " bytes", s.n);
        else snprintf(out, cap, "null");
        return;
    case COLUMN_TEXT:
    case COLUMN_STR:
    case COLUMN_JSON: snprintf(out, cap, "%.*s", s.p ? (int)s.n : 0, s.p ? s.p : ""); return;
    case COLUMN_ENUM: snprintf(out, cap, "%s", names_text(c->names, FIELD(int, c, row))); return;
    }
}

/* ---- comparing ---- */
static bool same_text(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool same_json(struct str a, struct str b)
{
    if (same_text(a, b)) return true;
    const size_t how = JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL;
    AUTO_JSON json_t *x = json_loadb(a.p, a.n, how, NULL), *y = json_loadb(b.p, b.n, how, NULL);
    return json_equal(x, y); /* false when either is no JSON */
}

static bool same_double(double a, double b)
{
    if (!isfinite(a) || !isfinite(b)) return !isfinite(a) && !isfinite(b);
    return memcmp(&a, &b, sizeof a) == 0 || (a == 0 && b == 0);
}

static bool same_column(const struct column *c, const void *a, const void *b)
{
    const struct str s = text_field(c, a), t = text_field(c, b);
    switch (c->type) {
    case COLUMN_I64:
    case COLUMN_U64:
    case COLUMN_I32:
    case COLUMN_U32:
    case COLUMN_I16:
    case COLUMN_BOOL:
    case COLUMN_ENUM: return whole_field(c, a) == whole_field(c, b);
    case COLUMN_F64: return same_double(FIELD(double, c, a), FIELD(double, c, b));
    case COLUMN_UUID: return uuid_equal(FIELD(struct uuid, c, a), FIELD(struct uuid, c, b));
    case COLUMN_TEXT:
    case COLUMN_STR: return same_text(s, t);
    case COLUMN_BYTES: return !s.p == !t.p && same_text(s, t);
    case COLUMN_JSON: return same_json(s, t);
    }
    return false;
}

void row_compare(const struct row_type *t, const void *a, const void *b,
                 void (*differ)(void *ctx, const struct column *c, const void *a, const void *b),
                 void *ctx)
{
    for (size_t i = 0; i < t->columns_n; i++)
        if (!same_column(&t->columns[i], a, b)) differ(ctx, &t->columns[i], a, b);
}

int row_order(const struct column *c, const void *a, const void *b)
{
    if (c->type == COLUMN_UUID) return memcmp(row_field(c, a), row_field(c, b), 16);
    int64_t x = whole_field(c, a), y = whole_field(c, b);
    return (x > y) - (x < y);
}
