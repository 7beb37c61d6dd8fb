/* kinds.c - the kinds of records.def, each with its code; a record out of fields, and back into
 * text. */
#include "core/when.h"
#include "ingest/kinds/kind.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static const struct record_type *const types[RECORD_KIND_COUNT] = {
#define RECORD(number, id, name, origin, place, owner) [RECORD_##id] = &kind_##name,
#include "ingest/records.def"
#undef RECORD
};

const struct record_type *record_type(enum record_kind k)
{
    assert(record_kind_name(k));
    return types[k];
}

/* ---- reading ---- */

/* What the service tells itself is unknown here: no message may say it. */
static enum err kind_of_message(struct fields *f, enum record_kind *out)
{
    const struct str s = fields_text(f, "kind", 0, MESSAGE_MAX, true);
    if (f->err) return f->err;
    for (enum record_kind k = 1; k < RECORD_KIND_COUNT; k++) {
        const char *name = record_kind_name(k);
        if (record_origin(k) != ORIGIN_FEED || strlen(name) != s.n || memcmp(name, s.p, s.n))
            continue;
        *out = k;
        return ERR_OK;
    }
    return f->err = err_set(f->why, ERR_UNKNOWN_KIND, "unknown kind \"%.*s\"",
                            s.n < 40 ? (int)s.n : 40, s.p);
}

static void read_fields(struct fields *f, struct record *r)
{
    const struct record_type *t = record_type(r->kind);
    for (unsigned i = 0; i < t->fields_n; i++) t->fields[i].type->read(f, &t->fields[i], r);
}

/* When it happened: nanoseconds since 1970, or RFC 3339. */
static int64_t time_of_message(struct fields *f)
{
    struct why why = { 0 };
    struct field v = fields_find(f, "ts");
    int64_t ns = 0;
    if (v.shape == FIELD_ABSENT) fields_fail(f, "field \"ts\" is missing");
    else if (v.shape == FIELD_TEXT) {
        if (when_parse(v.text.p, v.text.n, &ns, &why) || when_is_ns(ns, &why))
            fields_fail(f, "field \"ts\": %s", why.text);
    } else if (v.shape != FIELD_NUMBER || !v.whole)
        fields_fail(f, "field \"ts\" must be integer nanoseconds since 1970, or RFC 3339 text");
    else if (when_is_ns(ns = v.integer, &why)) fields_fail(f, "field \"ts\": %s", why.text);
    return ns;
}

/* What failed has said so; that it has a symbol too is another question. */
static void say_whose(const struct fields *f, enum record_kind kind, struct record *out)
{
    struct record r = { .kind = kind };
    struct why why = { 0 };
    struct fields again = fields_begin(f->source, f->message, f->arena, &why);
    const struct field v = fields_find(&again, "symbol");
    if (record_place(kind) != PLACE_TICK || v.shape != FIELD_TEXT) return;
    symbol_of_field(&again, "symbol", &v, &r.u.symbol);
    if (!again.err) *out = r;
}

enum err record_read(struct fields *f, struct record *out)
{
    struct record r = { 0 };
    enum err e = kind_of_message(f, &r.kind);
    if (e) return e;
    r.event_ns = time_of_message(f);
    read_fields(f, &r);
    e = fields_end(f);
    if (!e) *out = r;
    else say_whose(f, r.kind, out);
    return e;
}

/* The row's kind and times count; where the text says its kind too it must agree, or it is some
 * other record's. The owner that the text says counts, so that a row which was given to somebody
 * else is found by verify. */
enum err record_read_stored(struct fields *f, const struct record *columns, struct uuid tenant,
                            struct record *out)
{
    struct record r = *columns;
    const char *name = record_kind_name(r.kind);
    if (!name)
        return err_set(f->why, ERR_UNKNOWN_KIND,
                       "stored as kind %d, which this program does not know", (int)r.kind);
    f->stored = true;
    if (record_owner(&r)) r.u.tenant = tenant;
    const struct str said = fields_text(f, "kind", 0, MESSAGE_MAX, false);
    if (said.p && (said.n != strlen(name) || memcmp(said.p, name, said.n)))
        fields_fail(f, "stored as kind %s, reads as kind %.*s", name,
                    said.n < 40 ? (int)said.n : 40, said.p);
    fields_integer(f, "ts", INT64_MIN, INT64_MAX, r.event_ns);
    read_fields(f, &r);
    enum err e = fields_end(f);
    if (!e) *out = r;
    return e;
}

/* ---- writing ---- */

void record_write(const struct record *r, struct buf *out)
{
    const struct record_type *t = record_type(r->kind);
    struct json_writer w = json_write(out);
    json_put_object(&w, NULL);
    json_put_text(&w, "kind", record_kind_name(r->kind));
    json_put_int(&w, "ts", r->event_ns);
    for (unsigned i = 0; i < t->fields_n; i++) t->fields[i].type->write(&w, &t->fields[i], r);
    json_put_end(&w);
}

/* ---- the page ---- */

static void describe_field(const struct record_field *d, struct buf *out)
{
    buf_printf(out, "`%s`: ", d->name);
    d->type->describe(d, out);
    if (d->about) buf_printf(out, " (%s)", d->about);
}

void kinds_reference(struct buf *out)
{
    buf_puts(out, "| kind | is | fields |\n|---|---|---|\n");
    for (enum record_kind k = 1; k < RECORD_KIND_COUNT; k++) {
        const struct record_type *t = record_type(k);
        if (record_origin(k) != ORIGIN_FEED) continue;
        buf_printf(out, "| `%s` | %s | ", record_kind_name(k), t->about);
        for (unsigned i = 0; i < t->fields_n; i++) {
            if (i) buf_puts(out, "<br>");
            describe_field(&t->fields[i], out);
        }
        buf_puts(out, " |\n");
    }
}

static void define_field(const struct record_field *d, struct json_writer *w)
{
    AUTO_BUF struct buf form = { 0 };
    d->type->describe(d, &form);
    json_put_object(w, NULL);
    json_put_text(w, "name", d->name);
    json_put_text(w, "form", form.data ? form.data : "");
    json_put_text(w, "help", d->about ? d->about : "");
    json_put_end(w);
}

void kinds_definitions(struct json_writer *w, const char *key)
{
    json_put_array(w, key);
    for (enum record_kind k = 1; k < RECORD_KIND_COUNT; k++) {
        const struct record_type *t = record_type(k);
        if (record_origin(k) != ORIGIN_FEED) continue;
        json_put_object(w, NULL);
        json_put_text(w, "kind", record_kind_name(k));
        json_put_text(w, "help", t->about);
        json_put_array(w, "fields");
        for (unsigned i = 0; i < t->fields_n; i++) define_field(&t->fields[i], w);
        json_put_end(w);
        json_put_end(w);
    }
    json_put_end(w);
}
