/* wire.c - PostgreSQL's binary format (its manual: COPY, "Binary Format"; the fields are those of
 * each type's send function).
 *
 * The gap of offsets 10 to 12 in source 3, a row of (integer, bigint, bigint), is 34 bytes:
 *
 *     00 03                                     three fields
 *     00 00 00 04  00 00 00 03                  4 bytes: source_id 3
 *     00 00 00 08  00 00 00 00 00 00 00 0a      8 bytes: from_offset 10
 *     00 00 00 08  00 00 00 00 00 00 00 0c      8 bytes: to_offset 12
 *
 * A null is the length ff ff ff ff and nothing behind it. A double is its IEEE bits, so that a
 * value comes back as exactly the one that was computed, which `verify` compares; as text it would
 * depend on a setting of the session. */
#include "store/wire.h"

#include <endian.h>
#include <math.h>
#include <string.h>

/* ---- out ---- */
static char *put16(char *p, int16_t v)
{
    uint16_t x = htobe16((uint16_t)v);
    memcpy(p, &x, 2);
    return p + 2;
}
static char *put32(char *p, int32_t v)
{
    uint32_t x = htobe32((uint32_t)v);
    memcpy(p, &x, 4);
    return p + 4;
}
static char *put64(char *p, int64_t v)
{
    uint64_t x = htobe64((uint64_t)v);
    memcpy(p, &x, 8);
    return p + 8;
}
static char *put_bytes(char *p, const void *s, size_t n)
{
    p = put32(p, (int32_t)n);
    if (n) memcpy(p, s, n);
    return p + n;
}
static char *put_null(char *p) { return put32(p, -1); }

void wire_begin(struct buf *out)
{
    static const char header[19] = "PGCOPY\n\377\r\n\0"; /* signature, no flags, no extension */
    buf_put(out, header, sizeof header);
}

void wire_end(struct buf *out)
{
    char p[2];
    put16(p, -1);
    buf_put(out, p, sizeof p);
}

static char *put_double(char *p, double v)
{
    int64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return isfinite(v) ? put64(put32(p, 8), bits) : put_null(p);
}

static char *put_uuid(char *p, const struct uuid *u)
{
    return uuid_is_none(*u) ? put_null(p) : put_bytes(p, u->b, sizeof u->b);
}

/* What a field takes beyond its text: a length, and the bytes of a uuid or of jsonb's version. */
enum { FIELD_MAX = 4 + 16 };

/* The text of a column that has one; p NULL: null, or an empty one. */
static struct str text_of(const struct column *c, const void *field)
{
    if (c->type == COLUMN_STR || c->type == COLUMN_BYTES) return *(const struct str *)field;
    const char *s = c->type == COLUMN_ENUM ? names_text(c->names, *(const int *)field)
                                           : *(const char *const *)field;
    return (struct str){ s, (uint32_t)strlen(s) };
}

/* Into a buf with room for every field but its text, for which this makes more: NULL when there is none. */
static char *put_text(char *p, const struct column *c, const void *field, size_t left,
                      struct buf *out)
{
    const struct str s = text_of(c, field);
    out->len = (size_t)(p - out->data);
    if (!buf_reserve(out, left + s.n)) return NULL;
    p = out->data + out->len;
    if (c->type == COLUMN_BYTES && !s.p) return put_null(p);
    if (c->type != COLUMN_JSON) return put_bytes(p, s.p, s.p ? s.n : 0);
    p = put32(p, (int32_t)s.n + 1);
    *p++ = 1; /* jsonb: the version, then the text */
    memcpy(p, s.p, s.n);
    return p + s.n;
}

static char *put_column(char *p, const struct column *c, const void *row, size_t left,
                        struct buf *out)
{
    const void *field = row_field(c, row);
    switch (c->type) {
    case COLUMN_I64:
    case COLUMN_U64: return put64(put32(p, 8), *(const int64_t *)field);
    case COLUMN_I32:
    case COLUMN_U32: return put32(put32(p, 4), *(const int32_t *)field);
    case COLUMN_I16: return put16(put32(p, 2), *(const int16_t *)field);
    case COLUMN_BOOL: return put_bytes(p, *(const bool *)field ? "\1" : "\0", 1);
    case COLUMN_F64: return put_double(p, *(const double *)field);
    case COLUMN_UUID: return put_uuid(p, field);
    case COLUMN_TEXT:
    case COLUMN_STR:
    case COLUMN_BYTES:
    case COLUMN_JSON:
    case COLUMN_ENUM: return put_text(p, c, field, left, out);
    }
    return NULL;
}

void wire_put(const struct row_type *t, const void *row, struct buf *out)
{
    if (!buf_reserve(out, 2 + t->columns_n * FIELD_MAX)) return;
    char *p = put16(out->data + out->len, (int16_t)t->columns_n);
    for (size_t i = 0; i < t->columns_n; i++) {
        p = put_column(p, &t->columns[i], row, (t->columns_n - i) * FIELD_MAX, out);
        if (!p) return;
    }
    *p = '\0';
    out->len = (size_t)(p - out->data);
}

/* ---- in ---- */
static uint64_t get_whole(const char *p, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++) v = v << 8 | (unsigned char)p[i];
    return v;
}

/* Bytes of a column in the binary format; 0: as many as it has. */
static int width_of(enum column_type type)
{
    switch (type) {
    case COLUMN_I64:
    case COLUMN_U64:
    case COLUMN_F64: return 8;
    case COLUMN_I32:
    case COLUMN_U32: return 4;
    case COLUMN_I16: return 2;
    case COLUMN_BOOL: return 1;
    case COLUMN_UUID: return 16;
    case COLUMN_TEXT:
    case COLUMN_STR:
    case COLUMN_BYTES:
    case COLUMN_JSON:
    case COLUMN_ENUM: return 0;
    }
    return 0;
}

static bool get_null(const struct column *c, void *field)
{
    static const double nan = NAN;
    if (c->type == COLUMN_F64) memcpy(field, &nan, sizeof nan);
    else if (c->type == COLUMN_UUID) memset(field, 0, sizeof(struct uuid));
    else if (c->type == COLUMN_BYTES) memset(field, 0, sizeof(struct str));
    else return false;
    return true;
}

static enum err get_enum(const struct row_type *t, const struct column *c, const char *p, int n,
                         void *field, struct why *why)
{
    struct why mine = { 0 };
    int value;
    enum err e = names_value(c->names, p, (size_t)n, &value, &mine);
    if (e) return err_set(why, e, "%s.%s: %s", t->name, c->name, mine.text);
    memcpy(field, &value, sizeof value);
    return ERR_OK;
}

static enum err get_value(const struct row_type *t, const struct column *c, const char *p, int n,
                          void *field, struct why *why)
{
    const struct str s = { p, (uint32_t)n };
    const int64_t v64 = (int64_t)get_whole(p, n <= 8 ? n : 0);
    const int32_t v32 = (int32_t)v64;
    const int16_t v16 = (int16_t)v64;
    const bool yes = v64 != 0;
    switch (c->type) {
    case COLUMN_I64:
    case COLUMN_U64:
    case COLUMN_F64: memcpy(field, &v64, 8); return ERR_OK;
    case COLUMN_I32:
    case COLUMN_U32: memcpy(field, &v32, 4); return ERR_OK;
    case COLUMN_I16: memcpy(field, &v16, 2); return ERR_OK;
    case COLUMN_BOOL: memcpy(field, &yes, sizeof yes); return ERR_OK;
    case COLUMN_UUID: memcpy(field, p, 16); return ERR_OK;
    case COLUMN_TEXT: memcpy(field, &p, sizeof p); return ERR_OK;
    case COLUMN_STR:
    case COLUMN_BYTES: memcpy(field, &s, sizeof s); return ERR_OK;
    case COLUMN_JSON:
        p++;
        memcpy(field, &p, sizeof p);
        return ERR_OK; /* past the version */
    case COLUMN_ENUM: return get_enum(t, c, p, n, field, why);
    }
    return ERR_OK;
}

/* What is not as the description says is the database's fault and no assertion: somebody may have
 * altered a table. */
enum err wire_get_at(const struct row_type *t, const PGresult *r, int i, int first, void *out,
                     struct why *why)
{
    if (PQnfields(r) - first < (int)t->columns_n)
        return err_set(why, ERR_DB, "%s: %d columns, %zu were asked for", t->name,
                       PQnfields(r) - first, t->columns_n);
    memset(out, 0, t->size);
    for (int k = first; k < first + (int)t->columns_n; k++) {
        const struct column *c = &t->columns[k - first];
        void *field = (char *)out + c->offset;
        const int n = PQgetlength(r, i, k), width = width_of(c->type);
        if (PQgetisnull(r, i, k)) {
            if (get_null(c, field)) continue;
            return err_set(why, ERR_DB, "%s.%s is null", t->name, c->name);
        }
        if ((width && n != width) || (c->type == COLUMN_JSON && n < 1))
            return err_set(why, ERR_DB, "%s.%s has %d bytes", t->name, c->name, n);
        enum err e = get_value(t, c, PQgetvalue(r, i, k), n, field, why);
        if (e) return e;
    }
    return ERR_OK;
}

enum err wire_get(const struct row_type *t, const PGresult *r, int i, void *out, struct why *why)
{
    if (PQnfields(r) != (int)t->columns_n)
        return err_set(why, ERR_DB, "%s: %d columns, %zu were asked for", t->name, PQnfields(r),
                       t->columns_n);
    return wire_get_at(t, r, i, 0, out, why);
}
