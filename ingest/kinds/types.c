/* types.c - the types of fields: how each is read, written and described.
 *
 * One field through all three, d = { .name = "price", .type = &field_decimal, .at =
 * AT(trade.price_e8), .min = 1, .max = 9e15, .missing = FIELD_REQUIRED }:
 *
 *     read      the message has "price":1.725e2. fields_find says NUMBER, fields_written
 *               "1.725e2", decimal_parse makes 17250000000 of it without a double in between; it
 *               is within bounds and goes into u.trade.price_e8
 *     write     decimal_format(17250000000) is "172.5": the canonical JSON has "price":"172.5"
 *     describe  "decimal, 0.00000001 to 90000000"
 *
 * What a read finds wrong it says with fields_fail, naming the field, and leaves; the caller looks
 * once, at the end. */
#include "core/decimal.h"
#include "core/when.h"
#include "ingest/kinds/kind.h"
#include "ingest/symbol.h"

#include <inttypes.h>
#include <string.h>

/* The value of a field in a record, as its type. */
#define VALUE(type, d, r) ((type *)(void *)((char *)(r) + (d)->at))
#define CONST_VALUE(type, d, r) ((const type *)(const void *)((const char *)(r) + (d)->at))

/* ---- text ---- */

static void text_read(struct fields *f, const struct record_field *d, struct record *r)
{
    const struct str s = fields_text(f, d->name, (size_t)d->min, (size_t)d->max, d->min > 0);
    *VALUE(struct str, d, r) = fields_keep(f, s);
}

static void text_write(struct json_writer *w, const struct record_field *d, const struct record *r)
{
    const struct str *s = CONST_VALUE(struct str, d, r);
    if (s->n) json_put_bytes(w, d->name, s->p, s->n);
}

static void text_describe(const struct record_field *d, struct buf *out)
{
    if (d->min) buf_printf(out, "%" PRId64 " to %" PRId64 " bytes", d->min, d->max);
    else buf_printf(out, "up to %" PRId64 " bytes; default empty", d->max);
}

const struct field_type field_text = { text_read, text_write, text_describe };

/* ---- the name of an index, a book or a theme ---- */

static void name_read(struct fields *f, const struct record_field *d, struct record *r)
{
    const struct str s = fields_text(f, d->name, 1, (size_t)d->max, true);
    if (!f->err && !name_chars(s.p, s.n))
        fields_fail(f, "field \"%s\" may hold A-Z a-z 0-9 . - _ only", d->name);
    *VALUE(struct str, d, r) = fields_keep(f, s);
}

static void name_describe(const struct record_field *d, struct buf *out)
{
    (void)d;
    buf_puts(out, "name");
}

const struct field_type field_name = { name_read, text_write, name_describe };

/* ---- a symbol ---- */

void symbol_of_field(struct fields *f, const char *name, const struct field *v, struct symbol *out)
{
    *out = (struct symbol){ { 0 } };
    if (!f->err && (v->shape != FIELD_TEXT || symbol_from(v->text.p, v->text.n, out)))
        fields_fail(f, "field \"%s\" needs 1 to %d characters of A-Z a-z 0-9 . - _ / :", name,
                    SYMBOL_MAX);
}

static void symbol_read(struct fields *f, const struct record_field *d, struct record *r)
{
    const struct field v = fields_find(f, d->name);
    if (v.shape == FIELD_ABSENT) fields_fail(f, "field \"%s\" is missing", d->name);
    symbol_of_field(f, d->name, &v, VALUE(struct symbol, d, r));
}

static void symbol_write(struct json_writer *w, const struct record_field *d,
                         const struct record *r)
{
    json_put_text(w, d->name, CONST_VALUE(struct symbol, d, r)->s);
}

static void symbol_describe(const struct record_field *d, struct buf *out)
{
    (void)d;
    buf_puts(out, "symbol");
}

const struct field_type field_symbol = { symbol_read, symbol_write, symbol_describe };

/* ---- an exact decimal at 1e-8 ---- */

/* "145.06" or 145.06, or any other way to write it: to the last digit, or refused. */
static int64_t decimal_of_field(struct fields *f, const char *name, const struct field *v)
{
    struct str text = v->text;
    int64_t e8 = 0;
    struct why why;
    if (v->shape == FIELD_NUMBER) text = fields_written(f, name);
    else if (v->shape != FIELD_TEXT)
        fields_fail(f, "field \"%s\" must be a decimal string or a number", name);
    if (!f->err && decimal_parse(text.p, text.n, &e8, &why))
        fields_fail(f, "field \"%s\": %s", name, why.text);
    return e8;
}

static void decimal_bound(struct fields *f, const struct record_field *d, int64_t e8)
{
    char lo[DECIMAL_TEXT_MAX], hi[DECIMAL_TEXT_MAX], is[DECIMAL_TEXT_MAX];
    if (f->err || (e8 >= d->min && e8 <= d->max)) return;
    decimal_format(d->min, lo);
    decimal_format(d->max, hi);
    decimal_format(e8, is);
    fields_fail(f, "field \"%s\" must be from %s to %s, is %s", d->name, lo, hi, is);
}

static void decimal_read(struct fields *f, const struct record_field *d, struct record *r)
{
    const struct field v = fields_find(f, d->name);
    int64_t e8 = d->missing;
    if (v.shape != FIELD_ABSENT) {
        e8 = decimal_of_field(f, d->name, &v);
        decimal_bound(f, d, e8);
    } else if (d->missing == FIELD_REQUIRED) fields_fail(f, "field \"%s\" is missing", d->name);
    *VALUE(int64_t, d, r) = e8;
}

static void decimal_write(struct json_writer *w, const struct record_field *d,
                          const struct record *r)
{
    json_put_decimal(w, d->name, *CONST_VALUE(int64_t, d, r));
}

static void decimal_describe(const struct record_field *d, struct buf *out)
{
    char lo[DECIMAL_TEXT_MAX], hi[DECIMAL_TEXT_MAX], missing[DECIMAL_TEXT_MAX];
    decimal_format(d->min, lo);
    decimal_format(d->max, hi);
    buf_printf(out, "decimal, %s to %s", lo, hi);
    if (d->missing == FIELD_REQUIRED) return;
    decimal_format(d->missing, missing);
    buf_printf(out, "; default %s", missing);
}

const struct field_type field_decimal = { decimal_read, decimal_write, decimal_describe };

/* ---- an integer ---- */

static void integer_read(struct fields *f, const struct record_field *d, struct record *r)
{
    *VALUE(int64_t, d, r) = fields_integer(f, d->name, d->min, d->max, d->missing);
}

/* A default out of bounds cannot be said in a message: it means "none" and is left out. */
static void integer_write(struct json_writer *w, const struct record_field *d,
                          const struct record *r)
{
    const int64_t v = *CONST_VALUE(int64_t, d, r);
    if (v >= d->min && v <= d->max) json_put_int(w, d->name, v);
}

static void integer_describe(const struct record_field *d, struct buf *out)
{
    buf_printf(out, "integer, %" PRId64 " to %" PRId64, d->min, d->max);
    if (d->missing >= d->min && d->missing <= d->max)
        buf_printf(out, "; default %" PRId64, d->missing);
    else if (d->missing != FIELD_REQUIRED) buf_puts(out, "; default none");
}

const struct field_type field_integer = { integer_read, integer_write, integer_describe };

/* ---- true or false ---- */

static void flag_read(struct fields *f, const struct record_field *d, struct record *r)
{
    const struct field v = fields_find(f, d->name);
    if (v.shape != FIELD_ABSENT && v.shape != FIELD_FLAG)
        fields_fail(f, "field \"%s\" must be true or false", d->name);
    *VALUE(bool, d, r) = v.shape == FIELD_FLAG ? v.flag : d->missing != 0;
}

static void flag_write(struct json_writer *w, const struct record_field *d, const struct record *r)
{
    json_put_bool(w, d->name, *CONST_VALUE(bool, d, r));
}

static void flag_describe(const struct record_field *d, struct buf *out)
{
    buf_printf(out, "`true` or `false`; default `%s`", d->missing ? "true" : "false");
}

const struct field_type field_flag = { flag_read, flag_write, flag_describe };

/* ---- a date ---- */

static int32_t day_missing(const struct record_field *d, const struct record *r)
{
    return d->missing == DAY_OF_TS ? day_of_ns(r->event_ns) : NO_DAY;
}

static void day_read(struct fields *f, const struct record_field *d, struct record *r)
{
    const struct str s = fields_text(f, d->name, 1, 40, d->missing == FIELD_REQUIRED);
    int32_t day = day_missing(d, r);
    struct why why;
    if (s.p && date_parse(s.p, s.n, &day, &why))
        fields_fail(f, "field \"%s\": %s", d->name, why.text);
    *VALUE(int32_t, d, r) = day;
}

static void day_write(struct json_writer *w, const struct record_field *d, const struct record *r)
{
    const int32_t day = *CONST_VALUE(int32_t, d, r);
    if (day != NO_DAY) json_put_date(w, d->name, day);
}

static void day_describe(const struct record_field *d, struct buf *out)
{
    buf_puts(out, "date");
    if (d->missing == DAY_OF_TS) buf_puts(out, "; default that of `ts`");
    else if (d->missing != FIELD_REQUIRED) buf_puts(out, "; default none");
}

const struct field_type field_day = { day_read, day_write, day_describe };

/* ---- a UUID, and the one that says whose the record is ---- */

static struct uuid uuid_want(struct fields *f, const char *name, bool required)
{
    const struct str s = fields_text(f, name, UUID_TEXT - 1, UUID_TEXT - 1, required);
    struct uuid u = { { 0 } };
    if (s.p && (uuid_parse(s.p, s.n, &u) || uuid_is_none(u)))
        fields_fail(f, "field \"%s\" must be a UUID that is not all zero", name);
    return u;
}

static void uuid_read(struct fields *f, const struct record_field *d, struct record *r)
{
    *VALUE(struct uuid, d, r) = uuid_want(f, d->name, true);
}

/* Rules were once stored without it in their text: then the row's tenant counts, which is in *r
 * already. */
static void tenant_read(struct fields *f, const struct record_field *d, struct record *r)
{
    const struct uuid u = uuid_want(f, d->name, !f->stored);
    if (!f->stored || !uuid_is_none(u)) *VALUE(struct uuid, d, r) = u;
}

static void uuid_write(struct json_writer *w, const struct record_field *d, const struct record *r)
{
    json_put_uuid(w, d->name, *CONST_VALUE(struct uuid, d, r));
}

static void uuid_describe(const struct record_field *d, struct buf *out)
{
    (void)d;
    buf_puts(out, "UUID, not all zero");
}

const struct field_type field_uuid = { uuid_read, uuid_write, uuid_describe };
const struct field_type field_tenant = { tenant_read, uuid_write, uuid_describe };
